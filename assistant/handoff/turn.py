"""One turn of the visitor while a search is on: an answer to the search, or a question in the middle of it."""
from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Iterable, List, Mapping, NamedTuple, Optional, Sequence

SEARCH_ENTITIES = ("location", "session_format", "concern", "audience", "search_step", "wish")
NAMED = ("location", "session_format", "concern")
# With these intents a turn answers the search's question; any other is a question of its own.
ANSWERING = ("find_therapist", "affirm", "deny", "choose_option")
NOT_UNDERSTOOD = ("nlu_fallback", "out_of_scope")
# Feelings told where the concern is asked for ("I feel anxious all the time") answer it.
TELLING = ("share_feelings", "request_diagnosis", "faq_who_benefits", "faq_conditions_helped")
# These end the search instead of pausing it.
LEAVING = ("goodbye", "start_over", "delete_my_data")
UNLISTED = "issue"  # the wish for help with what no filter serves
SEARCH_ACTION = "action_search_therapists"  # what shows the results
# Longer than this, a message that is not understood is no place's name.
LONGEST_PLACE = 6
# What may stand around the names in an answer: "um, somewhere near Leeds please, for my anxiety".
FILLER = frozenset(
    """a about actually after again also am an and any anywhere area around as at attachment based be because but by can change
    close could do doing either er erm feel feeling feelings find fine focused for from get getting give go good great happy
    have having hello help hey hi hiya how i i'd i'll i'm i've id ideally if ill im in instead is issues it it's its ive just
    kind let's like live living local location look looking make maybe me meet miles mind mine mostly my myself near nearby
    need no not now nr of ok okay on one ones only or over please pls possible postcode prefer preferably probably problem
    problems rather really round same search see session sessions show some someone something somewhere sorry sort struggling
    stuff suffer suffering switch talk than thanks that that's the then therapist therapists therapy think this to town travel
    try um under up us use using want was way we we're well what with within work working would yeah yep yes you your""".split()
)


@dataclass(frozen=True)
class Turn:
    """What the visitor said, as it was understood; `requested` is the slot that the search had asked for."""

    intent: str
    text: str
    entities: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    requested: Optional[str] = None

    def value(self, entity: str) -> Optional[str]:
        """Return the value of the first entity of this name."""
        return next((str(item["value"]) for item in self.entities if item["entity"] == entity), None)

    def values(self, entity: str) -> List[str]:
        """Return all values of this entity."""
        return [str(item["value"]) for item in self.entities if item["entity"] == entity]


class Interruption(NamedTuple):
    """How to answer a question in the middle of a search, and whether the search goes on after it."""

    action: str
    goes_on: bool


def only_names(turn: Turn) -> bool:
    """Whether the message holds nothing but what the search asks for: "online, Leeds please"."""
    rest = list(turn.text)
    found = [item for item in turn.entities if item["entity"] in SEARCH_ENTITIES]
    for item in found:
        rest[item["start"]:item["end"]] = " " * (item["end"] - item["start"])
    return bool(found) and all(word in FILLER or word.isdigit() for word in words("".join(rest)))


def words(text: str) -> List[str]:
    """Return the words of `text` in lower case, apostrophes straight."""
    return re.findall(r"[^\W_]+(?:'[^\W_]+)*", text.lower().replace("’", "'"))


def is_answer(turn: Turn) -> bool:
    """Whether the turn answers or steers the search."""
    if turn.intent in ANSWERING or not turn.text:  # without a text: a button
        return turn.intent in ANSWERING
    if turn.intent == "multi_question" or (_asks(turn.text) and turn.text.rstrip().endswith("?")):
        return False
    if only_names(turn):
        return True
    if turn.requested == "concern":
        telling = turn.intent in TELLING and turn.value("concern") is not None and "?" not in turn.text
        return telling or turn.intent in NOT_UNDERSTOOD
    short = len(words(turn.text)) <= LONGEST_PLACE and "?" not in turn.text
    return turn.intent in NOT_UNDERSTOOD and short


def _asks(text: str) -> bool:
    """Whether a text asks about what it names ("is online as good?") rather than for it ("can we do online?")."""
    first, second = (words(text) + ["", ""])[:2]
    return first in ("is", "are", "does", "do") or (first == "can" and second not in ("i", "we", "you"))


def during_search(turn: Turn, known_actions: Iterable[str]) -> Optional[Interruption]:
    """Return how to answer a turn that is no answer to the search, or None when the search is to take it."""
    if is_answer(turn):
        return None
    action = "utter_not_understood" if turn.intent == "nlu_fallback" else f"utter_{turn.intent}"
    return Interruption(action, turn.intent not in LEAVING) if action in set(known_actions) else None


def names_a_search(turn: Turn) -> bool:
    """Whether the message is a search by what it names: two of place, format and concern, or a place and a wish; nothing else.

    "York, zoom, low mood" and "a woman in Leeds, evenings" have no verb that the classifier of meanings could hold on to.
    """
    kinds = {item["entity"] for item in turn.entities} & set(NAMED)
    wished = any(wish != UNLISTED for wish in turn.values("wish")) and "location" in kinds
    return (len(kinds) >= 2 or wished) and "?" not in turn.text and not _asks(turn.text) and only_names(turn)


def continues_search(turn: Turn, last_action: str) -> bool:
    """Whether a turn right after the results is about them, whatever else it might mean: "more", "what about York?"."""
    if last_action != SEARCH_ACTION or not turn.text or turn.intent == "find_therapist":
        return False
    return turn.intent == "tell_me_more" or only_names(turn)
