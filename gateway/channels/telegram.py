"""Telegram, by the Bot API (https://core.telegram.org/bots/api): private chats with one bot."""
from __future__ import annotations

import re
from typing import Any, Mapping, Optional

import aiohttp

from assistant.errors import SettingsError
from assistant.settings import Settings
from gateway.channels.base import Acknowledgement, Blocked, Channel, Finding, Incoming, Part, Refused, Rejected, Webhook
from gateway.channels.calls import call
from gateway.channels.limits import TELEGRAM
from gateway.channels.payload import inner, json_object, same, string

NAME = "telegram"
TOKEN, SECRET = VARIABLES = ("ASSISTANT_TELEGRAM_BOT_TOKEN", "ASSISTANT_TELEGRAM_SECRET_TOKEN")
UPDATES = frozenset({"message", "callback_query"})
# What everyone's first message is: the app's Start button sends it.
START, GREETING = "/start", "hello"

_SECRET_FORM = re.compile(r"[A-Za-z0-9_-]{1,256}")
_MEDIA = frozenset({
    "animation", "audio", "contact", "dice", "document", "game", "location", "paid_media", "photo", "poll", "sticker", "story", "venue",
    "video", "video_note", "voice",
})


def make(settings: Settings, secrets: Mapping[str, str]) -> Channel:
    """Return the channel. Raises SettingsError when the secret token is of a form that Telegram does not take."""
    if not _SECRET_FORM.fullmatch(secrets[SECRET]):
        raise SettingsError(f"{SECRET}: give 1 to 256 of A-Z a-z 0-9 _ -, such as from `openssl rand -hex 32`.")
    return Telegram(settings.telegram_url, secrets)


class Telegram:
    """One bot."""

    name, limits = NAME, TELEGRAM

    def __init__(self, url: str, secrets: Mapping[str, str]) -> None:
        self._methods, self._secret = f"{url}/bot{secrets[TOKEN]}", secrets[SECRET]

    def verify(self, hook: Webhook) -> Optional[Acknowledgement]:
        """See gateway.channels.base.Channel."""
        if not same(hook.headers.get("x-telegram-bot-api-secret-token", ""), self._secret):
            raise Refused
        return None

    def parse(self, hook: Webhook) -> list[Incoming]:
        """Return the message or the pressed button of a private chat; edits, groups and everything else is left out."""
        update = json_object(hook.body)
        identity, message, query = string(update, "update_id"), inner(update, "message"), inner(update, "callback_query")
        if not identity:
            raise ValueError("no update_id")
        if query:
            user = string(query, "from", "id")
            return [Incoming(identity, user, user, "choice", choice=string(query, "data"))] if user else []
        user, chat = string(message, "from", "id"), inner(message, "chat")
        if not user or chat.get("type") != "private" or inner(message, "from").get("is_bot") is True:
            return []
        text = string(message, "text") or string(message, "caption")
        if not text and not _MEDIA & message.keys():
            return []
        return [Incoming(identity, user, string(chat, "id"), "text" if text else "media", GREETING if text.strip() == START else text)]

    def acknowledge(self, hook: Webhook) -> Acknowledgement:
        """See gateway.channels.base.Channel."""
        return Acknowledgement()

    async def settle(self, http: aiohttp.ClientSession, hook: Webhook) -> None:
        """Answer a callback query, so that the button stops spinning."""
        query = string(json_object(hook.body), "callback_query", "id")
        if query:
            await call(http, "POST", f"{self._methods}/answerCallbackQuery", json={"callback_query_id": query})

    async def send(self, http: aiohttp.ClientSession, address: str, part: Part, key: str) -> None:
        """See gateway.channels.base.Channel."""
        body: dict[str, Any] = {"chat_id": address, "text": part.text, "link_preview_options": {"is_disabled": True}}
        if part.options:
            keyboard = [[{"text": option.label, "callback_data": option.token}] for option in part.options]
            body["reply_markup"] = {"inline_keyboard": keyboard}
        answer = await call(http, "POST", f"{self._methods}/sendMessage", json=body)
        wait = string(answer.body, "parameters", "retry_after")
        answer.not_busy(float(wait) if wait.isdecimal() else None)
        if answer.status == 403:  # "bot was blocked by the user", "user is deactivated"
            raise Blocked
        if answer.body.get("ok") is not True:
            raise Rejected(f"Telegram refused a message: {answer.status}.")

    async def check(self, http: aiohttp.ClientSession, webhook: str) -> list[Finding]:
        """See gateway.channels.base.Channel."""
        me = await call(http, "GET", f"{self._methods}/getMe")
        if me.body.get("ok") is not True:
            return [Finding(False, f"{TOKEN}: Telegram answered {me.status}. Ask @BotFather for the token again (/mybots, API Token)")]
        found = [Finding(True, f"the token is right; people write to @{string(me.body, 'result', 'username')}")]
        info = inner((await call(http, "GET", f"{self._methods}/getWebhookInfo")).body, "result")
        given, allowed = string(info, "url"), info.get("allowed_updates")
        if given != webhook:
            return [*found, Finding(False, f"Telegram sends to {given or 'nobody'}: call setWebhook with {webhook} (docs/channels.md)")]
        found.append(Finding(True, f"Telegram sends to {webhook}"))
        if isinstance(allowed, list) and not UPDATES <= set(allowed):
            found.append(Finding(False, "allowed_updates lacks message or callback_query: call setWebhook again (docs/channels.md)"))
        error = string(info, "last_error_message")
        if error:
            found.append(Finding(False, f"the last delivery failed: {error}. If it is 401, call setWebhook again with {SECRET}"))
        return found
