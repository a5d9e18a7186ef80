"""Publishing: check, train, test, compare, release; one at a time, cancellable, and the live assistant untouched until the end."""
from __future__ import annotations

import json
import logging
import tempfile
import threading
import time
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Callable, Iterator, List, Mapping, Optional

from assistant.errors import AssistantError
from assistant.release import unpack
from assistant.settings import Settings
from studio.building import Builder, Built
from studio.changes import MODEL_INPUTS, model_changes, only_answers
from studio.failures import stops_of
from studio.job import STEPS, Board, Job, Step
from studio.live import Live
from studio.processes import Cancelled, ProcessFailed, Work
from studio.rehearsal import Held, Rehearsal, Results
from studio.releases import Release, Releases, new_id
from studio.repository import Commit, Repository

LOG = logging.getLogger("studio")
SHORTEST_REASON = 10  # characters
TAKE_UP_SECONDS = 45.0


class PublishError(AssistantError):
    """A publication that cannot begin or go on; the message is for staff."""


class Publisher:
    """Runs one job at a time in a thread; `board` shows it."""

    def __init__(self, settings: Settings, repository: Repository, releases: Releases, labels: Callable[[], Mapping[str, str]],
                 live: Live) -> None:
        self._settings, self._repository, self._releases, self._labels, self._live = settings, repository, releases, labels, live
        folder = settings.var / "publish"
        self.board = Board(folder)
        self.builder = Builder(settings, repository, folder / "builds")
        self._work = Work()
        self._thread: Optional[threading.Thread] = None
        self._settle()

    def _settle(self) -> None:
        """Tell a job that the studio's end interrupted as released where its release had become current before."""
        current, job = self._releases.current(), self.board.job
        if job is not None and job.state == "interrupted" and current is not None and current.id == job.id:
            self._end("released")

    def publish(self, by: str, note: str) -> Job:
        """Begin to publish the newest commit. Raises PublishError."""
        live, head = self._releases.current(), self._repository.head()
        known = live.commit if live is not None and self._repository.has(live.commit) else ""
        if known and not model_changes(self._repository, known, head):
            raise PublishError("Nothing has changed since the live release. Save a topic first.")
        answers_only = bool(known) and only_answers(self._repository, known, head)
        return self._begin("publish", by, note, head, answers_only)

    def prepare(self, by: str) -> Job:
        """Begin to train the newest commit for Try it. Raises PublishError."""
        return self._begin("draft", by, "", self._repository.head(), False)

    def accept(self, reasons: Mapping[str, str], by: str) -> Job:
        """Release a job that a gate stopped, with a reason for each loss. Raises PublishError."""
        job = self.board.job
        if job is None or not job.acceptable:
            raise PublishError("There is nothing that could be accepted. A loss of safety never can.")
        if job.commit != self._repository.head() and model_changes(self._repository, job.commit, self._repository.head()):
            raise PublishError("The content has changed since. Publish again, so that what goes out is what was tested.")
        missing = [stop["what"] for stop in job.stops if len(reasons.get(stop["key"], "").strip()) < SHORTEST_REASON]
        if missing:
            raise PublishError(f"Give a reason of at least {SHORTEST_REASON} characters for each loss.")
        with self.board.change() as job:
            job.accepted = [
                {"what": " ".join([stop["what"], *stop.get("messages", ())]), "reason": reasons[stop["key"]].strip(), "by": by}
                for stop in job.stops
            ]
            job.state = "running"
        self._spawn(self._release_accepted)
        return job

    def cancel(self) -> None:
        """End the job that runs; the live assistant stays as it is. Raises PublishError once the release has begun."""
        job = self.board.job
        if job is None or job.state != "running":
            raise PublishError("Nothing is being published just now.")
        with self.board.change() as job:  # under its lock, so that no release begins meanwhile
            if any(step.name == "release" and step.state in ("running", "done") for step in job.steps):
                raise PublishError("It is being released already. When it is live, you can roll back to the release before it.")
            self._work.cancel()

    def close(self) -> None:
        """End the job at the studio's own end."""
        self._work.cancel()
        if self._thread is not None:
            self._thread.join(10)

    def _begin(self, kind: str, by: str, note: str, commit: str, answers_only: bool) -> Job:
        names = list(STEPS) if kind == "publish" else ["check", "train"]
        job = Job(new_id(commit), kind, by, note, commit, time.time(), answers_only=answers_only, steps=[Step(name) for name in names])
        if not self.board.begin(job):
            running = self.board.job
            at_work = "preparing a draft" if running and running.kind == "draft" else "publishing"
            raise PublishError(f"{running.by if running else 'Somebody'} is {at_work} already. One at a time: wait, or cancel it under Publish.")
        self._spawn(self._run)
        return job

    def _spawn(self, work: Callable[[], None]) -> None:
        self._work = Work()
        self._thread = threading.Thread(target=self._guarded, args=(work,), daemon=True, name="studio-publish")
        self._thread.start()

    def _guarded(self, work: Callable[[], None]) -> None:
        """Run the job and note how it ended, whatever happens."""
        try:
            work()
        except Held:
            self._end("stopped")
        except Cancelled:
            self._end("cancelled")
        except (ProcessFailed, AssistantError) as error:
            self._fail(str(error))
        except Exception as error:  # a fault of ours must not leave a job running for ever
            LOG.exception("publishing failed")
            self._fail(f"{type(error).__name__}. It has been logged; please tell a developer.")

    def _run(self) -> None:
        job = self.board.job
        assert job is not None
        with closing(Rehearsal(self.board, self.builder, self._releases, self._labels, self._work)) as rehearsal:
            with self._step("check"):
                built = self.builder.export(job.commit)
                rehearsal.check(built)
            with self._step("train"):
                rehearsal.model(built, job)
            if job.kind == "draft":
                self._end("ready")
                return
            with self._step("test"):
                results, live = rehearsal.test(built, job)
            with self._step("compare"):
                rehearsal.compare(built, job, results, live)
        self._release(built, results)

    def _release_accepted(self) -> None:
        job = self.board.job
        assert job is not None
        built = self.builder.built(job.commit)
        self._release(built, json.loads(built.results.read_text(encoding="utf-8")))

    def _release(self, built: Built, results: Optional[Results]) -> None:
        """Put the model into the store, make it current and wait until the live assistant has taken it up."""
        with self._step("release"):
            if self._work.cancelled:
                raise Cancelled
            job = self.board.job
            assert job is not None
            version = model_version(built.archive)
            release = self._releases.add(built.archive, Release(
                id=job.id, version=version, commit=job.commit, author=job.by, note=job.note, at=time.time(), checksum="",
                scores=job.scores, accepted=job.accepted, answers_only=job.answers_only,
            ), results)
            self._releases.activate(release.id, job.by)
            detail = self._taken_up(version)
        with self.board.change() as job:
            job.release, job.step("release").detail = release.id, detail
        self._end("released")

    def _taken_up(self, version: str) -> str:
        limit = time.monotonic() + TAKE_UP_SECONDS
        if self._live.serving() is None:
            return "The live assistant does not answer just now; it takes the release up when it is back."
        while time.monotonic() < limit:
            if self._live.serving() == version:
                return "Live now."
            time.sleep(0.5)
        return "The live assistant has not taken it up yet. If that stays so, tell a developer."

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        start = time.time()
        with self.board.change() as job:
            job.step(name).state, job.step(name).started = "running", start
        yield
        with self.board.change() as job:
            step = job.step(name)
            step.ended = time.time()
            if step.state == "running":
                step.state = "done"
        if not self.board.job or not self.board.job.answers_only:
            self.board.took(name, time.time() - start)

    def _end(self, state: str) -> None:
        with self.board.change() as job:
            job.state, job.ended = state, time.time()
            for step in job.steps:
                if step.state == "running":
                    step.state, step.ended = "done" if state in ("released", "ready") else "failed", job.ended

    def _fail(self, message: str) -> None:
        with self.board.change() as job:
            job.stops += [asdict(stop) for stop in stops_of(message, self._labels())]
        self._end("failed")


def model_version(archive: Path) -> str:
    """Return Rasa's id of the model in `archive`. Raises ModelError when it is no model of ours."""
    with tempfile.TemporaryDirectory() as folder:
        return unpack(archive, Path(folder) / "model").version


def waiting_changes(repository: Repository, release: Optional[Release]) -> Optional[List[Commit]]:
    """Return the commits that are not live yet and change what a model is made of, newest first; None if nobody can tell."""
    if release is None or not repository.has(release.commit):
        return None
    return repository.log(f"{release.commit}..HEAD", "--", *MODEL_INPUTS)
