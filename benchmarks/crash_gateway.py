"""The gateway as `make crash-test` kills it: the real one, with one messaging service of the test's own."""
from __future__ import annotations

import hashlib
import hmac
import json
import sys
from typing import List, Optional

import aiohttp

from assistant.settings import Settings
from gateway.app import make_app
from gateway.channels.base import Acknowledgement, Finding, Incoming, Limits, Part, Refused, Rejected, TryAgain, Webhook

NAME = "crash"
SECRET = b"the crash test's signature"


def sign(body: bytes) -> str:
    """Return the signature that the service puts on a call."""
    return hmac.new(SECRET, body, hashlib.sha256).hexdigest()


class CrashChannel:
    """Signed JSON in, one JSON message out, with the key that tells the service of a repeat."""

    name = NAME
    limits = Limits(text=4000)

    def __init__(self, url: str) -> None:
        """url: where the service takes replies."""
        self._url = url

    def verify(self, hook: Webhook) -> Optional[Acknowledgement]:
        """See Channel."""
        if not hmac.compare_digest(hook.headers.get("x-signature", ""), sign(hook.body)):
            raise Refused(401)
        return None

    def parse(self, hook: Webhook) -> List[Incoming]:
        """See Channel."""
        message = json.loads(hook.body)
        return [Incoming(message["id"], message["from"], message["from"], "text", message["text"])]

    def acknowledge(self, hook: Webhook) -> Acknowledgement:
        """See Channel."""
        return Acknowledgement(200, "ok")

    async def settle(self, http: aiohttp.ClientSession, hook: Webhook) -> None:
        """See Channel."""

    async def send(self, http: aiohttp.ClientSession, address: str, part: Part, key: str) -> None:
        """See Channel."""
        async with http.post(self._url, json={"to": address, "text": part.text, "key": key}) as response:
            if response.status >= 500:
                raise TryAgain
            if response.status >= 400:
                raise Rejected("refused")

    async def check(self, http: aiohttp.ClientSession, webhook: str) -> List[Finding]:
        """See Channel."""
        return []


def main() -> None:
    """Serve on ASSISTANT_PORT, replying to the service whose address is the argument."""
    settings = Settings.from_env()
    app = make_app(settings, channels={NAME: CrashChannel(sys.argv[1])})
    app.run(settings.gateway_host, settings.gateway_port, access_log=False, motd=False, debug=False)


if __name__ == "__main__":
    main()
