"""Deleting a conversation everywhere: journal first, so that nothing is written back, then Rasa's tracker under its lock."""
from __future__ import annotations

import json
import time
from typing import Any, Optional

from sqlalchemy import delete, select, update
from sqlalchemy.engine import Connection

from gateway.database import Database
from gateway.errors import JournalError
from gateway.journal import LEASE_SECONDS
from gateway.outbox import Unsent
from gateway.rasa import Rasa, RasaDown
from gateway.records import Answer, Work
from gateway.safety import Safety
from gateway.schema import conversations, feedback, inbox, messages, replies, review, turns
from gateway.sql import insert_new
from gateway.state import State

TEXT_TABLES = (messages, replies)
LONGER_LIVED = (turns, feedback, inbox, review)


class Deletion:
    """Deletes at a visitor's wish, and what has expired."""

    def __init__(self, database: Database, rasa: Rasa, safety: Safety, me: str) -> None:
        self._database, self._rasa, self._safety, self._me = database, rasa, safety, me

    async def delete(self, conversation: str) -> bool:
        """Delete everything of `conversation`; return whether Rasa's part is gone too (else a job sees to it).

        The row stays as a mark without content until the session tokens have run out, so that no late turn revives it.
        Raises JournalError.
        """
        self._safety.forget(conversation)
        await self._database.write(lambda connection: self._delete(connection, conversation))
        await self._scrub()
        return await self.forget(conversation)

    async def delete_with_farewell(self, work: Work, answer: Answer) -> Optional[Unsent]:
        """Delete the conversation of `work`, which asked for it; on a channel return the last words, which are still to be sent.

        They wait in the outbox, with the address, until they are. Raises JournalError.
        """
        self._safety.forget(work.scope)

        def write(connection: Connection) -> Optional[Unsent]:
            row = (connection.execute(select(conversations.c.address).where(conversations.c.id == work.conversation))).first()
            address = row.address if row is not None else None
            self._delete(connection, work.conversation)
            if not address:
                return None
            now = time.time()
            connection.execute(update(conversations).where(conversations.c.id == work.conversation).values(address=address))
            connection.execute(replies.insert().values(
                id=answer.id, conversation=work.conversation, reference=answer.reference, at=now, received_at=now,
                body=json.dumps(answer.messages), level="none", category="", sending="pending", urgent=True, parts_sent=0, attempts=0,
                owner=self._me, owned_until=now + LEASE_SECONDS))
            return Unsent(answer.id, work.conversation, work.channel, address, now, answer.messages, "none", "", 0, 0)

        unsent = await self._database.write(write)
        await self._scrub()
        await self.forget(work.conversation)
        return unsent

    def _delete(self, connection: Connection, conversation: str) -> None:
        now = time.time()
        insert_new(connection, conversations, id=conversation, channel="web", created_at=now, last_at=now, expires_at=now,
                         state=State().write(), deleted_at=now, forgotten=False)
        self.empty(connection, conversation, now)
        for table in LONGER_LIVED:
            connection.execute(delete(table).where(table.c.conversation == conversation))

    def empty(self, connection: Connection, conversation: str, now: float) -> None:
        """Within a transaction: mark `conversation` as deleted and take out its words and its address."""
        connection.execute(update(conversations).where(conversations.c.id == conversation).values(
            deleted_at=now, person=None, address=None, state=State().write(), owner=None, owned_until=None))
        for table in TEXT_TABLES:
            connection.execute(delete(table).where(table.c.conversation == conversation))

    async def forget(self, conversation: str) -> bool:
        """Have Rasa delete the tracker; return whether it did."""
        try:
            await self._rasa.delete(conversation)
        except RasaDown:
            return False

        def work(connection: Connection) -> None:
            connection.execute(update(conversations).where(conversations.c.id == conversation).values(forgotten=True))

        await self._database.write(work)
        return True

    async def unforgotten(self, most: int = 100) -> list[str]:
        """Return deleted conversations whose tracker Rasa may still hold."""
        def work(connection: Connection) -> list[str]:
            found: Any = connection.execute(
                select(conversations.c.id).where(conversations.c.deleted_at.is_not(None), conversations.c.forgotten.is_(False)).limit(most))
            return [row.id for row in found]

        return await self._database.read(work)

    async def _scrub(self) -> None:
        try:
            await self._database.scrub()
        except JournalError:
            pass  # a reader was in the way; the retention job does it within a minute
