"""`make import-directory`: what staff see, and that a file with a bad row changes nothing."""
import csv
import os
import subprocess
import sys

import pytest

from assistant.directory.opening import directory_path
from assistant.settings import ROOT, Settings
from scripts.places_extract import build

GOOD = {
    "name": "A. Person", "title": "Counsellor", "register": "BACP", "register_number": "1", "town": "Leeds", "postcode": "LS6",
    "formats": "online; in_person", "audiences": "adults", "concerns": "anxiety", "accepting": "yes", "url": "https://example.org/1",
}


@pytest.fixture
def imported(tmp_path):
    """Write rows to a file and import it; return (exit code, what was printed, the progress bar, the directory's bytes)."""
    build(Settings.from_env())
    env = {**os.environ, "ASSISTANT_VAR": str(tmp_path / "var"), "PYTHONPATH": str(ROOT)}

    def run(*rows):
        source = tmp_path / "therapists.csv"
        with source.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(GOOD))
            writer.writeheader()
            writer.writerows({**GOOD, "register_number": str(number), **row} for number, row in enumerate(rows))
        command = [sys.executable, "-W", "ignore", "-m", "scripts.import_directory", str(source)]
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        target = directory_path(Settings.from_env(env))
        return done.returncode, done.stdout, done.stderr, target.read_bytes() if target.exists() else None

    return run


def test_a_good_file_is_imported_with_a_progress_bar(imported):
    code, shown, bar, directory = imported({}, {}, {})
    assert (code, shown) == (0, "3 therapists imported.\n") and directory
    assert "Directory" in bar and "3/3" in bar and "100%" in bar


def test_each_bad_row_is_listed_with_its_line_and_every_reason_and_nothing_is_imported(imported):
    *_, before = imported({}, {})
    code, shown, errors, after = imported({}, {"register": "", "url": "javascript:alert(1)"}, {}, {"formats": "by post"}, {"register_number": "0"})
    lines = shown.splitlines()
    assert code == 1 and [line.partition(":")[0] for line in lines] == ["line 3", "line 5", "line 6"]
    assert "register" in lines[0] and "url" in lines[0] and "by post" in lines[1] and "line 2" in lines[2]
    assert "Nothing was imported: correct 3 row(s)" in errors and after == before is not None


def test_a_missing_file_is_one_clear_line(tmp_path):
    done = subprocess.run([sys.executable, "-W", "ignore", "-m", "scripts.import_directory", str(tmp_path / "none.csv")], cwd=ROOT,
                          env={**os.environ, "ASSISTANT_VAR": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "FILE=none.csv" in done.stderr and "Traceback" not in done.stderr
