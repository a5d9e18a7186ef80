"""The journal's frequent statements, built once: building one anew costs SQLAlchemy several times what SQLite needs to run it."""
from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, exists, func, or_, select, update

from gateway.schema import conversations, messages, replies, turns


def has_work(conversation: Any) -> Any:
    """Return the condition that `conversation` has a message to answer or an ordinary reply to send."""
    waits = exists().where(messages.c.conversation == conversation, messages.c.reply.is_(None))
    unsent = exists().where(replies.c.conversation == conversation, replies.c.sending == "pending", replies.c.urgent.is_(False))
    return or_(waits, unsent)


_THIS = conversations.c.id == bindparam("conversation")

CONVERSATION = select(conversations).where(_THIS)
CONVERSATION_LOCKED = CONVERSATION.with_for_update()
CONVERSATION_OF_PERSON = select(conversations).where(
    conversations.c.channel == bindparam("channel"), conversations.c.person == bindparam("person"), conversations.c.deleted_at.is_(None),
).with_for_update()
TOUCH = update(conversations).where(_THIS).values(
    last_at=bindparam("last_at"), owner=bindparam("owner"), owned_until=bindparam("owned_until"),
    address=func.coalesce(bindparam("address"), conversations.c.address))
LEAVE = update(conversations).where(_THIS).values(
    state=bindparam("state"), owner=bindparam("owner"), owned_until=bindparam("owned_until"))
HAS_WORK = select(has_work(bindparam("conversation")))

ADD_MESSAGE = messages.insert()
ADD_REPLY = replies.insert()
ADD_TURN = turns.insert()
WAITING = select(messages).where(
    messages.c.conversation == bindparam("conversation"), messages.c.reply.is_(None)).order_by(messages.c.seq)
WAITS = select(messages.c.key).where(messages.c.key == bindparam("key"), messages.c.reply.is_(None))
ANSWERED = update(messages).where(messages.c.key.in_(bindparam("keys", expanding=True))).values(reply=bindparam("reply"))
REPLY_TO = select(replies).join(messages, messages.c.reply == replies.c.id).where(messages.c.key == bindparam("key"))

UNSENT = select(
    replies.c.id, replies.c.conversation, replies.c.received_at, replies.c.body, replies.c.level, replies.c.category,
    replies.c.parts_sent, replies.c.attempts, conversations.c.channel, conversations.c.address,
).join(conversations, conversations.c.id == replies.c.conversation).where(replies.c.sending == "pending")
NEXT_UNSENT = UNSENT.where(
    replies.c.conversation == bindparam("conversation"), replies.c.urgent.is_(False), conversations.c.owner == bindparam("owner"),
).order_by(replies.c.seq).limit(1)
_REPLY = replies.c.id == bindparam("reply")
PROGRESS = update(replies).where(_REPLY).values(parts_sent=bindparam("parts"), attempts=bindparam("tries"))
SETTLE = update(replies).where(_REPLY).values(sending=bindparam("outcome"), owner=None, owned_until=None)
LET_GO = update(conversations).where(
    _THIS, conversations.c.owner == bindparam("me"), ~has_work(bindparam("conversation"))).values(owner=None, owned_until=None)
