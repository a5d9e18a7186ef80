"""Messenger's Send API."""
from __future__ import annotations

import json
import time
from typing import Any, Iterable, Optional

from aiohttp import web

from fakes.base import Call, Sent, need, within
from fakes.meta import VERIFY, FakeMeta

PAGE = "682498171943165"


class FakeMessenger(FakeMeta):
    name = "messenger"
    user = "8514563258"
    app_secret, token = "messenger-app-secret", "messenger-page-token"
    url_setting, base_path = "ASSISTANT_MESSENGER_URL", "/v24.0"
    secrets = {"ASSISTANT_MESSENGER_APP_SECRET": app_secret, "ASSISTANT_MESSENGER_VERIFY_TOKEN": VERIFY,
               "ASSISTANT_MESSENGER_PAGE_TOKEN": token}
    subscribed = ["messages", "messaging_postbacks"]

    def routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/v24.0/me/messages", self.take)
        router.add_get("/v24.0/me", self.about)
        router.add_get("/v24.0/me/subscribed_apps", self.apps)

    async def about(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return self.error(400, 190)
        return web.json_response({"name": "Time for Therapy", "id": PAGE})

    async def apps(self, request: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "1", "name": "an app", "subscribed_fields": self.subscribed}]})

    def read(self, request: web.Request, body: bytes) -> Sent:
        self.authorised(request)
        value = json.loads(body)
        need(value["messaging_type"] == "RESPONSE", "messaging_type")
        message = value["message"]
        replies = message.get("quick_replies", [])
        need("attachment" not in message, "an attachment")
        need(len(replies) <= 13, f"{len(replies)} quick replies")
        need(all(reply["content_type"] == "text" for reply in replies), "content_type")
        options = tuple((within(reply["title"], 20, "title"), within(reply["payload"], 1000, "payload")) for reply in replies)
        return Sent(value["recipient"]["id"], within(message["text"], 2000, "text"), options, time.monotonic())

    def success(self, sent: Sent) -> web.StreamResponse:
        return web.json_response({"recipient_id": sent.user, "message_id": f"m_{self.next()}"})

    def busy(self, after: Optional[float]) -> web.StreamResponse:
        if after is not None:
            return super().busy(after)
        return self.error(400, 613)

    def blocking(self) -> web.StreamResponse:
        return self.error(400, 551, 1545041)

    def event(self, user: str, **more: Any) -> Any:
        return {"sender": {"id": user}, "recipient": {"id": PAGE}, "timestamp": int(time.time() * 1000) + self.next() % 1000, **more}

    def written(self, user: str, text: str, identity: Optional[str] = None) -> Any:
        return self.event(user, message={"mid": identity or f"m_{self.next()}", "text": text})

    def call(self, *events: Any) -> Call:
        return self.entries([events])

    def entries(self, entries: Iterable[Iterable[Any]]) -> Call:
        """A call with several entries, each with several events."""
        return self.signed(self.body({"object": "page", "entry": [
            {"id": PAGE, "time": int(time.time() * 1000), "messaging": list(events)} for events in entries]}))

    def press(self, user: str, token: str) -> Call:
        return self.call(self.event(user, message={"mid": f"m_{self.next()}", "text": "A label", "quick_reply": {"payload": token}}))

    def postback(self, user: str, payload: str) -> Call:
        """`user` presses a button that is not a quick reply, such as Get Started."""
        return self.call(self.event(user, postback={"mid": f"m_{self.next()}", "title": "A title", "payload": payload}))

    def media(self, user: str) -> Iterable[Call]:
        for kind in ("audio", "image", "video", "file", "fallback"):
            attachment = {"type": kind, "payload": {"url": "https://scontent.example/1"}}
            yield self.call(self.event(user, message={"mid": f"m_{self.next()}", "attachments": [attachment]}))
        sticker = {"type": "image", "payload": {"url": "https://scontent.example/1", "sticker_id": 369239263222822}}
        yield self.call(self.event(user, message={"mid": f"m_{self.next()}", "attachments": [sticker]}))

    def silent(self, user: str) -> Iterable[tuple[str, Call]]:
        echo = {"is_echo": True, "app_id": 1, "mid": f"m_{self.next()}", "text": "hello"}
        yield "echo", self.call({**self.event(PAGE, message=echo), "recipient": {"id": user}})
        yield "read", self.call(self.event(user, read={"watermark": 1}))
        yield "delivery", self.call(self.event(user, delivery={"mids": ["m_1"], "watermark": 1}))
        yield "reaction", self.call(self.event(user, reaction={"mid": "m_1", "action": "react", "emoji": "👍", "reaction": "like"}))
        yield "edit", self.call(self.event(user, message_edit={"mid": "m_1", "text": "hello again", "num_edit": 1}))
        yield "deleted", self.call(self.event(user, message={"mid": "m_1", "is_deleted": True}))
        yield "standby", self.signed(self.body({"object": "page", "entry": [{"id": PAGE, "standby": [self.written(user, "hello")]}]}))
