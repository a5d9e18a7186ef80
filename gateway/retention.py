"""Takes away what has had its time: chats after a day, codes and redacted rows after a month. Runs by itself."""
from __future__ import annotations

import time

from sqlalchemy import and_, delete, exists, or_, select
from sqlalchemy.engine import Connection

from gateway.database import Database
from gateway.deletion import Deletion
from gateway.metrics import Metrics
from gateway.repeat import Repeating
from gateway.schema import conversations, feedback, inbox, messages, replies, review, seen, turns

EVERY_SECONDS = 60.0
# WhatsApp repeats a call for up to seven days.
SEEN_SECONDS = 8 * 86400.0
DAY = 86400.0
AT_ONCE = 200


class Retention:
    """What is kept how long: text until a conversation expires, `turn_days` and `inbox_days` for what outlives it."""

    def __init__(self, database: Database, deletion: Deletion, turn_days: int, inbox_days: int, session_seconds: float,
                 metrics: Metrics) -> None:
        self._database, self._deletion = database, deletion
        self._turn_seconds, self._inbox_seconds, self._session_seconds = turn_days * DAY, inbox_days * DAY, session_seconds
        self._job = Repeating("retention", EVERY_SECONDS, self.run)
        self._metrics = metrics

    def start(self) -> None:
        """Run now and then every minute."""
        self._job.start()

    async def stop(self) -> None:
        """Run no more."""
        await self._job.stop()

    async def run(self) -> None:
        """Do what is due. Raises JournalError; the rest is done next time."""
        found = await self._database.write(self._expire)
        self._metrics.expired.inc(len(found))
        await self._database.write(self._outlived)
        for conversation in await self._deletion.unforgotten():
            if not await self._deletion.forget(conversation):
                break  # Rasa is away: the others wait too
        await self._database.write(self._bury)
        await self._database.scrub()

    def _expire(self, connection: Connection) -> list[str]:
        """Empty conversations whose time is over, and the rests of deleted ones; a turn in hand is let finish first."""
        now = time.time()
        leftover = or_(exists().where(replies.c.conversation == conversations.c.id, replies.c.sending != "pending"),
                       exists().where(messages.c.conversation == conversations.c.id))
        free = or_(conversations.c.owner.is_(None), conversations.c.owned_until < now)
        over = or_(and_(conversations.c.deleted_at.is_(None), conversations.c.expires_at <= now, free),
                   and_(conversations.c.deleted_at.is_not(None), leftover))
        found = connection.execute(select(conversations.c.id).where(over).limit(AT_ONCE).with_for_update(skip_locked=True))
        ids = [row.id for row in found]
        for conversation in ids:
            self._deletion.empty(connection, conversation, now)
        return ids

    def _outlived(self, connection: Connection) -> None:
        now = time.time()
        for table, kept in ((turns, self._turn_seconds), (feedback, self._turn_seconds),
                            (inbox, self._inbox_seconds), (review, self._inbox_seconds), (seen, SEEN_SECONDS)):
            connection.execute(delete(table).where(table.c.at < now - kept))

    def _bury(self, connection: Connection) -> None:
        """Take away the marks of deleted conversations once Rasa has let go and no token can open them."""
        unsent = exists().where(replies.c.conversation == conversations.c.id, replies.c.sending == "pending")
        connection.execute(delete(conversations).where(
            conversations.c.forgotten.is_(True), conversations.c.deleted_at < time.time() - self._session_seconds, ~unsent))
