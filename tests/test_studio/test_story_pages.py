"""Stories: shown by labels, edited without touching what stands around them, made of conversations."""
from __future__ import annotations

import re

import pytest
from journal_rows import JournalFile
from studio_helpers import form_of, git

from studio.repository import Repository
from studio.stories import Step, Stories, StoryError, run

FILE = """version: "3.1"
# Kept at the top.
stories:
- story: about money
  steps:
  - intent: faq_cost
  - action: utter_faq_cost
# Belongs to the next one.
- story: with a slot
  steps:
  - intent: greet
  - slot_was_set:
    - location: Leeds
  - action: utter_greet

- story: last
  steps:
  - intent: thank
  - action: utter_thank
"""


@pytest.fixture
def stories(tmp_path):
    path = tmp_path / "data/dialogue/stories.yml"
    path.parent.mkdir(parents=True)
    path.write_text(FILE)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "-c", "user.name=d", "-c", "user.email=d@e.org", "commit", "-qm", "s")
    return Stories(Repository(tmp_path))


def text(stories):
    return stories._repository.read("data/dialogue/stories.yml")


def test_stories_are_listed_with_what_staff_may_edit(stories):
    assert [(story.name, story.kind, story.plain) for story in stories.all()] == [
        ("about money", "story", True), ("with a slot", "story", False), ("last", "story", True),
    ]


@pytest.mark.parametrize("position", [0, 2])
def test_saving_changes_the_story_alone(stories, position):
    story = stories.all()[position]
    stories.save(story, "renamed: yes", [Step("visitor", "greet"), Step("assistant", "utter_greet")], "Ada")
    kept = [line for line in FILE.splitlines() if line.startswith("#") or "slot" in line]
    assert [line for line in text(stories).splitlines() if line.startswith("#") or "slot" in line] == kept
    assert [found.name for found in stories.all()][position] == "renamed: yes"
    assert stories.all()[position].steps == [Step("visitor", "greet"), Step("assistant", "utter_greet")]
    assert git(stories._repository.root, "log", "-1", "--format=%an") == "Ada"


def test_deleting_takes_the_story_alone(stories):
    stories.delete(stories.all()[0], "Ada")
    assert [story.name for story in stories.all()] == ["with a slot", "last"] and "# Kept at the top." in text(stories)


def test_new_story_and_test_are_rasa_stories(stories):
    steps = [Step("visitor", "greet", "hiya"), Step("assistant", "utter_greet")]
    stories.create("test", "hello there", steps, "Ada")
    stories.create("story", "hello", [Step("visitor", "greet"), Step("assistant", "utter_greet")], "Ada")
    assert stories._repository.read("tests/test_stories_staff.yml").endswith(
        '- story: "hello there"\n  steps:\n  - user: |-\n      hiya\n    intent: greet\n  - action: utter_greet\n'
    )
    assert {(story.name, story.kind) for story in stories.all()} >= {("hello there", "test"), ("hello", "story")}


@pytest.mark.parametrize(
    "name, steps, complaint",
    [
        ("", [Step("visitor", "greet"), Step("assistant", "utter_greet")], "name"),
        ("x", [], "begins with what the visitor says"),
        ("x", [Step("assistant", "utter_greet")], "begins with what the visitor says"),
        ("x", [Step("visitor", "greet")], "ends with what the assistant"),
        ("last", [Step("visitor", "greet"), Step("assistant", "utter_greet")], "already"),
    ],
)
def test_story_that_makes_no_sense_is_refused(stories, name, steps, complaint):
    with pytest.raises(StoryError, match=complaint):
        stories.create("story", name, steps, "Ada")


def test_story_with_parts_beyond_turns_is_a_developers(stories):
    with pytest.raises(StoryError, match="a developer edits it in data/dialogue/stories.yml"):
        stories.save(stories.all()[1], "mine", [Step("visitor", "greet"), Step("assistant", "utter_greet")], "Ada")


def test_story_that_was_opened_is_found_where_it_stands_now_and_not_when_it_was_changed(stories):
    first, _, last = stories.all()
    stories.delete(first, "Bea")
    moved = stories.as_opened(last.key, last.stamp)
    assert (moved.name, moved.position) == ("last", 1)
    stories.save(moved, "last", [Step("visitor", "greet"), Step("assistant", "utter_greet")], "Bea")
    assert stories.as_opened(last.key, last.stamp) is None and stories.named(last.key, "last").position == 1


def say(replies):
    return lambda text, intent: replies[text or intent]


