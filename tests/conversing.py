"""What a visitor of the whole assistant does and sees; the wordings are those of the checkout, which staff may change."""
from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Union

import yaml

from assistant.content import load_topics
from assistant.settings import ROOT
from benchmarks.converse import Visitor

QUESTIONS = ("format", "place", "concern")
WORDINGS = {name: variations[0]["text"] for name, variations in
            yaml.safe_load((ROOT / "data" / "dialogue" / "search.yml").read_text(encoding="utf-8"))["responses"].items()}
ANSWERS = {topic.utterance: [variation.text for variation in topic.responses[topic.utterance]]
           for topic in load_topics(ROOT) if topic.utterance in topic.responses}


@dataclass
class Reply:
    """What the visitor sees: all words, the labels of buttons, the kinds of messages."""

    messages: list[dict[str, Any]] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join(str(message.get("text") or "") for message in self.messages)

    @property
    def labels(self) -> list[str]:
        return [choice["label"] for message in self.messages for choice in message.get("choices") or []]

    @property
    def kinds(self) -> set[str]:
        return {message["type"] for message in self.messages}

    @property
    def asked(self) -> list[str]:
        return [question for question in QUESTIONS if self.says(f"utter_search_ask_{question}")]

    def says(self, what: str) -> bool:
        """Whether the reply holds words, or a response by its name, whatever fills its places."""
        if not what.startswith("utter_"):
            return what in self.text
        wordings = [WORDINGS[what]] if what in WORDINGS else ANSWERS[what]
        return any(re.search(re.sub(r"\\{\w+\\}", ".+", re.escape(wording)), self.text) for wording in wordings)


class Person(Visitor):
    """A visitor who presses a button where the last reply has one of that label, and writes otherwise."""

    def __init__(self, base: str) -> None:
        super().__init__(base)
        self._last = Reply()

    def does(self, what: str) -> Reply:
        turn: dict[str, Union[str, int]] = {"user": what}
        if what in self._last.labels:
            turn = {"choose": self._last.labels.index(what) + 1}
        answer = self.say(turn)
        assert answer["status"] == 200, answer
        self._last = Reply(answer["replies"])
        return self._last
