"""The audit log: who did what, when, in one line each and without any visitor's words."""
from __future__ import annotations

import time
from typing import Any, List, Optional

from sqlalchemy import select
from sqlalchemy.engine import Engine

from studio.schema import audit


class Audit:
    """Entries in the studio's database; there is no way to change or remove one."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def note(self, person: str, action: str, subject: str = "") -> None:
        """Add an entry: `action` is a short verb ("log in", "save topic"), `subject` what it was done to."""
        with self._engine.begin() as connection:
            connection.execute(audit.insert().values(at=time.time(), person=person, action=action, subject=subject))

    def latest(self, count: int = 200, before: Optional[int] = None) -> List[Any]:
        """Return the newest `count` entries, older than the entry `before` if given."""
        query = select(audit).order_by(audit.c.id.desc()).limit(count)
        with self._engine.connect() as connection:
            return list(connection.execute(query if before is None else query.where(audit.c.id < before)))
