"""From Rasa's messages and the safety replies to the API's messages: known types, safe links, tokens for payloads."""
from __future__ import annotations

from typing import Any, Callable, Mapping, Sequence
from urllib.parse import urlsplit

from gateway.records import ApiMessage
from gateway.state import Tokens

SCHEMES = ("http", "https", "mailto", "tel", "sms")
CARD_FIELDS = ("name", "title", "town", "distance", "formats", "audiences", "languages", "fee", "register", "accepting")
SERVICE_FIELDS = ("id", "name", "call", "sms", "sms_body", "email", "web", "hours", "for", "open")

Track = Callable[[str, str], str]  # (url, kind) -> the address that counts the click, or the url itself


class Renderer:
    """Builds one reply: numbers its messages and collects the buttons that it offers."""

    def __init__(self, tokens: Tokens, track: Track, conversation: str, reply: str) -> None:
        self._tokens, self._track, self._conversation, self._reply = tokens, track, conversation, reply
        self.messages: list[ApiMessage] = []
        self.offered: dict[str, tuple[str, str]] = {}

    def add(self, type_: str, **values: Any) -> None:
        """Append a message of a type of the API."""
        self.messages.append({"id": f"{self._reply}.{len(self.messages)}", "from": "bot", "type": type_, **values})

    def add_text(self, text: str) -> None:
        """Append a text."""
        self.add("text", text=text)

    def add_links(self, links: Sequence[Mapping[str, Any]], text: str = "") -> None:
        """Append links; those whose address is no safe one are left out."""
        good = [{"label": str(link.get("label") or link["url"]), "url": self._track(link["url"], "search")}
                for link in links if safe_url(link.get("url"))]
        if good:
            self.add("links", text=text, links=good)
        elif text:
            self.add_text(text)

    def add_choices(self, buttons: Sequence[Mapping[str, Any]], text: str = "") -> None:
        """Append buttons ({"title" or "label", "payload"}) below a text."""
        choices = self._choices(buttons)
        if choices:
            self.add("choices", text=text, choices=choices)
        elif text:
            self.add_text(text)

    def add_rasa(self, message: Mapping[str, Any], rest: Mapping[str, str]) -> None:
        """Append one of Rasa's messages; what is of no known form is left out.

        `rest` fills payloads that stand for the visitor's own words (`gateway:answer`).
        """
        text = message.get("text") if isinstance(message.get("text"), str) else ""
        custom = message.get("custom") if isinstance(message.get("custom"), Mapping) else {}
        assert isinstance(text, str) and isinstance(custom, Mapping)
        if custom.get("type") == "cards":
            cards = [self._card(card) for card in custom.get("cards") or [] if isinstance(card, Mapping) and safe_url(card.get("url"))]
            heading = text or str(custom.get("text") or "")
            if cards:
                self.add("cards", text=heading, cards=cards)
            elif heading:
                self.add_text(heading)
        elif custom.get("type") == "links":
            self.add_links([link for link in custom.get("links") or [] if isinstance(link, Mapping)], text or str(custom.get("text") or ""))
        elif custom.get("type") == "helplines":
            self.add_safety(custom, rest)
        elif text and not message.get("buttons"):
            self.add_text(text)
        if message.get("buttons"):
            self.add_choices([button for button in message["buttons"] if isinstance(button, Mapping)], "" if custom else text)

    def add_safety(self, message: Mapping[str, Any], rest: Mapping[str, str]) -> None:
        """Append a message of the safety replies or the help card."""
        text = str(message.get("text") or "")
        if message.get("type") != "helplines":
            self.add_text(text)
            return
        services = [{name: service.get(name) for name in SERVICE_FIELDS} for service in message.get("services") or []]
        buttons = [{**button, "payload": rest.get(button["payload"], button["payload"])} for button in message.get("choices") or []]
        self.add("helplines", text=text, services=services, choices=self._choices(buttons))

    def _choices(self, buttons: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
        choices = []
        for button in buttons:
            label, payload = button.get("label") or button.get("title"), button.get("payload")
            if isinstance(label, str) and isinstance(payload, str) and payload.startswith(("/", "gateway:")):
                token = self._tokens.make(self._conversation, payload)
                self.offered[token] = (label, payload)
                choices.append({"label": label, "choice": token})
        return choices

    def _card(self, card: Mapping[str, Any]) -> dict[str, Any]:
        return {**{name: card.get(name) for name in CARD_FIELDS}, "url": self._track(card["url"], "therapist")}


def safe_url(url: Any) -> bool:
    """Return whether `url` is of a scheme that a visitor may be sent to."""
    if not isinstance(url, str):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in SCHEMES and bool(parts.netloc or parts.path) and not any(ord(c) < 33 for c in url)
