"""SMS, and WhatsApp by Twilio (https://www.twilio.com/docs/messaging). Replies go by the API, never as TwiML."""
from __future__ import annotations

import re
from typing import Mapping, Optional
from urllib.parse import parse_qsl, urlsplit

import aiohttp
from multidict import MultiDict
from twilio.request_validator import RequestValidator, add_port, remove_port

from assistant.errors import SettingsError
from assistant.settings import Settings
from gateway.channels.base import Acknowledgement, Blocked, Channel, Finding, Incoming, Part, Refused, Rejected, Webhook
from gateway.channels.calls import call
from gateway.channels.limits import TWILIO
from gateway.channels.payload import objects, same, string

NAME = "twilio"
ACCOUNT, TOKEN = VARIABLES = ("ASSISTANT_TWILIO_ACCOUNT_SID", "ASSISTANT_TWILIO_AUTH_TOKEN")

_ACCOUNT_FORM = re.compile(r"AC[0-9a-f]{32}")
# https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out: Twilio has answered this message, and takes no other answer.
_STOP = "STOP"
_OPTED_OUT = "21610"  # https://www.twilio.com/docs/api/errors/21610


def make(settings: Settings, secrets: Mapping[str, str]) -> Channel:
    """Return the channel. Raises SettingsError without a public address, which is what Twilio signs, and for a malformed account."""
    if not settings.public_url:
        raise SettingsError("ASSISTANT_PUBLIC_URL: Twilio signs the gateway's public address: set it, such as to https://chat.example.org.")
    if not _ACCOUNT_FORM.fullmatch(secrets[ACCOUNT]):
        raise SettingsError(f"{ACCOUNT}: give AC and 32 hexadecimal digits, as the console's front page shows it.")
    return Twilio(settings.twilio_url, secrets)


class Twilio:
    """All numbers of one account: who writes to a number is answered from it."""

    name, limits = NAME, TWILIO

    def __init__(self, url: str, secrets: Mapping[str, str]) -> None:
        self._account = f"{url}/2010-04-01/Accounts/{secrets[ACCOUNT]}"
        self._login = aiohttp.BasicAuth(secrets[ACCOUNT], secrets[TOKEN])
        self._validator = RequestValidator(secrets[TOKEN])

    def verify(self, hook: Webhook) -> Optional[Acknowledgement]:
        """See gateway.channels.base.Channel; Twilio signs the address with its port or without."""
        try:
            form = _form(hook)
        except ValueError:
            raise Refused from None
        address = urlsplit(hook.url)
        given = hook.headers.get("x-twilio-signature", "")
        signatures = [self._validator.compute_signature(form_of(address), form) for form_of in (remove_port, add_port)]
        if not any([same(given, signature) for signature in signatures]):
            raise Refused
        return None

    def parse(self, hook: Webhook) -> list[Incoming]:
        """Return the message; reports of what became of our own messages, and farewells, are left out."""
        form = _form(hook)
        identity, user, ours = (form.get(name, "") for name in ("MessageSid", "From", "To"))
        if not identity or not user or not ours or "MessageStatus" in form or form.get("SmsStatus", "received") != "received":
            return []
        if form.get("OptOutType") == _STOP:
            return []
        text = form.get("Body", "")
        if not text.strip() and form.get("NumMedia", "0") in ("", "0"):
            return []
        return [Incoming(identity, user, f"{user} {ours}", "text" if text.strip() else "media", text)]

    def acknowledge(self, hook: Webhook) -> Acknowledgement:
        """See gateway.channels.base.Channel: TwiML that says nothing."""
        return Acknowledgement(body="<Response/>", content_type="text/xml; charset=utf-8")

    async def settle(self, http: aiohttp.ClientSession, hook: Webhook) -> None:
        """Nothing is owed."""

    async def send(self, http: aiohttp.ClientSession, address: str, part: Part, key: str) -> None:
        """See gateway.channels.base.Channel; an address is the person's number and ours."""
        user, _, ours = address.partition(" ")
        form = {"To": user, "From": ours, "Body": part.text}
        answer = await call(http, "POST", f"{self._account}/Messages.json", data=form, auth=self._login)
        code = string(answer.not_busy().body, "code")
        if code == _OPTED_OUT:
            raise Blocked
        if answer.status not in (200, 201):
            raise Rejected(f"Twilio refused a message: code {code or answer.status}.")

    async def check(self, http: aiohttp.ClientSession, webhook: str) -> list[Finding]:
        """See gateway.channels.base.Channel."""
        account = await call(http, "GET", f"{self._account}.json", auth=self._login)
        if account.status != 200:
            return [Finding(False, f"{TOKEN}: Twilio answered {account.status}. Copy account SID and auth token from the console again")]
        right = Finding(True, f"account and token are right ({string(account.body, 'friendly_name')})")
        numbers = await call(http, "GET", f"{self._account}/IncomingPhoneNumbers.json", auth=self._login)
        ours = [string(number, "phone_number") for number in objects(numbers.body, "incoming_phone_numbers")
                if number.get("sms_url") == webhook]
        if not ours:
            return [right, Finding(False, f"no number sends to {webhook}: set it under Phone Numbers, Messaging, A message comes in")]
        return [right, Finding(True, f"people write to {', '.join(ours)}")]


def _form(hook: Webhook) -> "MultiDict[str]":
    """Blank fields are signed too, so they are kept. Raises ValueError."""
    return MultiDict(parse_qsl(hook.body.decode(), keep_blank_values=True))
