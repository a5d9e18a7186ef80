"""The durable inbox: each message once, in order, until it has its reply. Every method is one transaction.

A conversation is worked on by the gateway that owns it; ownership is taken with a message, renewed while work goes on,
given up with the last reply, and lapses when a gateway dies.
"""
from __future__ import annotations

import json
import secrets
import time
from typing import Any, Optional, Sequence

from sqlalchemy import or_, select, update
from sqlalchemy.engine import Connection

from gateway.database import Database
from gateway.errors import ConversationGone, LeaseLost, UnknownChoice
from gateway.records import Accepted, Answer, Arrival, Reply, Waiting, Work
from gateway.schema import conversations, inbox, review, seen
from gateway.sql import insert_new
from gateway.state import State
from gateway.statements import (
    ADD_MESSAGE,
    ADD_REPLY,
    ADD_TURN,
    ANSWERED,
    CONVERSATION,
    CONVERSATION_LOCKED,
    CONVERSATION_OF_PERSON,
    HAS_WORK,
    LEAVE,
    LET_GO,
    REPLY_TO,
    TOUCH,
    WAITING,
    WAITS,
    has_work,
)

LEASE_SECONDS = 15.0
_QUEUES = {"inbox": inbox, "review": review}


class Journal:
    """Messages and replies. `me` is this process's name as an owner."""

    def __init__(self, database: Database, me: str, text_seconds: float) -> None:
        self._database, self.me, self._text_seconds = database, me, text_seconds

    async def accept(self, arrivals: Sequence[Arrival]) -> list[Accepted]:
        """Journal messages that wait for an answer.

        Raises ConversationGone, UnknownChoice (in the widget), JournalError; then none of them is journalled.
        """
        return await self._database.write(lambda connection: self._accept_all(connection, arrivals))

    async def accept_answered(self, arrival: Arrival, answer: Answer, sent: bool = False) -> Accepted:
        """Journal the reply that a message got at once (a crisis), and the message if that is not journalled yet.

        A message that has a reply already, or that was deleted, is left as it is (`fresh` is False). `sent`: the reply is
        out already.
        """
        def work(connection: Connection) -> Accepted:
            accepted = (self._accept_all(connection, [arrival]))[0]
            if not accepted.fresh and not connection.execute(WAITS, {"key": arrival.key}).first():
                return accepted
            row = _conversation(connection, accepted.conversation)
            reply = self._store(connection, row, [accepted.key], arrival.received_at, answer, sent)
            return Accepted(accepted.conversation, accepted.key, True, False, reply)

        return await self._database.write(work)

    async def waiting(self, conversation: str) -> Optional[Work]:
        """Return what is to be done in `conversation`, or None when another gateway is at work on it.

        Raises ConversationGone, JournalError.
        """
        def work(connection: Connection) -> Optional[Work]:
            row = _conversation(connection, conversation, lock=False)
            if row.owner != self.me:
                return None
            found = connection.execute(WAITING, {"conversation": conversation})
            return Work(conversation, row.channel, row.person or conversation, row.address or "", State.read(row.state), [
                Waiting(m.key, m.received_at, m.kind, m.text or "", m.payload or "", json.loads(m.verdict or "{}")) for m in found
            ])

        return await self._database.read(work)

    async def finish(self, conversation: str, answered: Sequence[Waiting], answer: Answer) -> Reply:
        """Journal the reply to `answered`; nothing more to do ends the ownership (`Reply.idle`).

        Raises LeaseLost, ConversationGone, JournalError; then nothing is written.
        """
        def work(connection: Connection) -> Reply:
            row = _conversation(connection, conversation)
            if row.owner != self.me:
                raise LeaseLost("Another gateway took the conversation over.")
            return self._store(connection, row, [m.key for m in answered], answered[0].received_at, answer)

        return await self._database.write(work)

    async def reply_to(self, key: str) -> Optional[Reply]:
        """Return the reply to the message `key`, or None while there is none. Raises JournalError."""
        return await self._database.read(lambda connection: _reply_to(connection, key))

    async def renew(self, owned: Sequence[str]) -> None:
        """Keep the ownership of the conversations that are being worked on."""
        def work(connection: Connection) -> None:
            connection.execute(
                update(conversations).where(conversations.c.id.in_(owned), conversations.c.owner == self.me)
                .values(owned_until=time.time() + LEASE_SECONDS)
            )

        await self._database.write(work)

    async def take_over(self, most: int, alone: bool = False) -> list[str]:
        """Take conversations that have work to do and that nobody owns; return their ids.

        `alone`: at the start of the only gateway on this journal, whatever is owned is owned by the dead.
        """
        def work(connection: Connection) -> list[str]:
            now = time.time()
            free = or_(conversations.c.owner.is_(None), conversations.c.owned_until < now)
            if alone:
                free = or_(free, conversations.c.owner != self.me)
            found = connection.execute(
                select(conversations.c.id).where(conversations.c.deleted_at.is_(None), free, has_work(conversations.c.id))
                .order_by(conversations.c.last_at).limit(most).with_for_update(skip_locked=True)
            )
            taken = [row.id for row in found]
            if taken:
                connection.execute(
                    update(conversations).where(conversations.c.id.in_(taken)).values(owner=self.me, owned_until=now + LEASE_SECONDS)
                )
            return taken

        return await self._database.write(work)

    def _accept_all(self, connection: Connection, arrivals: Sequence[Arrival]) -> list[Accepted]:
        # In the same order on every gateway, so that two never wait for each other.
        return [self._accept(connection, arrival) for arrival in sorted(arrivals, key=lambda arrival: arrival.scope)]

    def _accept(self, connection: Connection, arrival: Arrival) -> Accepted:
        row = self._open(connection, arrival)
        conversation = row.id
        if not insert_new(connection, seen, key=arrival.key, at=arrival.received_at):
            return Accepted(conversation, arrival.key, False, False, _reply_to(connection, arrival.key))
        text, payload = arrival.text, arrival.payload
        if arrival.choice and not payload:
            label, payload = State.read(row.state).choices.get(arrival.choice, ("", ""))
            if not payload and arrival.channel == "web":
                raise UnknownChoice("This conversation was never given that choice.")
            text = text or label
        connection.execute(ADD_MESSAGE, {
            "key": arrival.key, "conversation": conversation, "client_id": arrival.client_id or None, "received_at": arrival.received_at,
            "kind": arrival.kind, "text": text, "payload": payload or None, "verdict": json.dumps(arrival.verdict),
        })
        now = time.time()
        mine = row.owner in (None, self.me) or (row.owned_until or 0) < now
        owner, until = (self.me, now + LEASE_SECONDS) if mine else (row.owner, row.owned_until)
        connection.execute(TOUCH, {"conversation": conversation, "last_at": now, "owner": owner, "owned_until": until,
                                   "address": arrival.address or None})
        return Accepted(conversation, arrival.key, True, mine)

    def _open(self, connection: Connection, arrival: Arrival) -> Any:
        """Return the row of the arrival's conversation, locked, made if there is none. Raises ConversationGone."""
        now = time.time()
        row = _current(connection, arrival)
        if row is not None and arrival.person and row.expires_at <= now:
            # Its time is over and the retention job has not come by yet: the person begins a new one.
            connection.execute(update(conversations).where(conversations.c.id == row.id).values(person=None))
            row = None
        if row is None:
            self._create(connection, arrival, now)
            row = _current(connection, arrival)
        if row.deleted_at is not None or row.expires_at <= now:
            raise ConversationGone("The conversation was deleted or has expired.")
        return row

    def _create(self, connection: Connection, arrival: Arrival, now: float) -> None:
        # On a channel the proposed id is the same on every gateway; a former conversation may still bear it.
        proposed = arrival.conversation
        if arrival.person and connection.execute(select(conversations.c.id).where(conversations.c.id == proposed)).first():
            proposed = secrets.token_hex(16)
        insert_new(connection, conversations, id=proposed, channel=arrival.channel, person=arrival.person or None,
                   address=arrival.address or None, created_at=now, last_at=now, expires_at=now + self._text_seconds,
                   state=State().write(), forgotten=False)

    def _store(self, connection: Connection, row: Any, keys: Sequence[str], received_at: float, answer: Answer,
               sent: bool = False) -> Reply:
        """Write a reply, what is kept of its turn, and the state that it leaves."""
        now, turn = time.time(), answer.turn
        on_channel = row.channel != "web"
        sent_now = answer.urgent and on_channel and not sent
        result = connection.execute(ADD_REPLY, {
            "id": answer.id, "conversation": row.id, "reference": answer.reference, "at": now, "received_at": received_at,
            "body": json.dumps(answer.messages, ensure_ascii=False), "level": turn.level, "category": turn.category,
            "sending": "web" if not on_channel else "sent" if sent else "pending", "urgent": answer.urgent, "parts_sent": 0, "attempts": 0,
            "owner": self.me if sent_now else None, "owned_until": now + LEASE_SECONDS if sent_now else None,
        })
        connection.execute(ANSWERED, {"keys": list(keys), "reply": answer.id})
        alternatives = json.dumps(turn.alternatives)
        connection.execute(ADD_TURN, {
            "reference": answer.reference, "conversation": row.id, "at": now, "channel": row.channel, "outcome": turn.outcome,
            "intent": turn.intent, "confidence": turn.confidence, "alternatives": alternatives, "actions": json.dumps(turn.actions),
            "level": turn.level, "detector": turn.detector, "score": turn.score, "release": turn.release,
            "milliseconds": turn.milliseconds,
        })
        for queue, reason, text in answer.queue:
            insert_new(connection, _QUEUES[queue], reference=answer.reference, reason=reason, conversation=row.id, at=now,
                             text=text, intent=turn.intent, scores=alternatives, level=turn.level, detector=turn.detector,
                             score=turn.score, release=turn.release, status="new")
        idle = row.owner == self.me and not connection.execute(HAS_WORK, {"conversation": row.id}).scalar()
        connection.execute(LEAVE, {"conversation": row.id, "state": _next_state(row.state, answer, now),
                                   "owner": None if idle else row.owner, "owned_until": None if idle else row.owned_until})
        return Reply(result.inserted_primary_key[0], answer.id, answer.reference, answer.messages, idle=idle)


