"""Facebook Messenger (https://developers.facebook.com/docs/messenger-platform)."""
from __future__ import annotations

from typing import Any, Mapping, Optional

import aiohttp

from assistant.settings import Settings
from gateway.channels.base import Acknowledgement, Blocked, Channel, Finding, Incoming, Part, Rejected, TryAgain, Webhook
from gateway.channels.calls import bearer, call
from gateway.channels.limits import MESSENGER
from gateway.channels.meta import BUSY, Hub, error_codes, token_finding
from gateway.channels.payload import inner, json_object, objects, string

NAME = "messenger"
SECRET, VERIFY, TOKEN = VARIABLES = ("ASSISTANT_MESSENGER_APP_SECRET", "ASSISTANT_MESSENGER_VERIFY_TOKEN", "ASSISTANT_MESSENGER_PAGE_TOKEN")
# What the page's "Get Started" button is told to send (docs/channels.md), and what it means.
GET_STARTED, GREETING = "GET_STARTED", "hello"
FIELDS = frozenset({"messages", "messaging_postbacks"})

# https://developers.facebook.com/docs/messenger-platform/error-codes
_BUSY = BUSY | {1200, 80006}
_BLOCKED_CODE, _BLOCKED_SUBCODE = 551, 1545041  # "This person isn't available right now"


def make(settings: Settings, secrets: Mapping[str, str]) -> Channel:
    """Return the channel."""
    return Messenger(settings.messenger_url, secrets)


class Messenger:
    """One Facebook page."""

    name, limits = NAME, MESSENGER

    def __init__(self, url: str, secrets: Mapping[str, str]) -> None:
        self._url, self._token = url, secrets[TOKEN]
        self._hub = Hub(secrets[SECRET], secrets[VERIFY])

    def verify(self, hook: Webhook) -> Optional[Acknowledgement]:
        """See gateway.channels.base.Channel."""
        return self._hub.verify(hook)

    def parse(self, hook: Webhook) -> list[Incoming]:
        """Return the messages and pressed buttons of all entries; echoes, edits, receipts and reactions are left out."""
        events = [event for entry in objects(json_object(hook.body), "entry") for event in objects(entry, "messaging")]
        found = (_incoming(event) for event in events)
        return [message for message in found if message is not None]

    def acknowledge(self, hook: Webhook) -> Acknowledgement:
        """See gateway.channels.base.Channel."""
        return Acknowledgement(body="EVENT_RECEIVED")

    async def settle(self, http: aiohttp.ClientSession, hook: Webhook) -> None:
        """Nothing is owed."""

    async def send(self, http: aiohttp.ClientSession, address: str, part: Part, key: str) -> None:
        """See gateway.channels.base.Channel."""
        message: dict[str, Any] = {"text": part.text}
        if part.options:
            message["quick_replies"] = [{"content_type": "text", "title": option.label, "payload": option.token} for option in part.options]
        body = {"recipient": {"id": address}, "messaging_type": "RESPONSE", "message": message}
        answer = await call(http, "POST", f"{self._url}/me/messages", json=body, headers=bearer(self._token))
        code, subcode = error_codes(answer)
        if code == _BLOCKED_CODE or subcode == _BLOCKED_SUBCODE:
            raise Blocked
        if code in _BUSY:
            raise TryAgain(answer.after)
        if answer.not_busy().status != 200:
            raise Rejected(f"Messenger refused a message: code {code}.")

    async def check(self, http: aiohttp.ClientSession, webhook: str) -> list[Finding]:
        """See gateway.channels.base.Channel."""
        page = await call(http, "GET", f"{self._url}/me", params={"fields": "name"}, headers=bearer(self._token))
        found = [*await self._hub.check(http, webhook, VERIFY),
                 token_finding(page, TOKEN, f"the token is right; people write to the page {string(page.body, 'name')}")]
        if page.status != 200:
            return found
        apps = await call(http, "GET", f"{self._url}/me/subscribed_apps", headers=bearer(self._token))
        subscribed = {str(field) for app in objects(apps.body, "data") for field in app.get("subscribed_fields") or []}
        missing = ", ".join(sorted(FIELDS - subscribed))
        if missing:
            return [*found, Finding(False, f"the page does not send {missing}: add them under Webhooks in the app's Messenger settings")]
        return [*found, Finding(True, "the page sends messages and pressed buttons to the app")]


def _incoming(event: Mapping[str, Any]) -> Optional[Incoming]:
    user, message, postback = string(event, "sender", "id"), inner(event, "message"), inner(event, "postback")
    if not user or message.get("is_echo") or not (message or postback):
        return None
    if postback:
        identity = string(postback, "mid") or f"{user}.{string(event, 'timestamp')}"
        if string(postback, "payload") == GET_STARTED:
            return Incoming(identity, user, user, "text", GREETING)
        return Incoming(identity, user, user, "choice", choice=string(postback, "payload"))
    identity, text = string(message, "mid"), string(message, "text")
    if not identity or message.get("is_deleted"):
        return None
    if string(message, "quick_reply", "payload"):
        return Incoming(identity, user, user, "choice", choice=string(message, "quick_reply", "payload"))
    return Incoming(identity, user, user, "text" if text else "media", text)
