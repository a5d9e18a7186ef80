"""SQL that SQLite and PostgreSQL spell the same but SQLAlchemy 1.4 keeps apart."""
from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection


def insert_new(connection: Connection, table: Table, **values: Any) -> bool:
    """Insert a row unless a unique key is taken; return whether it was inserted."""
    return bool(connection.execute(_insert(table, connection.dialect.name), values).rowcount)


@lru_cache(maxsize=None)
def _insert(table: Table, dialect: str) -> Any:
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return insert(table).on_conflict_do_nothing()
