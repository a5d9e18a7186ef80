"""Why a model understood a message as it did: the ranking, the nearest taught phrasings, the rule that answered."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from assistant.content import Topic, read_topic
from assistant.content.project import Flow, read_project
from assistant.content.topics import topic_files
from assistant.errors import ContentError
from assistant.understanding.reader import FALLBACK, SEVERAL
from studio.meaning import Meaning
from studio.models_open import Opened

SHOWN_TOPICS = 4
SHOWN_PHRASINGS = 3


@dataclass(frozen=True)
class Considered:
    """A topic that came into question."""

    intent: str
    label: str
    probability: float
    phrasings: List[Tuple[str, float]]  # the nearest taught ones, with their cosine


@dataclass(frozen=True)
class Explanation:
    """What a release makes of a sentence."""

    understood: str  # intents joined by commas, or nlu_fallback
    confidence: float
    threshold: float
    offered: List[str]  # labels of "did you mean"
    considered: List[Considered]
    level: str
    detector: str
    category: str
    rules: List[str]


def explain(text: str, model: Opened, root: Path, meaning: Meaning) -> Explanation:
    """Return what `model`, made from the files below `root`, makes of `text`."""
    reading, verdict = model.reader.read(text), model.safety.check(text)
    topics = {topic.intent: topic for topic in _topics(root)}
    names = reading.questions if reading.intent == SEVERAL else [name for name, _ in reading.ranking[:SHOWN_TOPICS]]
    probabilities = dict(reading.ranking)
    understood = ",".join(reading.questions) if reading.intent == SEVERAL else reading.intent
    if verdict.level == "crisis":
        understood = "crisis"
    return Explanation(
        understood=understood,
        confidence=reading.confidence,
        threshold=model.reader.classifier.threshold,
        offered=[model.reader.topics[name].label for name in reading.alternatives if name in model.reader.topics],
        considered=[
            Considered(
                name,
                topics[name].label if name in topics else name,
                probabilities.get(name, 0.0),
                _nearest(text, topics.get(name), meaning),
            )
            for name in names
        ],
        level=verdict.level,
        detector=verdict.detector,
        category=verdict.category,
        rules=rules_of(understood, read_project(root).flows, {topic.intent: topic.label for topic in topics.values()}),
    )


def rules_of(understood: str, flows: Sequence[Flow], labels: Mapping[str, str]) -> List[str]:
    """Return the names of the rules and stories that begin with what was understood; a topic's own rule has its label."""
    found = []
    for intent in understood.split(","):
        wanted = FALLBACK if intent == FALLBACK else intent
        found += [f"{flow.kind} “{labels.get(flow.name, flow.name)}”" for flow in flows if next(flow.values("intent"), None) == wanted]
    return list(dict.fromkeys(found))


def _nearest(text: str, topic: Optional[Topic], meaning: Meaning) -> List[Tuple[str, float]]:
    if topic is None or not topic.examples:
        return []
    cosines = (meaning.embed([text]) @ meaning.embed(topic.examples).T)[0]
    order = sorted(range(len(cosines)), key=lambda index: -cosines[index])[:SHOWN_PHRASINGS]
    return [(topic.examples[index], float(cosines[index])) for index in order]


def _topics(root: Path) -> List[Topic]:
    found = []
    for path in topic_files(root):
        try:
            found.append(read_topic(path, root))
        except ContentError:
            continue  # the release was made without this file, or the content check says what is wrong with it
    return found


def labels_of(root: Path) -> Dict[str, str]:
    """Return the labels by intent of the files below `root`."""
    return {topic.intent: topic.label for topic in _topics(root)}
