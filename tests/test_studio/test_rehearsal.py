"""From a saved commit to its release with the slow parts stood in for: what is said of problems, cancelling, and every crash."""
from __future__ import annotations

import io
import itertools
import json
import os
import shutil
import tarfile
import threading
from types import SimpleNamespace

import pytest
from studio_helpers import committed, wait_for

from assistant.content import Problem
from assistant.release import checksum
from assistant.settings import Settings
from studio.failures import stops_of
from studio.job import Board, Job
from studio.processes import Cancelled, Work
from studio.publisher import Publisher, PublishError
from studio.rehearsal import Rehearsal
from studio.releases import Release, Releases

LABELS = {"greet": "Hello", "faq_cost": "What does it cost?"}
SAFETY_PART = "components/train_addons.safety_check.SafetyCheck2"
UNDERSTANDING_PART = "components/train_addons.understanding.Understanding0"


def archive(path, version, weights="weights"):
    """Write a model that holds no more than what the studio looks at."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as tar:
        for name, text in {
            "metadata.json": json.dumps({"model_id": version, "trained_at": "now"}),
            f"{SAFETY_PART}/model.npz": weights,
            f"{SAFETY_PART}/phrases.yml": f"phrases of {weights}",
            f"{UNDERSTANDING_PART}/classifier.npz": f"classifier of {version}",
        }.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return path


@pytest.fixture
def repository(tmp_path):
    return committed(tmp_path / "checkout", {
        "data/practical/cost.yml": "one\n", "tests/heldback/intents.tsv": "price\tfaq_cost\n",
        "tests/heldback/safety.tsv": "first plea\tcrisis\nsecond plea\tcrisis\n",
    })


def judged(*levels):
    return {"intents": ["faq_cost"], "phrasings": {"price": "faq_cost"},
            "safety": {text: [level, False] for text, level in zip(("first plea", "second plea"), levels)}}


def test_problem_names_topics_by_their_labels(tmp_path):
    rehearsal = Rehearsal(Board(tmp_path), SimpleNamespace(), Releases(tmp_path / "releases"), lambda: LABELS, Work())
    claim = Problem("data/practical/cost.yml", "utter_faq_cost says 'proven', utter_faq_cost_more 'heals'.")
    assert rehearsal._said(claim) == "“What does it cost?”: the answer says 'proven', “tell me more” 'heals'."
    problem = Problem("data/practical/cost.yml", "example 'a' is nearly 'b' in data/conversation/greet.yml. Keep one.")
    assert rehearsal._said(problem) == "“What does it cost?”: example 'a' is nearly 'b' in “Hello”. Keep one."


def test_helplines_that_are_due_are_one_remark(tmp_path):
    rehearsal = Rehearsal(Board(tmp_path), SimpleNamespace(), Releases(tmp_path / "releases"), lambda: LABELS, Work())
    problems = [Problem("data/safety/helplines.yml", "due", True), Problem("data/practical/cost.yml", "has few", True)] * 2
    assert rehearsal._warnings(problems) == ["“What does it cost?”: has few"] * 2 + ["Helplines that wait to be confirmed: 2. See Safety."]


class Live:
    """A live assistant that serves whatever is current."""

    def __init__(self, releases):
        self._releases = releases

    def serving(self):
        release = self._releases.current()
        return release.version if release else None


@pytest.fixture
def publisher(tmp_path, repository, monkeypatch):
    """Return what makes a publisher on a folder of its own, with r1 live; its model is at hand and passes every test."""
    live = archive(tmp_path / "live.tar.gz", "v1")
    head = repository.head()
    repository.commit({"data/practical/cost.yml": "two\n"}, "change", "Ada")
    monkeypatch.setattr(Rehearsal, "check", lambda *_: None)
    monkeypatch.setattr(Rehearsal, "model", lambda self, built, job: archive(built.archive, "v2"))
    monkeypatch.setattr(Rehearsal, "test", lambda *_: (judged("crisis", "crisis"), None))
    monkeypatch.setattr(Rehearsal, "compare", lambda *_: None)

    def make(name):
        releases = Releases(tmp_path / name / "releases")
        if releases.current() is None:
            releases.add(live, Release("r1", "v1", head, "Ada", "the first", 1.0, ""))
            releases.activate("r1", "Ada")
        settings = Settings.from_env({"ASSISTANT_VAR": str(tmp_path / name)})
        return Publisher(settings, repository, releases, lambda: LABELS, Live(releases)), releases

    return make


def finished(publisher):
    publisher._thread.join(60)
    return publisher.board.job


def test_release_holds_what_is_known_of_it(publisher, repository):
    made, releases = publisher("var")
    made.publish("Ada", "fees are clearer")
    assert finished(made).state == "released" and made.board.job.step("release").detail == "Live now."
    current = releases.current()
    assert (current.author, current.note, current.commit, current.version) == ("Ada", "fees are clearer", repository.head(), "v2")
    assert current.checksum == checksum(releases.archive(current.id))


@pytest.mark.parametrize("step", ["check", "model", "test", "compare"])
def test_fault_in_any_step_leaves_the_live_release_and_is_told(publisher, monkeypatch, step):
    def fail(*_):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(Rehearsal, step, fail)
    made, releases = publisher("var")
    made.publish("Ada", "n")
    job = finished(made)
    assert job.state == "failed" and "It has been logged" in job.stops[0]["expected"] and "The live assistant is as it was" in job.stops[0]["remedy"]
    assert releases.current().id == "r1" and len(releases.all()) == 1
    monkeypatch.setattr(Rehearsal, step, lambda *_: (judged("crisis", "crisis"), None))
    assert made.publish("Bea", "again").by == "Bea"
    finished(made)


def dies_at(point, publisher):
    """Publish in a process that is gone at its `point`-th rename; return whether it died."""
    child = os.fork()
    if not child:
        renames, rename, lock = itertools.count(1), os.replace, threading.Lock()

        def replace(*arguments, **options):
            with lock:
                if next(renames) == point:
                    os._exit(9)
            return rename(*arguments, **options)

        os.replace = replace
        publisher.publish("Ada", "n")
        publisher._thread.join()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def test_crash_at_any_moment_leaves_a_whole_live_release_and_the_way_free(publisher, tmp_path):
    publisher("var")
    outcomes = []
    for point in itertools.count(1):
        folder = f"var{point}"
        shutil.copytree(tmp_path / "var", tmp_path / folder)
        died = dies_at(point, publisher(folder)[0])
        again, releases = publisher(folder)
        current = releases.current()
        assert current.checksum == checksum(releases.archive(current.id))
        outcomes.append(current.version)
        if not died:
            break
        assert again.board.job is None or again.board.job.state == ("interrupted" if current.version == "v1" else "released")
        assert again.board.begin(Job("j", "publish", "Bea", "n", "c" * 40, 1.0))
    assert outcomes[0] == "v1" and outcomes[-1] == "v2" and len(outcomes) > 10
    assert outcomes == sorted(outcomes)  # live moves once, and not back


def test_job_is_cancelled_in_a_step_and_no_more_once_the_release_has_begun(publisher, monkeypatch):
    reached, on = threading.Event(), threading.Event()

    def hold(rehearsal, *_):
        reached.set()
        on.wait(60)
        if rehearsal._work.cancelled:
            raise Cancelled
        return judged("crisis", "crisis"), None

    monkeypatch.setattr(Rehearsal, "test", hold)
    made, releases = publisher("var")
    with pytest.raises(PublishError, match="Nothing is being published"):
        made.cancel()
    made.publish("Ada", "n")
    assert reached.wait(60)
    made.cancel()
    on.set()
    assert finished(made).state == "cancelled" and releases.current().id == "r1"

    taken_up = threading.Event()
    monkeypatch.setattr(Publisher, "_taken_up", lambda *_: taken_up.wait(60) and "Live now.")
    made.publish("Ada", "n")
    wait_for(lambda: releases.current().version == "v2", 60, "released")
    with pytest.raises(PublishError, match="being released already"):
        made.cancel()
    taken_up.set()
    assert finished(made).state == "released"


def test_contradiction_of_a_story_and_a_rule_is_told_by_their_names():
    output = ("rasa train failed:\nrasa.exceptions.InvalidRule:\nContradicting rules or stories found 🚨\n\n- the prediction of the action "
              "'utter_greet' in story 'about\nmoney' is contradicting with rule(s) 'faq_cost' which predicted action 'utter_faq_cost'.\n"
              "- the prediction of the action 'utter_greet' in story 'two' is contradicting with rule(s) 'faq_cost' which predicted action "
              "'action_listen'.")
    first, second = stops_of(output, LABELS)
    assert first.what == ("The story “about money” contradicts the rule “What does it cost?”: the story has the assistant say “Hello”. "
                          "The rule has it say “What does it cost?”.")
    assert "The rule has it wait for the visitor" in second.what and "Open the story under Stories" in second.remedy


def test_other_failure_is_shown_as_it_is_with_what_to_do():
    (stop,) = stops_of("The disk is full.", LABELS)
    assert stop.expected == "The disk is full." and "show this to a developer" in stop.remedy and not stop.acceptable
