"""What the check says of a message."""
from __future__ import annotations

from dataclasses import dataclass

LEVELS = ("none", "concern", "crisis")  # rising
CATEGORIES = ("suicide", "self_harm", "abuse_violence", "child_at_risk", "medical_emergency", "harm_to_others",
              "losing_reality", "third_party")


@dataclass(frozen=True)
class Verdict:
    """The level of a message and what the reply needs. It holds words of the visitor in `rest` alone: never log it."""

    level: str  # crisis, concern, none
    category: str = ""  # one of CATEGORIES, chooses helplines; never shown
    topic: str = ""  # a finer choice of reply, such as eating_disorder
    detector: str = ""  # phrases, meaning, or "" where the level is none
    score: float = 0.0  # the meaning detector's score for crisis, 0 to 1; no probability
    explicit: bool = False  # explicit wording was found: the reply may name the risk
    child: bool = False  # a person under 18 writes
    denial: bool = False  # "I'm fine", "you misunderstood"
    near: bool = False  # the score is near the threshold: for the review queue
    rest: str = ""  # the sentences without risk that ask something, as the visitor wrote them
