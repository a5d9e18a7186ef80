"""Publishing without a training: what can be done when, what survives, and that nothing reaches visitors on the way."""
from __future__ import annotations

import io
import json
import tarfile

import pytest
from studio_helpers import committed, form_of, git, wait_for

from assistant.errors import ModelError
from studio.answers import responses_of, with_answers
from studio.changes import only_answers
from studio.job import Board, Job, Step
from studio.releases import Release, Releases


def job(state="running"):
    return Job(
        "j1",
        "publish",
        "Ada",
        "note",
        "c" * 40,
        1.0,
        state=state,
        steps=[Step("check", "done"), Step("train", "running", started=1.0), Step("test")],
    )


def test_one_job_at_a_time_and_it_outlives_the_page(tmp_path):
    board = Board(tmp_path)
    assert board.begin(job()) and not board.begin(job())
    with board.change() as running:
        running.state = "released"
    assert board.begin(job()) and Board(tmp_path).job is not None


def test_job_of_a_studio_that_died_is_told_as_interrupted(tmp_path):
    Board(tmp_path).begin(job())
    again = Board(tmp_path)
    assert again.job.state == "interrupted" and again.begin(job())


def test_file_of_another_version_is_no_obstacle(tmp_path):
    (tmp_path / "job.json").write_text('{"unknown": 1}')
    assert Board(tmp_path).job is None


def test_progress_grows_with_the_steps():
    running = job()
    guesses = {"check": 10.0, "train": 80.0, "test": 10.0}
    assert running.progress(guesses) == 86  # a step that takes longer than ever stays just below its end
    running.step("train").state = running.step("test").state = "done"
    assert running.progress(guesses) == 100


@pytest.fixture
def repository(tmp_path):
    return committed(tmp_path, {
        "domain.yml": "intents: [faq_cost]\n",
        "data/practical/cost.yml": "nlu:\n- intent: faq_cost\n  metadata: {label: Cost, neighbours: [], sources: [A]}\n"
        "  examples: |\n    - how much\nresponses:\n  utter_faq_cost:\n  - text: Some money.\nrules: []\n",
        "addons/x.py": "X = 1\n",
        "docs/x.md": "x\n",
    })


@pytest.mark.parametrize("path, old, new, answers_only", [
    ("data/practical/cost.yml", "Some money.", "Less money.", True), ("data/practical/cost.yml", "label: Cost", "label: Fees", True),
    ("data/practical/cost.yml", "sources: [A]", "sources: [B]", True), ("docs/x.md", "x", "y", True),
    ("data/practical/cost.yml", "- how much", "- how much is it", False), ("data/practical/cost.yml", "neighbours: []", "neighbours: [x]", False),
    ("data/practical/cost.yml", "utter_faq_cost:", "utter_faq_price:", False), ("domain.yml", "[faq_cost]", "[faq_cost, x]", False),
    ("addons/x.py", "1", "2", False),
])
def test_only_answers_is_told_from_what_needs_a_training(repository, path, old, new, answers_only):
    before = repository.head()
    text = repository.read(path)
    assert old in text
    after = repository.commit({path: text.replace(old, new)}, "change", "Ada")
    assert only_answers(repository, before, after) is answers_only


def archive(path, responses):
    with tarfile.open(path, "w:gz") as tar:
        parts = {
            "metadata.json": json.dumps({"model_id": "old", "trained_at": "", "domain": {"responses": responses}}),
            "components/domain_provider/domain.yml": json.dumps({"responses": responses, "intents": ["faq_cost"]}),
            "components/train_addons.understanding.Understanding0/topics.json": json.dumps({"topics": {"faq_cost": ["Old", ["near"]]}}),
            "components/train_addons.understanding.Understanding0/classifier.npz": "bytes",
        }
        for name, text in parts.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return path


def read(path, name):
    with tarfile.open(path) as tar:
        return tar.extractfile(name).read().decode()


def test_answers_and_labels_are_replaced_and_the_rest_stays_to_the_byte(repository, tmp_path):
    old = archive(tmp_path / "old.tar.gz", {"utter_faq_cost": [{"text": "Old."}]})
    version = with_answers(old, repository.root, tmp_path / "out" / "new.tar.gz")
    new = tmp_path / "out" / "new.tar.gz"
    metadata = json.loads(read(new, "metadata.json"))
    assert metadata["model_id"] == version != "old"
    assert metadata["domain"]["responses"] == responses_of(repository.root) == {"utter_faq_cost": [{"text": "Some money."}]}
    assert "Some money." in read(new, "components/domain_provider/domain.yml")
    assert json.loads(read(new, "components/train_addons.understanding.Understanding0/topics.json")) == {"topics": {"faq_cost": ["Cost", ["near"]]}}
    assert read(new, "components/train_addons.understanding.Understanding0/classifier.npz") == "bytes"


def test_model_with_other_responses_or_none_is_refused_and_nothing_is_left(repository, tmp_path):
    old = archive(tmp_path / "old.tar.gz", {"utter_other": []})
    (tmp_path / "broken.tar.gz").write_bytes(b"no archive")
    for path in (old, tmp_path / "broken.tar.gz", tmp_path / "missing.tar.gz"):
        with pytest.raises(ModelError, match="Train it anew"):
            with_answers(path, repository.root, tmp_path / "out" / "new.tar.gz")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.fixture
def live(own_studio, tmp_path):
    """A studio whose live release is of its newest commit; its model is no model, which no test here needs."""
    studio = own_studio()
    store = Releases(studio.settings.var / "releases")
    (tmp_path / "model").write_bytes(b"model")
    store.add(tmp_path / "model", Release("r1", "v1", git(studio.root, "rev-parse", "HEAD"), "Ada", "the first", 1.0, ""))
    store.activate("r1", "Ada")
    return studio, store, studio.person("Pia Publisher", "publisher")


