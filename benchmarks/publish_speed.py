"""`python -m benchmarks.publish_speed`: how long it takes from "publish" until the live assistant answers accordingly.

Starts a studio on a copy of this checkout and a live Rasa that pulls its model from it, then publishes through the
studio's pages: a new topic, the first release after the installation (the live model is put to the tests as well); more
phrasings (training and gates as on any later day); a changed answer (neither of them); and a roll back. Prints a table,
then one line of JSON: `wall` (seconds until the live assistant has it), `processor` (seconds that the studio and what it
started used meanwhile, on all cores) and, where there is one, each step of the publication.
"""
from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Dict

from assistant.errors import AssistantError
from assistant.settings import Settings
from benchmarks.cli import print_json, print_table, progress
from scripts.train import train
from tests.browser.studio_stage import ANSWER, MORE, PHRASINGS, Stage
from tests.test_studio.studio_helpers import Client, form_of, wait_for

LONGEST_SECONDS = 1800.0
TICKS = os.sysconf("SC_CLK_TCK")
ASKED = "could I take a pet to see my therapist"
ADDED = "It is fine to compare."


class PublishSpeedError(AssistantError):
    """A publication that was not released."""


def write_topic(publisher: Client) -> None:
    """Save the topic that visitors miss."""
    form = form_of(publisher.get("/topics/new").text)
    form.update({"label": "Can my pet come?", "group": "practical", "examples": "\n".join(PHRASINGS), "text:utter_new:0": ANSWER,
                 "text:utter_new_more:0": MORE})
    publisher.post("/topics/new", data=form).raise_for_status()


def teach(publisher: Client) -> None:
    """Save one more phrasing."""
    form = form_of(publisher.get("/topics/faq_cost").text)
    form["examples"] += "\nwhat ought I to set aside for an appointment"
    publisher.post("/topics/faq_cost", data=form).raise_for_status()


def change_answer(publisher: Client) -> None:
    """Save another sentence of an answer."""
    form = form_of(publisher.get("/topics/faq_cost").text)
    form["text:utter_faq_cost:0"] += f" {ADDED}"
    publisher.post("/topics/faq_cost", data=form).raise_for_status()


def published(stage: Stage, publisher: Client, note: str, live: Callable[[], bool]) -> Dict[str, Any]:
    """Publish what is saved and return the figures. Raises PublishSpeedError when it is not released."""
    figures = timed(stage, lambda: publisher.post("/publish", data={"note": note}), lambda: _over(stage, live))
    job = _job(stage)
    if job["state"] != "released":
        raise PublishSpeedError(f"“{note}” was not released: {[stop['what'] for stop in job['stops']]}")
    return {**figures, **{step["name"]: step["ended"] - step["started"] for step in job["steps"] if step["ended"]}}


def timed(stage: Stage, deed: Callable[[], Any], done: Callable[[], bool]) -> Dict[str, float]:
    """Do something in the studio, wait until it is done, and return its seconds."""
    start, used = time.monotonic(), _processor(stage.studio.process.pid)
    deed().raise_for_status()
    wait_for(done, LONGEST_SECONDS, "the live assistant follows")
    return {"wall": time.monotonic() - start, "processor": _processor(stage.studio.process.pid) - used}


def _job(stage: Stage) -> Dict[str, Any]:
    found: Dict[str, Any] = json.loads((stage.studio.settings.var / "publish" / "job.json").read_text(encoding="utf-8"))
    return found


def _over(stage: Stage, live: Callable[[], bool]) -> bool:
    """Return whether the release is live, or will never be."""
    state = _job(stage)["state"]
    return state != "running" and (state != "released" or live())


def _processor(process: int) -> float:
    """Return the processor seconds of a process and of those that it started and saw end."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15])) / TICKS


def measure(folder: Path) -> Dict[str, Dict[str, Any]]:
    """Return the figures of each publication."""
    progress("[publish-speed] starting a studio and a live assistant")
    stage = Stage(folder, train(Settings.from_env()))
    try:
        publisher = stage.studio.person("Paula Publisher", "publisher")
        before = stage.live.serving()
        found = {}
        write_topic(publisher)
        progress("[publish-speed] a new topic")
        found["first topic"] = published(stage, publisher, "Pets", lambda: ANSWER in stage.answer(ASKED))
        teach(publisher)
        progress("[publish-speed] more phrasings")
        pets = stage.live.serving()
        found["phrasings"] = published(stage, publisher, "Costs, more", lambda: stage.live.serving() not in (None, pets))
        change_answer(publisher)
        progress("[publish-speed] a changed answer")
        found["answer"] = published(stage, publisher, "Costs", lambda: ADDED in stage.answer("how much does it cost"))
        progress("[publish-speed] a roll back")
        found["roll back"] = timed(stage, lambda: publisher.post(f"/publish/rollback/{before}"), lambda: stage.live.serving() == before)
        return found
    finally:
        stage.close()


def main() -> int:
    """Measure and print; return the exit code."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            found = measure(Path(folder))
    except AssistantError as error:
        print(error, file=sys.stderr)
        return 1
    columns = ["wall", "processor", "check", "train", "test", "compare", "release"]
    rows = [[name, *(f"{figures[column]:.1f}" if column in figures else None for column in columns)] for name, figures in found.items()]
    print_table("From “publish” to live (seconds)", ["what", *columns], rows)
    print_json({name: {column: float(value) for column, value in figures.items()} for name, figures in found.items()})
    return 0


if __name__ == "__main__":
    sys.exit(main())
