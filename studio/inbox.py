"""What was not understood, grouped by meaning, and what staff do about it in their own words.

A visitor's text is read from the journal for one page and kept nowhere else: it never enters git, where it could not
be deleted. What is taught and tested are the words that a member of staff wrote.
"""
from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Sequence, Tuple

from rapidfuzz import fuzz
from sqlalchemy import select
from sqlalchemy.engine import Engine

from assistant.content.wording import fold
from assistant.errors import AssistantError
from studio.advice import nearest_topics
from studio.held_back import STAFF
from studio.journal import Journal
from studio.meaning import Meaning
from studio.repository import Repository
from studio.schema import decisions, loose
from studio.topics import Topics

OUT_OF_SCOPE = "out_of_scope"
# Letters in common, in per cent, from which a phrasing is the visitor's own and not a rewording.
COPIED = 90.0


class InboxError(AssistantError):
    """Something that cannot be done with a row of the inbox."""


@dataclass(frozen=True)
class Item:
    """A message of a visitor (key `v7`) or a phrasing of a deleted topic (key `p7`)."""

    key: str
    text: str
    reason: str
    at: float
    intent: str
    reference: str
    confidence: Optional[float]


@dataclass(frozen=True)
class Group:
    """Items that ask the same, with the topics that come nearest: (intent, label, cosine)."""

    items: Tuple[Item, ...]
    near: Tuple[Tuple[str, str, float], ...]


