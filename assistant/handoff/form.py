"""The search form: which facts a turn brings, what is still to be asked, when to stop asking."""
from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple

from assistant.directory.model import AUDIENCES, CONCERNS, FORMATS, RADII, Query
from assistant.handoff.turn import NOT_UNDERSTOOD, UNLISTED, Turn, words
from assistant.places import Gazetteer, Lookup

ANY = "any"  # a slot that the visitor leaves open
FACTS = ("location", "session_format", "concern", "audience")
# In the order of asking: online needs no place.
QUESTIONS = ("session_format", "location", "concern")
# A question is asked again once; then the link to the site's search has to do.
MOST_TRIES = 2
PAGE = 3  # cards at a time
# Before a place in a short answer: "i'm in", "it's", "um".
LEAD = re.compile(
    r"^(?:(?:i'?m|i|we'?re|we|am|live|living|based|in|near|around|from|at|it'?s|is|um|er|somewhere|the|my|town|postcode|actually"
    r"|try|maybe|just|close|to|outside)\s+)+",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Search:
    """All that a search knows; kept in Rasa's slots (`slots_of`), without a word that the visitor wrote."""

    location: Optional[str] = None  # a place's label, or ANY
    session_format: Optional[str] = None  # "online", "in_person" or ANY
    concern: Optional[str] = None  # one of CONCERNS, or ANY
    audience: Optional[str] = None  # one of AUDIENCES
    tries: Tuple[Tuple[str, int], ...] = ()  # slot -> answers that could not be used
    problem: str = ""  # of the last answer about the place: unknown, ambiguous, abroad, wide, near_me
    name: str = ""  # the place as known to us, which `problem` is about
    choices: Tuple[str, ...] = ()  # labels to choose from
    wishes: Tuple[str, ...] = ()  # named, but without a filter
    noted: Tuple[str, ...] = ()  # the facts that the last turn brought without being asked, and its place
    outcome: str = ""  # "stopped" or "gave_up"
    offset: int = 0
    radius: int = RADII[0]

    @classmethod
    def from_slots(cls, slots: Mapping[str, Any]) -> "Search":
        """Return the search that the slots hold."""
        memory: Dict[str, Any] = dict(slots.get("search_memory") or {})
        memory["tries"] = tuple((str(name), int(number)) for name, number in memory.get("tries", ()))
        for name in ("choices", "wishes", "noted"):
            memory[name] = tuple(memory.get(name, ()))
        facts: Dict[str, Any] = {name: slots.get(name) for name in FACTS}
        return cls(**facts, **memory)


def slots_of(search: Search) -> Dict[str, Any]:
    """Return `search` as slots: the four facts and `search_memory`, a dictionary that JSON can hold."""
    memory = asdict(search)
    facts = {name: memory.pop(name) for name in FACTS}
    return {**facts, "search_memory": {name: list(value) if isinstance(value, tuple) else value for name, value in memory.items()}}


def next_question(search: Search) -> Optional[str]:
    """Return the slot to ask for, or None when the search can be made, or is to end without."""
    if search.outcome:
        return None
    if search.problem and search.location is None and search.session_format != "online":
        return "location"  # said, but not clear: settled first
    for slot in QUESTIONS:
        if getattr(search, slot) is None and not (slot == "location" and search.session_format == "online"):
            return slot
    return None


def take(search: Search, turn: Turn, gazetteer: Gazetteer) -> Search:
    """Return the search after `turn`, which is an answer or begins a search."""
    after = _taken(search, turn, gazetteer)
    new = [slot for slot in QUESTIONS if getattr(after, slot) not in (None, ANY, getattr(search, slot))]
    return replace(after, noted=tuple(slot for slot in new if slot == "location" or slot != turn.requested))


def _taken(search: Search, turn: Turn, gazetteer: Gazetteer) -> Search:
    before, step = search, turn.value("search_step")
    if (step == "more" or turn.intent == "tell_me_more") and next_question(replace(search, outcome="")) is None:
        return replace(search, offset=search.offset + PAGE, outcome="")
    search = replace(search, outcome="", offset=0)
    if turn.value("location") or turn.requested == "location":
        search = replace(search, problem="", name="", choices=(), radius=RADII[0])
    if step == "stop" and turn.requested and not _declines(turn):
        return replace(search, outcome="stopped")
    if step == "wider":
        search = replace(search, radius=next((miles for miles in RADII if miles > search.radius), RADII[-1]))
    if step and step.startswith("change_"):
        slot = step[len("change_"):]
        return _with(replace(search, tries=tuple(one for one in search.tries if one[0] != slot)), slot, None)
    search = replace(search, wishes=tuple(dict.fromkeys((*search.wishes, *turn.values("wish")))))
    for slot, allowed in (("session_format", (*FORMATS, ANY)), ("concern", CONCERNS), ("audience", AUDIENCES)):
        value = turn.value(slot)
        if value in allowed:
            search = _with(search, slot, value)
    chosen = _chosen(before.choices, turn.text)
    if chosen:
        search = replace(search, location=chosen, problem="", name="", choices=())
    elif turn.value("location"):
        search = _place(search, gazetteer.look_up(str(turn.value("location"))))
    elif step == "near_me" and search.location is None:
        search = replace(search, problem="near_me")
    if turn.requested and getattr(search, turn.requested) is None:
        search = _requested(before, search, turn, gazetteer)
    return search


def _requested(before: Search, search: Search, turn: Turn, gazetteer: Gazetteer) -> Search:
    """Fill the slot that was asked for from an answer that did not name it outright, or count a try."""
    slot = str(turn.requested)
    step = turn.value("search_step")
    if step == "skip" or _declines(turn) or (turn.intent == "deny" and not turn.value("location")):
        return _with(replace(search, problem=""), slot, ANY)
    if slot == "location" and not search.problem and turn.text and len(words(turn.text)) <= 8:
        search = _place(search, gazetteer.look_up(LEAD.sub("", turn.text.strip(" .!?,"))))
        if search.location is None and _facts(search) != _facts(before):
            search = replace(search, problem="")  # the answer was about something else, and was understood
    unlisted = UNLISTED in turn.values("wish") or (turn.intent in NOT_UNDERSTOOD and not _other_facts(before, search))
    if slot == "concern" and turn.text and unlisted:
        return replace(search, concern=ANY, wishes=tuple(dict.fromkeys((*search.wishes, UNLISTED))))
    if getattr(search, slot) is not None or _other_facts(before, search) or not turn.text:
        return search  # without a text: the button that carries the search on
    tries = dict(search.tries)
    tries[slot] = tries.get(slot, 0) + 1
    return replace(search, tries=tuple(tries.items()), outcome="gave_up" if tries[slot] >= MOST_TRIES else "")


def _chosen(choices: Sequence[str], text: str) -> str:
    """Return the one of several namesakes that `text` names by what tells it apart ("the Isle of Wight one"), or ""."""
    said = f" {' '.join(words(text))} "
    named = [label for label in choices if f" {' '.join(words(label.partition(', ')[2].removeprefix('near ')))} " in said]
    return named[0] if len(named) == 1 else ""


def _declines(turn: Turn) -> bool:
    """Whether "no thanks" turns down the last question, which need not be answered, and not the search."""
    return turn.requested == "concern" and turn.value("search_step") == "stop" and words(turn.text)[:1] == ["no"]


def _place(search: Search, lookup: Lookup) -> Search:
    if lookup.place is not None:
        return replace(search, location=lookup.place.label, problem="", name="")
    known = lookup.outcome != "unknown"
    return replace(
        search, location=None, problem=lookup.outcome, name=lookup.name if known else "",
        choices=tuple(place.label for place in lookup.places),
    )


def _with(search: Search, slot: str, value: Optional[str]) -> Search:
    changed: Dict[str, Any] = {slot: value}
    return replace(search, **changed)


def _facts(search: Search) -> Tuple[Optional[str], ...]:
    return search.location, search.session_format, search.concern, search.audience


def _other_facts(before: Search, after: Search) -> bool:
    return _facts(before) != _facts(after) or before.wishes != after.wishes


def query_of(search: Search, gazetteer: Gazetteer) -> Query:
    """Return the query for the directory; what was left open is None."""
    location, *others = (None if value == ANY else value for value in _facts(search))
    place = gazetteer.look_up(location).place if location and search.session_format != "online" else None
    return Query(place, *others)
