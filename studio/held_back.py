"""The files of messages that are never trained on: phrasings with their intents, and the safety set."""
from __future__ import annotations

from pathlib import Path
from typing import List

from assistant.errors import InputFileError

STAFF = "tests/staff_phrasings.tsv"  # text<TAB>intent, in the words of staff; made by the studio
PHRASINGS = ("tests/heldback/intents.tsv", "tests/heldback/multi.tsv", "tests/heldback/stories_long.tsv", STAFF)
SAFETY = "tests/heldback/safety.tsv"  # text<TAB>level, and more


def read_rows(path: Path) -> List[List[str]]:
    """Return the rows of a tab-separated file; none when it is missing. Raises InputFileError for a row of one column."""
    if not path.is_file():
        return []
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    for number, row in enumerate(rows, start=1):
        if len(row) < 2:
            raise InputFileError(f"{path}, line {number}: has no tab. Write the message, a tab, and what is expected.")
    return rows
