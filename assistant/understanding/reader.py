"""Reads a message: one intent, several questions, or nothing that the assistant knows."""
from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List, Mapping, Protocol, Sequence, Tuple
from zipfile import BadZipFile

import numpy as np

from assistant.encoder import BUILD
from assistant.errors import ModelError
from assistant.understanding.classifier import OUT_OF_SCOPE, Classifier, Ranking
from assistant.understanding.splitter import asks, clauses, sentences

# What is saved, and the encoder that it needs: raise the number when the arrays or topics.json change.
FORMAT = f"3 {BUILD}"
FALLBACK = "nlu_fallback"
SEVERAL = "multi_question"
# Longer messages are read sentence by sentence for the one question in them.
LONG = 40  # words
# A part of a message is a question of its own when it is this sure, or this sure where the whole message hints at its
# topic with this probability. A part that is barely worded as a question needs both. See tests/test_assistant/data.
SURE = 0.72
HINTED = 0.25
HINT = 1e-4
NEVER = 2.0
MOST_QUESTIONS = 3
OFFERED = 3


class Embeds(Protocol):
    """Anything with the encoder's `embed_both`."""

    def embed_both(self, texts: Sequence[str]) -> np.ndarray:
        """Return two unit vectors a text, float32 [len(texts), 2, 384]."""


@dataclass(frozen=True)
class Topic:
    """What the reader knows of an intent."""

    label: str
    neighbours: Tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """What a message asks."""

    intent: str  # an intent, FALLBACK or SEVERAL
    confidence: float
    ranking: List[Tuple[str, float]]  # all intents with their probabilities, best first, out_of_scope last
    alternatives: List[str] = field(default_factory=list)  # to offer as "did you mean", nearest first
    neighbours: List[str] = field(default_factory=list)  # near topics to show beside the answer
    questions: List[str] = field(default_factory=list)  # the intents, in order, when there are several


class Reader:
    """The classifier with what surrounds it: the encoder, the splitter and the topics' labels."""

    def __init__(self, classifier: Classifier, topics: Mapping[str, Topic], encoder: Embeds) -> None:
        """Join a trained classifier, the topics by intent, and the encoder it was trained with."""
        self.classifier, self.topics, self._encoder = classifier, dict(topics), encoder

    def save(self, path: Path) -> None:
        """Write `classifier.npz` and `topics.json` into the folder `path`."""
        np.savez(path / "classifier.npz", **self.classifier.arrays())
        topics = {name: [topic.label, list(topic.neighbours)] for name, topic in self.topics.items()}
        content = {"format": FORMAT, "intents": self.classifier.intents, "topics": topics}
        (path / "topics.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, path: Path, encoder: Embeds) -> "Reader":
        """Return the reader saved in the folder `path`; raises ModelError when it is broken or of another version."""
        try:
            content = json.loads((path / "topics.json").read_text(encoding="utf-8"))
            found = content.get("format")
            if found != FORMAT:
                raise ModelError(f"topics.json: format {found!r} is of another version ({FORMAT!r}). Run `make train`.")
            with np.load(path / "classifier.npz", allow_pickle=False) as arrays:
                classifier = Classifier(content["intents"], dict(arrays))
        except (OSError, ValueError, KeyError, BadZipFile) as error:
            raise ModelError(f"{path.name}: the classifier does not load ({error}). Run `make train`.") from None
        topics = {name: Topic(label, tuple(near)) for name, (label, near) in content["topics"].items()}
        return cls(classifier, topics, encoder)

    def read(self, text: str) -> Reading:
        """Return what `text` asks."""
        parts = _parts(text)
        whole, *ranked = self._rank([text, *parts])
        if len(text.split()) > LONG:
            asked = [ranking for part, ranking in zip(parts, ranked) if ranking.in_scope and asks(part)]
            return self._one(self._surest(asked, whole))
        questions = self._questions(whole, ranked, SURE, HINTED)
        if len(questions) < 2:
            loose = _parts(text, loosely=True)
            if loose != parts:
                questions = {**self._questions(whole, self._rank(loose), NEVER, SURE), **questions}
        if len(questions) > 1:
            return self._several(whole, questions)
        answerable = whole.in_scope and is_question(whole.intents[0])
        return self._one(whole if answerable else self._surest(list(questions.values()), whole))

    def _rank(self, texts: Sequence[str]) -> List[Ranking]:
        texts = self.classifier.mend(texts)
        return self.classifier.rank(texts, self._encoder.embed_both(texts)) if texts else []

    def _questions(self, whole: Ranking, parts: Sequence[Ranking], alone: float, hinted: float) -> Dict[str, Ranking]:
        """Return the distinct topics that the parts ask about, in their order, each with its surest ranking.

        A part must be so sure `alone`, or as sure as `hinted` where the whole message hints at its topic.
        """
        hints = {name for name, probability in _pairs(whole)[:OFFERED] if probability >= HINT}
        found: Dict[str, Ranking] = {}
        for ranking in parts:
            intent = ranking.intents[0]
            if not is_question(intent) or _sureness(ranking) < (hinted if intent in hints else alone):
                continue
            if intent not in found or _sureness(found[intent]) < _sureness(ranking):
                found[intent] = ranking
        return found

    def _surest(self, parts: Sequence[Ranking], whole: Ranking) -> Ranking:
        """Return the surest of the parts that asks a question, or the whole when none does."""
        questions = [ranking for ranking in parts if is_question(ranking.intents[0])]
        return max(questions, key=_sureness, default=whole)

    def _several(self, whole: Ranking, questions: Mapping[str, Ranking]) -> Reading:
        names = list(questions)[:MOST_QUESTIONS]
        confidence = min(ranking.score for ranking in questions.values())
        return Reading(SEVERAL, confidence, _pairs(whole), questions=names)

    def _one(self, ranking: Ranking) -> Reading:
        best = ranking.intents[0]
        pairs = _pairs(ranking)
        if ranking.in_scope:
            near = self.topics[best].neighbours if best in self.topics else ()
            close = [name for name, probability in pairs[1:4] if name in near and probability > 0.05]
            return Reading(best, ranking.score, pairs, neighbours=close)
        if ranking.unrelated:
            return Reading(OUT_OF_SCOPE, ranking.score, pairs)
        return Reading(FALLBACK, ranking.score, pairs, alternatives=self._alternatives(ranking))

    def _alternatives(self, ranking: Ranking) -> List[str]:
        """Return up to three topics to offer, no two of them neighbours of each other."""
        chosen: List[str] = []
        for name in ranking.intents:
            if is_question(name) and not any(name in self.topics[other].neighbours for other in chosen):
                chosen.append(name)
            if len(chosen) == OFFERED:
                break
        return chosen


def is_question(intent: str) -> bool:
    """Return whether `intent` is a question or a wish that can stand beside another in one message."""
    return intent.startswith("faq_") or intent == "find_therapist"


def _sureness(ranking: Ranking) -> float:
    """Return how likely the part is in scope and its best intent right, 0 to 1."""
    return ranking.score * float(ranking.probabilities[0])


def _parts(text: str, loosely: bool = False) -> List[str]:
    """Return the parts of `text` that may each be a question; none when it is one sentence in one piece."""
    parts = [clause for sentence in sentences(text) for clause in clauses(sentence, loosely)]
    return parts if len(parts) > 1 else []


def _pairs(ranking: Ranking) -> List[Tuple[str, float]]:
    return [(name, float(probability)) for name, probability in zip(ranking.intents, ranking.probabilities)]
