"""Deleting a conversation everywhere: journal first, so that nothing is written back, then Rasa's tracker under its lock."""
from __future__ import annotations

import time
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.database import Database
from gateway.errors import JournalError
from gateway.rasa import Rasa, RasaDown
from gateway.safety import Safety
from gateway.schema import conversations, feedback, inbox, messages, replies, review, turns
from gateway.sql import insert_new
from gateway.state import State

TEXT_TABLES = (messages, replies)
LONGER_LIVED = (turns, feedback, inbox, review)


class Deletion:
    """Deletes at a visitor's wish, and what has expired."""

    def __init__(self, database: Database, rasa: Rasa, safety: Safety) -> None:
        self._database, self._rasa, self._safety = database, rasa, safety

    async def delete(self, conversation: str) -> bool:
        """Delete everything of `conversation`; return whether Rasa's part is gone too (else a job sees to it).

        The row stays as a mark without content until the session tokens have run out, so that no late turn revives it.
        Raises JournalError.
        """
        self._safety.forget(conversation)

        async def work(connection: AsyncConnection) -> None:
            now = time.time()
            await insert_new(connection, conversations, id=conversation, channel="web", created_at=now, last_at=now, expires_at=now,
                             state=State().write(), deleted_at=now, forgotten=False)
            await self.empty(connection, conversation, now)
            for table in LONGER_LIVED:
                await connection.execute(delete(table).where(table.c.conversation == conversation))

        await self._database.write(work)
        await self._scrub()
        return await self.forget(conversation)

    async def empty(self, connection: AsyncConnection, conversation: str, now: float) -> None:
        """Within a transaction: mark `conversation` as deleted and take out its words and its address."""
        await connection.execute(update(conversations).where(conversations.c.id == conversation).values(
            deleted_at=now, person=None, address=None, state=State().write(), owner=None, owned_until=None))
        for table in TEXT_TABLES:
            await connection.execute(delete(table).where(table.c.conversation == conversation))

    async def forget(self, conversation: str) -> bool:
        """Have Rasa delete the tracker; return whether it did."""
        try:
            await self._rasa.delete(conversation)
        except RasaDown:
            return False

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(update(conversations).where(conversations.c.id == conversation).values(forgotten=True))

        await self._database.write(work)
        return True

    async def unforgotten(self, most: int = 100) -> list[str]:
        """Return deleted conversations whose tracker Rasa may still hold."""
        async def work(connection: AsyncConnection) -> list[str]:
            found: Any = await connection.execute(
                select(conversations.c.id).where(conversations.c.deleted_at.is_not(None), conversations.c.forgotten.is_(False)).limit(most))
            return [row.id for row in found]

        return await self._database.read(work)

    async def _scrub(self) -> None:
        try:
            await self._database.scrub()
        except JournalError:
            pass  # a reader was in the way; the retention job does it within a minute
