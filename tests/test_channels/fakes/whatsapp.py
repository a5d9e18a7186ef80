"""WhatsApp's Cloud API."""
from __future__ import annotations

import json
import time
from typing import Any, Iterable, Mapping, Optional

from aiohttp import web

from fakes.base import Call, Sent, need, within
from fakes.meta import VERIFY, FakeMeta

NUMBER = "106540352242922"
DAY = 86400.0


class FakeWhatsApp(FakeMeta):
    name = "whatsapp"
    user = "447700900123"
    app_secret, token = "whatsapp-app-secret", "whatsapp-access-token"
    url_setting, base_path = "ASSISTANT_WHATSAPP_URL", "/v24.0"
    secrets = {"ASSISTANT_WHATSAPP_APP_SECRET": app_secret, "ASSISTANT_WHATSAPP_VERIFY_TOKEN": VERIFY,
               "ASSISTANT_WHATSAPP_ACCESS_TOKEN": token, "ASSISTANT_WHATSAPP_NUMBER_ID": NUMBER}

    def __init__(self) -> None:
        super().__init__()
        self.heard: dict[str, float] = {}  # when a person last wrote: free-form messages only go within a day of it

    def routes(self, router: web.UrlDispatcher) -> None:
        router.add_post(f"/v24.0/{NUMBER}/messages", self.take)
        router.add_get("/v24.0/{number}", self.about)

    async def about(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return self.error(401, 190)
        if request.match_info["number"] != NUMBER:
            return self.error(400, 100, 33)
        return web.json_response({"display_phone_number": "+44 7700 900999", "verified_name": "Time for Therapy", "id": NUMBER})

    def read(self, request: web.Request, body: bytes) -> Sent:
        self.authorised(request)
        value = json.loads(body)
        user, kind = value["to"], value["type"]
        need(value["messaging_product"] == "whatsapp", "messaging_product")
        need(time.time() - self.heard.get(user, 0.0) < DAY, "more than 24 hours since the person wrote")
        if kind == "text":
            need(value["text"].get("preview_url") is False, "a preview would tell another site")
            return Sent(user, within(value["text"]["body"], 4096, "body"), (), time.monotonic())
        need(kind == "interactive", f"type {kind}")
        interactive = value["interactive"]
        read = {"button": self._buttons, "list": self._rows}[interactive["type"]]
        most = {"button": 1024, "list": 4096}[interactive["type"]]
        options = read(interactive["action"])
        need(len({token for _, token in options}) == len(options), "ids are not unique")
        return Sent(user, within(interactive["body"]["text"], most, "body"), tuple(options), time.monotonic())

    def _buttons(self, action: Mapping[str, Any]) -> list[tuple[str, str]]:
        need(1 <= len(action["buttons"]) <= 3, f"{len(action['buttons'])} buttons")
        replies = [button["reply"] for button in action["buttons"] if button["type"] == "reply"]
        options = [(within(reply["title"], 20, "title"), within(reply["id"], 256, "id")) for reply in replies]
        need(len({label for label, _ in options}) == len(action["buttons"]), "titles are not unique")
        return options

    def _rows(self, action: Mapping[str, Any]) -> list[tuple[str, str]]:
        within(action["button"], 20, "list button")
        rows = [row for section in action["sections"] for row in section["rows"]]
        need(1 <= len(rows) <= 10, f"{len(rows)} rows")
        for row in rows:
            within(row["title"], 24, "row title")
            if "description" in row:
                within(row["description"], 72, "row description")
        return [(row.get("description") or row["title"], within(row["id"], 200, "row id")) for row in rows]

    def success(self, sent: Sent) -> web.StreamResponse:
        return web.json_response({"messaging_product": "whatsapp", "contacts": [{"input": sent.user, "wa_id": sent.user}],
                                  "messages": [{"id": f"wamid.{self.next()}"}]})

    def busy(self, after: Optional[float]) -> web.StreamResponse:
        if after is not None:
            return super().busy(after)
        return self.error(400, 131056)  # too many messages to one person: said without a status of its own

    def blocking(self) -> web.StreamResponse:
        return self.error(400, 131026)

    def written(self, user: str, text: str, identity: Optional[str] = None) -> Any:
        return self.message(user, "text", {"body": text}, identity)

    def message(self, user: str, kind: str, content: Any, identity: Optional[str] = None) -> Any:
        self.heard[user] = time.time()
        return {"from": user, "id": identity or f"wamid.{self.next()}", "timestamp": str(int(time.time())), "type": kind, kind: content}

    def value(self, messages: Iterable[Any], number: str = NUMBER, **more: Any) -> Any:
        return {"messaging_product": "whatsapp", "metadata": {"display_phone_number": "447700900999", "phone_number_id": number},
                "contacts": [{"profile": {"name": "A Person"}, "wa_id": self.user}], "messages": list(messages), **more}

    def call(self, *events: Any) -> Call:
        return self.entries([[self.value(events)]])

    def entries(self, entries: Iterable[Iterable[Any]]) -> Call:
        """A call with several entries, each with several changes."""
        return self.signed(self.body({"object": "whatsapp_business_account", "entry": [
            {"id": "0", "changes": [{"value": value, "field": "messages"} for value in values]} for values in entries]}))

    def press(self, user: str, token: str) -> Call:
        reply = {"type": "button_reply", "button_reply": {"id": token, "title": "A label"}}
        return self.call(self.message(user, "interactive", reply))

    def pick(self, user: str, token: str) -> Call:
        """`user` picks a row of a list."""
        reply = {"type": "list_reply", "list_reply": {"id": token, "title": "A label", "description": "more"}}
        return self.call(self.message(user, "interactive", reply))

    def media(self, user: str) -> Iterable[Call]:
        for kind in ("audio", "image", "sticker", "video", "document"):
            yield self.call(self.message(user, kind, {"id": "1", "mime_type": "x/y", "sha256": "0"}))
        yield self.call(self.message(user, "location", {"latitude": 51.5, "longitude": -0.1}))
        yield self.call({**self.message(user, "unsupported", {}), "errors": [{"code": 131051, "title": "Message type unknown"}]})

    def silent(self, user: str) -> Iterable[tuple[str, Call]]:
        status = {"id": "wamid.1", "status": "delivered", "timestamp": "1", "recipient_id": user}
        yield "status", self.entries([[{**self.value([], statuses=[status])}]])
        yield "reaction", self.call(self.message(user, "reaction", {"message_id": "wamid.1", "emoji": "👍"}))
        yield "system", self.call(self.message(user, "system", {"body": "User changed number", "type": "user_changed_number"}))
        yield "another number", self.entries([[self.value([self.written(user, "hello")], number="999")]])
        yield "another field", self.signed(self.body({"object": "whatsapp_business_account", "entry": [
            {"id": "0", "changes": [{"field": "account_update", "value": {"event": "VERIFIED_ACCOUNT"}}]}]}))