def _next_state(text: str, answer: Answer, now: float) -> str:
    state = State.read(text)
    state.offer(answer.offered)
    state.answered(answer.turn.level, answer.used)
    state.noticed, state.form = True, answer.form
    if answer.wording is not None:
        state.unavailable = answer.wording
    if answer.turn.level == "crisis":
        state.crisis_at, state.category = now, answer.turn.category
    return state.write()


def _current(connection: Connection, arrival: Arrival) -> Any:
    if arrival.person:
        return connection.execute(CONVERSATION_OF_PERSON, {"channel": arrival.channel, "person": arrival.person}).first()
    return connection.execute(CONVERSATION_LOCKED, {"conversation": arrival.conversation}).first()


def _conversation(connection: Connection, conversation: str, lock: bool = True) -> Any:
    row = connection.execute(CONVERSATION_LOCKED if lock else CONVERSATION, {"conversation": conversation}).first()
    if row is None or row.deleted_at is not None or row.expires_at <= time.time():
        raise ConversationGone("The conversation was deleted or has expired.")
    return row


def _reply_to(connection: Connection, key: str) -> Optional[Reply]:
    found = connection.execute(REPLY_TO, {"key": key}).first()
    return None if found is None else Reply(found.seq, found.id, found.reference, json.loads(found.body))


def release_if_idle(connection: Connection, conversation: str, me: str) -> None:
    """Within a transaction: give the conversation up if no message waits and no ordinary reply is unsent."""
    connection.execute(LET_GO, {"conversation": conversation, "me": me})
