"""The inbox: grouped by meaning, ranked, taught in the staff's words and never in the visitor's."""
from __future__ import annotations

import re

import pytest
from journal_rows import JournalFile
from studio_helpers import git

from assistant.content import read_topic
from gateway import schema
from gateway.schema import review
from studio import journal as studio_journal

VISITORS = [
    "do you have a sliding scale for people on low income", "is there a sliding scale", "sliding scale fees for low incomes",
    "can i bring my dog to the sessions", "is my dog allowed in the room",
]


def test_columns_that_the_studio_reads_are_the_gateways():
    for name in ("turns", "feedback", "inbox", "review"):
        ours = {column.name for column in getattr(studio_journal, name).columns}
        assert ours <= {column.name for column in schema.metadata.tables[name].columns}, name


@pytest.fixture
def ours(own_studio):
    studio = own_studio()
    journal = JournalFile(studio.settings.var)
    for text in VISITORS:
        journal.message(text)
    return studio, journal, studio.person("Ada Editor", "editor")


def keys(page: str) -> "list[list[str]]":
    """Return the keys of the messages by group."""
    return [re.findall(r'name="item" value="(\w+)"', form) for form in page.split('action="/inbox/assign"')[1:]]


def assign(client, items, deed, **fields):
    return client.post("/inbox/assign", data=[*(("item", item) for item in items), ("deed", deed), *fields.items()])


def test_messages_are_grouped_by_meaning_and_the_most_frequent_come_first(ours):
    _, _, ada = ours
    page = ada.get("/inbox").text
    assert [len(group) for group in keys(page)] == [3, 2]
    first = page.split('action="/inbox/assign"')[1]
    assert "sliding scale" in first and "dog" not in first
    assert re.search(r'<optgroup label="Nearest"><option value="faq_cost">', first)


def test_assigned_group_becomes_an_example_and_a_test_in_the_staffs_words(ours):
    studio, journal, ada = ours
    group = keys(ada.get("/inbox").text)[0]
    page = assign(ada, group, "assign", intent="faq_cost", phrasing="does the fee go by what one earns", test="fee depending on my wages?")
    assert page.status_code == 200 and "Taught to “What does it cost?”, with a test" in page.text
    assert "does the fee go by what one earns" in read_topic(studio.root / "data/practical/cost.yml", studio.root).examples
    assert (studio.root / "tests/staff_phrasings.tsv").read_text() == "fee depending on my wages?\tfaq_cost\n"
    assert git(studio.root, "show", "--name-only", "--format=%an").split() == [
        "Ada", "Editor", "data/practical/cost.yml", "tests/staff_phrasings.tsv",
    ]
    assert journal.statuses() == ["assigned"] * 3 + ["new"] * 2
    assert [len(group) for group in keys(page.text)] == [2]


def test_no_visitors_sentence_enters_git(ours):
    studio, _, ada = ours
    group = keys(ada.get("/inbox").text)[0]
    before = git(studio.root, "rev-parse", "HEAD")
    for copied in (VISITORS[1], VISITORS[0].upper() + "?", VISITORS[2] + " pls"):
        for field in ("phrasing", "test"):
            fields = {"intent": "faq_cost", "phrasing": "does the fee go by income", field: copied}
            page = assign(ada, group, "assign", **fields)
            assert page.status_code == 400 and "in your own words" in page.text
    page = ada.post("/topics/new", data={"inbox": ",".join(group), "label": "Sliding scale?", "group": "practical", "examples": VISITORS[1],
                                         "text:utter_new:0": "An answer.", "text:utter_new_more:0": "More."})
    assert page.status_code == 400 and "in your own words" in page.text
    assert git(studio.root, "rev-parse", "HEAD") == before


def test_undo_takes_example_and_test_back_and_the_messages_return(ours):
    studio, journal, ada = ours
    group = keys(ada.get("/inbox").text)[0]
    page = assign(ada, group, "assign", intent="faq_cost", phrasing="does the fee go by what one earns", test="fee depending on my wages?")
    ada.post(re.search(r'action="(/inbox/\d+/undo)"', page.text).group(1))
    assert "does the fee go by what one earns" not in (studio.root / "data/practical/cost.yml").read_text()
    assert (studio.root / "tests/staff_phrasings.tsv").read_text() == ""
    assert journal.statuses() == ["new"] * 5


