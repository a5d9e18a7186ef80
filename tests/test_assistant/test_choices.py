"""Which button a visitor means who writes instead of pressing."""
import pytest

from assistant.choices import resolve

LABELS = ["How much does it cost?", "How many sessions?", "Does it work online?"]


@pytest.mark.parametrize("text, index", [
    ("1", 0), ("2.", 1), ("3)", 2), ("#2", 1), ("number 2", 1), ("no. 3", 2), ("option two", 1), ("two", 1), ("the first one", 0),
    ("First", 0), ("the second", 1), ("2nd one please", 1), ("last one", 2), ("the last", 2), ("I'd like the third option", 2),
    ("I’ll take number 1", 0), ("2\ufe0f\u20e3", 1), ("how many sessions", 1), ("HOW MANY SESSIONS??", 1), ("how mnay sessions", 1),
    ("does it work on line", 2), ("how many sessions please", 1),
])
def test_position_or_words_choose(text, index):
    assert resolve(text, LABELS) == index


@pytest.mark.parametrize("text", [
    "", "   ", "4", "0", "11", "my first session was hard", "2 years ago", "how long is one?", "the second world war", "tell me more",
    "one of them hurt me",
    "yes", "how much", "the first one costs how much",
])
def test_other_text_chooses_nothing(text):
    assert resolve(text, LABELS) is None


def test_nothing_is_chosen_without_choices():
    assert resolve("1", []) is None


def test_a_text_as_near_to_two_labels_is_left_open():
    assert resolve("About stile", ["About style", "About stale"]) is None


def test_label_with_a_number_wins_over_the_position():
    assert resolve("2", ["3", "2", "1"]) == 1