class Inbox:
    """The inbox of the journal and of deleted topics."""

    def __init__(self, engine: Engine, journal: Journal, topics: Topics, repository: Repository, meaning: Meaning) -> None:
        self._engine, self._journal, self._topics, self._repository, self._meaning = engine, journal, topics, repository, meaning

    def items(self) -> List[Item]:
        """Return everything that nobody has dealt with. Raises JournalUnavailable."""
        visitors = [
            Item(f"v{row.id}", row.text, row.reason, row.at, row.intent, row.reference, _confidence(row.scores))
            for row in self._journal.waiting()
        ]
        with self._engine.connect() as connection:
            rows = connection.execute(select(loose).where(loose.c.status == "new").order_by(loose.c.id))
            return visitors + [Item(f"p{r.id}", r.phrasing, "deleted_topic", r.at, r.label, "", None) for r in rows]

    def groups(self) -> List[Group]:
        """Return the items grouped by meaning, the most frequent first."""
        items, meaning, topics = self.items(), self._meaning, self._topics.readable()[0]
        asked = [topic for topic in topics if topic.group != "conversation"]
        found = []
        for members in meaning.groups([item.text for item in items]):
            group = tuple(items[index] for index in members)
            near = nearest_topics(group[0].text, asked, meaning)
            found.append(Group(group, tuple((topic.intent, topic.label, cosine) for topic, _, cosine in near)))
        return found

    def count(self) -> int:
        """Return how many items wait."""
        return len(self.items())

    def take_in(self, phrasings: Sequence[str], label: str) -> None:
        """Put the phrasings of a deleted topic into the inbox."""
        now = time.time()
        with self._engine.begin() as connection:
            for phrasing in phrasings:
                connection.execute(loose.insert().values(at=now, phrasing=phrasing, label=label, status="new"))

    def assign(self, keys: Sequence[str], intent: str, phrasing: str, test: str, person: str) -> None:
        """Teach `phrasing` to the topic and test it with `test` (or the same), in one commit. Raises InboxError.

        Phrasings of a deleted topic are staff's words already: with no `phrasing` given they are taught as they are.
        """
        items = self._items(keys)
        own = [item.text for item in items if item.key.startswith("p")]
        taught = [phrasing] if phrasing else own
        if not taught:
            raise InboxError("Write how one would ask this, in your own words.")
        for text in filter(None, (phrasing, test)):
            self._refuse_copy(text, items)
        extra = self._with_test(test or taught[0], intent)
        self._topics.add_examples(intent, taught, person, extra)
        self._decide(items, "assigned", intent, json.dumps(taught, ensure_ascii=False), test or taught[0], person)

    def out_of_scope(self, keys: Sequence[str], phrasing: str, test: str, person: str) -> None:
        """Mark the items as nothing that the assistant answers, and teach that in the staff's words if given."""
        if phrasing:
            self.assign(keys, OUT_OF_SCOPE, phrasing, test, person)
        else:
            self._decide(self._items(keys), "out_of_scope", OUT_OF_SCOPE, "[]", "", person)

    def ignore(self, keys: Sequence[str], person: str) -> None:
        """Put the items aside."""
        self._decide(self._items(keys), "ignored", "", "[]", "", person)

    def became_topic(self, keys: Sequence[str], intent: str, person: str) -> None:
        """Note that the items are answered by a topic that was written for them."""
        self._decide(self._items(keys), "assigned", intent, "[]", "", person)

    def check_own_words(self, keys: Sequence[str], texts: Sequence[str]) -> None:
        """Raise InboxError when one of `texts` is a visitor's own."""
        items = self._items(keys)
        for text in filter(None, texts):
            self._refuse_copy(text, items)

    def decided(self, count: int = 20) -> List[Any]:
        """Return the latest decisions that can be undone."""
        query = select(decisions).where(decisions.c.undone.is_(False)).order_by(decisions.c.id.desc()).limit(count)
        with self._engine.connect() as connection:
            return list(connection.execute(query))

    def undo(self, number: int, person: str) -> None:
        """Take a decision back: its phrasings and its test go, its items return as far as they still exist."""
        with self._engine.connect() as connection:
            row = connection.execute(select(decisions).where(decisions.c.id == number, decisions.c.undone.is_(False))).first()
        if row is None:
            raise InboxError("That was undone already.")
        phrasings = json.loads(row.phrasing)
        if row.test:
            extra = self._without_test(row.test, row.intent)
            self._topics.remove_examples(row.intent, phrasings, person, extra)
        self._mark(json.loads(row["items"]), "new")
        with self._engine.begin() as connection:
            connection.execute(decisions.update().where(decisions.c.id == number).values(undone=True))

    def add_test(self, text: str, intent: str) -> Dict[str, str]:
        """Return the test file with one more test, ready to be committed."""
        return self._with_test(text, intent)

    def _items(self, keys: Sequence[str]) -> List[Item]:
        wanted = set(keys)
        items = [item for item in self.items() if item.key in wanted]
        if not items:
            raise InboxError("These messages have gone: somebody else dealt with them, or their time was up.")
        return items

    @staticmethod
    def _refuse_copy(text: str, items: Sequence[Item]) -> None:
        for item in items:
            if item.key.startswith("v") and fuzz.ratio(fold(text), fold(item.text)) >= COPIED:
                raise InboxError("Please put it in your own words: a visitor’s own sentence must not enter the files, "
                                 "since it could not be deleted there.")

    def _with_test(self, text: str, intent: str) -> Dict[str, str]:
        present = self._repository.read(STAFF) or ""
        line = f"{' '.join(text.split())}\t{intent}"
        lines = present.splitlines()
        return {STAFF: "\n".join([*lines, line] if line not in lines else lines) + "\n"}

    def _without_test(self, text: str, intent: str) -> Dict[str, str]:
        present = self._repository.read(STAFF) or ""
        line = f"{' '.join(text.split())}\t{intent}"
        return {STAFF: "".join(f"{other}\n" for other in present.splitlines() if other != line)}

    def _decide(self, items: Sequence[Item], kind: str, intent: str, phrasing: str, test: str, person: str) -> None:
        keys = [item.key for item in items]
        self._mark(keys, kind)
        with self._engine.begin() as connection:
            connection.execute(decisions.insert().values(
                at=time.time(), person=person, kind=kind, items=json.dumps(keys), intent=intent, phrasing=phrasing, test=test, undone=False,
            ))

    def _mark(self, keys: Sequence[str], status: str) -> None:
        visitors = [int(key[1:]) for key in keys if key.startswith("v")]
        own = [int(key[1:]) for key in keys if key.startswith("p")]
        if visitors:
            self._journal.mark(visitors, status)
        if own:
            with self._engine.begin() as connection:
                connection.execute(loose.update().where(loose.c.id.in_(own)).values(status=status))


def _confidence(scores: Sequence[Dict[str, Any]]) -> Optional[float]:
    return scores[0].get("confidence") if scores else None
