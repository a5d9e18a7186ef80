"""Reads a directory's CSV file, all of it or nothing."""
from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path
from typing import Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

from assistant.directory.model import Therapist
from assistant.directory.rows import COLUMNS, REQUIRED, marked_as_sample, read_row
from assistant.directory.store import write
from assistant.errors import InputFileError
from assistant.places import Gazetteer

SURPLUS = "surplus"  # key of a row with more cells than there are columns

Progress = Callable[[int, int], None]  # rows done, rows in all


class BadRow(NamedTuple):
    """A row that cannot be imported: its first line in the file, and why."""

    line: int
    reasons: List[str]


class Import(NamedTuple):
    """What a file holds: `written` entries, or the bad rows for which nothing was written."""

    written: int
    bad: List[BadRow]
    sample: bool


def import_directory(source: Path, target: Path, gazetteer: Gazetteer, progress: Optional[Progress] = None) -> Import:
    """Import the CSV file `source` into the directory file `target`, unless one of its rows is bad.

    Raises InputFileError when the file is missing, is not UTF-8, has no entry or lacks a column.
    """
    content = _read(source)
    rows = list(_rows(content, source))
    therapists: List[Therapist] = []
    bad: List[BadRow] = []
    seen: Dict[Tuple[str, str], int] = {}
    for done, (line, row) in enumerate(rows, start=1):
        therapist, reasons = read_row(row, gazetteer)
        if SURPLUS in row:
            reasons = ["it has more cells than the first line has columns: put quotation marks around a cell with a comma", *reasons]
        if therapist is not None:
            entry = (therapist.register, therapist.register_number)
            first = seen.setdefault(entry, line)
            if first != line:
                reasons = [*reasons, f"{entry[0]} {entry[1]} is on line {first} as well"]
        if reasons:
            bad.append(BadRow(line, reasons))
        elif therapist is not None:
            therapists.append(therapist)
        if progress:
            progress(done, len(rows))
    sample = any(marked_as_sample(row) for _, row in rows)
    if bad:
        return Import(0, bad, sample)
    return Import(write(target, therapists, sample, fingerprint(source)), [], sample)


def fingerprint(source: Path) -> str:
    """Return the SHA-256 of the file, by which a changed one is noticed."""
    return hashlib.sha256(source.read_bytes()).hexdigest()


def _read(source: Path) -> str:
    try:
        return source.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputFileError(f"FILE={source.name}: {error.strerror}. Give a CSV file; docs/search.md lists its columns.") from None
    except UnicodeDecodeError as error:
        raise InputFileError(f"FILE={source.name}: not UTF-8 at byte {error.start}. Save it as CSV UTF-8.") from None


def _rows(content: str, source: Path) -> Iterator[Tuple[int, Dict[str, str]]]:
    """Yield (line, row) for each entry; lines that begin with # and empty lines are left out."""
    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    header: List[str] = []
    line = 1
    try:
        for cells in reader:
            first, line = line, reader.line_num + 1
            if not any(cell.strip() for cell in cells) or cells[0].startswith("#"):
                continue
            if not header:
                header = [cell.strip() for cell in cells]
                _check_header(header, source)
            else:
                surplus = {SURPLUS: ""} if len(cells) > len(header) else {}
                yield first, {**dict(zip(header, cells)), **surplus}
    except csv.Error as error:
        raise InputFileError(f"FILE={source.name}: line {reader.line_num}: {error}. Save it as CSV again.") from None
    if not header:
        raise InputFileError(f"FILE={source.name}: has no entry. Its first line names the columns: {', '.join(COLUMNS)}.")


def _check_header(header: List[str], source: Path) -> None:
    missing = [column for column in REQUIRED if column not in header]
    unknown = [column for column in header if column not in COLUMNS]
    if missing or unknown or len(set(header)) < len(header):
        wrong = f"no column {missing[0]}" if missing else f"an unknown column {unknown[0]!r}" if unknown else "a column twice"
        raise InputFileError(f"FILE={source.name}: {wrong}. The columns are {', '.join(COLUMNS)}.")
