"""Refusals, the JSON form of every error, and failures logged without a word of any message."""
from __future__ import annotations

import logging
import traceback
from typing import Any, Mapping, Optional

from assistant.errors import AssistantError

log = logging.getLogger("gateway")


class Refusal(Exception):
    """A request that is answered with a 4xx or 503.

    status: HTTP status; code: a stable word for programs; message: one sentence for people;
    helplines: whether the answer carries the help card; headers: further headers of the answer.
    """

    def __init__(self, status: int, code: str, message: str, *, helplines: bool = False,
                 headers: Optional[Mapping[str, str]] = None) -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message
        self.helplines, self.headers = helplines, dict(headers or {})


class JournalError(AssistantError):
    """The journal is locked, hanging or gone."""


class ConversationGone(AssistantError):
    """The conversation was deleted or has expired."""


class UnknownChoice(AssistantError):
    """A choice token that this conversation was never given."""


class LeaseLost(AssistantError):
    """Another gateway has taken the conversation over; what was worked out here is dropped."""


def error_body(code: str, message: str, card: Optional[Mapping[str, Any]] = None) -> dict[str, Any]:
    """Return the JSON of an error; `card` is the helplines message."""
    body: dict[str, Any] = {"error": {"code": code, "message": message}}
    if card is not None:
        body["help"] = card
    return body


def log_failure(where: str, error: BaseException) -> None:
    """Log the kind of `error` and where it arose, never its text: it could quote a visitor."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    path = " < ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in reversed(frames))
    log.error("%s failed: %s at %s", where, type(error).__name__, path or "?")