def test_run_finds_the_first_turn_that_differs():
    steps = [
        Step("visitor", "greet"),
        Step("assistant", "utter_greet"),
        Step("visitor", "faq_cost", "price?"),
        Step("assistant", "utter_faq_cost"),
    ]
    replies = {
        "greet": {"intent": {"name": "greet"}, "actions": ["utter_greet"]},
        "price?": {"intent": {"name": "faq_cost"}, "actions": ["utter_faq_cost"]},
    }
    assert run(steps, say(replies)) == {"right": True, "turn": 2}
    replies["price?"]["actions"] = ["utter_faq_nhs"]
    assert run(steps, say(replies)) == {
        "right": False,
        "turn": 2,
        "said": steps[2],
        "expected": ["utter_faq_cost"],
        "found": ["utter_faq_nhs"],
    }
    replies["price?"]["intent"] = {"name": "faq_nhs"}
    assert run(steps, say(replies))["expected"] == ["faq_cost"]


def test_conversation_becomes_a_story_or_a_test_by_labels_only(own_studio):
    studio = own_studio()
    journal = JournalFile(studio.settings.var)
    journal.turn("AA11-BB11", "greet", ["utter_greet"], at=1.0)
    journal.turn("AA11-BB12", "faq_cost", ["utter_faq_cost"], at=2.0)
    ada = studio.person("Ada Editor", "editor")
    for kind, path in (("story", "data/dialogue/stories_staff.yml"), ("test", "tests/test_stories_staff.yml")):
        page = ada.get(f"/stories/from/AA11-BB12?kind={kind}").text
        turns = re.findall(r'<option value="(\w+:\w+)" selected>', page)
        assert turns == ["visitor:greet", "assistant:utter_greet", "visitor:faq_cost", "assistant:utter_faq_cost"]
        saved = ada.post("/stories/new", data={"kind": kind, "name": "from a chat", **{f"turn:{n}": turn for n, turn in enumerate(turns)}})
        assert saved.status_code == 200
        story = ["- intent: greet", "- action: utter_greet", "- intent: faq_cost", "- action: utter_faq_cost"]
        lines = (studio.root / path).read_text().splitlines()
        assert lines[-6:] == ['- story: "from a chat"', "  steps:", *(f"  {step}" for step in story)]


def turns(*steps):
    return {f"turn:{number}": step for number, step in enumerate(steps)}


def test_second_to_save_a_story_sees_what_the_first_made_of_it(own_studio):
    studio = own_studio()
    ada, bea = studio.person("Ada Editor", "editor"), studio.person("Bea Editor", "editor")
    made = ada.post("/stories/new", data={"kind": "test", "name": "money", **turns("visitor:faq_cost", "assistant:utter_faq_cost")})
    address = made.url.removeprefix(studio.url)
    hers, his = (form_of(client.get(address).text, address) for client in (bea, ada))
    bea.post(address, data={**hers, **turns("visitor:greet", "assistant:utter_greet")})
    page = ada.post(address, data={**his, **turns("visitor:thank", "assistant:utter_thank")})
    assert page.status_code == 409 and "Somebody else changed this" in page.text
    theirs, mine = page.text.split("Theirs, saved already")[1].split('id="name"')
    assert "Hello" in theirs and '"visitor:thank" selected' in mine
    assert "greet" in (studio.root / "tests/test_stories_staff.yml").read_text()
    again = ada.post(address, data=form_of(page.text, address))
    assert again.status_code == 200
    assert (studio.root / "tests/test_stories_staff.yml").read_text().splitlines()[-2:] == ["  - intent: thank", "  - action: utter_thank"]


def test_story_that_was_deleted_meanwhile_can_be_saved_as_a_new_one(own_studio):
    studio = own_studio()
    ada, bea = studio.person("Ada Editor", "editor"), studio.person("Bea Editor", "editor")
    made = ada.post("/stories/new", data={"kind": "story", "name": "money", **turns("visitor:faq_cost", "assistant:utter_faq_cost")})
    address = made.url.removeprefix(studio.url)
    form = form_of(made.text, address)
    stale = {"stamp": form["stamp"]}
    assert bea.get(address).ok and "is deleted" in bea.post(f"{address}/delete", data=stale).text
    page = ada.post(address, data=form)
    assert page.status_code == 409 and "deleted or renamed this meanwhile" in page.text
    assert ada.post("/stories/new", data=form_of(page.text, "/stories/new")).url.endswith(address)


def test_stories_page_speaks_in_labels(studio):
    page = studio.person("Story Reader", "editor").get("/stories").text
    assert "What does it cost?" in page and "utter_faq_cost" not in page
