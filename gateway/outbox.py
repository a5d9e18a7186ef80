"""Replies on their way to a messaging service: what is still to be sent, how far it got, what became of it."""
from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any, Optional, Sequence

from sqlalchemy import or_, update
from sqlalchemy.engine import Connection

from gateway.database import Database
from gateway.journal import LEASE_SECONDS, release_if_idle
from gateway.records import ApiMessage
from gateway.schema import replies
from gateway.statements import NEXT_UNSENT, PROGRESS, SETTLE, UNSENT


@dataclass(frozen=True)
class Unsent:
    """A reply that is not wholly sent."""

    id: str
    conversation: str
    channel: str
    address: str
    received_at: float
    messages: list[ApiMessage]
    level: str
    category: str
    parts_sent: int
    attempts: int


class Outbox:
    """The sending side of the journal. Every method is one transaction and raises JournalError."""

    def __init__(self, database: Database, me: str) -> None:
        self._database, self._me = database, me

    async def next(self, conversation: str) -> Optional[Unsent]:
        """Return the oldest ordinary reply of `conversation` that is not sent."""
        def work(connection: Connection) -> Optional[Unsent]:
            row = connection.execute(NEXT_UNSENT, {"conversation": conversation, "owner": self._me}).first()
            return None if row is None else _read(row)

        return await self._database.read(work)

    async def progress(self, reply: str, parts_sent: int, attempts: int) -> None:
        """Note how many parts of `reply` are sent, and how often sending the next one was tried."""
        def work(connection: Connection) -> None:
            connection.execute(PROGRESS, {"reply": reply, "parts": parts_sent, "tries": attempts})

        await self._database.write(work)

    async def settle(self, reply: str, conversation: str, sending: str) -> None:
        """Note that `reply` is `sent`, `failed` or `blocked`, and give the conversation up if nothing is left to do."""
        def work(connection: Connection) -> None:
            connection.execute(SETTLE, {"reply": reply, "outcome": sending})
            release_if_idle(connection, conversation, self._me)

        await self._database.write(work)

    async def take_urgent(self, most: int, alone: bool = False) -> list[Unsent]:
        """Take crisis replies that a gateway died over."""
        def work(connection: Connection) -> list[Unsent]:
            now = time.time()
            free = or_(replies.c.owner.is_(None), replies.c.owned_until < now)
            if alone:
                free = or_(free, replies.c.owner != self._me)
            found = (connection.execute(
                UNSENT.where(replies.c.urgent.is_(True), free).order_by(replies.c.seq).limit(most)
                .with_for_update(skip_locked=True, of=replies))).all()
            self._own(connection, [row.id for row in found], now)
            return [_read(row) for row in found]

        return await self._database.write(work)

    async def renew(self, urgent: Sequence[str]) -> None:
        """Keep the ownership of crisis replies that are being sent."""
        await self._database.write(lambda connection: self._own(connection, urgent, time.time()))

    def _own(self, connection: Connection, ids: Sequence[str], now: float) -> None:
        if ids:
            connection.execute(update(replies).where(replies.c.id.in_(ids), replies.c.sending == "pending")
                                     .values(owner=self._me, owned_until=now + LEASE_SECONDS))


def _read(row: Any) -> Unsent:
    return Unsent(row.id, row.conversation, row.channel, row.address or "", row.received_at, json.loads(row.body), row.level, row.category,
                  row.parts_sent, row.attempts)
