"""Trained models rewritten file by file, without Rasa: other answers, or another model's safety check."""
from __future__ import annotations

import io
import os
import tarfile
import tempfile
from pathlib import Path
from typing import Callable

from assistant.errors import ModelError
from assistant.release import SAFETY, unpack


def rewrite(archive: Path, out: Path, change: Callable[[str, bytes], bytes]) -> None:
    """Write the model `archive` to `out`, by rename, with each file's content passed through `change(name, content)`.

    Raises ModelError when the archive is not of the known form, or when `change` raises KeyError or ValueError.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        with tarfile.open(archive, "r:gz") as old, tarfile.open(draft, "w:gz", compresslevel=1) as new:
            for member in old.getmembers():
                file = old.extractfile(member)
                if file is None:
                    new.addfile(member)
                    continue
                content = change(member.name, file.read())
                member.size = len(content)
                new.addfile(member, io.BytesIO(content))
        os.replace(draft, out)
    except (OSError, EOFError, tarfile.TarError, KeyError, ValueError) as error:
        raise ModelError(f"{archive.name}: cannot be rewritten ({error}). Train it anew.") from error
    finally:
        draft.unlink(missing_ok=True)


def keep_safety(live: Path, archive: Path) -> None:
    """Give the model `archive` the safety check of the model `live`. Raises ModelError."""
    with tempfile.TemporaryDirectory() as folder:
        kept = {path.name: path.read_bytes() for path in unpack(live, Path(folder) / "model").safety.iterdir()}
    rewrite(archive, archive, lambda name, content: kept[Path(name).name] if SAFETY in Path(name).parent.name else content)
