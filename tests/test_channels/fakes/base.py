"""What the fakes share: a server on loopback that can be slow, busy or down, and a record of what it took."""
from __future__ import annotations

import asyncio
import dataclasses
import itertools
import json
import time
from collections import deque
from dataclasses import dataclass, replace
from typing import Any, Callable, Iterable, Mapping, Optional

from aiohttp import web

PUBLIC = "https://chat.example.org"


@dataclass(frozen=True)
class Call:
    """A call of the gateway's webhook, as the service makes it."""

    headers: Mapping[str, str]
    body: bytes = b""
    method: str = "POST"
    query: str = ""

    def tampered(self) -> "Call":
        """The same call with one character of its body changed."""
        return replace(self, body=self.body.replace(b"e", b"E", 1))

    def without(self, *names: str) -> "Call":
        """The same call without some of its headers."""
        return replace(self, headers={name: value for name, value in self.headers.items() if name not in names})

    def with_headers(self, **headers: str) -> "Call":
        """The same call with headers changed; an underscore stands for a hyphen."""
        return replace(self, headers={**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}})


@dataclass(frozen=True)
class Sent:
    """A message that the service took. options: (label, what comes back)."""

    user: str
    text: str
    options: tuple[tuple[str, str], ...]
    at: float


class Wrong(Exception):
    """What the gateway sent breaks a rule of the service."""


def need(condition: Any, problem: str) -> None:
    """Raise Wrong unless `condition` holds."""
    if not condition:
        raise Wrong(problem)


def within(text: Any, most: int, what: str) -> str:
    """Return `text`, which must be a text of 1 to `most` UTF-16 units."""
    need(isinstance(text, str) and text.strip(), f"{what} is empty")
    size = len(text.encode("utf-16-le")) // 2
    need(size <= most, f"{what} has {size} of at most {most} characters")
    return str(text)


class FakeService:
    """A messaging service.

    sent: what it took, in order; wrong: rules that the gateway broke; plan: what the next calls of its API meet, such as
    ("busy", 2.0), ("down",), ("slow", 0.5), ("hang",); blocked: people who want to hear nothing more.
    """

    name = ""
    user = ""  # a person, as the service names them
    secrets: Mapping[str, str] = {}
    url_setting = ""
    base_path = ""
    signature_headers: tuple[str, ...] = ()
    public = PUBLIC  # the gateway's address, as it was set in the service's console

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.wrong: list[str] = []
        self.plan: deque[tuple[Any, ...]] = deque()
        self.blocked: set[str] = set()
        self.tries: list[float] = []
        self.port = 0
        self._numbers = itertools.count(int(time.time() * 1000))
        self._runner: Optional[web.AppRunner] = None

    async def start(self) -> "FakeService":
        """Listen on a free port; after `stop` on the same one."""
        app = web.Application()
        self.routes(app.router)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def stop(self) -> None:
        """Hang up."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def env(self) -> dict[str, str]:
        """The gateway's settings for this service."""
        return {**self.secrets, self.url_setting: f"http://127.0.0.1:{self.port}{self.base_path}", "ASSISTANT_PUBLIC_URL": self.public}

    def to(self, user: str) -> list[Sent]:
        """What `user` got."""
        return [sent for sent in self.sent if sent.user == user]

    def next(self) -> int:
        """A number that was not used yet."""
        return next(self._numbers)

    async def take(self, request: web.Request) -> web.StreamResponse:
        """The handler of the sending call: follow the plan, check the call, note what was sent."""
        self.tries.append(time.monotonic())
        behaviour = self.plan.popleft() if self.plan else ("take",)
        if behaviour[0] == "busy":
            return self.busy(behaviour[1])
        if behaviour[0] == "down":
            return web.Response(status=503, text="upstream connect error")
        if behaviour[0] == "hang":
            await asyncio.sleep(60)
        if behaviour[0] == "slow":
            await asyncio.sleep(behaviour[1])
        try:
            sent = self.read(request, await request.read())
        except (Wrong, KeyError, TypeError, ValueError) as error:
            self.wrong.append(f"{self.name}: {type(error).__name__} {error}")
            return self.refusal()
        if sent.user in self.blocked:
            return self.blocking()
        self.sent.append(sent)
        return self.success(sent)

    # What each service does in its own way.
    def routes(self, router: web.UrlDispatcher) -> None:
        """Add the API's routes."""
        raise NotImplementedError

    def read(self, request: web.Request, body: bytes) -> Sent:
        """Return the message in a sending call. Raises Wrong when it breaks a rule."""
        raise NotImplementedError

    def success(self, sent: Sent) -> web.StreamResponse:
        """The answer to a message that is taken."""
        raise NotImplementedError

    def busy(self, after: Optional[float]) -> web.StreamResponse:
        """The answer of a service that has had too many calls."""
        return web.json_response({}, status=429, headers={} if after is None else {"Retry-After": str(int(after))})

    def blocking(self) -> web.StreamResponse:
        """The answer when the person has blocked the sender."""
        raise NotImplementedError

    def refusal(self) -> web.StreamResponse:
        """The answer to a malformed call."""
        return web.json_response({"error": "malformed"}, status=400)

    def written(self, user: str, text: str, identity: Optional[str] = None) -> Any:
        """The service's event for a message of `user`."""
        raise NotImplementedError

    def call(self, *events: Any) -> Call:
        """A genuine call with the events."""
        raise NotImplementedError

    def text(self, user: str, text: str, identity: Optional[str] = None) -> Call:
        """`user` writes."""
        return self.call(self.written(user, text, identity))

    def press(self, user: str, token: str) -> Call:
        """`user` presses a button."""
        raise NotImplementedError

    def media(self, user: str) -> Iterable[Call]:
        """`user` sends a voice note, a picture, a sticker, …"""
        raise NotImplementedError

    def forged(self, user: str) -> Iterable[tuple[str, Call]]:
        """Calls that are not the service's, each with its name."""
        raise NotImplementedError

    def forgeries(self, genuine: Call, resign: Callable[[bytes], Call], tampered: bool = True) -> Iterable[tuple[str, Call]]:
        """What can be forged of every service's calls; `resign` signs with another secret."""
        yield "unsigned", genuine.without(*self.signature_headers)
        yield "another secret", resign(genuine.body)
        yield "empty signature", genuine.with_headers(**{name.replace("-", "_"): "" for name in self.signature_headers})
        if tampered:
            yield "tampered", genuine.tampered()
            yield "cut short", dataclasses.replace(genuine, body=genuine.body[:-1])

    def silent(self, user: str) -> Iterable[tuple[str, Call]]:
        """Genuine calls that nobody expects an answer to, each with its name."""
        raise NotImplementedError


def as_json(value: Any) -> bytes:
    """JSON as Meta and Slack send it: compact, other characters escaped, a slash too."""
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/").encode()
