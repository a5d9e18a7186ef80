"""What a conversation's later turns need to know of the earlier ones. It holds what was said to the visitor, so it expires."""
from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Optional

CHOICES_KEPT = 40
REPLIES_KEPT = 30


@dataclass
class State:
    """The state of one conversation.

    choices: token -> (label, payload) of the buttons offered, oldest first; last: tokens of the latest reply's buttons;
    used: ids of the safety replies given; unavailable: which wording of "can't answer" was given last;
    crisis_at, category: of the latest crisis; noticed: the first reply's notice was given; form: a search form is open;
    levels: the safety levels of the latest turns; topic: the intent answered last.
    """

    choices: dict[str, tuple[str, str]] = field(default_factory=dict)
    last: list[str] = field(default_factory=list)
    used: list[str] = field(default_factory=list)
    unavailable: int = -1
    crisis_at: Optional[float] = None
    category: str = ""
    noticed: bool = False
    form: bool = False
    levels: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, text: str) -> "State":
        """Return the state that `write` wrote."""
        values = json.loads(text or "{}")
        values["choices"] = {token: (label, payload) for token, (label, payload) in values.get("choices", {}).items()}
        return cls(**values)

    def write(self) -> str:
        """Return the state as JSON."""
        return json.dumps(vars(self), ensure_ascii=False, separators=(",", ":"))

    def offer(self, offered: dict[str, tuple[str, str]]) -> None:
        """Remember the buttons of a reply; the oldest of earlier replies are forgotten."""
        self.last = list(offered)
        for token in offered:
            self.choices.pop(token, None)
        self.choices.update(offered)
        for token in list(self.choices)[:-CHOICES_KEPT]:
            del self.choices[token]

    def answered(self, level: str, used: str = "") -> None:
        """Note the level of a turn and the safety reply that it got."""
        self.levels = [*self.levels, level][-3:]
        if used:
            self.used = [*self.used, used][-REPLIES_KEPT:]


class Tokens:
    """Opaque tokens for buttons: the same button in the same conversation has the same token, on every gateway."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def make(self, conversation: str, payload: str) -> str:
        """Return 22 characters (HMAC-SHA256 cut to 128 bits) that say nothing of `payload`."""
        digest = hmac.new(self._key, f"{conversation}\0{payload}".encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()
