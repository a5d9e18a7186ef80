"""What the fakes of WhatsApp and Messenger share."""
from __future__ import annotations

import hashlib
import hmac
from typing import Any, Iterable, Optional
from urllib.parse import urlencode

from aiohttp import web

from fakes.base import Call, FakeService, as_json, need

VERIFY = "a-verify-token"


class FakeMeta(FakeService):
    app_secret = ""
    token = ""
    signature_headers = ("X-Hub-Signature-256",)

    def signed(self, body: bytes, secret: Optional[str] = None) -> Call:
        digest = hmac.new((secret or self.app_secret).encode(), body, hashlib.sha256).hexdigest()
        return Call({"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={digest}", "User-Agent": "facebookplatform"}, body)

    def forged(self, user: str) -> Iterable[tuple[str, Call]]:
        genuine = self.text(user, "hello there")
        yield from self.forgeries(genuine, lambda body: self.signed(body, "another secret"))
        sha1 = hmac.new(self.app_secret.encode(), genuine.body, hashlib.sha1).hexdigest()
        yield "the sender chooses the hash", genuine.with_headers(X_Hub_Signature_256=f"sha1={sha1}")
        yield "the old header alone", genuine.without("X-Hub-Signature-256").with_headers(X_Hub_Signature=f"sha1={sha1}")
        yield "no scheme", genuine.with_headers(X_Hub_Signature_256=genuine.headers["X-Hub-Signature-256"].partition("=")[2])
        yield "wrong verify token", self.handshake("wrong")
        yield "wrong mode", self.handshake(mode="unsubscribe")
        yield "handshake without parameters", Call({}, method="GET")

    def handshake(self, token: str = VERIFY, mode: str = "subscribe") -> Call:
        return Call({}, method="GET", query=urlencode({"hub.mode": mode, "hub.verify_token": token, "hub.challenge": "1158201444"}))

    def authorised(self, request: web.Request) -> None:
        need(request.headers.get("Authorization") == f"Bearer {self.token}", "the token is wrong")

    def error(self, status: int, code: int, subcode: int = 0) -> web.Response:
        error: dict[str, Any] = {"message": f"(#{code})", "type": "OAuthException", "code": code, "fbtrace_id": "A"}
        return web.json_response({"error": {**error, **({"error_subcode": subcode} if subcode else {})}}, status=status)

    def refusal(self) -> web.StreamResponse:
        return self.error(400, 100)

    def body(self, value: Any) -> bytes:
        return as_json(value)