@pytest.mark.parametrize(
    "deed, status, done", [("ignore", "ignored", "Put aside"), ("out_of_scope", "out_of_scope", "Marked as out of scope")]
)
def test_ignored_and_out_of_scope_messages_go_and_change_no_file(ours, deed, status, done):
    studio, journal, ada = ours
    before = git(studio.root, "rev-parse", "HEAD")
    page = assign(ada, keys(ada.get("/inbox").text)[1], deed)
    assert done in page.text and journal.statuses() == ["new"] * 3 + [status] * 2
    assert git(studio.root, "rev-parse", "HEAD") == before


def test_out_of_scope_is_taught_in_the_staffs_words(ours):
    studio, _, ada = ours
    assign(ada, keys(ada.get("/inbox").text)[1], "out_of_scope", phrasing="are pets welcome at the practice")
    assert "are pets welcome at the practice" in (studio.root / "data/conversation/out_of_scope.yml").read_text()


def test_only_ticked_messages_are_dealt_with(ours):
    _, journal, ada = ours
    assign(ada, keys(ada.get("/inbox").text)[0][:1], "ignore")
    assert sorted(journal.statuses()) == ["ignored"] + ["new"] * 4


@pytest.mark.parametrize("fields, complaint", [
    ({"deed": "assign", "intent": "faq_cost"}, "in your own words"), ({"deed": "assign", "phrasing": "x y z"}, "Choose the topic"),
    ({"deed": "dance"}, "Choose what to do"),
])
def test_incomplete_decision_says_what_is_missing(ours, fields, complaint):
    _, journal, ada = ours
    page = assign(ada, keys(ada.get("/inbox").text)[0], **fields)
    assert page.status_code == 400 and complaint in page.text and journal.statuses() == ["new"] * 5


def test_messages_of_a_visitor_who_deleted_them_are_gone(ours):
    _, journal, ada = ours
    group = keys(ada.get("/inbox").text)[0]
    journal.forget("c1")
    assert "Nothing waits" in ada.get("/inbox").text
    page = assign(ada, group, "ignore")
    assert page.status_code == 400 and "have gone" in page.text


def test_phrasings_of_a_deleted_topic_can_be_taught_as_they_are(ours):
    studio, _, ada = ours
    ada.post("/topics/faq_self_help/delete")
    group = next(group for group in keys(ada.get("/inbox").text) if group[0].startswith("p"))
    taught = [phrase for phrase in re.findall(r"checked> <span>(.*?)\n", ada.get("/inbox").text)]
    page = assign(ada, group, "assign", intent="faq_preparing")
    assert page.status_code == 200
    examples = read_topic(studio.root / "data/practical/preparing.yml", studio.root).examples
    assert sum(phrase.replace("&#39;", "'") in examples for phrase in taught) >= len(group)


def test_review_queue_is_for_the_safety_role_and_each_visit_is_noted(ours):
    studio, journal, ada = ours
    journal.message("a text that only the safety role may see", reason="near", queue="review")
    safe = studio.person("Sam Safe", "editor+safety")
    assert ada.get("/safety/review").status_code == 403
    assert "only the safety role may see" not in ada.get("/inbox").text
    page = safe.get("/safety/review").text
    assert "a text that only the safety role may see" in page
    number = re.search(r'name="row" value="(\d+)"', page).group(1)
    safe.post("/safety/review", data={"row": number})
    assert journal.statuses(review) == ["reviewed"]
    root = studio.person("Root", "administrator")
    assert "open review queue" in root.get("/people/audit").text


def test_journal_that_does_not_answer_is_said_and_nothing_else_breaks(own_studio):
    studio = own_studio()
    (studio.settings.var / "journal.db").write_bytes(b"this is no database, only a file of this name" * 100)
    ada = studio.person("Ada Editor", "editor")
    page = ada.get("/inbox")
    assert page.status_code == 409 and "The record of conversations does not answer" in page.text
    assert ada.get("/topics").status_code == 200 and "does not answer" in ada.get("/topics").text
