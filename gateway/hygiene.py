"""What a client sends, turned into a checked value or a refusal; nothing here waits for anything."""
from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Any, Mapping, Optional

from assistant.places import shorten_postcodes
from gateway.errors import Refusal

BODY_BYTES = 32 * 1024
TEXT_CHARACTERS = 4000
CHOICE_CHARACTERS = 64

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_CHOICE = re.compile(r"[A-Za-z0-9_-]{1,%d}\Z" % CHOICE_CHARACTERS)
_MESSAGE = re.compile(r"[0-9a-f]{16}\.[0-9]{1,3}\Z")
_KEPT_CONTROLS = "\n\t"


@dataclass(frozen=True)
class ClientMessage:
    """One message of the widget: a text or a choice token, never both."""

    id: str
    text: Optional[str]
    choice: Optional[str]
    damaged: bool  # the text held a NUL or a lone surrogate: answered when it is a crisis, else refused


def clean(text: str) -> str:
    """Return `text` in NFKC without control characters and lone surrogates, trimmed; of a postcode the outward part stays."""
    normal = unicodedata.normalize("NFKC", text.replace("\r\n", "\n"))
    kept = "".join(c for c in normal if c in _KEPT_CONTROLS or unicodedata.category(c) not in ("Cc", "Cs")).strip()
    return shorten_postcodes(kept)


def for_rasa(text: str) -> str:
    """Return `text` without the leading slashes and spaces that Rasa would take for an intent."""
    return text.lstrip("/ \t\n\u00a0") or "?"


def json_object(body: bytes, content_type: str) -> Mapping[str, Any]:
    """Return the JSON object in `body`. Raises Refusal: 413, 415 or 400."""
    if len(body) > BODY_BYTES:
        raise Refusal(413, "body_too_large", f"Send at most {BODY_BYTES // 1024} KB.", helplines=True)
    if content_type.split(";")[0].strip().lower() != "application/json":
        raise Refusal(415, "not_json", "Send JSON with Content-Type: application/json.")
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Refusal(400, "malformed_json", "The body is not well-formed JSON in UTF-8.") from None
    if not isinstance(value, dict):
        raise Refusal(400, "not_an_object", "The body must be a JSON object.")
    return value


def client_message(value: Mapping[str, Any]) -> ClientMessage:
    """Return the message in the body of POST /api/messages. Raises Refusal (400, 413)."""
    _only(value, {"id", "text", "choice"})
    identity, text, choice = value.get("id"), value.get("text"), value.get("choice")
    if not isinstance(identity, str) or not _UUID.match(identity):
        raise Refusal(400, "bad_id", "`id` must be a UUID made by the client, the same on every retry.")
    if ("text" in value) == ("choice" in value):
        raise Refusal(400, "text_or_choice", "Send either `text` or `choice`.")
    if "choice" in value:
        if not isinstance(choice, str) or not _CHOICE.match(choice):
            raise Refusal(400, "bad_choice", "`choice` must be a token from a message's choices.")
        return ClientMessage(identity.lower(), None, choice, False)
    if not isinstance(text, str):
        raise Refusal(400, "bad_text", "`text` must be a string.")
    cleaned = clean(text) if len(text) <= TEXT_CHARACTERS else text
    if len(cleaned) > TEXT_CHARACTERS:
        raise Refusal(413, "text_too_long", f"Write at most {TEXT_CHARACTERS} characters in one message.", helplines=True)
    if not cleaned:
        raise Refusal(400, "empty_text", "`text` has no readable character.", helplines=True)
    damaged = any(c == "\x00" or unicodedata.category(c) == "Cs" for c in text)
    return ClientMessage(identity.lower(), cleaned, None, damaged)


def feedback(value: Mapping[str, Any]) -> tuple[str, bool]:
    """Return (message id, helpful) from the body of POST /api/feedback. Raises Refusal (400)."""
    _only(value, {"message", "helpful"})
    message, helpful = value.get("message"), value.get("helpful")
    if not isinstance(message, str) or not _MESSAGE.match(message):
        raise Refusal(400, "bad_message", "`message` must be the id of a message from the assistant.")
    if not isinstance(helpful, bool):
        raise Refusal(400, "bad_helpful", "`helpful` must be true or false.")
    return message, helpful


def cursor(value: Optional[str]) -> int:
    """Return the position that a cursor stands for; no cursor is the beginning. Raises Refusal (400)."""
    if value is None or value == "":
        return 0
    if not re.fullmatch(r"[0-9]{1,18}", value, re.ASCII):
        raise Refusal(400, "bad_cursor", "`after` must be a cursor that the gateway gave.")
    return int(value)


def _only(value: Mapping[str, Any], known: set[str]) -> None:
    if set(value) - known:
        raise Refusal(400, "unknown_field", "Send only: " + ", ".join(sorted(known)) + ".")


def _no_constant(name: str) -> None:
    raise ValueError(name)
