"""Slack's Events API and Web API."""
from __future__ import annotations

import hashlib
import hmac
import html
import json
import time
from typing import Any, Iterable, Mapping, Optional
from urllib.parse import urlencode

from aiohttp import web

from fakes.base import Call, FakeService, Sent, as_json, need, within

TEAM = "T0123ABC"


class FakeSlack(FakeService):
    name = "slack"
    user = "U0123XYZ"
    signing_secret, token = "8f742231b10e8888abcd99yyyzzz85a5", "xoxb-slack-bot-token"
    url_setting, base_path = "ASSISTANT_SLACK_URL", "/api"
    secrets = {"ASSISTANT_SLACK_SIGNING_SECRET": signing_secret, "ASSISTANT_SLACK_BOT_TOKEN": token}
    signature_headers = ("X-Slack-Signature", "X-Slack-Request-Timestamp")
    scopes = "chat:write,im:history,im:write"

    def routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/api/chat.postMessage", self.take)
        router.add_post("/api/auth.test", self.about)

    async def about(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.json_response({"ok": False, "error": "invalid_auth"})
        return web.json_response({"ok": True, "team": "A practice", "user": "assistant"}, headers={"X-OAuth-Scopes": self.scopes})

    def read(self, request: web.Request, body: bytes) -> Sent:
        need(request.headers.get("Authorization") == f"Bearer {self.token}", "the token is wrong")
        need(request.content_type == "application/json", "Content-Type")
        value = json.loads(body)
        need(value.get("unfurl_links") is False and value.get("unfurl_media") is False, "a preview would tell another site")
        text, options = within(value["text"], 3000, "text"), ()
        if "blocks" in value:
            section, actions = value["blocks"]
            need(section["type"] == "section" and section["text"]["type"] == "mrkdwn", "the first block")
            need(within(section["text"]["text"], 3000, "section") == text, "the notification and the section differ")
            options = self._elements(actions)
        need(not any(mark in text for mark in ("<", ">")), "unescaped markup")
        return Sent(self.person(value["channel"]), html.unescape(text), options, time.monotonic())

    def _elements(self, actions: Mapping[str, Any]) -> Any:
        elements = actions["elements"]
        need(actions["type"] == "actions" and 1 <= len(elements) <= 25, f"{len(elements)} elements")
        need(all(element["type"] == "button" and element["text"]["type"] == "plain_text" for element in elements), "elements")
        need(len({element["action_id"] for element in elements}) == len(elements), "action_ids are not unique")
        return tuple((within(element["text"]["text"], 75, "button"), within(element["value"], 2000, "value")) for element in elements)

    @staticmethod
    def channel(user: str) -> str:
        """The direct-message channel of a person."""
        return f"D{user[1:]}"

    @staticmethod
    def person(channel: str) -> str:
        """Whose direct messages a channel is; a person's own id stands for it too."""
        return f"U{channel[1:]}"

    def success(self, sent: Sent) -> web.StreamResponse:
        return web.json_response({"ok": True, "channel": self.channel(sent.user), "ts": f"{time.time():.6f}"})

    def busy(self, after: Optional[float]) -> web.StreamResponse:
        headers = {} if after is None else {"Retry-After": str(int(after))}
        return web.json_response({"ok": False, "error": "ratelimited"}, status=429 if after is not None else 200, headers=headers)

    def blocking(self) -> web.StreamResponse:
        return web.json_response({"ok": False, "error": "messages_tab_disabled"})

    def refusal(self) -> web.StreamResponse:
        return web.json_response({"ok": False, "error": "invalid_blocks"})

    def signed(self, body: bytes, content_type: str = "application/json; charset=utf-8", at: Optional[float] = None,
               secret: Optional[str] = None) -> Call:
        timestamp = str(int(time.time() if at is None else at))
        digest = hmac.new((secret or self.signing_secret).encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()
        return Call({"Content-Type": content_type, "X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}, body)

    def forged(self, user: str) -> Iterable[tuple[str, Call]]:
        genuine = self.text(user, "hello there")
        yield from self.forgeries(genuine, lambda body: self.signed(body, secret="another secret"))
        yield "stale", self.signed(genuine.body, at=time.time() - 301)
        yield "from the future", self.signed(genuine.body, at=time.time() + 302)
        for timestamp in ("", "soon", "1.5", "9" * 400, "-1", "\u00b2"):
            yield f"timestamp {timestamp[:5]}", genuine.with_headers(X_Slack_Request_Timestamp=timestamp)
        yield "another time", genuine.with_headers(X_Slack_Request_Timestamp=str(int(time.time()) - 60))
        yield "handshake unsigned", Call({"Content-Type": "application/json"}, b'{"type":"url_verification","challenge":"x"}')

    def message(self, user: str, text: str, **more: Any) -> Any:
        return {"type": "message", "channel": self.channel(user), "channel_type": "im", "user": user, "text": text,
                "ts": f"{time.time():.6f}", **more}

    def envelope(self, event: Any, identity: Optional[str] = None) -> Any:
        return {"type": "event_callback", "team_id": TEAM, "api_app_id": "A1", "event_id": identity or f"Ev{self.next()}",
                "event_time": int(time.time()), "event": event}

    def written(self, user: str, text: str, identity: Optional[str] = None) -> Any:
        return self.envelope(self.message(user, html.escape(text, quote=False)), identity)

    def call(self, *events: Any) -> Call:
        (event,) = events  # Slack has no batches
        return self.signed(as_json(event))

    def form(self, payload: Any) -> Call:
        """An interactive payload: JSON inside a form."""
        return self.signed(urlencode({"payload": json.dumps(payload)}).encode(), "application/x-www-form-urlencoded")

    def press(self, user: str, token: str) -> Call:
        action = {"type": "button", "action_id": "choice-0", "block_id": "b", "value": token, "action_ts": f"{self.next() / 1000:.3f}",
                  "text": {"type": "plain_text", "text": "A label"}}
        return self.form({"type": "block_actions", "team": {"id": TEAM}, "user": {"id": user}, "channel": {"id": self.channel(user)},
                          "message": {"ts": "1.1"}, "trigger_id": "1.2.3", "actions": [action]})

    def media(self, user: str) -> Iterable[Call]:
        yield self.call(self.envelope(self.message(user, "", subtype="file_share", files=[{"id": "F1", "mimetype": "audio/mp4"}])))

    def silent(self, user: str) -> Iterable[tuple[str, Call]]:
        changed = {"type": "message", "subtype": "message_changed", "channel": self.channel(user), "channel_type": "im",
                   "message": self.message(user, "hello again"), "previous_message": self.message(user, "hello")}
        yield "edit", self.call(self.envelope(changed))
        yield "deletion", self.call(self.envelope({**changed, "subtype": "message_deleted"}))
        yield "bot", self.call(self.envelope(self.message(user, "hello", bot_id="B1")))
        yield "bot by subtype", self.call(self.envelope(self.message(user, "hello", subtype="bot_message")))
        yield "reaction", self.call(self.envelope({"type": "reaction_added", "user": user, "reaction": "thumbsup", "item": {}}))
        yield "public channel", self.call(self.envelope({**self.message(user, "hello"), "channel": "C1", "channel_type": "channel"}))
        yield "view", self.form({"type": "view_closed", "user": {"id": user}, "team": {"id": TEAM}})
