"""Slack: direct messages, mentions and pressed buttons (https://docs.slack.dev/apis/events-api)."""
from __future__ import annotations

import re
from html import unescape
from typing import Any, Mapping, Optional
from urllib.parse import parse_qs

import aiohttp
from slack_sdk.signature import Clock, SignatureVerifier

from assistant.settings import Settings
from gateway.channels.base import Acknowledgement, Blocked, Channel, Finding, Incoming, Part, Refused, Rejected, TryAgain, Webhook
from gateway.channels.calls import bearer, call
from gateway.channels.limits import SLACK, slack_escaped
from gateway.channels.payload import inner, is_form, json_object, objects, string

NAME = "slack"
SECRET, TOKEN = VARIABLES = ("ASSISTANT_SLACK_SIGNING_SECRET", "ASSISTANT_SLACK_BOT_TOKEN")
SCOPES = frozenset({"chat:write", "im:history"})

# https://docs.slack.dev/reference/methods/chat.postMessage (errors)
_BUSY = frozenset({"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"})
_BLOCKED = frozenset({"channel_not_found", "is_archived", "messages_tab_disabled", "user_disabled", "user_not_found"})
_WRITTEN = frozenset({"", "file_share", "thread_broadcast"})  # subtypes of what a person wrote; edits and deletions are others
_MENTION = re.compile(r"<@[A-Z0-9]+(?:\|[^>]*)?>")
_LINK = re.compile(r"<([^>|]+)(?:\|([^>]*))?>")


def make(settings: Settings, secrets: Mapping[str, str]) -> Channel:
    """Return the channel."""
    return Slack(settings.slack_url, secrets)


class Slack:
    """One app in one workspace. `clock` tells the present, in seconds since 1970."""

    name, limits = NAME, SLACK

    def __init__(self, url: str, secrets: Mapping[str, str], clock: Optional[Clock] = None) -> None:
        self._url, self._token = url, secrets[TOKEN]
        self._verifier = SignatureVerifier(secrets[SECRET], clock or Clock())

    def verify(self, hook: Webhook) -> Optional[Acknowledgement]:
        """See gateway.channels.base.Channel; the handshake of the console is signed too."""
        timestamp, signature = hook.headers.get("x-slack-request-timestamp"), hook.headers.get("x-slack-signature")
        try:
            genuine = self._verifier.is_valid(hook.body, timestamp, signature)
        except (ValueError, OverflowError, TypeError):  # a timestamp that is no number, a signature or a body that is no text
            genuine = False
        if not genuine:
            raise Refused
        if not is_form(hook) and hook.body.lstrip().startswith(b"{"):
            payload = json_object(hook.body)
            if payload.get("type") == "url_verification":
                return Acknowledgement(body=string(payload, "challenge"))
        return None

    def parse(self, hook: Webhook) -> list[Incoming]:
        """Return the message or the pressed buttons; what bots wrote, edits and everything else is left out."""
        if is_form(hook):
            form = parse_qs(hook.body.decode())
            return _pressed(json_object(form["payload"][0])) if "payload" in form else []
        payload = json_object(hook.body)
        message = _written(payload) if payload.get("type") == "event_callback" else None
        return [message] if message is not None else []

    def acknowledge(self, hook: Webhook) -> Acknowledgement:
        """See gateway.channels.base.Channel; words here would be shown in place of the pressed button."""
        return Acknowledgement()

    async def settle(self, http: aiohttp.ClientSession, hook: Webhook) -> None:
        """Nothing is owed."""

    async def send(self, http: aiohttp.ClientSession, address: str, part: Part, key: str) -> None:
        """See gateway.channels.base.Channel; an address is a channel, and a thread in it if the person wrote there."""
        channel, _, thread = address.partition(" ")
        text = slack_escaped(part.text)
        body = {"channel": channel, "text": text, "unfurl_links": False, "unfurl_media": False,
                **({"thread_ts": thread} if thread else {}), **({"blocks": _blocks(text, part)} if part.options else {})}
        answer = (await call(http, "POST", f"{self._url}/chat.postMessage", json=body, headers=bearer(self._token))).not_busy()
        error = string(answer.body, "error")
        if error in _BUSY:
            raise TryAgain(answer.after)
        if error in _BLOCKED:
            raise Blocked
        if answer.body.get("ok") is not True:
            raise Rejected(f"Slack refused a message: {error or answer.status}.")

    async def check(self, http: aiohttp.ClientSession, webhook: str) -> list[Finding]:
        """See gateway.channels.base.Channel."""
        answer = await call(http, "POST", f"{self._url}/auth.test", headers=bearer(self._token))
        if answer.body.get("ok") is not True:
            error = string(answer.body, "error") or answer.status
            return [Finding(False, f"{TOKEN}: Slack answered {error}. Copy the bot token (xoxb-…) from OAuth & Permissions again")]
        right = Finding(True, f"the token is right; the app is {string(answer.body, 'user')} in {string(answer.body, 'team')}")
        missing = ", ".join(sorted(SCOPES - {scope.strip() for scope in answer.headers.get("x-oauth-scopes", "").split(",")}))
        if missing:
            return [right, Finding(False, f"the scopes {missing} are missing: add them under OAuth & Permissions, then reinstall the app")]
        return [right, Finding(True, "the app may read direct messages and write")]


def _written(payload: Mapping[str, Any]) -> Optional[Incoming]:
    """A direct message, or a mention elsewhere: that is answered in a direct message, where nobody else reads it."""
    event = inner(payload, "event")
    identity, user, kind = string(payload, "event_id"), string(event, "user"), string(event, "type")
    direct = kind == "message" and event.get("channel_type") == "im"
    if not (direct or kind == "app_mention") or not identity or not user or event.get("bot_id") or string(event, "subtype") not in _WRITTEN:
        return None
    channel, thread = string(event, "channel"), string(event, "thread_ts")
    address = f"{channel} {thread}".strip() if direct else user
    text = plain(string(event, "text"))
    if not text and not event.get("files"):
        return None
    return Incoming(identity, f"{string(payload, 'team_id')}.{user}", address, "text" if text else "media", text)


def _pressed(payload: Mapping[str, Any]) -> list[Incoming]:
    user, team = string(payload, "user", "id"), string(payload, "team", "id")
    channel, thread = string(payload, "channel", "id"), string(payload, "message", "thread_ts")
    if payload.get("type") != "block_actions" or not user or not channel:
        return []
    return [Incoming(f"{team}.{user}.{string(action, 'action_ts')}", f"{team}.{user}", f"{channel} {thread}".strip(), "choice",
                     choice=string(action, "value"))
            for action in objects(payload, "actions") if action.get("type") == "button" and string(action, "action_ts")]


def plain(text: str) -> str:
    """Return what a person wrote, without Slack's marks for mentions and links."""
    shown = _LINK.sub(lambda found: found[2] or found[1], _MENTION.sub("", text))
    return unescape(shown).strip()


def _blocks(text: str, part: Part) -> list[dict[str, Any]]:
    buttons = [{"type": "button", "action_id": f"choice-{number}", "value": option.token,
                "text": {"type": "plain_text", "text": option.label, "emoji": False}} for number, option in enumerate(part.options)]
    return [{"type": "section", "text": {"type": "mrkdwn", "text": text}}, {"type": "actions", "elements": buttons}]
