"""What a messaging service's module offers, and the values that pass between it and the gateway.

A module holds the service's own part alone: how a call is verified, what its payload means, how one message is sent. The
webhook, de-duplication, journal, order, retries, and the cutting of a reply into parts stand in the gateway once.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping, NamedTuple, Optional, Protocol

import aiohttp

from assistant.errors import AssistantError
from gateway.channels.limits import Limits


@dataclass(frozen=True)
class Webhook:
    """A call as it came in. headers: names in lower case; query: the parameters of the address; url: the public address."""

    method: str
    url: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Incoming:
    """One message of one person.

    id: the service's unique id of it; user: the service's id of the person (kept only as an HMAC); address: whatever `send`
    needs to reply, as a string; kind: `text`, `choice` or `media` (voice note, picture, sticker); choice: the token of the
    button pressed.
    """

    id: str
    user: str
    address: str
    kind: str
    text: str = ""
    choice: str = ""


@dataclass(frozen=True)
class Acknowledgement:
    """How a call is answered at once."""

    status: int = 200
    body: str = ""
    content_type: str = "text/plain; charset=utf-8"


class Option(NamedTuple):
    """A choice: the words on it, the token that comes back, and in a list a line below (its words in full when they are cut)."""

    label: str
    token: str
    detail: str = ""


@dataclass(frozen=True)
class Part:
    """One outgoing message, within the service's limits; style: `plain`, `buttons` or `list`."""

    text: str
    options: tuple[Option, ...] = ()
    style: str = "plain"


class Finding(NamedTuple):
    """One thing that `make channel-check` looked at: whether it is right, and a sentence; a wrong one names the remedy."""

    right: bool
    sentence: str


class Refused(AssistantError):
    """A call that fails verification; it is answered with `status` (401 or 403) and not parsed."""

    def __init__(self, status: int = 401) -> None:
        super().__init__("The webhook's signature or token is wrong.")
        self.status = status


class TryAgain(AssistantError):
    """The service is away or busy; `after`: the seconds of its Retry-After, if it gave any."""

    def __init__(self, after: Optional[float] = None) -> None:
        super().__init__("The messaging service did not take the message.")
        self.after = after


class Blocked(AssistantError):
    """The person has blocked the assistant: nothing more is sent."""


class Rejected(AssistantError):
    """The service will never take this message (it says that the request is wrong)."""


class Channel(Protocol):
    """A messaging service."""

    name: str
    limits: Limits

    def verify(self, hook: Webhook) -> Optional[Acknowledgement]:
        """Check the call in constant time.

        Return an answer to what needs no further work (a handshake), None to go on. Raises Refused.
        """

    def parse(self, hook: Webhook) -> list[Incoming]:
        """Return the messages in a verified call, all of the batch, in order; what needs no answer is left out.

        Raises ValueError when the payload is malformed.
        """

    def acknowledge(self, hook: Webhook) -> Acknowledgement:
        """Return what the service wants to hear once the messages are journalled."""

    async def settle(self, http: aiohttp.ClientSession, hook: Webhook) -> None:
        """Do what the service wants behind the acknowledgement (such as answering a callback query); may do nothing."""

    async def send(self, http: aiohttp.ClientSession, address: str, part: Part, key: str) -> None:
        """Send one part. `key` is the same on every try, for services that recognise repeats.

        Raises TryAgain, Blocked, Rejected; aiohttp.ClientError and asyncio.TimeoutError count as TryAgain.
        """

    async def check(self, http: aiohttp.ClientSession, webhook: str) -> list[Finding]:
        """Ask the service whether the settings are right; `webhook`: the public address of this channel's webhook.

        Raises aiohttp.ClientError, asyncio.TimeoutError when the service cannot be reached.
        """
