"""One row of a directory, from a CSV file or the site's API, checked and turned into a Therapist.

Every fault of a row is reported, not only the first.
"""
from __future__ import annotations

from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from assistant.directory.model import AUDIENCES, CONCERNS, FORMATS, Therapist
from assistant.places import Gazetteer

REQUIRED = ("name", "title", "register", "register_number", "town", "formats", "audiences", "concerns", "accepting", "url")
OPTIONAL = ("postcode", "latitude", "longitude", "languages", "fee_from", "fee_to", "sample")
COLUMNS = REQUIRED + OPTIONAL
YES, NO = ("yes", "true", "1", "y"), ("no", "false", "0", "n")
LONGEST = 200  # letters in a cell
HIGHEST_FEE = 1000
# The British Isles, in degrees.
SOUTH, NORTH, WEST, EAST = 49.0, 61.0, -8.8, 2.1


class _Reader:
    """Reads the cells of one row and collects what is wrong with them."""

    def __init__(self, row: Mapping[str, str]) -> None:
        self._row = row
        self.faults: List[str] = []

    def text(self, column: str, needed: bool = True) -> str:
        value = " ".join(str(self._row.get(column) or "").split())
        if needed and not value:
            self.faults.append(f"{column} is empty")
        if len(value) > LONGEST or any(not letter.isprintable() for letter in value):
            self.faults.append(f"{column} is longer than {LONGEST} letters or has control characters")
            return ""
        return value

    def choices(self, column: str, allowed: Sequence[str]) -> Tuple[str, ...]:
        values = tuple(part.strip().lower() for part in self.text(column).split(";") if part.strip())
        for value in values:
            if value not in allowed:
                self.faults.append(f"{column} has {value!r}: give {'; '.join(allowed)}")
        return values

    def yes(self, column: str) -> bool:
        value = self.text(column).lower()
        if value and value not in YES + NO:
            self.faults.append(f"{column} is {value!r}: give yes or no")
        return value in YES

    def number(self, column: str, low: float, high: float) -> Optional[float]:
        value = self.text(column, needed=False)
        if not value:
            return None
        try:
            number = float(value)
        except ValueError:
            number = float("nan")
        if not low <= number <= high:
            self.faults.append(f"{column} is {value!r}: give a number from {low:g} to {high:g}")
            return None
        return number


def read_row(row: Mapping[str, str], gazetteer: Gazetteer) -> Tuple[Optional[Therapist], List[str]]:
    """Return the therapist of `row` (column -> text) and no fault, or None and every fault."""
    cells = _Reader(row)
    fees = [cells.number(column, 0, HIGHEST_FEE) for column in ("fee_from", "fee_to")]
    if None not in fees and fees[0] > fees[1]:  # type: ignore[operator]
        cells.faults.append("fee_from is more than fee_to")
    url = cells.text("url")
    if url and not url.startswith(("https://", "http://")):
        cells.faults.append(f"url is {url!r}: give an address that begins with https://")
    latitude, longitude, by_area = _position(cells, gazetteer)
    values: Dict[str, object] = {column: cells.text(column) for column in ("name", "title", "register", "register_number", "town")}
    therapist = dict(
        values, url=url, latitude=latitude, longitude=longitude, by_area=by_area,
        formats=cells.choices("formats", FORMATS),
        audiences=cells.choices("audiences", AUDIENCES),
        concerns=cells.choices("concerns", CONCERNS),
        languages=tuple(part.strip() for part in cells.text("languages", needed=False).split(";") if part.strip()),
        fee_from=None if fees[0] is None else int(fees[0]),
        fee_to=None if fees[1] is None else int(fees[1]),
        accepting=cells.yes("accepting"),
    )
    faults = list(dict.fromkeys(cells.faults))
    return (None, faults) if faults else (Therapist(**therapist), [])  # type: ignore[arg-type]


def _position(cells: _Reader, gazetteer: Gazetteer) -> Tuple[float, float, bool]:
    """Return latitude, longitude and whether they are only an area's: of the postcode, else of the town."""
    latitude, longitude = cells.number("latitude", SOUTH, NORTH), cells.number("longitude", WEST, EAST)
    if latitude is not None and longitude is not None:
        return latitude, longitude, False
    for column in ("postcode", "town"):
        value = cells.text(column, needed=False)
        lookup = gazetteer.look_up(value) if value else None
        if lookup is not None and lookup.place is not None:
            return lookup.place.latitude, lookup.place.longitude, True
    cells.faults.append("the place is not known: give latitude and longitude, or a postcode")
    return 0.0, 0.0, True


def marked_as_sample(row: Mapping[str, str]) -> bool:
    """Whether the row says that it is invented."""
    return str(row.get("sample") or "").strip().lower() in YES


