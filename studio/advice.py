"""What the form of a topic says while somebody types: warnings in plain language, none of which stops a save."""
from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

import numpy as np
from rapidfuzz import fuzz, process

from assistant.content import Topic, Variation, wording
from assistant.content.check import ANSWER_WORDS, LONGEST_LABEL, MORE_WORDS, wording_problems
from assistant.content.phrasings import NEARLY, nearly_the_same
from studio.draft import Draft, Wording
from studio.meaning import Meaning

ADVISED_PHRASINGS = 10
LONGEST_WHATSAPP = 1024  # characters of a message with reply buttons
SMS_SEGMENT = 153  # characters of a part of a longer text message
MOST_SEGMENTS = 4
OLDEST_READER = 14.0  # years; the aim is 12
# Cosine from which a phrasing is too near another topic's to be told apart for sure.
TOO_CLOSE = 0.88
_TELEPHONE = re.compile(r"(?<!\d)(?:\+44|0)\d[\d ]{7,}\d(?!\d)")


@dataclass(frozen=True)
class Advice:
    """A warning; `where` is the field it speaks of."""

    where: str  # label, phrasings, answer, more, wording
    text: str


def advise(intent: Optional[str], draft: Draft, topics: Sequence[Topic], meaning: Optional[Meaning]) -> List[Advice]:
    """Return all warnings for `draft` as the topic `intent` (None: a new one) among `topics`.

    `meaning` None leaves the nearness in meaning aside: it is not ready yet.
    """
    others = [topic for topic in topics if topic.intent != intent]
    taught = {example for topic in topics if topic.intent == intent for example in topic.examples}
    found = [*_label(draft, others), *_phrasings(draft, others)]
    if meaning is not None:
        found += _too_close([example for example in draft.examples if example not in taught], draft, others, meaning)
    for name, wordings in draft.replies.items():
        for item in wordings:
            found += _reply(name, item)
    return found


def _label(draft: Draft, others: Sequence[Topic]) -> Iterator[Advice]:
    if len(draft.label) > LONGEST_LABEL:
        yield Advice("label", f"The label has {len(draft.label)} characters. Buttons on WhatsApp show {LONGEST_LABEL} at most.")
    for topic in others:
        if topic.label.casefold() == draft.label.casefold():
            yield Advice("label", f"Another topic has this label already: {topic.utterance[6:]}. Labels must differ.")


def _phrasings(draft: Draft, others: Sequence[Topic]) -> Iterator[Advice]:
    taught: Dict[str, Tuple[str, str]] = {wording.fold(e): (e, topic.label) for topic in others for e in topic.examples}
    seen = set()
    for example in draft.examples:
        folded = wording.fold(example)
        if folded in seen:
            yield Advice("phrasings", f"“{example}” stands twice. Remove one.")
        elif folded in taught:
            yield Advice("phrasings", f"“{example}” is taught in the topic “{taught[folded][1]}” already. It can stand in one only.")
        seen.add(folded)
    yield from _nearly_taught(draft, others)
    if len(draft.examples) < ADVISED_PHRASINGS:
        yield Advice("phrasings", f"{len(draft.examples)} of the {ADVISED_PHRASINGS} phrasings that a new topic needs. "
                                  "Write them as people type: short, long, indirect, misspelt.")


def _nearly_taught(draft: Draft, others: Sequence[Topic]) -> Iterator[Advice]:
    """Warn of what the content check would refuse: a phrasing a letter or a small word away from another topic's."""
    rows = [(example, topic) for topic in others for example in topic.examples]
    folded = [wording.fold(example) for example, _ in rows]
    for example in draft.examples:
        likely = process.extract(wording.fold(example), folded, scorer=fuzz.ratio, score_cutoff=NEARLY, limit=1)
        if likely and likely[0][1] < 100:
            other, topic = rows[likely[0][2]]
            texts = [*(text for text, _ in rows), example]
            if any(pair[1] == len(rows) for pair in nearly_the_same(texts, [*(one.intent for _, one in rows), "draft"])):
                yield Advice("phrasings", f"“{example}” is nearly “{other}” in the topic “{topic.label}”. Keep one of them.")


def _too_close(fresh: Sequence[str], draft: Draft, others: Sequence[Topic], meaning: Meaning) -> Iterator[Advice]:
    rows = [(example, topic) for topic in others if topic.intent not in draft.neighbours for example in topic.examples]
    if not rows or not fresh:
        return
    similar = meaning.embed(fresh) @ meaning.embed([example for example, _ in rows], keep=True).T
    best = similar.argmax(axis=1)
    for index, example in enumerate(fresh):
        other, topic = rows[int(best[index])]
        if similar[index, best[index]] >= TOO_CLOSE and wording.fold(other) != wording.fold(example):
            yield Advice("phrasings", f"“{example}” is very close to “{other}” in the topic “{topic.label}”. "
                                      "Say it differently, or add it there.")


def _reply(name: str, item: Wording) -> Iterator[Advice]:
    where = "more" if name.endswith("_more") else "answer"
    count = len(wording.words(item.text))
    low, high = MORE_WORDS if where == "more" else ANSWER_WORDS
    if not item.text:
        return
    if name.startswith("utter_faq_") or name.startswith("utter_new"):
        if not low <= count <= high:
            yield Advice(where, f"{count} words: {low} to {high} are right.")
    elif count > high:
        yield Advice(where, f"{count} words: at most {high}.")
    yield from _channels(where, item)
    age = wording.reading_age(item.text)
    if age > OLDEST_READER:
        yield Advice(where, f"Reading age about {age:.0f}; aim for 12. Shorter sentences and plainer words help.")
    comments = tuple(f"{number} {source}" for number, source in enumerate(item.sources, start=1))
    for problem in wording_problems(Variation(item.text, (), comments)):
        yield Advice(where, f"It {problem}")
    if re.search(r"[{}]", item.text):
        yield Advice(where, "Curly brackets have a meaning of their own. Use round ones.")
    if _TELEPHONE.search(item.text):
        yield Advice(where, "A telephone number belongs to the list of helplines only, so that it is checked in one place.")


def _channels(where: str, item: Wording) -> Iterator[Advice]:
    if len(item.text) > LONGEST_WHATSAPP:
        yield Advice(where, f"{len(item.text)} characters: WhatsApp shows {LONGEST_WHATSAPP} above buttons.")
    segments = -(-len(item.text) // SMS_SEGMENT)
    if segments > MOST_SEGMENTS:
        yield Advice(where, f"As a text message it takes {segments} parts; {MOST_SEGMENTS} are the most that arrive well.")


def nearest_topics(text: str, topics: Sequence[Topic], meaning: Meaning, count: int = 3) -> List[Tuple[Topic, str, float]]:
    """Return the topics nearest to `text`: (topic, its nearest phrasing, cosine), nearest first."""
    rows = [(example, topic) for topic in topics for example in topic.examples]
    if not rows:
        return []
    similar = (meaning.embed([text]) @ meaning.embed([example for example, _ in rows], keep=True).T)[0]
    found: Dict[str, Tuple[Topic, str, float]] = {}
    for index in np.argsort(-similar):
        example, topic = rows[int(index)]
        found.setdefault(topic.intent, (topic, example, float(similar[index])))
        if len(found) == count:
            break
    return list(found.values())
