"""The directory in SQLite: an R*Tree finds who is near, bit masks filter, the order is fair.

Order: accepting new clients first, then distance in whole miles, then a rotation that moves every day, so that of
therapists at the same distance nobody is always first.
"""
from __future__ import annotations

import datetime
import json
import math
import os
import sqlite3
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import Any, Iterable, Optional, Sequence, Tuple

from assistant.directory.model import AUDIENCES, CONCERNS, FORMATS, RADII, Found, Query, Results, Therapist
from assistant.errors import DirectoryError
from assistant.places.place import MILES_PER_DEGREE

VERSION = 1  # of the schema; a file of another is not opened
WHEEL = 2**31  # places on the wheel that the rotation turns
STEP = 1_327_217_885  # how far it turns a day: about the golden section of WHEEL, so that days never bunch

SCHEMA = """
CREATE TABLE meta (sample INTEGER NOT NULL, source TEXT NOT NULL, entries INTEGER NOT NULL);
CREATE TABLE therapist (
    id INTEGER PRIMARY KEY, accepting INTEGER NOT NULL, wheel INTEGER NOT NULL, formats INTEGER NOT NULL,
    concerns INTEGER NOT NULL, audiences INTEGER NOT NULL, latitude REAL NOT NULL, longitude REAL NOT NULL
);
CREATE TABLE card (id INTEGER PRIMARY KEY, content TEXT NOT NULL);
CREATE VIRTUAL TABLE near USING rtree(id, south, north, west, east);
"""
FILTER = "t.formats & :formats AND t.concerns & :concerns AND t.audiences & :audiences"
TURNED = f"(t.wheel + :turn) % {WHEEL}"
NEARBY = f"""
SELECT id, miles, count(*) OVER () FROM (
    SELECT t.id AS id, t.accepting AS accepting, {TURNED} AS turned,
        sqrt((t.latitude - :latitude) * :north * (t.latitude - :latitude) * :north
            + (t.longitude - :longitude) * :east * (t.longitude - :longitude) * :east) AS miles
    FROM near n JOIN therapist t ON t.id = n.id
    WHERE n.south <= :latitude + :high AND n.north >= :latitude - :high
        AND n.west <= :longitude + :wide AND n.east >= :longitude - :wide AND {FILTER}
)
WHERE miles <= :radius
ORDER BY accepting DESC, CAST(miles AS INTEGER), turned LIMIT :limit OFFSET :offset
"""
ANYWHERE = f"""
SELECT t.id, NULL, 0 FROM therapist t WHERE {FILTER}
ORDER BY t.accepting DESC, {TURNED} LIMIT :limit OFFSET :offset
"""
COUNT = f"SELECT count(*) FROM therapist t WHERE {FILTER}"


