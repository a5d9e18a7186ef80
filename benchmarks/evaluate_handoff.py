"""`make evaluate-handoff FILE=x.jsonl`: searches, and the places, formats and concerns named in them.

Each line is {"text", "location", "session_format", "concern", "is_search"}. The trained model's NLU graph runs as Rasa
runs it. A message is a search when its intent is find_therapist, alone or among several; the slots are those that
the search form would hold after it, judged where the message is a search. A name that several towns bear, of which
the form would ask which, counts as that name.
"""
from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence

from assistant.errors import InputFileError
from assistant.handoff import Search, Turn, take
from assistant.handoff.form import ANY
from assistant.places import Gazetteer
from assistant.places.place import key
from assistant.settings import Settings
from benchmarks.cli import print_json, print_table, progress, run
from benchmarks.evaluate import understand

SLOTS = ("location", "session_format", "concern")
FORM = '{"text", "location", "session_format", "concern", "is_search"}'


@dataclass(frozen=True)
class Row:
    """A message and what it should be understood as."""

    text: str
    is_search: bool
    slots: Mapping[str, Optional[str]]


def read_rows(path: Path) -> List[Row]:
    """Return the rows of the file; raises InputFileError with the line that is malformed."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise InputFileError(f"FILE={path}: {reason}. Give a file with {FORM} on each line.") from None
    rows = [_row(line, f"FILE={path}: line {number}") for number, line in enumerate(lines, start=1) if line.strip()]
    if not rows:
        raise InputFileError(f"FILE={path}: has no rows. Give {FORM} on each line.")
    return rows


def _row(line: str, where: str) -> Row:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise InputFileError(f"{where}: {error.msg}. Give {FORM}.") from None
    good = isinstance(row, dict) and isinstance(row.get("text"), str) and isinstance(row.get("is_search"), bool)
    if not good or any(not isinstance(row.get(slot), (str, type(None))) for slot in SLOTS):
        raise InputFileError(f"{where} is not {FORM}. Correct it.")
    return Row(row["text"], row["is_search"], {slot: row.get(slot) or None for slot in SLOTS})


def filled(parsed: Mapping[str, Any], gazetteer: Gazetteer) -> Dict[str, Optional[str]]:
    """Return the slots after this message began a search; what was left open is None."""
    search = take(Search(), Turn(parsed["intent"]["name"], parsed.get("text") or "", parsed.get("entities") or ()), gazetteer)
    location = search.location or (search.name if search.problem == "ambiguous" else None)
    values = {"location": location, "session_format": search.session_format, "concern": search.concern}
    return {slot: None if value == ANY else value for slot, value in values.items()}


def same(slot: str, wanted: Optional[str], got: Optional[str], gazetteer: Gazetteer) -> bool:
    """Whether both mean the same; a place may go by another name ("Newcastle")."""
    if wanted is None or got is None or slot != "location":
        return wanted == got
    return key(wanted) == key(got) or bool(set(gazetteer.named(wanted)) & set(gazetteer.named(got)))


def figures(rows: Sequence[Row], parsed: Sequence[Mapping[str, Any]], gazetteer: Gazetteer) -> Dict[str, Any]:
    """Return the figures that the command prints; null where the file has no rows of a kind."""
    found = [_is_search(message) for message in parsed]
    hits = sum(predicted and row.is_search for row, predicted in zip(rows, found))
    searches = [(row, filled(message, gazetteer)) for row, message in zip(rows, parsed) if row.is_search]
    right = {slot: sum(same(slot, row.slots[slot], slots[slot], gazetteer) for row, slots in searches) for slot in SLOTS}
    return {
        "n": len(rows),
        "search_precision": _share(hits, sum(found)),
        "search_recall": _share(hits, len(searches)),
        "slots": {slot: _share(right[slot], len(searches)) for slot in SLOTS},
    }


def _is_search(parsed: Mapping[str, Any]) -> bool:
    return "find_therapist" in (parsed["intent"]["name"], *(parsed.get("questions") or ()))


def _share(part: int, whole: int) -> Optional[float]:
    return part / whole if whole else None


def main(arguments: List[str]) -> None:
    """Read, run and print."""
    rows, settings = read_rows(Path(arguments[0])), Settings.from_env()
    progress(f"Reading {len(rows)} messages …")
    result = figures(rows, understand([row.text for row in rows], settings), Gazetteer.load(settings))
    print_table("Is a search", ["", "share"], [[name, result[name]] for name in ("search_precision", "search_recall")])
    print_table("Slots of searches, share right", ["", "share"], list(result["slots"].items()))
    print_json(result)


if __name__ == "__main__":
    run(main, "make evaluate-handoff FILE=x.jsonl")
