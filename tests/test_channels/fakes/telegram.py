"""Telegram's Bot API."""
from __future__ import annotations

import json
import time
from typing import Any, Iterable, Optional

from aiohttp import web

from fakes.base import PUBLIC, Call, FakeService, Sent, need, within

TOKEN = "110201543:an-example-of-a-token"


class FakeTelegram(FakeService):
    name = "telegram"
    user = "1111111"
    secret = "a-Secret_Token-1"
    url_setting = "ASSISTANT_TELEGRAM_URL"
    secrets = {"ASSISTANT_TELEGRAM_BOT_TOKEN": TOKEN, "ASSISTANT_TELEGRAM_SECRET_TOKEN": secret}
    signature_headers = ("X-Telegram-Bot-Api-Secret-Token",)

    def __init__(self) -> None:
        super().__init__()
        self.unanswered: set[str] = set()  # callback queries whose button still spins
        self.webhook: dict[str, Any] = {"url": f"{PUBLIC}/webhooks/telegram", "allowed_updates": ["message", "callback_query"]}

    def routes(self, router: web.UrlDispatcher) -> None:
        router.add_post(f"/bot{TOKEN}/sendMessage", self.take)
        router.add_post(f"/bot{TOKEN}/answerCallbackQuery", self.answer_query)
        router.add_get("/bot{token}/getMe", self.about)
        router.add_get("/bot{token}/getWebhookInfo", self.info)

    async def answer_query(self, request: web.Request) -> web.Response:
        self.unanswered.remove((await request.json())["callback_query_id"])
        return web.json_response({"ok": True, "result": True})

    async def about(self, request: web.Request) -> web.Response:
        if request.match_info["token"] != TOKEN:
            return web.json_response({"ok": False, "error_code": 401, "description": "Unauthorized"}, status=401)
        return web.json_response({"ok": True, "result": {"id": 110201543, "is_bot": True, "username": "therapy_bot"}})

    async def info(self, request: web.Request) -> web.Response:
        return web.json_response({"ok": True, "result": self.webhook})

    def read(self, request: web.Request, body: bytes) -> Sent:
        value = json.loads(body)
        need("parse_mode" not in value, "a parse_mode would read marks in plain text")
        need(value["link_preview_options"] == {"is_disabled": True}, "a preview would tell another site")
        options = []
        for row in value.get("reply_markup", {}).get("inline_keyboard", []):
            for button in row:
                data = button["callback_data"]
                need(1 <= len(data.encode()) <= 64, "callback_data")
                options.append((within(button["text"], 64, "button"), data))
        return Sent(value["chat_id"], within(value["text"], 4096, "text"), tuple(options), time.monotonic())

    def success(self, sent: Sent) -> web.StreamResponse:
        return web.json_response({"ok": True, "result": {"message_id": self.next()}})

    def busy(self, after: Optional[float]) -> web.StreamResponse:
        more = {} if after is None else {"parameters": {"retry_after": int(after)}}  # in the body, not in a header
        return web.json_response({"ok": False, "error_code": 429, "description": "Too Many Requests", **more}, status=429)

    def blocking(self) -> web.StreamResponse:
        return web.json_response({"ok": False, "error_code": 403, "description": "Forbidden: bot was blocked by the user"}, status=403)

    def refusal(self) -> web.StreamResponse:
        return web.json_response({"ok": False, "error_code": 400, "description": "Bad Request"}, status=400)

    def signed(self, body: bytes, secret: Optional[str] = None) -> Call:
        return Call({"Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": secret or self.secret}, body)

    def forged(self, user: str) -> Iterable[tuple[str, Call]]:
        yield from self.forgeries(self.text(user, "hello"), lambda body: self.signed(body, "another-secret"), tampered=False)
        yield "no ASCII", self.text(user, "hello").with_headers(X_Telegram_Bot_Api_Secret_Token="gehe\u00efm")

    def update(self, identity: Optional[str] = None, **more: Any) -> Any:
        return {"update_id": int(identity or self.next()), **more}

    def message(self, user: str, chat: str = "private", **more: Any) -> Any:
        person = {"id": int(user), "is_bot": False, "first_name": "A", "language_code": "en"}
        return {"message_id": self.next(), "from": person, "date": int(time.time()),
                "chat": {"id": int(user) if chat == "private" else -100123, "type": chat}, **more}

    def written(self, user: str, text: str, identity: Optional[str] = None) -> Any:
        return self.update(identity, message=self.message(user, text=text))

    def call(self, *events: Any) -> Call:
        (event,) = events  # Telegram has no batches
        return self.signed(json.dumps(event, ensure_ascii=False).encode())

    def press(self, user: str, token: str) -> Call:
        identity = str(self.next())
        self.unanswered.add(identity)
        person = {"id": int(user), "is_bot": False, "first_name": "A"}
        return self.call(self.update(callback_query={"id": identity, "from": person, "message": self.message(user, text="A question"),
                                                     "chat_instance": "1", "data": token}))

    def media(self, user: str) -> Iterable[Call]:
        for kind in ("voice", "audio", "sticker", "video_note", "document", "location"):
            yield self.call(self.update(message=self.message(user, **{kind: {"file_id": "1"}})))
        yield self.call(self.update(message=self.message(user, photo=[{"file_id": "1"}])))

    def silent(self, user: str) -> Iterable[tuple[str, Call]]:
        yield "edit", self.call(self.update(edited_message=self.message(user, text="hello again", edit_date=1)))
        yield "group", self.call(self.update(message=self.message(user, "supergroup", text="hello")))
        yield "channel post", self.call(self.update(channel_post=self.message(user, "channel", text="hello")))
        yield "reaction", self.call(self.update(message_reaction={"user": {"id": int(user)}, "new_reaction": []}))
        yield "blocked", self.call(self.update(my_chat_member={"from": {"id": int(user)}, "new_chat_member": {"status": "kicked"}}))
        yield "pinned", self.call(self.update(message=self.message(user, pinned_message={"message_id": 1})))
