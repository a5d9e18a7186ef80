"""The studio's own tables: people, sessions, log-in attempts, the audit log, decisions and proposals.

Times are seconds since 1970 (UTC). No table holds a visitor's words.
"""
from __future__ import annotations

from pathlib import Path

from sqlalchemy import Boolean, Column, Float, Integer, MetaData, String, Table, Text, create_engine, event
from sqlalchemy.engine import Engine

metadata = MetaData()

people = Table(
    "people", metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(80), nullable=False, unique=True),
    Column("role", String(16), nullable=False),        # editor, publisher, administrator
    Column("safety", Boolean, nullable=False),         # may see the review queue
    Column("password", String(160)),                   # argon2id; null until the one-time link was used
    Column("invitation", String(64)),                  # sha256 of the one-time link's token
    Column("invitation_until", Float),
    Column("created_at", Float, nullable=False),
    Column("disabled", Boolean, nullable=False, default=False),
)

sessions = Table(
    "sessions", metadata,
    Column("token", String(64), primary_key=True),     # sha256 of the cookie
    Column("person", Integer, nullable=False, index=True),
    Column("created_at", Float, nullable=False),
    Column("seen_at", Float, nullable=False),
    Column("notice", Text, nullable=False, default=""),  # shown once on the next page
)

attempts = Table(
    "attempts", metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(64), nullable=False, index=True),  # HMAC of the name or of the address
    Column("at", Float, nullable=False),
)

audit = Table(
    "audit", metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False, index=True),
    Column("person", String(80), nullable=False),
    Column("action", String(40), nullable=False),
    Column("subject", Text, nullable=False),
)

# What was done with rows of the inbox, so that it can be undone.
decisions = Table(
    "decisions", metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("person", String(80), nullable=False),
    Column("kind", String(16), nullable=False),        # assigned, out_of_scope, ignored
    Column("items", Text, nullable=False),             # JSON list of item keys (inbox.py)
    Column("intent", String(64), nullable=False),
    Column("phrasing", Text, nullable=False),          # in the staff's words
    Column("test", Text, nullable=False),
    Column("undone", Boolean, nullable=False, default=False),
)

# Phrasings of deleted topics: staff's words, which wait in the inbox for another topic.
loose = Table(
    "loose", metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("phrasing", Text, nullable=False),
    Column("label", String(80), nullable=False),
    Column("status", String(16), nullable=False, default="new"),
)

# Changes of the safety files that wait for a second person.
proposals = Table(
    "proposals", metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("person", String(80), nullable=False),
    Column("path", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("before", Text, nullable=False),            # the file's text when the change was made
    Column("after", Text, nullable=False),
    Column("status", String(16), nullable=False),      # waiting, approved, alone, rejected
    Column("decided_by", String(80), nullable=False, default=""),
    Column("decided_at", Float),
)


def open_database(path: Path) -> Engine:
    """Return the engine of the studio's database in `path`, made there with its tables if need be."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    engine = create_engine(f"sqlite:///{path}", connect_args={"check_same_thread": False, "timeout": 5})
    event.listen(engine, "connect", _prepare)
    metadata.create_all(engine)
    return engine


def _prepare(connection: object, _record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
