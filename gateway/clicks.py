"""Counts the hand-offs: which kind of link was followed, when, and nothing of who followed it."""
from __future__ import annotations

import time

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.database import Database
from gateway.schema import clicks


class Clicks:
    """The counter of hand-offs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, kind: str) -> None:
        """Count one click on a `therapist` or the `search`. Raises JournalError."""
        async def work(connection: AsyncConnection) -> None:
            await connection.execute(clicks.insert().values(at=time.time(), kind=kind))

        await self._database.write(work)