class SQLiteDirectory:
    """A directory file made by `write`; it notices when the file is replaced by a new import."""

    def __init__(self, path: Path) -> None:
        """Open the file at `path` on the first search."""
        self._path = path
        self._connection: Optional[sqlite3.Connection] = None
        self._opened: Tuple[int, int] = (0, 0)
        self._sample = False

    async def search(self, query: Query, limit: int, offset: int = 0, radius: int = RADII[0]) -> Results:
        """See Directory; it takes a few milliseconds at most and blocks for them."""
        return self.search_now(query, limit, offset, radius)

    def search_now(
        self, query: Query, limit: int, offset: int = 0, radius: int = RADII[0], today: Optional[datetime.date] = None
    ) -> Results:
        """Return what `search` does, at once; `today` decides the rotation."""
        connection = self._current()
        parameters = _parameters(query, limit, offset, today or datetime.date.today())
        if query.place is None or query.session_format == "online":
            return self._anywhere(connection, parameters)
        for miles in [step for step in RADII if step >= radius] or [RADII[-1]]:
            here = {**parameters, **_box(query, miles)}
            rows = connection.execute(NEARBY, here).fetchall()
            # Behind the last page the circle stays as it is: in a wider one the pages would be others.
            anyone = rows or (connection.execute(NEARBY, {**here, "offset": 0, "limit": 1}).fetchall() if offset else [])
            if anyone:
                return self._results(connection, rows, anyone[0][2], query, radius=miles)
        # Nobody near: those who work online, whatever format was asked for.
        results = self._anywhere(connection, {**parameters, "formats": _mask(FORMATS, "online")})
        return Results(results.found, results.total, radius=RADII[-1], online_instead=True, sample=self._sample)

    def _anywhere(self, connection: sqlite3.Connection, parameters: dict[str, Any]) -> Results:
        rows = connection.execute(ANYWHERE, parameters).fetchall()
        total = connection.execute(COUNT, parameters).fetchone()[0]
        return self._results(connection, rows, total, None)

    def _results(
        self, connection: sqlite3.Connection, rows: Sequence[Tuple[int, Optional[float], int]], total: int,
        query: Optional[Query], radius: Optional[int] = None,
    ) -> Results:
        found = []
        for identity, miles, _ in rows:
            content = connection.execute("SELECT content FROM card WHERE id = ?", (identity,)).fetchone()[0]
            therapist = _therapist(json.loads(content))
            about = miles is not None and (therapist.by_area or not (query and query.place and query.place.exact))
            found.append(Found(therapist, miles, about))
        return Results(found, total, radius=radius, sample=self._sample)

    def _current(self) -> sqlite3.Connection:
        """Return a connection to the file as it is now."""
        try:
            stat = self._path.stat()
        except OSError:
            raise DirectoryError(f"{self._path.name}: there is no directory. Run `make import-directory FILE=…`.") from None
        if self._connection is None or self._opened != (stat.st_ino, stat.st_mtime_ns):
            self.close()
            self._connection, self._sample = _open(self._path)
            self._opened = (stat.st_ino, stat.st_mtime_ns)
        return self._connection

    def close(self) -> None:
        """Close the file; a later search opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _open(path: Path) -> Tuple[sqlite3.Connection, bool]:
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, check_same_thread=False)
        try:
            connection.execute("SELECT sqrt(4)")
        except sqlite3.OperationalError:  # SQLite may be built without its mathematical functions
            connection.create_function("sqrt", 1, math.sqrt, deterministic=True)
        connection.execute("PRAGMA cache_size = -16000")  # KB: the tables of the largest directory stay in memory
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version != VERSION:
            raise DirectoryError(f"{path.name} has version {version}, not {VERSION}. Run `make import-directory FILE=…` again.")
        return connection, bool(connection.execute("SELECT sample FROM meta").fetchone()[0])
    except sqlite3.DatabaseError as error:
        raise DirectoryError(f"{path.name}: {error}. Run `make import-directory FILE=…` again.") from error


def write(path: Path, therapists: Iterable[Therapist], sample: bool, source: str) -> int:
    """Write `therapists` as a new file in place of `path`, at once or not at all; return how many."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    connection = sqlite3.connect(draft)
    try:
        connection.executescript(SCHEMA)
        entries = [_row(number, therapist) for number, therapist in enumerate(therapists, start=1)]
        connection.executemany("INSERT INTO therapist VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [row for row, _ in entries])
        connection.executemany("INSERT INTO near VALUES (?, ?, ?, ?, ?)", [(r[0], r[6], r[6], r[7], r[7]) for r, _ in entries])
        connection.executemany("INSERT INTO card VALUES (?, ?)", [(row[0], card) for row, card in entries])
        connection.execute("INSERT INTO meta VALUES (?, ?, ?)", (sample, source, len(entries)))
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.commit()
        connection.execute("ANALYZE")
        connection.commit()
    finally:
        connection.close()
    os.replace(draft, path)
    return len(entries)


def sample_source(path: Path) -> Optional[str]:
    """Return the source of a sample directory as `write` noted it, "" when `path` holds a real one, None for no file."""
    try:
        connection, sample = _open(path)
    except DirectoryError:
        return None
    source: str = connection.execute("SELECT source FROM meta").fetchone()[0]
    connection.close()
    return source if sample else ""


def _row(number: int, therapist: Therapist) -> Tuple[Tuple[Any, ...], str]:
    # The place on the wheel comes from the register entry alone: an import in another order changes nothing.
    wheel = zlib.crc32(f"{therapist.register} {therapist.register_number}".encode()) % WHEEL
    masks = [_mask(FORMATS, *therapist.formats), _mask(CONCERNS, *therapist.concerns), _mask(AUDIENCES, *therapist.audiences)]
    row = (number, int(therapist.accepting), wheel, *masks, therapist.latitude, therapist.longitude)
    return row, json.dumps(asdict(therapist), ensure_ascii=False)


def _therapist(content: dict[str, Any]) -> Therapist:
    lists = {name: tuple(content[name]) for name in ("formats", "audiences", "concerns", "languages")}
    return Therapist(**{**content, **lists})


def _mask(values: Sequence[str], *chosen: str) -> int:
    return sum(1 << values.index(value) for value in set(chosen))


def _parameters(query: Query, limit: int, offset: int, today: datetime.date) -> dict[str, Any]:
    wanted = ((FORMATS, query.session_format), (CONCERNS, query.concern), (AUDIENCES, query.audience))
    formats, concerns, audiences = (_mask(values, value) if value else -1 for values, value in wanted)
    turn = today.toordinal() * STEP % WHEEL
    return dict(formats=formats, concerns=concerns, audiences=audiences, turn=turn, limit=limit, offset=offset)


def _box(query: Query, miles: int) -> dict[str, float]:
    """Return the circle of `miles` around the place, and the half sides of its box in degrees."""
    assert query.place is not None
    east = MILES_PER_DEGREE * math.cos(math.radians(query.place.latitude))
    # R*Tree coordinates are rounded to 32 bits: a little more than the circle.
    return dict(latitude=query.place.latitude, longitude=query.place.longitude, north=MILES_PER_DEGREE, east=east,
                radius=miles, high=miles / MILES_PER_DEGREE + 0.001, wide=miles / east + 0.001)


