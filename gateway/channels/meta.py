"""What WhatsApp and Messenger share: Meta's handshake and signature (https://developers.facebook.com/docs/graph-api/webhooks/getting-started),
and the errors of the Graph API."""
from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from typing import Optional

import aiohttp

from gateway.channels.base import Acknowledgement, Finding, Refused, Webhook
from gateway.channels.calls import Answer
from gateway.channels.payload import same, string

# https://developers.facebook.com/docs/graph-api/guides/error-handling: try again later, or too many calls.
BUSY = frozenset({1, 2, 4, 17, 32, 341, 613})


class Hub:
    """Verifies calls of one app's webhook."""

    def __init__(self, app_secret: str, verify_token: str) -> None:
        self._secret, self._token = app_secret.encode(), verify_token

    def verify(self, hook: Webhook) -> Optional[Acknowledgement]:
        """Answer the handshake, or check the signature of the raw body. Raises Refused."""
        if hook.method == "GET":
            if hook.query.get("hub.mode") == "subscribe" and same(hook.query.get("hub.verify_token") or "", self._token):
                return Acknowledgement(body=hook.query.get("hub.challenge") or "")
            raise Refused(403)
        signature = hmac.new(self._secret, hook.body, hashlib.sha256).hexdigest()
        if not same(hook.headers.get("x-hub-signature-256", ""), f"sha256={signature}"):
            raise Refused
        return None

    async def check(self, http: aiohttp.ClientSession, webhook: str, variable: str) -> list[Finding]:
        """Play Meta's handshake with our own public address; `variable` names the setting of the verify token."""
        challenge = secrets.token_hex(8)
        query = {"hub.mode": "subscribe", "hub.verify_token": self._token, "hub.challenge": challenge}
        try:
            async with http.get(webhook, params=query, allow_redirects=False) as response:
                echoed = response.status == 200 and await response.text() == challenge
        except (aiohttp.ClientError, asyncio.TimeoutError, ValueError):
            return []  # that the address does not answer is found elsewhere
        if echoed:
            return [Finding(True, "the webhook answers Meta's handshake")]
        return [Finding(False, f"{variable}: the gateway at the public address has another: start it with this one")]


def error_codes(answer: Answer) -> tuple[int, int]:
    """Return the Graph API's error code and subcode; 0 for none."""
    code, subcode = string(answer.body, "error", "code"), string(answer.body, "error", "error_subcode")
    return int(code) if code.isdecimal() else 0, int(subcode) if subcode.isdecimal() else 0


def token_finding(answer: Answer, variable: str, right: str) -> Finding:
    """Return what an answer to a first call says of the token in `variable`; `right` is the sentence when it is taken."""
    if answer.status == 200:
        return Finding(True, right)
    code, _ = error_codes(answer)
    if code == 190:
        return Finding(False, f"{variable}: the token is wrong or has expired. Make a new one in the app's console")
    return Finding(False, f"{variable}: Meta answered {answer.status} (code {code}). Give the token the permissions of docs/channels.md")
