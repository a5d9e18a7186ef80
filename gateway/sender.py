"""Sends replies to messaging services: part by part, with retries, in order, and never an old answer to a shared phone."""
from __future__ import annotations

import asyncio
import random
import time
from typing import Any, Mapping, Optional

import aiohttp

from gateway.channels.base import Blocked, Channel, Part, TryAgain
from gateway.channels.rendering import render
from gateway.errors import JournalError, log_failure
from gateway.metrics import Metrics
from gateway.outbox import Outbox, Unsent
from gateway.texts import Texts

SEND_SECONDS = 5.0
TRIES = 5
FIRST_PAUSE, PAUSE_FACTOR = 2.0, 3.0  # 2, 6, 18, 54 s: a service that is down for a minute is outlasted
LATE_SECONDS = 600.0
# WhatsApp and Messenger take a free answer within a day of the person's message; nobody waits for one for longer.
OVER_SECONDS = 86_400.0


class Sender:
    """The outbound side of all channels. `pause`: seconds before the second try."""

    def __init__(self, outbox: Outbox, channels: Mapping[str, Channel], texts: Texts, metrics: Metrics,
                 pause: float = FIRST_PAUSE) -> None:
        self._outbox, self._channels, self._texts, self._metrics, self._pause = outbox, channels, texts, metrics, pause
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SEND_SECONDS), trust_env=False)
        self._urgent: dict[str, asyncio.Task[None]] = {}

    @property
    def http(self) -> aiohttp.ClientSession:
        """The session for calls to the services."""
        return self._http

    async def stop(self) -> None:
        """Give what is being sent a moment, and close."""
        if self._urgent:
            await asyncio.wait(self._urgent.values(), timeout=SEND_SECONDS)
        await self._http.close()

    async def drain(self, conversation: str) -> None:
        """Send the ordinary replies of `conversation`, oldest first. Raises JournalError."""
        while (unsent := await self._outbox.next(conversation)) is not None:
            await self._send(unsent)

    def urgent(self, unsent: Unsent) -> None:
        """Send a crisis reply now, beside whatever its conversation is waiting for."""
        if unsent.id not in self._urgent:
            self._urgent[unsent.id] = asyncio.ensure_future(self._send_urgent(unsent))

    async def renew(self) -> None:
        """Keep the crisis replies that are being sent. Raises JournalError."""
        if self._urgent:
            await self._outbox.renew(list(self._urgent))

    async def take_over(self, alone: bool = False) -> None:
        """Send the crisis replies that a gateway died over. Raises JournalError."""
        for unsent in await self._outbox.take_urgent(50, alone):
            self.urgent(unsent)

    async def _send_urgent(self, unsent: Unsent) -> None:
        try:
            await self._send(unsent)
        except Exception as error:
            log_failure("sending", error)
        finally:
            self._urgent.pop(unsent.id, None)

    async def _send(self, unsent: Unsent) -> None:
        channel = self._channels.get(unsent.channel)
        over = time.time() - unsent.received_at > OVER_SECONDS
        outcome = "failed" if channel is None or not unsent.address or over else await self._parts(channel, unsent)
        self._metrics.sent.labels(unsent.channel, outcome).inc()
        await _insist(lambda: self._outbox.settle(unsent.id, unsent.conversation, outcome))

    async def _parts(self, channel: Channel, unsent: Unsent) -> str:
        """Send what is still to be sent. Each try looks at it anew: a service can keep us waiting until it is too late."""
        number, attempts = unsent.parts_sent, unsent.attempts
        while number < len(parts := self._rendered(channel, unsent)):
            outcome, pause = await self._try(channel, unsent, parts[number], number)
            if outcome == "later":
                attempts += 1
                if attempts >= TRIES:
                    return "failed"
                await self._note(unsent.id, number, attempts)
                await asyncio.sleep(self._wait(attempts, pause))
            elif outcome != "sent":
                return outcome
            else:
                number, attempts = number + 1, 0
                if number < len(parts):
                    await self._note(unsent.id, number, attempts)
        return "sent"

    async def _try(self, channel: Channel, unsent: Unsent, part: Part, number: int) -> tuple[str, Optional[float]]:
        """Return what became of one try (`sent`, `later`, `blocked`, `failed`), and the pause that the service asked for."""
        try:
            await channel.send(self._http, unsent.address, part, f"{unsent.id}.{number}")
        except TryAgain as error:
            return "later", error.after
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError):
            return "later", None
        except Blocked:
            return "blocked", None
        except Exception as error:  # Rejected, or a fault of the channel's own: trying again would not mend it
            log_failure(f"sending to {channel.name}", error)
            return "failed", None
        return "sent", None

    def _rendered(self, channel: Channel, unsent: Unsent) -> list[Part]:
        """Past ten minutes the phone may be in other hands: only support that gives nothing away still goes."""
        if time.time() - unsent.received_at > LATE_SECONDS and (unsent.level != "crisis" or unsent.category == "abuse_violence"):
            return render([{"type": "text", "text": self._texts.late}], channel.limits)
        support = unsent.level != "none" or any(message["type"] == "helplines" for message in unsent.messages)
        return render(unsent.messages, channel.limits, self._texts.neutral if support else "")

    def _wait(self, attempts: int, after: Optional[float]) -> float:
        """Seconds until the next try: what the service asked for, else longer each time, never in step with others."""
        if after is not None:
            return after + random.uniform(0.0, 0.2 * self._pause)
        return self._pause * PAUSE_FACTOR ** (attempts - 1) * random.uniform(0.8, 1.2)

    async def _note(self, reply: str, parts_sent: int, attempts: int) -> None:
        try:
            await self._outbox.progress(reply, parts_sent, attempts)
        except JournalError:
            pass  # costs at most a repeated part after a crash


async def _insist(write: Any) -> None:
    """Write through a journal that is away for a while: a reply that was sent must not be sent again."""
    for _ in range(60):
        try:
            await write()
            return
        except JournalError:
            await asyncio.sleep(1.0)
