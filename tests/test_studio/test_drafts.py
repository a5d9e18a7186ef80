"""Editing topic files: what is not touched stays, what is written can be read again, two people's changes are merged."""
from __future__ import annotations

import difflib
from dataclasses import replace

import pytest

from assistant.content import load_topics, read_topic
from assistant.settings import ROOT
from studio.draft import Draft, Wording, carried_over, merged
from studio.yaml_edit import Titles, edit_topic, list_items, new_topic, retitled

TOPICS = {topic.intent: topic for topic in load_topics(ROOT)}
TITLES = Titles(
    {intent: topic.label for intent, topic in TOPICS.items()},
    {b.payload: b.title for topic in TOPICS.values() for ws in topic.responses.values() for w in ws for b in w.buttons if not b.plain},
)
NOTHING = Draft("", (), (), {}, "somebody", "2020-01-01")


def changed_lines(old: str, new: str) -> "list[str]":
    return [line for line in difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=0) if line[:3] not in ("---", "+++")
            and not line.startswith("@@")]


def again(topic, text, folder):
    path = folder / "data" / topic.group / topic.path.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return Draft.of(read_topic(path, folder))


@pytest.mark.parametrize("intent", TOPICS)
def test_unchanged_topic_stays_as_it_is_to_the_byte(intent):
    text, draft = TOPICS[intent].path.read_text(encoding="utf-8"), Draft.of(TOPICS[intent])
    assert edit_topic(text, draft, draft, TITLES) == text


@pytest.mark.parametrize("intent", TOPICS)
def test_every_part_written_anew_reads_the_same(tmp_path, intent):
    text, draft = TOPICS[intent].path.read_text(encoding="utf-8"), Draft.of(TOPICS[intent])
    written = edit_topic(text, NOTHING, draft, TITLES)
    assert again(TOPICS[intent], written, tmp_path) == draft
    remarks = [line for line in text.splitlines() if line.lstrip().startswith("#") and not line.lstrip("# ")[:1].isdigit()]
    assert [line for line in remarks if line not in written.splitlines()] == []


def test_one_changed_phrasing_changes_one_line():
    topic = TOPICS["faq_cost"]
    text, draft = topic.path.read_text(encoding="utf-8"), Draft.of(topic)
    written = edit_topic(text, draft, replace(draft, examples=(*draft.examples, "is it dear")), TITLES)
    assert changed_lines(text, written) == ["+    - is it dear"]


def test_changed_answer_leaves_the_other_answers_and_comments():
    topic = TOPICS["faq_cost"]
    text, draft = topic.path.read_text(encoding="utf-8"), Draft.of(topic)
    (old,) = draft.replies["utter_faq_cost"]
    new = replace(old, text="It differs. " + old.text, sources=("editorial", *old.sources))
    written = edit_topic(text, draft, replace(draft, replies={**draft.replies, "utter_faq_cost": (new,)}), TITLES)
    more = text[text.index("  utter_faq_cost_more:"):]
    assert written.endswith(more)


@pytest.mark.parametrize(
    "text",
    [
        "Ends: with a colon",
        'It\'s "quoted" — and # not a comment',
        "- looks like a list\n- and goes on",
        "A line\n\nand a paragraph",
        "100% {sure}",
    ],
)
def test_any_text_is_written_so_that_it_reads_the_same(tmp_path, text):
    topic = TOPICS["faq_cost"]
    draft = replace(Draft.of(topic), replies={"utter_faq_cost": (Wording(text, carried_over(text, ())),)}, label='What "is" it: #1?')
    written = edit_topic(topic.path.read_text(encoding="utf-8"), NOTHING, draft, TITLES)
    read = again(topic, written, tmp_path)
    assert read.replies["utter_faq_cost"][0].text == text and read.label == draft.label


def test_new_topic_reads_as_it_was_meant(tmp_path):
    draft = Draft("Sliding scale?", ("do you have a sliding scale", "pay by income"), ("faq_cost",), {
        "utter_faq_sliding": (Wording("Some do. Ask them.", ("A: \"words\"", "editorial"), ("/faq_cost",)),),
        "utter_faq_sliding_more": (Wording("More on that.", ("doi 10.1000/1: a study",)),),
    })
    path = tmp_path / "data/practical/sliding.yml"
    path.parent.mkdir(parents=True)
    path.write_text(new_topic("faq_sliding", draft, TITLES), encoding="utf-8")
    topic = read_topic(path, tmp_path)
    assert Draft.of(topic) == draft and topic.problems == ()
    assert topic.sources == ("A", "editorial", "doi 10.1000/1")
    assert topic.rules[0]["steps"] == [{"intent": "faq_sliding"}, {"action": "utter_faq_sliding"}]


def test_buttons_are_renamed_and_nothing_else():
    text = TOPICS["faq_nhs"].path.read_text(encoding="utf-8")
    written = retitled(text, "/faq_cost", "Fees")
    assert set(changed_lines(text, written)) == {'-    - title: "What does it cost?"', '+    - title: "Fees"'}


@pytest.mark.parametrize("text, expected", [
    ("intents:\n- one\n# last\n- two\nslots: {}\n", "intents:\n- one\n# last\n- two\n- three\nslots: {}\n"),
    ("intents:\n  - one\n  - two  # why\n", "intents:\n  - one\n  - two  # why\n  - three\n"),
    ("intents: [one, two]  # all\nslots: {}\n", "intents: [one, two, three]  # all\nslots: {}\n"),
])
def test_intent_is_added_in_the_style_of_the_list(text, expected):
    assert list_items(text, "intents", add=["three"]) == expected
    assert list_items(expected, "intents", remove=["three"]) == text


BASE = Draft("Cost?", ("one", "two"), ("faq_nhs",), {"utter_x": (Wording("Old."),), "utter_x_more": (Wording("More."),)})


def test_changes_of_different_fields_are_merged():
    mine = replace(BASE, label="Fees?", examples=("one", "two", "three"))
    theirs = replace(BASE, examples=("two", "four"), replies={**BASE.replies, "utter_x": (Wording("New."),)})
    draft, conflicts = merged(BASE, mine, theirs)
    assert conflicts == []
    assert (draft.label, draft.examples, draft.replies["utter_x"][0].text) == ("Fees?", ("two", "four", "three"), "New.")


def test_same_field_changed_by_both_is_a_conflict_that_shows_both():
    mine, theirs = (replace(BASE, replies={**BASE.replies, "utter_x": (Wording(text),)}) for text in ("Mine.", "Theirs."))
    draft, conflicts = merged(BASE, mine, theirs)
    assert [(c.name, c.base, c.mine, c.theirs) for c in conflicts] == [("utter_x", "Old.", "Mine.", "Theirs.")]
    assert draft.replies["utter_x"][0].text == "Mine."


def test_same_change_by_both_is_no_conflict():
    both = replace(BASE, label="Fees?")
    assert merged(BASE, both, both) == (both, [])


def test_sources_follow_their_sentences():
    old = (Wording("First one. Second one.", ("A: words", "B")),)
    assert carried_over("Second one! A new one. First one.", old) == ("B", "editorial", "A: words")
