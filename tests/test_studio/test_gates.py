"""What stops a release, what may be accepted, and how it is said."""
from __future__ import annotations

import pytest

from studio.gates import compare, named, right, understood

LABELS = {"faq_cost": "What does it cost?", "faq_nhs": "Is it on the NHS?", "greet": "Hello"}
COST = [f"cost {number}" for number in range(5)]
CRISIS = ["first plea", "second plea"]


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "tests/heldback"
    folder.mkdir(parents=True)
    (folder / "intents.tsv").write_text("".join(f"{text}\tfaq_cost\n" for text in COST) + "weather\tout_of_scope\nboth\tfaq_nhs,faq_cost\n")
    (folder / "safety.tsv").write_text("".join(f"{text}\tcrisis\tsuicide\tplain\n" for text in CRISIS) + "fine\tnone\n")
    return tmp_path


def results(wrong=(), missed=(), explicit=CRISIS):
    phrasings = {text: "faq_cost" for text in COST} | {"weather": "nlu_fallback", "both": "faq_cost,faq_nhs"}
    phrasings.update(dict.fromkeys(wrong, "faq_nhs"))
    safety = {text: ["none" if text in missed else "crisis", text in explicit] for text in CRISIS} | {"fine": ["none", False]}
    return {"intents": ["faq_cost", "faq_nhs", "out_of_scope"], "phrasings": phrasings, "safety": safety}


def story(name="a chat", right=False):
    return {
        "name": name,
        "right": right,
        "turn": 2,
        "said": "price?",
        "kind": "action",
        "expected": "utter_faq_cost",
        "found": "utter_faq_nhs_more",
    }


@pytest.mark.parametrize("expected, answered, fits", [
    ("faq_cost", "faq_cost", True), ("faq_cost", "nlu_fallback", False), ("out_of_scope", "nlu_fallback", True),
    ("out_of_scope", "faq_cost", False), ("a,b", "b,a", True), ("a,b", "a", False), ("a", "a,b", False),
])
def test_only_what_was_asked_is_right(expected, answered, fits):
    assert right(expected, answered) is fits


def test_equal_models_may_go_out(root):
    found = compare(root, results(), results(), [story(right=True)], LABELS)
    assert (found.stops, found.better, found.worse) == ([], [], [])
    assert found.scores == {"phrasings": 1.0, "crisis_recall": 1.0, "stories": 1.0}


def test_two_newly_lost_phrasings_are_told_and_a_third_stops(root):
    two = compare(root, results(wrong=COST[:2]), results(), [], LABELS)
    assert two.stops == [] and [change.text for change in two.worse] == COST[:2]
    three = compare(root, results(wrong=COST[:3]), results(), [], LABELS)
    (stop,) = three.stops
    assert stop.acceptable and "“What does it cost?” lost 3 messages" in stop.what and stop.messages[0] == "“cost 0”, now “Is it on the NHS?”"
    assert "newest phrasings of “Is it on the NHS?”: one of them draws" in stop.remedy


def test_phrasings_that_were_wrong_before_do_not_count_and_mended_ones_are_told(root):
    found = compare(root, results(wrong=COST[1:4]), results(wrong=COST[:4]), [], LABELS)
    assert found.stops == [] and [change.text for change in found.better] == ["cost 0"]


def test_missed_explicit_crisis_wording_stops_and_cannot_be_accepted(root):
    found = compare(root, results(missed=["first plea"]), results(), [], LABELS)
    assert [stop.acceptable for stop in found.stops] == [False, False]
    assert "Explicit crisis wording would be missed: “first plea”" in found.stops[0].what
    assert "1 of 2, before 2" in found.stops[1].what


def test_worse_recall_stops_even_where_nothing_explicit_is_lost(root):
    found = compare(root, results(missed=["first plea"], explicit=()), results(explicit=()), [], LABELS)
    assert [stop.key for stop in found.stops] == ["safety recall"] and not found.stops[0].acceptable


def test_recall_may_get_better(root):
    assert compare(root, results(), results(missed=CRISIS), [], LABELS).stops == []


def test_failed_conversation_test_says_what_was_expected_and_what_to_do(root):
    (stop,) = compare(root, results(), results(), [story()], LABELS).stops
    assert stop.what == "The conversation test “a chat” differs at turn 2, after “price?”."
    assert stop.expected == "Expected: “What does it cost?”. Found: “Is it on the NHS?”, more."
    assert "mend the test" in stop.remedy and not stop.acceptable


def test_conversation_test_that_fails_in_the_live_model_too_is_a_note(root):
    found = compare(root, results(), results(), [story()], LABELS, [story()])
    assert found.stops == [] and "in the live assistant too" in found.notes[0]


def test_new_test_of_staff_that_is_not_understood_stops_and_may_be_accepted(root):
    (root / "tests/staff_phrasings.tsv").write_text("what about money\tfaq_cost\n")
    draft = results()
    draft["phrasings"]["what about money"] = "nlu_fallback"
    (stop,) = compare(root, draft, results(), [], LABELS).stops
    assert stop.acceptable and stop.what == "The test “what about money” was understood as not understood."


def test_messages_of_a_topic_that_is_off_are_left_aside(root):
    draft = results(wrong=COST)
    draft["intents"] = ["faq_nhs", "out_of_scope"]
    found = compare(root, draft, results(), [], LABELS)
    assert found.stops == [] and len(found.notes) == 6


def test_first_release_has_nothing_to_be_compared_with(root):
    found = compare(root, results(wrong=COST, missed=CRISIS), None, [], LABELS)
    assert found.stops == [] and found.scores["crisis_recall"] == 0.0


def test_names_are_said_in_words():
    assert named("faq_cost,faq_nhs", LABELS) == "“What does it cost?” and “Is it on the NHS?”"
    assert named("search_form", LABELS) == "search form" and named("utter_did_you_mean", LABELS) == "“did you mean”"
    assert understood("nlu_fallback", LABELS) == "Not understood" and understood("faq_cost", LABELS) == "Understood as “What does it cost?”"
    assert named("utter_greet", LABELS) == "“Hello”" and named("out_of_scope", LABELS) == "out of scope"
