"""A publication as it goes: its steps, what stands in its way, and how it ended. Kept in a file, so that it outlives the browser."""
from __future__ import annotations

import json
import os
import threading
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional

ACTIVE = ("running",)
STEPS = {
    "check": "Check the content",
    "train": "Train the model",
    "test": "Run the tests",
    "compare": "Compare with the live assistant",
    "release": "Release",
}
# How long a step took the first time; later the last times are used (seconds).
FIRST_GUESS = {"check": 3.0, "train": 30.0, "test": 30.0, "compare": 1.0, "release": 6.0}


@dataclass
class Step:
    """One step of a publication."""

    name: str
    state: str = "waiting"  # waiting, running, done, failed, skipped
    detail: str = ""
    started: float = 0.0
    ended: float = 0.0

    @property
    def title(self) -> str:
        """The step's name in words."""
        return STEPS[self.name]


@dataclass
class Job:
    """One publication, or the preparing of a draft for Try it."""

    id: str
    kind: str  # publish, draft
    by: str
    note: str
    commit: str
    started: float
    state: str = "running"  # running, stopped (a gate holds it), released, ready (a draft), failed, cancelled, interrupted
    ended: float = 0.0
    answers_only: bool = False
    steps: List[Step] = field(default_factory=list)
    stops: List[Dict[str, Any]] = field(default_factory=list)
    better: List[Dict[str, str]] = field(default_factory=list)
    worse: List[Dict[str, str]] = field(default_factory=list)
    notes: List[str] = field(default_factory=list)
    warnings: List[str] = field(default_factory=list)
    scores: Dict[str, Any] = field(default_factory=dict)
    accepted: List[Dict[str, str]] = field(default_factory=list)
    release: str = ""

    def step(self, name: str) -> Step:
        """Return the step of this name."""
        return next(step for step in self.steps if step.name == name)

    def progress(self, guesses: Dict[str, float]) -> int:
        """Return how far the job is, in per cent."""
        total = sum(guesses[step.name] for step in self.steps if step.state != "skipped") or 1.0
        done = 0.0
        for step in self.steps:
            if step.state in ("done", "failed"):
                done += guesses[step.name]
            elif step.state == "running":
                done += min(0.95 * guesses[step.name], time.time() - step.started)
        return min(100, round(100 * done / total))

    @property
    def acceptable(self) -> bool:
        """Whether a publisher may release it all the same, with a reason for each loss."""
        return self.state == "stopped" and bool(self.stops) and all(stop["acceptable"] for stop in self.stops)


class Board:
    """The job that everybody sees: one at a time, in memory and in a file. Safe to use from threads."""

    def __init__(self, folder: Path) -> None:
        self._path, self._times = folder / "job.json", folder / "times.json"
        self._changed = threading.Condition()
        self.version = 0
        self.job: Optional[Job] = self._read()
        self.guesses = {**FIRST_GUESS, **self._read_times()}
        if self.job is not None and self.job.state == "running":
            self.job.state, self.job.ended = "interrupted", time.time()
            self._write()

    def begin(self, job: Job) -> bool:
        """Make `job` the one that runs; return False when another does."""
        with self._changed:
            if self.job is not None and self.job.state == "running":
                return False
            self.job = job
            self._note()
            return True

    @contextmanager
    def change(self) -> Iterator[Job]:
        """Change the job under the lock, write it down and tell whoever waits."""
        with self._changed:
            assert self.job is not None
            yield self.job
            self._note()

    def wait(self, seen: int, seconds: float) -> int:
        """Wait until the job is newer than `seen`, or for `seconds`; return its version."""
        with self._changed:
            self._changed.wait_for(lambda: self.version != seen, seconds)
            return self.version

    def took(self, name: str, seconds: float) -> None:
        """Remember how long a step took, for the progress bar."""
        self.guesses[name] = max(0.5, seconds)
        _replace(self._times, json.dumps(self.guesses))

    def _note(self) -> None:
        self.version += 1
        self._write()
        self._changed.notify_all()

    def _write(self) -> None:
        _replace(self._path, json.dumps(asdict(self.job), ensure_ascii=False) if self.job else "null")

    def _read(self) -> Optional[Job]:
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
            return Job(**{**found, "steps": [Step(**step) for step in found["steps"]]})
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return None  # none yet, or written by another version: it is a display, not a record

    def _read_times(self) -> Dict[str, float]:
        try:
            found = json.loads(self._times.read_text(encoding="utf-8"))
            return {name: float(found[name]) for name in FIRST_GUESS if name in found}
        except (FileNotFoundError, ValueError, TypeError):
            return {}


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)
