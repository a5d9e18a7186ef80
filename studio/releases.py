"""The release store: trained models with what is known of them. Rasa and the gateways pull the current one.

A release is `<id>.tar.gz` with `<id>.json` beside it; `current` names one. Everything is put in place by rename, and
in this order, so that a crash at any point leaves the release that was current.
"""
from __future__ import annotations

import json
import os
import re
import shutil
import threading
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Dict, List, Optional

from assistant.errors import AssistantError
from assistant.release import checksum

KEPT = 10


class ReleaseError(AssistantError):
    """A release that is not there or is damaged."""


@dataclass(frozen=True)
class Release:
    """What is known of a released model."""

    id: str
    version: str  # Rasa's model id, which turns carry
    commit: str
    author: str
    note: str
    at: float
    checksum: str  # sha256 of the archive, also its ETag
    scores: Dict[str, Any] = field(default_factory=dict)
    accepted: List[Dict[str, str]] = field(default_factory=list)  # losses that were accepted, with the reason
    answers_only: bool = False
    activated_at: float = 0.0
    activated_by: str = ""


class Releases:
    """The releases in a folder. Safe to use from threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, archive: Path, release: Release, results: Optional[Dict[str, Any]] = None) -> Release:
        """Take a copy of `archive` as `release`, without making it current, and return it with its checksum."""
        target = self.archive(release.id)
        draft = target.with_name(f".{target.name}.part")
        shutil.copyfile(archive, draft)
        _sync(draft)
        os.replace(draft, target)
        release = replace(release, checksum=checksum(target))
        if results is not None:
            self._write(self._results(release.id), json.dumps(results, ensure_ascii=False))
        self._write(self.folder / f"{release.id}.json", json.dumps(asdict(release), ensure_ascii=False, indent=1))
        return release

    def activate(self, identity: str, by: str) -> Release:
        """Make a kept release, named by id or version, the current one. Raises ReleaseError when it is gone or damaged."""
        with self._lock:
            release = self.get(identity)
            if release is None:
                raise ReleaseError("This release is not kept any more. Choose one of the list.")
            archive = self.archive(release.id)
            if not archive.is_file() or checksum(archive) != release.checksum:
                raise ReleaseError("This release is damaged: its checksum does not fit. Choose another, or publish anew.")
            release = replace(release, activated_at=time.time(), activated_by=by)
            self._write(self.folder / f"{release.id}.json", json.dumps(asdict(release), ensure_ascii=False, indent=1))
            self._write(self.folder / "current", release.id)
            self._prune()
        return release

    def current(self) -> Optional[Release]:
        """Return the current release, or None before the first."""
        try:
            return self.get((self.folder / "current").read_text(encoding="utf-8").strip())
        except FileNotFoundError:
            return None

    def get(self, identity: str) -> Optional[Release]:
        """Return the release with this id or with this version, or None."""
        if not re.fullmatch(r"[\w.-]+", identity):
            return None
        path = self.folder / f"{identity}.json"
        if path.is_file():
            return Release(**json.loads(path.read_text(encoding="utf-8")))
        return next((release for release in self.all() if release.version == identity), None)

    def all(self) -> List[Release]:
        """Return the kept releases, newest first."""
        paths = [path for path in self.folder.glob("*.json") if not path.name.endswith(".results.json")]
        found = [Release(**json.loads(path.read_text(encoding="utf-8"))) for path in paths]
        return sorted(found, key=lambda release: release.at, reverse=True)

    def results(self, identity: str) -> Optional[Dict[str, Any]]:
        """Return what the release made of the tests, or None when that was not noted."""
        path = self._results(identity)
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None

    def archive(self, identity: str) -> Path:
        """Return where the release's model is."""
        return self.folder / f"{identity}.tar.gz"

    def adopt(self, archive: Path, version: str, commit: str) -> Optional[Release]:
        """Make a model that was trained on the command line current, unless it is known; return it if so."""
        known = checksum(archive)
        current = self.current()
        if any(release.checksum == known for release in self.all()):
            return None
        if current is not None and archive.stat().st_mtime < current.activated_at:
            return None  # an old model that was left behind
        release = self.add(
            archive,
            Release(
                id=new_id(commit),
                version=version,
                commit=commit,
                author="command line",
                note="Trained on the server",
                at=time.time(),
                checksum="",
            ),
        )
        return self.activate(release.id, "command line")

    def _results(self, identity: str) -> Path:
        return self.folder / f"{identity}.results.json"

    def _write(self, path: Path, text: str) -> None:
        draft = path.with_name(f".{path.name}.part")
        draft.write_text(text, encoding="utf-8")
        _sync(draft)
        os.replace(draft, path)

    def _prune(self) -> None:
        """Keep the last ten and the current one; take away what a crash left behind."""
        current = self.current()
        for release in self.all()[KEPT:]:
            if current is None or release.id != current.id:
                for path in (self.folder / f"{release.id}.json", self._results(release.id), self.archive(release.id)):
                    path.unlink(missing_ok=True)
        known = {release.id for release in self.all()}
        for path in self.folder.glob("*.tar.gz"):
            if path.name[:-len(".tar.gz")] not in known and time.time() - path.stat().st_mtime > 3600:
                path.unlink(missing_ok=True)


def new_id(commit: str) -> str:
    """Return the id of a release made now: its time and its commit."""
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{commit[:8] or 'none'}"


def _sync(path: Path) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())
