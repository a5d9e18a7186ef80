"""What the measuring commands share: the file they are given, the table and the line of JSON they print, one-line errors."""
from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Callable, List, Mapping, Sequence

from assistant.errors import AssistantError, InputFileError


def read_tsv(path: Path, columns: Sequence[str], optional: Sequence[str] = ()) -> List[List[str]]:
    """Return the rows of a tab-separated file, each with `columns` and then `optional` ("" where a row has none).

    Raises InputFileError with the number of the line that lacks a column, and when the file is missing or empty.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise InputFileError(f"FILE={path}: {reason}. Give a file with {'<TAB>'.join(columns)} on each line.") from None
    rows: List[List[str]] = []
    for number, line in enumerate(lines, start=1):
        cells = [cell.strip() for cell in line.rstrip("\r").split("\t")]
        if not any(cells):
            continue
        if len(cells) < len(columns) or not all(cells[:len(columns)]):
            raise InputFileError(f"FILE={path}: line {number} is not {'<TAB>'.join(columns)}. Correct it.")
        wanted = len(columns) + len(optional)
        rows.append((cells + [""] * wanted)[:wanted])
    if not rows:
        raise InputFileError(f"FILE={path}: has no rows. Give {'<TAB>'.join(columns)} on each line.")
    return rows


def print_table(title: str, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print `rows` under `head` in columns that line up; numbers get three places, None a dash."""
    cells = [list(head)] + [[_shown(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    print(f"\n{title}")
    for row in cells:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def print_json(result: Mapping[str, Any]) -> None:
    """Print `result` as the last line of standard output; fractions with four places."""
    print(json.dumps(_rounded(result)), flush=True)


def progress(text: str) -> None:
    """Say on standard error what is going on."""
    print(text, file=sys.stderr, flush=True)


def run(command: Callable[[List[str]], None], usage: str, arguments: int = 1) -> None:
    """Run a command with its arguments; an error of the project ends it with one clear line and exit code 1."""
    given = sys.argv[1:]
    try:
        if len(given) != arguments:
            raise InputFileError(f"usage: {usage}")
        command(given)
    except AssistantError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None


def _shown(cell: Any) -> str:
    if cell is None:
        return "-"
    return f"{cell:.3f}" if isinstance(cell, float) else str(cell)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    return value
