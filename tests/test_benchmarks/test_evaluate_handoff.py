import json

import pytest

from assistant.errors import InputFileError
from assistant.places import Gazetteer
from assistant.settings import Settings
from benchmarks.evaluate_handoff import Row, figures, read_rows, same
from scripts.places_extract import build

GOOD = {"text": "online in Leeds", "location": "Leeds", "session_format": "online", "concern": None, "is_search": True}


@pytest.fixture(scope="module")
def gazetteer():
    settings = Settings.from_env()
    build(settings)
    return Gazetteer.load(settings)


def message(intent, text, *entities, questions=()):
    found = [{"entity": name, "value": value, "start": 0, "end": 1} for name, value in entities]
    return {"intent": {"name": intent}, "text": text, "entities": found, "questions": list(questions)}


def test_rows_are_read(tmp_path):
    (tmp_path / "x.jsonl").write_text(json.dumps(GOOD) + "\n\n", encoding="utf-8")
    assert read_rows(tmp_path / "x.jsonl") == [
        Row("online in Leeds", True, {"location": "Leeds", "session_format": "online", "concern": None})
    ]


@pytest.mark.parametrize("content, wrong", [
    ("", "has no rows"), ("{", "line 1"), (json.dumps(GOOD) + "\n[]", "line 2 is not"),
    (json.dumps({**GOOD, "is_search": "yes"}), "line 1 is not"), (json.dumps({**GOOD, "location": 1}), "line 1 is not"),
])
def test_a_malformed_file_is_one_clear_line(content, wrong, tmp_path):
    (tmp_path / "x.jsonl").write_text(content, encoding="utf-8")
    with pytest.raises(InputFileError, match=wrong):
        read_rows(tmp_path / "x.jsonl")
    with pytest.raises(InputFileError, match="No such file"):
        read_rows(tmp_path / "none.jsonl")


def test_the_figures(gazetteer):
    slots = {"location": None, "session_format": None, "concern": None}
    rows = [
        Row("a", True, {**slots, "location": "Leeds"}), Row("b", True, {**slots, "concern": "grief"}),
        Row("c", False, slots), Row("d", False, slots), Row("e", True, slots),
    ]
    parsed = [
        message("find_therapist", "a", ("location", "Leeds")), message("faq_cost", "b", ("concern", "anxiety")),
        message("find_therapist", "c"), message("faq_cost", "d"),
        message("multi_question", "e", ("session_format", "any"), questions=["faq_cost", "find_therapist"]),
    ]
    assert figures(rows, parsed, gazetteer) == {
        "n": 5, "search_precision": pytest.approx(2 / 3), "search_recall": pytest.approx(2 / 3),
        "slots": {"location": 1.0, "session_format": 1.0, "concern": pytest.approx(2 / 3)},
    }


@pytest.mark.parametrize("wanted, got, right", [
    ("Newcastle", "Newcastle upon Tyne", True), ("Hull", "Kingston upon Hull", True), ("ls6", "LS6", True), ("Newport", "Newport", True),
    ("Leeds", "York", False), ("Leeds", None, False), (None, "Leeds", False), (None, None, True),
])
def test_a_place_may_go_by_another_name(wanted, got, right, gazetteer):
    assert same("location", wanted, got, gazetteer) is right
