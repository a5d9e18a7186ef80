"""How often the assistant searched, showed therapists and was left for one: numbers without persons.

A count is a day, an event, a postcode area ("LS") and a concern. Nothing leads to a visitor; what happened fewer than
five times in the period is not shown, since a rare pair of place and concern may be known to be somebody.
"""
from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Dict, List, Optional

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from assistant.errors import DirectoryError
from assistant.settings import Settings

FEWEST_SHOWN = 5
# searched: a search was made; shown: with therapists; none: nobody near, or at all; linked: the link alone, the
# directory being away; clicked: a therapist or the site's search was opened.
EVENTS = ("searched", "shown", "none", "linked", "clicked")

_metadata = sa.MetaData()
_counts = sa.Table(
    "handoff_counts", _metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("event", sa.String(12), primary_key=True),
    sa.Column("area", sa.String(2), primary_key=True),
    sa.Column("concern", sa.String(40), primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),
)


@dataclass(frozen=True)
class Count:
    """A number of one kind in the period; None for fewer than five."""

    event: str
    area: str
    concern: str
    number: Optional[int]


class Counts:
    """The counts of this installation."""

    def __init__(self, settings: Settings) -> None:
        """Open the database, made on first use. Raises DirectoryError when it cannot be."""
        url = settings.counts_url or f"sqlite:///{settings.var / 'counts.sqlite'}"
        settings.var.mkdir(parents=True, exist_ok=True, mode=0o700)
        # A second at most: a count is never worth a visitor's wait.
        arguments = {"timeout": 1.0} if url.startswith("sqlite") else {}
        try:
            self._engine = sa.create_engine(url, connect_args=arguments)
            _metadata.create_all(self._engine)
        except (SQLAlchemyError, ImportError) as error:
            raise DirectoryError(f"ASSISTANT_COUNTS_URL: {type(error).__name__}. Give the address of a database that runs.") from error

    def add(self, event: str, area: str = "", concern: str = "", day: Optional[datetime.date] = None) -> None:
        """Count one `event`. Raises DirectoryError when the database does not take it."""
        if event not in EVENTS:
            raise ValueError(f"event {event!r}: give one of {', '.join(EVENTS)}")
        row = {"day": day or datetime.date.today(), "event": event, "area": area[:2], "concern": concern[:40]}
        one_more = sa.update(_counts).values(number=_counts.c.number + 1)
        for column, value in row.items():
            one_more = one_more.where(_counts.c[column] == value)
        try:
            with self._engine.begin() as connection:
                if connection.execute(one_more).rowcount:
                    return
            try:
                with self._engine.begin() as connection:
                    connection.execute(_counts.insert().values(number=1, **row))
            except IntegrityError:  # another process was first
                with self._engine.begin() as connection:
                    connection.execute(one_more)
        except SQLAlchemyError as error:
            raise DirectoryError(f"The count was not written: {type(error).__name__}.") from error

    def totals(self, since: datetime.date) -> List[Count]:
        """Return the number of each event since a day, over all places and concerns."""
        return self._read(since, [_counts.c.event])

    def by_day(self, event: str, since: datetime.date) -> Dict[datetime.date, int]:
        """Return the number of one event on each day since a day, over all places and concerns: no rare pair shows."""
        number = sa.func.sum(_counts.c.number).label("number")
        query = sa.select([_counts.c.day, number]).where(_counts.c.day >= since, _counts.c.event == event).group_by(_counts.c.day)
        with self._engine.connect() as connection:
            return {row.day: row.number for row in connection.execute(query)}

    def without_result(self, since: datetime.date) -> List[Count]:
        """Return the searches without a result by postcode area and concern: where to recruit, and whom."""
        return self._read(since, [_counts.c.event, _counts.c.area, _counts.c.concern], only="none")

    def _read(self, since: datetime.date, columns: List["sa.Column[str]"], only: Optional[str] = None) -> List[Count]:
        number = sa.func.sum(_counts.c.number).label("number")
        query = sa.select([*columns, number]).where(_counts.c.day >= since).group_by(*columns).order_by(number.desc())
        if only:
            query = query.where(_counts.c.event == only)
        with self._engine.connect() as connection:
            rows = [dict(row._mapping) for row in connection.execute(query)]
        return [Count(row["event"], row.get("area", ""), row.get("concern", ""), _shown(row["number"])) for row in rows]


def _shown(number: int) -> Optional[int]:
    return number if number >= FEWEST_SHOWN else None
