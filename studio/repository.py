"""The git repository that holds the content: reading, merging and committing in a person's name."""
from __future__ import annotations

import fcntl
import io
import os
import re
import subprocess
import tarfile
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator, List, Mapping, Optional, Sequence

from assistant.errors import AssistantError

BUSY_SECONDS = 5.0
# The committer; the author is the person. Hooks are for developers: the studio's gates stand before the release.
_IDENTITY = ("-c", "user.name=Studio", "-c", "user.email=studio@localhost", "-c", "core.hooksPath=/dev/null", "-c", "commit.gpgsign=false")


class RepositoryError(AssistantError):
    """Git refused something; the message says what to do."""


@dataclass(frozen=True)
class Commit:
    """One commit, as shown to staff."""

    id: str
    author: str
    at: float
    message: str


class Repository:
    """The checkout in `root`. Paths are relative to it, with forward slashes."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, path: str) -> Optional[str]:
        """Return the text of the file as it is on disk, or None when there is none."""
        try:
            return (self.root / path).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def keep(self, text: str) -> str:
        """Store `text` in git's database and return its id, by which `kept` finds it again."""
        return self._git("hash-object", "-w", "--stdin", given=text).strip()

    def kept(self, blob: str) -> Optional[str]:
        """Return the text that `keep` stored, or None for an unknown id."""
        if not re.fullmatch(r"[0-9a-f]{40,64}", blob):
            return None
        try:
            return self._git("cat-file", "blob", blob)
        except RepositoryError:
            return None

    def head(self) -> str:
        """Return the id of the newest commit."""
        return self._git("rev-parse", "HEAD").strip()

    def has(self, commit: str) -> bool:
        """Return whether the commit is in this history; a model may be of files that nobody committed, or of another."""
        if not re.fullmatch(r"[0-9a-f]{7,64}", commit):
            return False
        return subprocess.run(["git", "cat-file", "-e", f"{commit}^{{commit}}"], cwd=self.root, capture_output=True, check=False).returncode == 0

    def at(self, commit: str, path: str) -> Optional[str]:
        """Return the text of `path` in `commit`, or None when it was not there."""
        try:
            return self._git("show", f"{commit}:{path}")
        except RepositoryError:
            return None

    def log(self, *arguments: str, count: int = 30) -> List[Commit]:
        """Return the newest commits; `arguments` are a range and paths as for `git log`."""
        text = self._git("log", f"-{count}", "--format=%H%x1f%an%x1f%at%x1f%s", *arguments)
        parts = (line.split("\x1f") for line in text.splitlines())
        return [Commit(part[0], part[1], float(part[2]), part[3]) for part in parts]

    def changed(self, old: str, new: str, *paths: str) -> List[str]:
        """Return the paths that differ between two commits."""
        return self._git("diff", "--name-only", "--no-renames", old, new, "--", *paths).splitlines()

    def uncommitted(self, *paths: str) -> List[str]:
        """Return the paths with edits on disk that nobody committed."""
        lines = self._git("status", "--porcelain=v1", "-uall", "--no-renames", "--", *paths).splitlines()
        return [line[3:].strip('"') for line in lines]

    def export(self, commit: str, folder: Path, paths: Sequence[str] = ()) -> None:
        """Write the files of `commit`, all or those below `paths`, into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        run = subprocess.run(["git", "archive", "--format=tar", commit, *paths], cwd=self.root, capture_output=True, check=False)
        if run.returncode:
            raise RepositoryError(_said(run.stderr.decode("utf-8", "replace")))
        with tarfile.open(fileobj=io.BytesIO(run.stdout)) as archive:
            archive.extractall(folder)

    def commit(self, changes: Mapping[str, Optional[str]], message: str, author: str) -> str:
        """Write `changes` (path to new text, None to delete) and commit them in the name of `author`; return the commit.

        An edit on disk that nobody committed is committed before, by itself, so that it is neither lost nor taken
        for the author's. Raises RepositoryError; then the files are as they were.
        """
        paths = sorted(changes)
        with self._alone():
            outside = self.uncommitted(*paths)
            if outside:
                self._record(outside, f"Edited outside the studio: {', '.join(outside)}", None)
            before = {path: self.read(path) for path in paths}
            if all(before[path] == changes[path] for path in paths):
                return self.head()
            try:
                self._write(changes)
                self._record(paths, message, author)
            except (RepositoryError, OSError):
                self._write(before)
                raise
            return self.head()

    def _record(self, paths: Sequence[str], message: str, author: Optional[str]) -> None:
        self._patiently("add", "--all", "--", *paths)
        named = ("--author", f"{author} <{_mailbox(author)}>") if author else ()
        self._patiently(*_IDENTITY, "commit", "--quiet", "--message", message, *named, "--", *paths)

    def _write(self, texts: Mapping[str, Optional[str]]) -> None:
        for path, text in texts.items():
            target = self.root / path
            if text is None:
                target.unlink(missing_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            draft = target.with_name(f".{target.name}.{os.getpid()}")
            draft.write_text(text, encoding="utf-8")
            os.replace(draft, target)

    def _patiently(self, *arguments: str) -> None:
        """Run git, waiting while another git process holds the index."""
        limit = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                self._git(*arguments)
                return
            except RepositoryError as error:
                if "index.lock" not in str(error) or time.monotonic() > limit:
                    raise
                time.sleep(0.1)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the lock that all studios on this checkout share."""
        path = self._git("rev-parse", "--git-path", "studio.lock").strip()
        with open(self.root / path, "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _git(self, *arguments: str, given: Optional[str] = None) -> str:
        run = subprocess.run(["git", *arguments], cwd=self.root, input=given, capture_output=True, encoding="utf-8", check=False)
        if run.returncode:
            raise RepositoryError(_said(run.stderr))
        return run.stdout


def merge(base: str, mine: str, theirs: str) -> Optional[str]:
    """Return the three-way merge of two edits of `base`, or None when both changed the same lines."""
    with tempfile.TemporaryDirectory() as folder:
        paths: Dict[str, Path] = {}
        for name, text in (("mine", mine), ("base", base), ("theirs", theirs)):
            paths[name] = Path(folder) / name
            paths[name].write_text(text, encoding="utf-8")
        run = subprocess.run(["git", "merge-file", "-p", *map(str, paths.values())], capture_output=True, encoding="utf-8", check=False)
    return run.stdout if run.returncode == 0 else None


def _mailbox(name: str) -> str:
    return re.sub(r"\W+", ".", name.lower()).strip(".") + "@studio.localhost"


def _said(stderr: str) -> str:
    lines = [line for line in stderr.strip().splitlines() if line] or ["git failed"]
    return "Git said: " + " ".join(lines[:3])
