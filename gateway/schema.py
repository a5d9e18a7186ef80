"""The journal's tables. Columns that hold a visitor's words, or what was said to one, are named in TEXT_COLUMNS.

Times are seconds since 1970 (UTC). `conversations.owner` and `replies.owner` name the gateway that is at work on a row;
a row whose `owned_until` has passed may be taken over by another.
"""
from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()
_Number = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers only INTEGER keys by itself

conversations = Table(
    "conversations", metadata,
    Column("id", String(32), primary_key=True),
    Column("channel", String(16), nullable=False),
    Column("person", String(64)),        # HMAC of the service's user id; null in the widget
    Column("address", Text),             # where a channel's reply goes
    Column("created_at", Float, nullable=False),
    Column("last_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("state", Text, nullable=False),  # JSON: what later turns need (choices offered, wordings used, notice given)
    Column("owner", String(32)),
    Column("owned_until", Float),
    Column("deleted_at", Float),         # set first; the row goes when Rasa has let go of the tracker too
    Column("forgotten", Boolean, nullable=False, default=False),  # Rasa confirmed that the tracker is gone
    Index("one_conversation_a_person", "channel", "person", unique=True,
          sqlite_where=Column("deleted_at").is_(None), postgresql_where=Column("deleted_at").is_(None)),
    Index("conversations_expire", "expires_at"),
    sqlite_autoincrement=False,
)

# The unique id of every message ever accepted, as an HMAC. It outlives the text, since WhatsApp repeats for seven days.
seen = Table(
    "seen", metadata,
    Column("key", String(32), primary_key=True),
    Column("at", Float, nullable=False),
)

messages = Table(
    "messages", metadata,
    Column("seq", _Number, primary_key=True, autoincrement=True),
    Column("key", String(32), nullable=False, unique=True),
    Column("conversation", String(32), nullable=False),
    Column("client_id", String(36)),     # the widget's id of the message
    Column("received_at", Float, nullable=False),
    Column("kind", String(8), nullable=False),  # text, choice, media
    Column("text", Text),                # the words, or a button's label
    Column("payload", Text),             # what a button stands for
    Column("verdict", Text),             # JSON of the safety verdict
    Column("reply", String(16)),         # the reply that answered it; null while it waits
    Index("messages_of_conversation", "conversation", "seq"),
    sqlite_autoincrement=True,
)

replies = Table(
    "replies", metadata,
    Column("seq", _Number, primary_key=True, autoincrement=True),
    Column("id", String(16), nullable=False, unique=True),
    Column("conversation", String(32), nullable=False),
    Column("reference", String(9), nullable=False),
    Column("at", Float, nullable=False),
    Column("received_at", Float, nullable=False),  # of the oldest message that it answers
    Column("body", Text, nullable=False),          # JSON list of API messages
    Column("level", String(8), nullable=False),
    Column("category", String(24), nullable=False),
    Column("sending", String(8), nullable=False),  # web, pending, sent, failed, blocked
    Column("urgent", Boolean, nullable=False),     # a crisis reply: it does not wait for its conversation's turn
    Column("parts_sent", Integer, nullable=False, default=0),
    Column("attempts", Integer, nullable=False, default=0),
    Column("owner", String(32)),
    Column("owned_until", Float),
    Index("replies_of_conversation", "conversation", "seq"),
    Index("replies_to_send", "sending"),
    sqlite_autoincrement=True,
)

# Without text: what a reference code stands for.
turns = Table(
    "turns", metadata,
    Column("reference", String(9), primary_key=True),
    Column("conversation", String(32), nullable=False, index=True),
    Column("at", Float, nullable=False, index=True),
    Column("channel", String(16), nullable=False),
    Column("outcome", String(16), nullable=False),  # rasa, crisis, denial, help, unavailable, signposting, deleted, late, media
    Column("intent", String(64), nullable=False),
    Column("confidence", Float),
    Column("alternatives", Text, nullable=False),   # JSON [{"intent","confidence"}]
    Column("actions", Text, nullable=False),        # JSON list: the rule's or policy's actions
    Column("level", String(8), nullable=False),
    Column("detector", String(16), nullable=False),
    Column("score", Float),
    Column("release", String(64), nullable=False),
    Column("milliseconds", Integer, nullable=False),
)

feedback = Table(
    "feedback", metadata,
    Column("message", String(24), primary_key=True),
    Column("conversation", String(32), nullable=False, index=True),
    Column("reference", String(9), nullable=False),
    Column("helpful", Boolean, nullable=False),
    Column("at", Float, nullable=False, index=True),
)


def _queue(name: str) -> Table:
    return Table(
        name, metadata,
        Column("id", _Number, primary_key=True, autoincrement=True),
        Column("reference", String(9), nullable=False),
        Column("reason", String(24), nullable=False),
        Column("conversation", String(32), nullable=False, index=True),
        Column("at", Float, nullable=False, index=True),
        Column("text", Text, nullable=False),       # redacted
        Column("intent", String(64), nullable=False),
        Column("scores", Text, nullable=False),     # JSON [{"intent","confidence"}]
        Column("level", String(8), nullable=False),
        Column("detector", String(16), nullable=False),
        Column("score", Float),
        Column("release", String(64), nullable=False),
        Column("status", String(16), nullable=False, default="new"),
        Index(f"{name}_once", "reference", "reason", unique=True),
        sqlite_autoincrement=True,
    )


inbox = _queue("inbox")    # for the editors: not_understood, close, unhelpful; never a crisis text
review = _queue("review")  # for the safety role alone: help_after_none, denial, near

TEXT_COLUMNS = {
    "conversations": ("address", "state"), "messages": ("text", "payload"), "replies": ("body",),
    "inbox": ("text",), "review": ("text",),
}
