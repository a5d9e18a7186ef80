"""A messaging service of the tests' own: a channel module, and the service's server, which may be away, slow or unwilling."""
from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from typing import Any, Callable, Optional

import aiohttp
from aiohttp import web

from gateway.channels.base import Acknowledgement, Blocked, Incoming, Part, Refused, Rejected, TryAgain, Webhook
from gateway.channels.limits import Limits

NAME = "example"
SECRET = b"a secret of the tests"


class ExampleChannel:
    """Signed JSON batches in; one JSON message out, with the key that lets the service recognise repeats."""

    name = NAME
    limits = Limits(text=400, buttons=3, button_label=20, button_text=300)

    def __init__(self, url: str) -> None:
        self._url = url

    def verify(self, hook: Webhook) -> Optional[Acknowledgement]:
        if hook.method == "GET":
            return Acknowledgement(200, hook.query.get("challenge", ""))
        if not hmac.compare_digest(hook.headers.get("x-signature", ""), sign(hook.body)):
            raise Refused(401)
        return None

    def parse(self, hook: Webhook) -> list[Incoming]:
        return [Incoming(m["id"], m["from"], m["from"], m.get("kind", "text"), m.get("text", ""), m.get("choice", ""))
                for m in json.loads(hook.body)["messages"]]

    def acknowledge(self, hook: Webhook) -> Acknowledgement:
        return Acknowledgement(200, "ok")

    async def settle(self, http: aiohttp.ClientSession, hook: Webhook) -> None:
        return None

    async def send(self, http: aiohttp.ClientSession, address: str, part: Part, key: str) -> None:
        body = {"to": address, "text": part.text, "choices": [[option.label, option.token] for option in part.options], "key": key}
        async with http.post(self._url, json=body) as response:
            if response.status == 429 or response.status >= 500:
                after = response.headers.get("Retry-After")
                raise TryAgain(float(after) if after else None)
            if response.status == 403:
                raise Blocked("blocked")
            if response.status >= 400:
                raise Rejected("rejected")


def sign(body: bytes) -> str:
    """Return the signature of a call."""
    return hmac.new(SECRET, body, hashlib.sha256).hexdigest()


def batch(*messages: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    """Return (body, headers) of a signed call; a message without an id gets one."""
    body = json.dumps({"messages": [{"id": uuid.uuid4().hex, "from": "person-1", **message} for message in messages]}).encode()
    return body, {"X-Signature": sign(body), "Content-Type": "application/json"}


class Service:
    """The service's server. `received`: what was delivered, repeats recognised by key; `answer(body)`: the status to give."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.tried = 0
        self.answer: Callable[[dict[str, Any]], web.Response] = lambda body: web.Response()
        self._keys: set[str] = set()
        self._runner: Optional[web.AppRunner] = None

    @property
    def texts(self) -> list[str]:
        return [message["text"] for message in self.received]

    async def start(self, port: int) -> None:
        app = web.Application()
        app.router.add_post("/send", self._send)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port, reuse_address=True).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _send(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.tried += 1
        response = self.answer(body)
        if response.status == 200 and body["key"] not in self._keys:
            self._keys.add(body["key"])
            self.received.append(body)
        return response
