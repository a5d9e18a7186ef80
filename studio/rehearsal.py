"""What a draft goes through before it may be released: the content check, its model, the tests, the comparison with the live one."""
from __future__ import annotations

import json
import logging
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from assistant.content import Problem
from assistant.content.topics import GROUPS, stem
from assistant.errors import ModelError
from studio import gates
from studio.answers import with_answers
from studio.building import Builder, Built
from studio.job import Board, Job
from studio.processes import Lab, ProcessFailed, Work
from studio.releases import Release, Releases
from studio.safety_files import HELPLINES

LOG = logging.getLogger("studio")
Results = Dict[str, Any]  # of studio/judge.py, with the conversation tests


class Held(Exception):
    """A gate does not hold."""


class Rehearsal:
    """One job's way to its release; writes what it finds on the board. Raises Held, ProcessFailed, Cancelled."""

    def __init__(self, board: Board, builder: Builder, releases: Releases, labels: Callable[[], Mapping[str, str]], work: Work) -> None:
        self._board, self._builder, self._releases, self._labels, self._work = board, builder, releases, labels, work
        self._lab: Optional[Lab] = None

    def close(self) -> None:
        """End what was started for the tests."""
        if self._lab is not None:
            self._lab.close()

    def check(self, built: Built) -> None:
        """Hold the job for every problem of the content; warnings are noted."""
        problems = self._builder.check(built)
        failures = [problem for problem in problems if not problem.warning]
        with self._board.change() as job:
            job.warnings = self._warnings([problem for problem in problems if problem.warning])
            job.stops = [
                asdict(gates.Stop(f"content {number}", self._said(problem), "", "Open it, mend that and publish again."))
                for number, problem in enumerate(failures)
            ]
        if failures:
            raise Held

    def model(self, built: Built, job: Job) -> None:
        """Train the model, or give the live one the new answers where nothing else changed."""
        if job.kind == "publish":
            self._lab = self._builder.lab(built, self._work)  # its start takes as long as a short training
        live = self._releases.current()
        if job.answers_only and live is not None:
            try:
                with_answers(self._releases.archive(live.id), built.checkout, built.archive)
                return
            except ModelError as error:
                LOG.warning("answers alone could not be replaced: %s", error)
                with self._board.change() as job:
                    job.answers_only = False
        self._builder.train(built, self._work)

    def test(self, built: Built, job: Job) -> Tuple[Optional[Results], Optional[Results]]:
        """Return the draft's and the live model's results; an answers-only change takes the live ones over."""
        lab = self._lab or self._builder.lab(built, self._work)
        self._lab = lab
        current = self._releases.current()
        live = self._releases.results(current.id) if current else None
        if job.answers_only:
            self._builder.load_test(lab, built.archive, built, False)
            return live, live
        with ThreadPoolExecutor(1) as pool:
            stories = pool.submit(self._builder.load_test, lab, built.archive, built, True)
            results = self._builder.judge(built.archive, built, self._work)
            if current is not None and not self._builder.covers(live, built):
                live = self._judge_live(current, built)
            results["stories"] = stories.result()
        if current is not None and live is not None:
            self._compare_stories(lab, current, built, results, live)
        return results, live

    def _judge_live(self, current: Release, built: Built) -> Optional[Results]:
        """Return what the live model makes of the messages of today, or None where it is of other code."""
        try:
            return self._builder.judge(self._releases.archive(current.id), built, self._work)
        except ProcessFailed:
            with self._board.change() as job:
                job.notes.append("The live model is of another version of the code and could not be compared.")
            return None

    def _compare_stories(self, lab: Lab, current: Release, built: Built, results: Results, live: Results) -> None:
        """Run the live model's conversation tests where the draft fails some: what already failed there is not the draft's fault."""
        if "stories" not in live and not all(story["right"] for story in results["stories"]):
            with suppress(ProcessFailed):  # of other code: then the draft alone counts
                live["stories"] = self._builder.load_test(lab, self._releases.archive(current.id), built, True)

    def compare(self, built: Built, job: Job, results: Optional[Results], live: Optional[Results]) -> None:
        """Hold the job where a gate does not hold; note what got better and worse."""
        if job.answers_only or results is None:
            with self._board.change() as job:
                current = self._releases.current()
                job.scores = dict(current.scores) if current else {}
                job.step("compare").state = "skipped"
            return
        found = gates.compare(built.checkout, results, live, results["stories"], self._labels(), (live or {}).get("stories") or ())
        with self._board.change() as job:
            job.stops = [asdict(stop) for stop in found.stops]
            job.better, job.worse = [asdict(change) for change in found.better], [asdict(change) for change in found.worse]
            job.notes += found.notes
            job.scores = found.scores
        built.results.write_text(json.dumps(results, ensure_ascii=False), encoding="utf-8")
        if found.stops:
            raise Held

    def _warnings(self, problems: Sequence[Problem]) -> List[str]:
        """Return the warnings in words; those about helplines in one, since the Safety page lists them."""
        due = sum(problem.path == HELPLINES for problem in problems)
        lines = [self._said(problem) for problem in problems if problem.path != HELPLINES]
        return lines + [f"Helplines that wait to be confirmed: {due}. See Safety."] * bool(due)

    def _said(self, problem: Problem) -> str:
        """Return a problem in words: the topics' labels in place of their paths, and what an answer is in place of its name."""
        files = {f"data/{group}/{stem(intent)}.yml": f"“{label}”" for intent, label in self._labels().items() for group in GROUPS}
        text = re.sub(r"data/\w+/\w+\.yml", lambda match: files.get(match.group(), match.group()), f"{problem.path}: {problem.text}")
        return re.sub(r"\butter_\w+", lambda match: "“tell me more”" if match.group().endswith("_more") else "the answer", text)
