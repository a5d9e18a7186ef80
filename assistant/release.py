"""What a trained model holds for others than Rasa: its version, the topics' labels, the safety check's files.

Gateways read it from the same archive that Rasa serves, so that a roll back moves both together.
"""
from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator, Optional, Tuple

from assistant.errors import ModelError
from assistant.settings import Settings

# The component's folder in the archive is named after its class, with a number behind it.
SAFETY = "addons.safety_check.SafetyCheck"
UNDERSTANDING = "addons.understanding.Understanding"
# Far above any file that a component writes; a larger one is no model of ours.
LARGEST = 256 * 1024 * 1024
# Below the `var` folder: the studio's store, and what a gateway pulled last from a store elsewhere.
STORE, PULLED = "releases", "pulled.tar.gz"


@dataclass(frozen=True)
class Release:
    """One trained model, unpacked as far as the gateway and the studio need it."""

    version: str  # Rasa's model id
    trained_at: str  # ISO 8601
    safety: Path  # for SafetyCheck.load, Helplines.load, Replies.load
    understanding: Path  # for Reader.load

    @property
    def labels(self) -> Dict[str, str]:
        """Return the label of each intent."""
        content = json.loads((self.understanding / "topics.json").read_text(encoding="utf-8"))
        return {intent: label for intent, (label, _) in content["topics"].items()}


def newest(settings: Settings) -> Optional[Path]:
    """Return the archive to start with while the release store does not answer, or None: what came last to this machine.

    That is the store's current release, what was pulled from a store elsewhere, or the model of `make train`.
    """
    current, pulled, trained = settings.var / STORE / "current", settings.var / PULLED, settings.models / "assistant.tar.gz"
    found = [_dated(path, path) for path in (pulled, trained)]
    if current.is_file():
        # A roll back makes an old archive current: the time of the choice counts.
        found.append(_dated(current.with_name(f"{current.read_text(encoding='utf-8').strip()}.tar.gz"), current))
    return max((item for item in found if item), default=(0, None))[1]


def _dated(archive: Path, dated: Path) -> Optional[Tuple[int, Path]]:
    return (dated.stat().st_mtime_ns, archive) if archive.is_file() else None


def checksum(archive: Path) -> str:
    """Return the sha256 of an archive, in hex."""
    digest = hashlib.sha256()
    with open(archive, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def etag(archive: Path) -> str:
    """Return the ETag under which the release store serves an archive."""
    return f'"{checksum(archive)}"'


def unpack(archive: Path, target: Path) -> Release:
    """Unpack what is needed of the model `archive` into the new folder `target` and return it.

    Raises ModelError when the archive is missing, broken, or not of this version of the code; nothing of it stays.
    """
    target.mkdir(parents=True)
    try:
        with tarfile.open(archive, "r:gz") as tar:
            metadata = json.load(_file(tar, "metadata.json"))
            parts = {part: _component(tar, part, target / part) for part in (SAFETY, UNDERSTANDING)}
        return Release(str(metadata["model_id"]), str(metadata["trained_at"]), parts[SAFETY], parts[UNDERSTANDING])
    except (OSError, EOFError, tarfile.TarError, KeyError, ValueError) as error:
        shutil.rmtree(target)
        raise ModelError(f"{archive}: not a model of this version ({error}). Run `make train`.") from error


def _component(tar: tarfile.TarFile, part: str, target: Path) -> Path:
    """Write the files of one component; its members' names are looked at, never used as paths."""
    target.mkdir()
    found = False
    for member in _members(tar):
        pieces = Path(member.name).parts[-3:]
        if len(pieces) == 3 and pieces[0] == "components" and part in pieces[1] and member.size <= LARGEST:
            with tar.extractfile(member) as source, open(target / pieces[2], "wb") as copy:  # type: ignore[union-attr]
                shutil.copyfileobj(source, copy)
            found = True
    if not found:
        raise KeyError(f"no component {part}")
    return target


def _file(tar: tarfile.TarFile, name: str):  # type: ignore[no-untyped-def]
    member = next((item for item in _members(tar) if Path(item.name).name == name), None)
    if member is None:
        raise KeyError(f"no {name}")
    return tar.extractfile(member)


def _members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    return (member for member in tar.getmembers() if member.isfile())
