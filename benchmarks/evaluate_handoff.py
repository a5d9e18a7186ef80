"""Measures the hand-off: `make evaluate-handoff FILE=x.jsonl` with lines {"text","location","session_format","concern","is_search"}.

It runs the trained model's NLU graph and fills the slots as the search form would at the message. A message is a
search when its intent is find_therapist, alone or among several. Slots are judged where the message is one.
"""
from __future__ import annotations

import asyncio
import json
import logging
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

from assistant.errors import AssistantError, InputFileError, ModelError
from assistant.handoff import Search, Turn, take
from assistant.handoff.form import ANY
from assistant.places import Gazetteer
from assistant.places.place import key
from assistant.settings import Settings

SLOTS = ("location", "session_format", "concern")
MODEL = "assistant.tar.gz"


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
        raise InputFileError(f"FILE={path}: {getattr(error, 'strerror', None) or 'it is not UTF-8'}. Give a JSON Lines file.") from None
    rows = [_row(line, f"FILE={path}: line {number}") for number, line in enumerate(lines, start=1) if line.strip()]
    if not rows:
        raise InputFileError(f"FILE={path}: has no rows.")
    return rows


def _row(line: str, where: str) -> Row:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise InputFileError(f"{where}: {error.msg}. Give one JSON object a line.") from None
    good = isinstance(row, dict) and isinstance(row.get("text"), str) and isinstance(row.get("is_search"), bool)
    if not good or any(not isinstance(row.get(slot), (str, type(None))) for slot in SLOTS):
        raise InputFileError(f'{where}: give {{"text", "location", "session_format", "concern", "is_search"}}.')
    return Row(row["text"], row["is_search"], {slot: row.get(slot) or None for slot in SLOTS})


def understand(rows: List[Row], settings: Settings) -> List[Dict[str, Any]]:
    """Return what the model's NLU graph makes of each row; raises ModelError when there is no model."""
    path = settings.models / MODEL
    if not path.is_file():
        raise ModelError(f"{path.name}: there is no model. Run `make train`.")
    logging.disable(logging.WARNING)
    from rasa.core.agent import Agent  # takes seconds: after the file is known to be good

    agent = Agent.load(str(path))

    async def parse() -> List[Dict[str, Any]]:
        return [await agent.parse_message(row.text) for row in rows]

    return asyncio.run(parse())


def filled(parsed: Mapping[str, Any], gazetteer: Gazetteer) -> Dict[str, Optional[str]]:
    """Return the slots after this message began a search; a name that several places bear counts as it is."""
    intent = (parsed.get("intent") or {}).get("name") or ""
    search = take(Search(), Turn(intent, parsed.get("text") or "", parsed.get("entities") or ()), gazetteer)
    location = search.location or (search.name if search.problem == "ambiguous" else None)
    values = {"location": location, "session_format": search.session_format, "concern": search.concern}
    return {slot: None if value == ANY else value for slot, value in values.items()}


def same(slot: str, wanted: Optional[str], got: Optional[str], gazetteer: Gazetteer) -> bool:
    """Whether both mean the same; a place may go by another name ("Newcastle")."""
    if wanted is None or got is None or slot != "location":
        return wanted == got
    return key(wanted) == key(got) or bool(set(gazetteer.named(wanted)) & set(gazetteer.named(got)))


def evaluate(rows: List[Row], parsed: List[Dict[str, Any]], gazetteer: Gazetteer) -> Dict[str, Any]:
    """Return the figures as `make evaluate-handoff` prints them."""
    hits = predicted = 0
    right = {slot: 0 for slot in SLOTS}
    for row, message in zip(rows, parsed):
        intents = [(message.get("intent") or {}).get("name"), *(message.get("questions") or [])]
        is_search = "find_therapist" in intents
        predicted += is_search
        hits += is_search and row.is_search
        if row.is_search:
            slots = filled(message, gazetteer)
            for slot in SLOTS:
                right[slot] += same(slot, row.slots[slot], slots[slot], gazetteer)
    searches = sum(row.is_search for row in rows)
    return {
        "n": len(rows),
        "search_precision": _share(hits, predicted),
        "search_recall": _share(hits, searches),
        "slots": {slot: _share(right[slot], searches) for slot in SLOTS},
    }


def _share(part: int, whole: int) -> Optional[float]:
    return round(part / whole, 4) if whole else None


def main() -> int:
    """Read, run, print a table and the JSON; return the exit code."""
    if len(sys.argv) != 2 or not sys.argv[1]:
        print("Give the file: make evaluate-handoff FILE=x.jsonl", file=sys.stderr)
        return 1
    try:
        settings = Settings.from_env()
        rows = read_rows(Path(sys.argv[1]))
        gazetteer = Gazetteer.load(settings)
        figures = evaluate(rows, understand(rows, settings), gazetteer)
    except AssistantError as error:
        print(error, file=sys.stderr)
        return 1
    for name, value in {**figures, **figures["slots"]}.items():
        if name != "slots":
            print(f"{name:18} {value}")
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
