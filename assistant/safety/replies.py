"""What a visitor at risk reads: a wording not used yet, with the services that fit (data/safety/replies.yml)."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import yaml

from assistant.errors import ContentError
from assistant.safety.helplines import LONDON, Helplines, Service
from assistant.safety.verdict import CATEGORIES, Verdict

NEUTRAL = 60  # characters of an abuse reply that a lock screen may show


@dataclass(frozen=True)
class Reply:
    """The messages to send. `after` (concern alone) goes behind the answer to what was asked."""

    id: str
    messages: Tuple[Dict[str, Any], ...]
    after: Tuple[Dict[str, Any], ...] = ()


class Replies:
    """The wordings, each with an id such as `suicide.explicit.2`; the same input gives the same reply."""

    def __init__(self, raw: Mapping[str, Any], helplines: Helplines) -> None:
        self._raw = raw
        self._helplines = helplines

    @classmethod
    def load(cls, folder: Path) -> "Replies":
        """Read replies.yml and helplines.yml in `folder`; raises ContentError when one is missing or incomplete."""
        try:
            raw = yaml.safe_load((folder / "replies.yml").read_text(encoding="utf-8"))
            lacking = [category for category in CATEGORIES if not raw["crisis"][category]["explicit"]
                       or not raw["crisis"][category]["general"]]
            complete = raw["child"] and raw["denial"] and raw["concern"]["general"]["before"] and raw["card"]["text"] \
                and all(raw["labels"][name] for name in ("more", "answer", "search"))
        except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
            raise ContentError(f"replies.yml: cannot be read: {' '.join(repr(error).split())}. Restore it from git.") from error
        if lacking or not complete:
            raise ContentError(f"replies.yml: wordings are missing ({', '.join(lacking) or 'child, denial, concern, labels'}). Add them.")
        return cls(raw, Helplines.load(folder))

    def answer(self, verdict: Verdict, used: Sequence[str] = (), now: Optional[datetime] = None,
               nation: Optional[str] = None, form: bool = False) -> Reply:
        """Return the reply to a message of level crisis or concern.

        `used`: the ids given in this conversation, oldest first; `form`: a search form is open.
        """
        moment = now or datetime.now(LONDON)
        services = self._helplines.choose(category=verdict.category, topic=verdict.topic, child=verdict.child,
                                          concern=verdict.level == "concern", now=moment, nation=nation)
        if verdict.level == "concern":
            return self._concern(verdict, services, used, moment)
        group, texts = self._crisis_texts(verdict)
        key, text = _unused(group, texts, used)
        return Reply(key, (self._message(text, services, moment, self._choices(verdict, form)),))

    def denial(self, verdict: Verdict, used: Sequence[str] = (), now: Optional[datetime] = None,
               nation: Optional[str] = None) -> Reply:
        """Return the reply to "I'm fine" after a crisis: accepted, and the support stays one press away."""
        key, text = _unused("denial", self._raw["denial"], used)
        return Reply(key, ({"type": "choices", "text": text, "choices": [self._choice("more", "gateway:help")]},))

    def card(self, now: Optional[datetime] = None, nation: Optional[str] = None) -> Dict[str, Any]:
        """Return the help card with every service: the answer of `GET /api/help` and of "more support"."""
        moment = now or datetime.now(LONDON)
        return self._message(self._raw["card"]["text"], self._helplines.card(moment, nation), moment, [])

    def _crisis_texts(self, verdict: Verdict) -> Tuple[str, Sequence[str]]:
        if verdict.child:
            return "child", self._raw["child"]
        if verdict.topic in self._raw["topics"]:
            return f"topics.{verdict.topic}", self._raw["topics"][verdict.topic]
        manner = "explicit" if verdict.explicit else "general"
        # Where no category can be told, the general words for distress fit all.
        category = verdict.category or "suicide"
        return f"{category}.{manner}", self._raw["crisis"][category][manner]

    def _concern(self, verdict: Verdict, services: Sequence[Service], used: Sequence[str], now: datetime) -> Reply:
        group = next((name for name in (verdict.topic, verdict.category) if name in self._raw["concern"]), "general")
        wordings = self._raw["concern"][group]
        key, before = _unused(f"concern.{group}", wordings["before"], used)
        after = wordings["after"][int(key.rsplit(".", 1)[1]) % len(wordings["after"])]
        return Reply(key, ({"type": "text", "text": before},), (self._message(after, services[:2], now, [self._choice("more", "gateway:help")]),))

    def _choices(self, verdict: Verdict, form: bool) -> List[Dict[str, str]]:
        choices = [self._choice("more", "gateway:help")]
        if verdict.rest:
            choices.append(self._choice("answer", "gateway:answer"))
        # After abuse no search is offered: who reads along must find nothing about leaving or couples.
        if form and verdict.category != "abuse_violence":
            choices.append(self._choice("search", "/find_therapist"))
        return choices

    def _choice(self, label: str, payload: str) -> Dict[str, str]:
        return {"label": self._raw["labels"][label], "payload": payload}

    def _message(self, text: str, services: Sequence[Service], now: datetime, choices: Sequence[Dict[str, str]]) -> Dict[str, Any]:
        return {"type": "helplines", "text": text, "services": [one.as_message(now) for one in services], "choices": list(choices)}


def _unused(group: str, texts: Sequence[str], used: Sequence[str]) -> Tuple[str, str]:
    """Return the first wording of `group` that was not used, or else the one used longest ago."""
    keys = [f"{group}.{index}" for index in range(len(texts))]
    last = {key: place for place, key in enumerate(used)}
    best = min(range(len(keys)), key=lambda index: last.get(keys[index], -1))
    return keys[best], texts[best]