def teach(client, phrasing="how many quid is it then"):
    form = form_of(client.get("/topics/faq_cost").text)
    form["examples"] += "\n" + phrasing
    assert client.post("/topics/faq_cost", data=form).status_code == 200


def state(client):
    page = client.get("/publish/progress").text
    return page.split('class="job ')[1].split('"')[0] if 'class="job ' in page else ""


def test_nothing_new_is_not_published(live):
    _, _, pia = live
    assert "Nothing. The live assistant is up to date." in pia.get("/publish").text
    page = pia.post("/publish", data={"note": "again"})
    assert page.status_code == 409 and "Nothing has changed since the live release" in page.text


@pytest.mark.parametrize("commit", ["", "d" * 40])
def test_live_model_of_files_outside_the_history_can_be_replaced(live, commit):
    studio, store, pia = live
    store.add(store.archive("r1"), Release("r2", "v2", commit, "command line", "of a developer", 2.0, ""))
    store.activate("r2", "Ada")
    page = pia.get("/publish")
    assert page.status_code == 200 and "not in the history" in page.text and "What is new" in page.text
    assert pia.get("/try").status_code == 200
    assert pia.post("/publish", data={"note": "everything"}, allow_redirects=False).status_code == 303
    pia.post("/publish/cancel")


def test_note_is_asked_for(live):
    _, _, pia = live
    teach(pia)
    assert "Change the topic" in pia.get("/publish").text
    page = pia.post("/publish", data={"note": "  "})
    assert page.status_code == 400 and "Say in a few words what is new" in page.text


def test_content_with_a_problem_stops_before_the_training_and_says_what_to_do(live):
    studio, store, pia = live
    form = form_of(pia.get("/topics/faq_cost").text)
    form["text:utter_faq_cost:0"] = "This therapy is proven and heals everyone who tries it, wherever they are and whatever they bring with them."
    pia.post("/topics/faq_cost", data=form)
    pia.post("/publish", data={"note": "bold"})
    wait_for(lambda: state(pia) == "stopped", 60, "the check stops it")
    page = pia.get("/publish").text
    assert "“What does it cost?”: the answer says &#34;proven&#34; in sentence 1" in page and "Open it, mend that and publish again" in page
    assert store.current().id == "r1" and "Release with these losses" not in page


def test_training_is_cancelled_and_the_live_release_stays(live):
    studio, store, pia = live
    teach(pia)
    pia.post("/publish", data={"note": "new"})
    wait_for(lambda: '<li class="running"><span class="mark" aria-hidden="true">◐</span> Train' in pia.get("/publish/progress").text, 60, "training")
    other = studio.person("Paul Publisher", "publisher")
    busy = other.post("/publish", data={"note": "me too"})
    assert busy.status_code == 409 and "Pia Publisher is publishing already" in busy.text
    pia.post("/publish/cancel")
    wait_for(lambda: state(pia) == "cancelled", 30, "cancelled")
    assert store.current().id == "r1" and len(store.all()) == 1


def test_studio_that_is_killed_while_it_publishes_leaves_the_live_release(live):
    studio, store, pia = live
    teach(pia)
    pia.post("/publish", data={"note": "new"})
    wait_for(lambda: "Train the model" in pia.get("/publish/progress").text and state(pia) == "running", 60, "running")
    studio.process.kill()
    studio.process.wait()
    studio.start()
    assert state(pia) == "interrupted" and store.current().id == "r1"
    assert "The studio was stopped meanwhile" in pia.get("/publish").text


def test_losses_are_accepted_with_a_reason_only_and_never_of_safety(live, tmp_path):
    studio, store, pia = live
    teach(pia)
    folder = studio.settings.var / "publish"
    stops = [{"key": "lost faq_cost", "what": "Lost three.", "expected": "", "remedy": "", "acceptable": True}]

    def held(stops):
        studio.stop()
        folder.mkdir(exist_ok=True)
        stopped = Job("j", "publish", "Pia", "n", git(studio.root, "rev-parse", "HEAD"), 1.0, "stopped", stops=stops)
        (folder / "job.json").write_text(json.dumps(stopped.__dict__))
        studio.start()

    held([*stops, {**stops[0], "key": "safety recall", "acceptable": False}])
    assert "Release with these losses" not in pia.get("/publish").text
    assert pia.post("/publish/accept", data={"reason:0": "a very good reason", "reason:1": "a very good reason"}).status_code == 409
    held(stops)
    assert "Release with these losses" in pia.get("/publish").text
    page = pia.post("/publish/accept", data={"reason:0": "short"})
    assert page.status_code == 409 and "Give a reason" in page.text
    teach(pia, "what would it set me back")
    page = pia.post("/publish/accept", data={"reason:0": "these were odd messages"})
    assert page.status_code == 409 and "The content has changed since" in page.text
    assert store.current().id == "r1"


def test_events_tell_the_end_and_are_for_staff(live):
    studio, _, pia = live
    form = form_of(pia.get("/topics/faq_cost").text)
    form["text:utter_faq_cost:0"] = "It is perfect."
    pia.post("/topics/faq_cost", data=form)
    pia.post("/publish", data={"note": "bold"})
    with pia.get("/publish/events", stream=True) as events:
        assert events.headers["Content-Type"].startswith("text/event-stream")
        text = events.text
    assert text.rstrip().splitlines()[-1].startswith("data: ") and "event: done" in text and "Not released" in text
