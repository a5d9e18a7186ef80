"""SQL that SQLite and PostgreSQL spell the same but SQLAlchemy 1.4 keeps apart."""
from __future__ import annotations

from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection


def insert_new(connection: Connection, table: Table, **values: Any) -> bool:
    """Insert a row unless a unique key is taken; return whether it was inserted."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    result = connection.execute(insert(table).values(**values).on_conflict_do_nothing())
    return bool(result.rowcount)
