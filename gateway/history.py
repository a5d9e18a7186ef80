"""What was said in a conversation, and whether it helped."""
from __future__ import annotations

import json
import time
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.engine import Connection

from assistant.privacy import redact
from gateway.database import Database
from gateway.errors import ConversationGone
from gateway.records import ApiMessage
from gateway.schema import conversations, feedback, inbox, messages, replies, review, turns
from gateway.sql import insert_new

PAGE = 50
# Urgent help opened within this many turns of `none` may be a miss of the safety check.
TURNS = 3


class History:
    """Reads conversations for the widget and takes its feedback."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def after(self, conversation: str, cursor: int) -> tuple[list[ApiMessage], int]:
        """Return what was said after `cursor`, at most PAGE replies with the messages they answer, and the new cursor.

        Raises ConversationGone, JournalError.
        """
        def work(connection: Connection) -> tuple[list[ApiMessage], int]:
            row = (connection.execute(select(conversations.c.deleted_at, conversations.c.expires_at)
                                            .where(conversations.c.id == conversation))).first()
            if row is None:
                return [], cursor  # a session in which nothing was said yet
            if row.deleted_at is not None or row.expires_at <= time.time():
                raise ConversationGone("The conversation was deleted or has expired.")
            found = (connection.execute(
                select(replies.c.seq, replies.c.id, replies.c.body)
                .where(replies.c.conversation == conversation, replies.c.seq > cursor).order_by(replies.c.seq).limit(PAGE))).all()
            asked: dict[str, list[ApiMessage]] = {reply.id: [] for reply in found}
            for message in connection.execute(
                    select(messages.c.client_id, messages.c.text, messages.c.reply).where(messages.c.reply.in_(list(asked)))
                    .order_by(messages.c.seq)):
                asked[message.reply].append({"id": message.client_id or "", "from": "visitor", "type": "text", "text": message.text or ""})
            said = [part for reply in found for part in (*asked[reply.id], *json.loads(reply.body))]
            return said, found[-1].seq if found else cursor

        return await self._database.read(work)

    async def feedback(self, conversation: str, message: str, helpful: bool) -> bool:
        """Note the visitor's judgement of one message; return whether the conversation has it.

        An unhelpful answer goes to the inbox with the redacted question, unless the question was one of distress.
        Raises ConversationGone, JournalError.
        """
        def work(connection: Connection) -> bool:
            reply = (connection.execute(
                select(replies, turns.c.intent, turns.c.alternatives, turns.c.detector, turns.c.score, turns.c.release)
                .join(turns, turns.c.reference == replies.c.reference)
                .where(replies.c.id == message.split(".")[0], replies.c.conversation == conversation))).first()
            if reply is None or message not in {part["id"] for part in json.loads(reply.body)}:
                return False
            connection.execute(delete(feedback).where(feedback.c.message == message))
            connection.execute(feedback.insert().values(
                message=message, conversation=conversation, reference=reply.reference, helpful=helpful, at=time.time()))
            if helpful:
                connection.execute(delete(inbox).where(inbox.c.reference == reply.reference, inbox.c.reason == "unhelpful"))
            elif reply.level != "crisis":
                self._to_inbox(connection, conversation, reply)
            return True

        return await self._database.write(work)

    async def help_opened(self, conversation: str) -> None:
        """Note for the safety role that urgent help was opened within three turns in which nobody saw a need. Raises JournalError."""
        def work(connection: Connection) -> None:
            latest = connection.execute(
                select(turns, replies.c.id.label("reply")).join(replies, replies.c.reference == turns.c.reference)
                .where(turns.c.conversation == conversation, turns.c.outcome != "help").order_by(replies.c.seq.desc()).limit(TURNS)).all()
            if latest and all(turn.level == "none" for turn in latest):
                asked = connection.execute(select(messages.c.text).where(messages.c.reply.in_([turn.reply for turn in latest]))
                                           .order_by(messages.c.seq)).scalars().all()
                newest = latest[0]
                insert_new(connection, review, reference=newest.reference, reason="help_after_none", conversation=conversation,
                           at=time.time(), text=redact("\n".join(text or "" for text in asked)), intent=newest.intent,
                           scores=newest.alternatives, level=newest.level, detector=newest.detector, score=newest.score,
                           release=newest.release, status="new")

        await self._database.write(work)

    def _to_inbox(self, connection: Connection, conversation: str, reply: Any) -> None:
        asked = (connection.execute(
            select(messages.c.text).where(messages.c.reply == reply.id).order_by(messages.c.seq))).scalars().all()
        insert_new(
            connection, inbox, reference=reply.reference, reason="unhelpful", conversation=conversation, at=time.time(),
            text=redact("\n".join(text or "" for text in asked)), intent=reply.intent, scores=reply.alternatives, level=reply.level,
            detector=reply.detector, score=reply.score, release=reply.release, status="new")
