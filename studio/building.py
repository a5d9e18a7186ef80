"""A draft built: the files of a commit in a folder of their own, checked, trained and tested by processes beside the studio."""
from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional

from assistant.content import Problem, check
from assistant.settings import Settings
from studio.changes import model_changes
from studio.held_back import PHRASINGS, SAFETY, STAFF, read_rows
from studio.processes import Lab, ProcessFailed, Work, environment, python
from studio.repository import Repository

KEPT = 3  # built commits
STORY_SECONDS = 600.0
TEST_STORIES = ("tests/test_stories.yml", "tests/test_stories_staff.yml")
CANARY = "hello"


@dataclass(frozen=True)
class Built:
    """A commit's files and, once trained, its model."""

    commit: str
    folder: Path

    @property
    def checkout(self) -> Path:
        """Where the commit's files are."""
        return self.folder / "checkout"

    @property
    def archive(self) -> Path:
        """Where the model is, once it is trained."""
        return self.folder / "models" / "assistant.tar.gz"

    @property
    def results(self) -> Path:
        """Where the model's results on the tests are, once it was tested."""
        return self.folder / "results.json"


class Builder:
    """Builds commits below a folder; what was built is kept for a while."""

    def __init__(self, settings: Settings, repository: Repository, folder: Path) -> None:
        self._settings, self._repository, self._folder = settings, repository, folder

    def built(self, commit: str) -> Built:
        """Return the place of a commit's build."""
        return Built(commit, self._folder / commit)

    def like(self, commit: str) -> Optional[Built]:
        """Return a built model that this commit would make again: its own, or that of a commit with the same content."""
        if not self._folder.is_dir():
            return None
        for folder in [self._folder / commit, *self._folder.iterdir()]:
            built = Built(folder.name, folder)
            if built.archive.is_file() and (folder.name == commit or not model_changes(self._repository, folder.name, commit)):
                return built
        return None

    def export(self, commit: str) -> Built:
        """Return the commit's files, written out unless they are there."""
        built = self.built(commit)
        if not built.checkout.is_dir():
            self._make_room()
            draft = built.folder / "writing"
            shutil.rmtree(draft, ignore_errors=True)
            self._repository.export(commit, draft)
            draft.rename(built.checkout)
        return built

    def check(self, built: Built) -> List[Problem]:
        """Return all problems of the content."""
        return check(built.checkout)

    def train(self, built: Built, work: Work) -> None:
        """Train the commit's model unless it is there; `rasa train` validates the data first. Raises ProcessFailed."""
        known = self.like(built.commit)
        if known is not None:
            if known.archive != built.archive:
                built.archive.parent.mkdir(exist_ok=True)
                shutil.copyfile(known.archive, built.archive)
            return
        work.run(python("scripts.train"), built.checkout, environment(self._settings, built.checkout, built.archive.parent))
        if not built.archive.is_file():
            raise ProcessFailed("The training ended without a model.")

    def judge(self, archive: Path, built: Built, work: Work) -> Dict[str, Any]:
        """Return what the model `archive` makes of the commit's held-back messages. Raises ProcessFailed."""
        out = built.folder / f"judged-{archive.name}.json"
        work.run(
            python("studio.judge", str(archive), str(out)),
            built.checkout,
            environment(self._settings, built.checkout, built.archive.parent),
        )
        found: Dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
        return found

    def lab(self, built: Built, work: Work) -> Lab:
        """Start the process in which models are tested by the commit's code."""
        return Lab(built.checkout, self._settings, work)

    def load_test(self, lab: Lab, archive: Path, built: Built, with_stories: bool) -> List[Dict[str, Any]]:
        """Load the model `archive`, have it answer once, and run the commit's conversation tests. Raises ProcessFailed."""
        lab.use(archive)
        reply = lab.ask(do="say", conversation="canary", text=CANARY)
        if not any(message.get("text") for message in reply["messages"]):
            raise ProcessFailed("The model loads but does not answer a greeting.")
        files = [name for name in TEST_STORIES if (built.checkout / name).is_file()]
        if not with_stories or not files:
            return []
        found: List[Dict[str, Any]] = lab.ask(STORY_SECONDS, do="stories", files=files)["stories"]
        return found

    def covers(self, results: Optional[Dict[str, Any]], built: Built) -> bool:
        """Return whether a live model's results are of the commit's held-back messages (those that staff wrote aside)."""
        if results is None:
            return False
        names = [name for name in (*PHRASINGS, SAFETY) if name != STAFF]
        texts = {row[0] for name in names for row in read_rows(built.checkout / name)}
        return texts <= {*results["phrasings"], *results["safety"]}

    def _make_room(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        folders = sorted((path for path in self._folder.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in folders[KEPT - 1:]:
            shutil.rmtree(path, ignore_errors=True)
