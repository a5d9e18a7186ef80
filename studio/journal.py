"""The gateway's journal as the studio reads it: turns, feedback, the inbox, the review queue. It writes a row's status only.

The tables are the gateway's (gateway/schema.py); a test holds the columns named here against it.
"""
from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from sqlalchemy import Boolean, column, create_engine, func, select, table, update
from sqlalchemy.engine import Engine
from sqlalchemy.engine.url import make_url
from sqlalchemy.exc import SQLAlchemyError

from assistant.errors import AssistantError

turns = table("turns", *map(column, (
    "reference", "conversation", "at", "channel", "outcome", "intent", "confidence", "alternatives", "actions", "level", "detector",
    "score", "release",
)))
feedback = table("feedback", column("reference"), column("helpful", Boolean), column("at"))
QUEUE = ("id", "reference", "reason", "conversation", "at", "text", "intent", "scores", "level", "detector", "score", "release", "status")
inbox = table("inbox", *map(column, QUEUE))
review = table("review", *map(column, QUEUE))

WAIT_SECONDS = 3
MONTH = 30 * 86400.0


class JournalUnavailable(AssistantError):
    """The journal cannot be read just now."""


@dataclass(frozen=True)
class Row:
    """A message in the inbox or the review queue; its text is redacted and stays in the journal."""

    id: int
    reference: str
    reason: str
    conversation: str
    at: float
    text: str
    intent: str
    scores: List[Dict[str, Any]]
    level: str
    detector: str
    score: Optional[float]
    release: str
    status: str


@dataclass(frozen=True)
class Turn:
    """One turn of a conversation, without text."""

    reference: str
    conversation: str
    at: float
    channel: str
    outcome: str
    intent: str
    confidence: Optional[float]
    alternatives: List[Dict[str, Any]]
    actions: List[str]
    level: str
    detector: str
    score: Optional[float]
    release: str


class Journal:
    """Reads of the journal at `url`; each raises JournalUnavailable when it does not answer."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._engine: Optional[Engine] = None

    def exists(self) -> bool:
        """Return whether there is a journal; before the first start of the gateway there is none."""
        return self._url.get_backend_name() != "sqlite" or Path(self._url.database or "").is_file()

    def waiting(self) -> List[Row]:
        """Return the rows of the inbox that nobody has dealt with, newest first."""
        return self._rows(select(inbox).where(inbox.c.status == "new").order_by(inbox.c.at.desc()).limit(2000))

    def rows(self, ids: Sequence[int]) -> List[Row]:
        """Return these rows of the inbox."""
        return self._rows(select(inbox).where(inbox.c.id.in_(list(ids))).order_by(inbox.c.at.desc()))

    def in_review(self) -> List[Row]:
        """Return the review queue, newest first. For the safety role only."""
        return self._rows(select(review).where(review.c.status == "new").order_by(review.c.at.desc()).limit(500))

    def mark(self, ids: Sequence[int], status: str, queue: str = "inbox") -> int:
        """Set the status of rows and return how many there still were."""
        rows = review if queue == "review" else inbox
        return self._write(update(rows).where(rows.c.id.in_(list(ids))).values(status=status))

    def turn(self, reference: str) -> Optional[Turn]:
        """Return the turn with this reference code, or None."""
        found = self._all(select(turns).where(turns.c.reference == reference.strip().upper()))
        return _turn(found[0]) if found else None

    def conversation(self, conversation: str) -> List[Turn]:
        """Return the turns of a conversation, oldest first."""
        return [_turn(row) for row in self._all(select(turns).where(turns.c.conversation == conversation).order_by(turns.c.at))]

    def asked(self, since: float) -> Dict[str, int]:
        """Return how often each intent was understood since a moment."""
        query = select(turns.c.intent, func.count().label("n")).where(turns.c.at > since).group_by(turns.c.intent)
        return {row.intent: row.n for row in self._all(query)}

    def unhelpful(self, since: float) -> Dict[str, int]:
        """Return how often each intent's answer was marked unhelpful since a moment."""
        query = (
            select(turns.c.intent, func.count().label("n")).join(feedback, feedback.c.reference == turns.c.reference)
            .where(turns.c.at > since, feedback.c.helpful.is_(False)).group_by(turns.c.intent)
        )
        return {row.intent: row.n for row in self._all(query)}

    def turns_since(self, since: float) -> List[Any]:
        """Return (at, outcome, intent, actions, level, helpful) of the turns since a moment; no text."""
        query = (
            select(turns.c.at, turns.c.outcome, turns.c.intent, turns.c.actions, turns.c.level, feedback.c.helpful)
            .select_from(turns.outerjoin(feedback, feedback.c.reference == turns.c.reference)).where(turns.c.at > since)
        )
        return self._all(query)

    def _rows(self, query: Any) -> List[Row]:
        return [Row(**{**dict(row._mapping), "scores": json.loads(row.scores)}) for row in self._all(query)]

    def _all(self, query: Any) -> List[Any]:
        if not self.exists():
            return []
        try:
            with self._open().connect() as connection:
                return list(connection.execute(query))
        except SQLAlchemyError as error:
            raise self._unavailable(error) from None

    def _write(self, statement: Any) -> int:
        try:
            with self._open().begin() as connection:
                return int(connection.execute(statement).rowcount)
        except SQLAlchemyError as error:
            raise self._unavailable(error) from None

    @staticmethod
    def _unavailable(error: SQLAlchemyError) -> JournalUnavailable:
        return JournalUnavailable(f"The record of conversations does not answer ({type(error).__name__}). Try again in a minute.")

    def _open(self) -> Engine:
        if self._engine is None:
            if self._url.get_backend_name() == "sqlite":
                options: Dict[str, Any] = {"connect_args": {"check_same_thread": False, "timeout": WAIT_SECONDS}}
                url = self._url.set(drivername="sqlite")
            else:
                options = {"connect_args": {"connect_timeout": WAIT_SECONDS, "options": f"-c statement_timeout={WAIT_SECONDS}s"},
                           "pool_pre_ping": True}
                url = self._url.set(drivername="postgresql+psycopg2")
            # hide_parameters: an error must not quote a visitor's text.
            self._engine = create_engine(url, hide_parameters=True, **options)
        return self._engine


def _turn(row: Any) -> Turn:
    found = dict(row._mapping)
    return Turn(**{**found, "alternatives": json.loads(found["alternatives"]), "actions": json.loads(found["actions"])})


def month_ago() -> float:
    """Return the moment 30 days ago."""
    return time.time() - MONTH
