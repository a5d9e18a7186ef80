"""Twilio's messaging webhooks and API."""
from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import time
from typing import Any, Iterable, Mapping, Optional
from urllib.parse import parse_qs, urlencode

import aiohttp
from aiohttp import web

from fakes.base import Call, FakeService, Sent, need, within

ACCOUNT = "AC" + "0123456789abcdef" * 2
OURS = "+447700900999"


class FakeTwilio(FakeService):
    name = "twilio"
    user = "+447700900123"
    token = "twilio-auth-token"
    url_setting = "ASSISTANT_TWILIO_URL"
    secrets = {"ASSISTANT_TWILIO_ACCOUNT_SID": ACCOUNT, "ASSISTANT_TWILIO_AUTH_TOKEN": token}
    signature_headers = ("X-Twilio-Signature",)

    def __init__(self) -> None:
        super().__init__()
        self.sms_url = self.address

    @property
    def address(self) -> str:
        return f"{self.public}/webhooks/twilio"

    def routes(self, router: web.UrlDispatcher) -> None:
        router.add_post(f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json", self.take)
        router.add_get("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers.json", self.numbers)
        router.add_get("/2010-04-01/Accounts/{account}.json", self.about)

    def _known(self, request: web.Request) -> bool:
        return request.headers.get("Authorization") == aiohttp.BasicAuth(ACCOUNT, self.token).encode()

    async def about(self, request: web.Request) -> web.Response:
        if not self._known(request):
            return web.json_response({"code": 20003, "message": "Authenticate", "status": 401}, status=401)
        return web.json_response({"sid": ACCOUNT, "friendly_name": "A practice", "status": "active"})

    async def numbers(self, request: web.Request) -> web.Response:
        return web.json_response({"incoming_phone_numbers": [{"phone_number": OURS, "sms_url": self.sms_url, "sms_method": "POST"}]})

    def read(self, request: web.Request, body: bytes) -> Sent:
        need(self._known(request), "the login is wrong")
        need(request.content_type == "application/x-www-form-urlencoded", "Content-Type")
        form = {name: values[0] for name, values in parse_qs(body.decode(), strict_parsing=True).items()}
        need(form["From"].removeprefix("whatsapp:") == OURS, "From is not a number of the account")
        need(form["From"].startswith("whatsapp:") == form["To"].startswith("whatsapp:"), "SMS and WhatsApp are mixed")
        return Sent(form["To"], within(form["Body"], 1600, "Body"), (), time.monotonic())

    def success(self, sent: Sent) -> web.StreamResponse:
        return web.json_response({"sid": f"SM{self.next():032x}", "status": "queued"}, status=201)

    def busy(self, after: Optional[float]) -> web.StreamResponse:
        headers = {} if after is None else {"Retry-After": str(int(after))}
        return web.json_response({"code": 20429, "message": "Too Many Requests", "status": 429}, status=429, headers=headers)

    def blocking(self) -> web.StreamResponse:
        return web.json_response({"code": 21610, "message": "Attempt to send to unsubscribed recipient", "status": 400}, status=400)

    def refusal(self) -> web.StreamResponse:
        return web.json_response({"code": 21602, "message": "Message body is required", "status": 400}, status=400)

    def signed(self, form: Mapping[str, str], url: str = "", secret: Optional[str] = None) -> Call:
        text = (url or self.address) + "".join(name + form[name] for name in sorted(form))
        digest = base64.b64encode(hmac.new((secret or self.token).encode(), text.encode(), hashlib.sha1).digest()).decode()
        return Call({"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8", "X-Twilio-Signature": digest,
                     "I-Twilio-Idempotency-Token": str(self.next())}, urlencode(form).encode())

    def forged(self, user: str) -> Iterable[tuple[str, Call]]:
        form = self.written(user, "hello there")
        yield from self.forgeries(self.signed(form), lambda _: self.signed(form, secret="another token"))
        yield "signed for another address", self.signed(form, "https://evil.example/webhooks/twilio")
        yield "a field more", dataclasses.replace(self.signed(form), body=self.signed(form).body + b"&Extra=1")
        yield "the blank fields left out", dataclasses.replace(
            self.signed(form), body=urlencode({name: value for name, value in form.items() if value}).encode())

    def written(self, user: str, text: str, identity: Optional[str] = None) -> Any:
        sid = identity or f"SM{self.next():032x}"
        service = "whatsapp:" if user.startswith("whatsapp:") else ""
        # Blank fields are sent, and signed.
        return {"ToCountry": "GB", "ToState": "", "SmsMessageSid": sid, "NumMedia": "0", "ToCity": "", "FromZip": "", "SmsSid": sid,
                "FromState": "", "SmsStatus": "received", "FromCity": "", "Body": text, "FromCountry": "GB", "To": service + OURS,
                "ToZip": "", "NumSegments": "1", "MessageSid": sid, "AccountSid": ACCOUNT, "From": user, "ApiVersion": "2010-04-01"}

    def call(self, *events: Any) -> Call:
        (event,) = events  # Twilio has no batches
        return self.signed(event)

    def press(self, user: str, token: str) -> Call:
        raise NotImplementedError("there are no buttons here")

    def media(self, user: str) -> Iterable[Call]:
        yield self.call({**self.written(user, ""), "NumMedia": "1", "MediaContentType0": "image/jpeg", "MediaUrl0": "https://api.example/1"})

    def silent(self, user: str) -> Iterable[tuple[str, Call]]:
        yield "status", self.call({"SmsSid": "SM1", "SmsStatus": "delivered", "MessageStatus": "delivered", "To": user, "From": OURS,
                                   "MessageSid": f"SM{self.next():032x}", "AccountSid": ACCOUNT, "ApiVersion": "2010-04-01"})
        yield "farewell", self.call({**self.written(user, "STOP"), "OptOutType": "STOP"})
        yield "blank", self.call(self.written(user, ""))
