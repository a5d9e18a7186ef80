"""The values that pass between the parts: what arrived, what waits, what is answered."""
from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Any, Optional

from gateway.state import State

ApiMessage = dict[str, Any]

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True)
class Arrival:
    """A message as it came in, already checked for safety.

    key: its unique id (an HMAC); channel: "web" or a service's name; conversation: the widget's, on a channel the id for a
    new one if `person` has none; address: where a channel's reply goes; choice: the token of a button pressed.
    """

    key: str
    channel: str
    kind: str  # text, choice, media
    verdict: dict[str, Any]
    received_at: float = field(default_factory=time.time)
    conversation: str = ""
    person: str = ""
    address: str = ""
    client_id: str = ""
    text: str = ""
    choice: str = ""
    payload: str = ""

    @property
    def scope(self) -> str:
        """What button tokens are made for: they must mean the same before the journal has said which conversation this is."""
        return self.person or self.conversation


@dataclass(frozen=True)
class Waiting:
    """A journalled message that has no reply yet."""

    key: str
    received_at: float
    kind: str
    text: str
    payload: str
    verdict: dict[str, Any]


@dataclass(frozen=True)
class Work:
    """What is to be done in a conversation.

    scope: what its button tokens are made for (the person on a channel, else the conversation); address: where a channel's
    reply goes; waiting: oldest first.
    """

    conversation: str
    channel: str
    scope: str
    address: str
    state: State
    waiting: list[Waiting]


@dataclass
class Turn:
    """What is kept of a turn, without text, for "why did it say that"."""

    outcome: str
    intent: str = ""
    confidence: Optional[float] = None
    alternatives: list[dict[str, Any]] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)
    level: str = "none"
    category: str = ""
    detector: str = ""
    score: Optional[float] = None
    release: str = ""
    milliseconds: int = 0


@dataclass
class Answer:
    """A reply ready to be journalled and given.

    messages: with ids, tokens in place of payloads; offered: token -> (label, payload); used: id of a safety reply;
    queue: rows for the inbox or the review queue as (queue, reason, redacted text).
    """

    id: str
    reference: str
    messages: list[ApiMessage]
    turn: Turn
    offered: dict[str, tuple[str, str]] = field(default_factory=dict)
    used: str = ""
    form: bool = False
    wording: Optional[int] = None
    queue: list[tuple[str, str, str]] = field(default_factory=list)
    urgent: bool = False
    ends: bool = False  # the visitor asked for deletion: once journalled, everything of the conversation goes


@dataclass(frozen=True)
class Reply:
    """A journalled reply. `ended`: with it the chat was deleted; `idle`: with it nothing is left to do in the conversation."""

    seq: int
    id: str
    reference: str
    messages: list[ApiMessage]
    ended: bool = False
    idle: bool = False


@dataclass(frozen=True)
class Accepted:
    """What became of an arrival: journalled now (`fresh`), or a copy, perhaps with its reply. `owned`: our turn to work on it."""

    conversation: str
    key: str
    fresh: bool
    owned: bool
    reply: Optional[Reply] = None


def reply_id() -> str:
    """Return a new id of a reply: 16 hex characters."""
    return secrets.token_hex(8)


def reference() -> str:
    """Return a new reference code, such as 7KQ2-M4XT: no letter that looks like another."""
    code = "".join(secrets.choice(_CROCKFORD) for _ in range(8))
    return f"{code[:4]}-{code[4:]}"
