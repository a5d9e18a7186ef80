"""WhatsApp, by Meta's Cloud API (https://developers.facebook.com/docs/whatsapp/cloud-api)."""
from __future__ import annotations

from typing import Any, Mapping, Optional

import aiohttp

from assistant.settings import Settings
from gateway.channels.base import Acknowledgement, Blocked, Channel, Finding, Incoming, Part, Rejected, TryAgain, Webhook
from gateway.channels.calls import bearer, call
from gateway.channels.limits import WHATSAPP
from gateway.channels.meta import BUSY, Hub, error_codes, token_finding
from gateway.channels.payload import inner, json_object, objects, string

NAME = "whatsapp"
SECRET, VERIFY, TOKEN, NUMBER = VARIABLES = (
    "ASSISTANT_WHATSAPP_APP_SECRET", "ASSISTANT_WHATSAPP_VERIFY_TOKEN", "ASSISTANT_WHATSAPP_ACCESS_TOKEN", "ASSISTANT_WHATSAPP_NUMBER_ID",
)
LIST_BUTTON = "Choose"

# https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
_BUSY = BUSY | {80007, 130429, 131000, 131016, 131048, 131056, 131057, 133004}
_BLOCKED = frozenset({131026})
# Nothing that a person would expect an answer to.
_SILENT = frozenset({"reaction", "system", "edit", "revoke", "request_welcome", "ephemeral"})


def make(settings: Settings, secrets: Mapping[str, str]) -> Channel:
    """Return the channel."""
    return WhatsApp(settings.whatsapp_url, secrets)


class WhatsApp:
    """One business number."""

    name, limits = NAME, WHATSAPP

    def __init__(self, url: str, secrets: Mapping[str, str]) -> None:
        self._url, self._token, self._number = url, secrets[TOKEN], secrets[NUMBER]
        self._hub = Hub(secrets[SECRET], secrets[VERIFY])

    def verify(self, hook: Webhook) -> Optional[Acknowledgement]:
        """See gateway.channels.base.Channel."""
        return self._hub.verify(hook)

    def parse(self, hook: Webhook) -> list[Incoming]:
        """Return the messages of all entries and changes; statuses and other numbers' messages are left out."""
        values = [inner(change, "value") for entry in objects(json_object(hook.body), "entry") for change in objects(entry, "changes")]
        ours = [value for value in values if string(value, "metadata", "phone_number_id") == self._number]
        found = (_incoming(message) for value in ours for message in objects(value, "messages"))
        return [message for message in found if message is not None]

    def acknowledge(self, hook: Webhook) -> Acknowledgement:
        """See gateway.channels.base.Channel."""
        return Acknowledgement()

    async def settle(self, http: aiohttp.ClientSession, hook: Webhook) -> None:
        """Nothing is owed."""

    async def send(self, http: aiohttp.ClientSession, address: str, part: Part, key: str) -> None:
        """See gateway.channels.base.Channel."""
        body = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": address, **_content(part)}
        answer = await call(http, "POST", f"{self._url}/{self._number}/messages", json=body, headers=bearer(self._token))
        code, _ = error_codes(answer.not_busy())
        if code in _BUSY:
            raise TryAgain(answer.after)
        if code in _BLOCKED:
            raise Blocked
        if answer.status != 200:
            raise Rejected(f"WhatsApp refused a message: code {code}.")

    async def check(self, http: aiohttp.ClientSession, webhook: str) -> list[Finding]:
        """See gateway.channels.base.Channel."""
        answer = await call(http, "GET", f"{self._url}/{self._number}", params={"fields": "display_phone_number,verified_name"},
                            headers=bearer(self._token))
        found = await self._hub.check(http, webhook, VERIFY)
        if answer.status in (400, 404) and error_codes(answer)[0] == 100:
            return [*found, Finding(False, f"{NUMBER}: this token has no such number. Copy the phone number ID from API Setup")]
        number = string(answer.body, "display_phone_number")
        return [*found, token_finding(answer, TOKEN, f"the token is right; people write to {number}")]


def _incoming(message: Mapping[str, Any]) -> Optional[Incoming]:
    identity, user, kind = (string(message, name) for name in ("id", "from", "type"))
    if not identity or not user or kind in _SILENT:
        return None
    if kind == "interactive":
        pressed = inner(message, kind, string(message, kind, "type"))
        return Incoming(identity, user, user, "choice", choice=string(pressed, "id"))
    if kind == "button":
        text = string(message, kind, "text")
    else:
        text = string(message, "text", "body") if kind == "text" else string(message, kind, "caption")
    return Incoming(identity, user, user, "text" if text else "media", text)


def _content(part: Part) -> dict[str, Any]:
    if part.style == "buttons":
        buttons = [{"type": "reply", "reply": {"id": option.token, "title": option.label}} for option in part.options]
        return {"type": "interactive", "interactive": {"type": "button", "body": {"text": part.text}, "action": {"buttons": buttons}}}
    if part.style == "list":
        rows = [{"id": option.token, "title": option.label, **({"description": option.detail} if option.detail else {})}
                for option in part.options]
        action = {"button": LIST_BUTTON, "sections": [{"rows": rows}]}
        return {"type": "interactive", "interactive": {"type": "list", "body": {"text": part.text}, "action": action}}
    return {"type": "text", "text": {"preview_url": False, "body": part.text}}
