"""`make evaluate` and `make benchmark-nlu`: their figures, and their clear lines."""
import json
import subprocess
import sys

import pytest

from assistant.encoder import Encoder
from assistant.encoder_build import build
from assistant.errors import InputFileError
from assistant.settings import ROOT, Settings
from benchmarks.evaluate import confusions, figures, outcome
from benchmarks.nlu import measure


def message(intent, *ranking, questions=()):
    names = ranking or (intent,)
    return {"intent": {"name": intent}, "intent_ranking": [{"name": name} for name in names], "questions": list(questions)}


ROWS = [
    ("a", message("a")),
    ("a", message("b", "b", "a")),
    ("b", message("nlu_fallback", "b", "a")),
    ("c", message("multi_question", "c", questions=["c", "a"])),
    ("out_of_scope", message("out_of_scope", "a")),
    ("out_of_scope", message("nlu_fallback", "a")),
    ("out_of_scope", message("a")),
    ("a,b", message("multi_question", "a", questions=["b", "a"])),
    ("a,b", message("multi_question", "a", questions=["b", "a", "c"])),
    ("a, b", message("a")),
]


def test_figures_of_every_kind_of_row():
    found = figures([outcome(intents, parsed) for intents, parsed in ROWS])
    assert found.pop("macro_f1") == pytest.approx((0.6667 + 0.6667 + 1) / 3, abs=1e-3)
    assert found == {
        "n": 10, "accuracy": 0.75, "answered_right": 0.25, "top3": 1.0, "out_of_scope_recall": pytest.approx(2 / 3),
        "false_rejections": 0.25, "multi_exact": pytest.approx(1 / 3),
    }


def test_kinds_that_the_file_lacks_are_null():
    found = figures([outcome("a,b", message("a"))])
    assert found["multi_exact"] == 0.0
    assert all(found[name] is None for name in ("accuracy", "macro_f1", "top3", "out_of_scope_recall", "false_rejections"))


def test_confusions_name_what_was_answered_instead():
    pairs = confusions([outcome(intents, parsed) for intents, parsed in ROWS])
    assert ("b", "(turned down)", 1) in pairs and ("out_of_scope", "a", 1) in pairs and ("c", "c,a", 1) in pairs


@pytest.fixture(scope="module")
def encoder():
    settings = Settings.from_env()
    build(settings)
    return Encoder.load(settings)


TRAIN = [
    (text, intent)
    for intent, texts in {
        "delivery": ["where is my parcel", "when will my order arrive", "delivery time please", "track my package"],
        "refund": ["i want my money back", "how do refunds work", "return an item", "can i get a refund"],
        "size": ["which size should i buy", "how big is the bed", "dimensions of the mattress", "size chart"],
    }.items() for text in texts
] + [("tell me a joke", "__oos__")]


def test_foreign_data_are_measured_with_what_is_out_of_scope_left_out_of_training(encoder):
    test = [("my order has not arrived", "delivery"), ("refund my money", "refund"), ("the size of the bed", "size"),
            ("who is the prime minister", "__oos__"), ("bake a cake with me", "__oos__")]
    found = measure(TRAIN, test, encoder)
    assert found["n"] == 5 and found["closed_accuracy"] == 1.0 and found["auroc"] == 1.0
    assert 0 <= found["threshold"] <= 1 and found["train_seconds"] > 0 and found["oos_recall"] >= 0.5


def test_without_out_of_scope_rows_their_figures_are_null(encoder):
    found = measure(TRAIN, [("refund my money", "refund")], encoder)
    assert found["auroc"] is None and found["oos_recall"] is None


def test_one_intent_is_no_data_set(encoder):
    with pytest.raises(InputFileError, match="TRAIN"):
        measure([("a", "x"), ("b", "x"), ("c", "__oos__")], [("a", "x")], encoder)


def run(module, *arguments):
    return subprocess.run([sys.executable, "-W", "ignore", "-m", module, *map(str, arguments)], cwd=ROOT, text=True,
                          capture_output=True, check=False, timeout=120)


def test_the_command_prints_one_line_of_json_last(tmp_path):
    train, test = tmp_path / "train.tsv", tmp_path / "test.tsv"
    train.write_text("".join(f"{text}\t{intent}\n" for text, intent in TRAIN), encoding="utf-8")
    test.write_text("refund please\trefund\nknock knock\t__oos__\n", encoding="utf-8")
    done = run("benchmarks.nlu", train, test)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["n"] == 2


@pytest.mark.parametrize("content, wanted", [(None, "No such file"), ("", "no rows"), ("text without intent\n", "line 1")])
@pytest.mark.parametrize("module", ["benchmarks.evaluate", "benchmarks.nlu"])
def test_a_bad_file_ends_in_one_clear_line(tmp_path, module, content, wanted):
    path = tmp_path / "x.tsv"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    done = run(module, *([path] if module == "benchmarks.evaluate" else [path, path]))
    assert done.returncode == 1 and done.stdout == ""
    assert wanted in done.stderr and "Traceback" not in done.stderr
