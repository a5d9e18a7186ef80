"""Finds the place that a message is about, and leaves ordinary words ("reading", "bath", "my friend Nelson") alone.

A name that is nothing but a place counts anywhere. One that is also a word or a person's name counts only where a
place must stand: after "in", "near" and the like, before "area" or "based", beside "therapist", or all by itself.
"""
from __future__ import annotations

import re
from dataclasses import dataclass
from typing import List, Optional, Set, Tuple

from assistant.places.gazetteer import Gazetteer
from assistant.places.place import Lookup, key
from assistant.places.postcodes import find_postcodes

_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
BEFORE = set("in near nr around round outside inside within towards from at to by across covering cover".split())
LIVING = set("live living lives based located am im were from".split())
AFTER = {"area", "areas", "based", "region", "way", "postcode", "station", "town", "centre"}
PROVIDER = {"therapist", "therapists", "therapy", "counsellor", "counsellors", "counselling", "counselor", "psychotherapist",
            "psychotherapists", "psychotherapy", "someone", "anyone", "somebody", "anybody"}
# Words before "to" that make it lead to a place: "close to", "moved to", "from York to".
TOWARDS = set("back change close closest commute drive from get go going it move moved moving near nearest next out that travel".split())
BETWEEN = {"the", "central", "greater", "north", "south", "east", "west", "sunny", "nearby"}
# "interested in reading about it", "believe in hope for": an ordinary word goes on where a place would not.
GOES_ON = set("about more the this that these it up a an of my your his her through books with".split())
MONTHS = {"march"}
LEFT = re.compile(
    r"\b(used to|moved (away )?from|moving (away )?from|grew up|born|left|originally)\b(?:(?!\b(to|now|but)\b)[^,.;])*$", re.IGNORECASE
)
TURNED_DOWN = re.compile(
    r"\b(not|isn't|isnt|except|rather than|instead of|anywhere but)( (really|actually|just|that|too))?( (in|near|from|around|to|at))?\s*$",
    re.IGNORECASE,
)
NOW = re.compile(r"\b(now|actually|sorry|moved to|moving to|make (it|that)|change (it|that)? ?to|try)\b[^,.;]{0,12}$", re.IGNORECASE)
FRAGMENT_EDGE = ",;:/|()\n.!?-–"


@dataclass(frozen=True)
class Mention:
    """A place named in a text, at text[start:end], and what it may mean."""

    start: int
    end: int
    lookup: Lookup
    weight: float = 1.0  # how surely the message is about this one


@dataclass(frozen=True)
class _Token:
    text: str
    plain: str
    start: int
    end: int


class _Reading:
    """One text cut into tokens, with the questions that the rules ask of it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = [_Token(m.group(), key(m.group()), m.start(), m.end()) for m in _TOKEN.finditer(text)]
        letters = [token.text for token in self.tokens if token.text not in ("I", "I'm", "I’m")]
        self.has_capitals = any(word[0].isupper() and not word.isupper() for word in letters[1:])

    def word(self, index: int) -> str:
        return self.tokens[index].plain if 0 <= index < len(self.tokens) else ""

    def joined(self, first: int, last: int) -> bool:
        """Whether tokens first to last stand together, with nothing but spaces, hyphens or a dot after "St"."""
        for left, right in zip(self.tokens[first:last], self.tokens[first + 1:last + 1]):
            between = self.text[left.end:right.start]
            if not re.fullmatch(r"[ \-’']+", between) and not (left.plain == "st" and between in (".", ". ")):
                return False
        return True

    def preposition(self, first: int) -> str:
        """Return the word before the place that announces one, or nothing."""
        index = first - 1
        while index >= 0 and self.word(index) in BETWEEN and self.joined(index, index + 1):
            index -= 1
        if index < 0 or not self.joined(index, first):
            return ""
        word = self.word(index)
        if word == "to" and not TOWARDS & {self.word(index - 1), self.word(index - 3)}:
            return ""
        return word if word in BEFORE else ""

    def edge_before(self, first: int) -> bool:
        return first == 0 or any(mark in FRAGMENT_EDGE for mark in self.text[self.tokens[first - 1].end:self.tokens[first].start])

    def edge_after(self, last: int) -> bool:
        following = self.text[self.tokens[last].end:self.tokens[last + 1].start] if last + 1 < len(self.tokens) else "\n"
        return any(mark in FRAGMENT_EDGE for mark in following)

    def capital(self, first: int) -> bool:
        return self.tokens[first].text[0].isupper()


def find_places(text: str, gazetteer: Gazetteer) -> List[Mention]:
    """Return the places named in `text`, the one that it is most surely about first."""
    reading = _Reading(text)
    found = _postcodes(reading, gazetteer)
    taken: Set[int] = {i for i, token in enumerate(reading.tokens) for m in found if m.start <= token.start < m.end}
    index = 0
    while index < len(reading.tokens):
        mention, used = _at(reading, index, taken, gazetteer)
        if mention is not None:
            found.append(mention)
            taken.update(range(index, index + used))
        index += max(used, 1)
    if not any(mention.lookup.places for mention in found):
        found += _misspelt(reading, taken, gazetteer)
    kept = [mention for mention in found if not TURNED_DOWN.search(text[:mention.start])]
    return sorted(kept, key=lambda mention: (-mention.weight, mention.start))


def _postcodes(reading: _Reading, gazetteer: Gazetteer) -> List[Mention]:
    mentions = []
    for code in find_postcodes(reading.text, gazetteer.areas):
        index = next(i for i, token in enumerate(reading.tokens) if token.start <= code.start < token.end)
        written = reading.text[code.start:code.end]
        # "b4", "m8" and "e10" are also how people type "before" and "mate", and an additive.
        announced = bool(reading.preposition(index)) or reading.word(index - 1) in ("postcode", "is") or reading.word(index + 1) in AFTER
        alone = reading.edge_before(index) and reading.edge_after(index)
        beside = {reading.word(index - 1), reading.word(index + 1)} & PROVIDER
        if not (code.full or written.isupper() or announced or alone or beside or len(code.outward) >= 4):
            continue
        place = gazetteer.postcode(code.outward)
        weight = 3.0 + _leaning(reading.text, code.start)
        mentions.append(Mention(code.start, code.end, Lookup("found", place.name, (place,)), weight))
    return mentions


def _at(reading: _Reading, first: int, taken: Set[int], gazetteer: Gazetteer) -> Tuple[Optional[Mention], int]:
    """Return the longest place that begins at token `first`, and how many tokens it takes."""
    for size in range(min(gazetteer.longest, len(reading.tokens) - first), 0, -1):
        last = first + size - 1
        if taken & set(range(first, last + 1)) or not reading.joined(first, last):
            continue
        name = " ".join(token.plain for token in reading.tokens[first:last + 1])
        lookup = _known(name, gazetteer)
        if lookup is None or not _stands_for_place(reading, first, last, name, lookup, gazetteer):
            continue
        lookup, qualifier = _qualified(reading, last, lookup, gazetteer)
        start, end = reading.tokens[first].start, reading.tokens[last + qualifier].end
        weight = (2.0 if reading.preposition(first) not in ("", "from", "at") else 1.5 if reading.preposition(first) else 1.0)
        # Of "Kent or Maidstone", the town says more.
        county = lookup.place is not None and lookup.place.kind == "county"
        weight += _leaning(reading.text, start) - (1.2 if county else 0)
        return Mention(start, end, lookup, weight), size + qualifier
    return None, 1


def _known(name: str, gazetteer: Gazetteer) -> Optional[Lookup]:
    places = gazetteer.named(name)
    if places:
        return Lookup("found" if len(places) == 1 else "ambiguous", places[0].name, places)
    if name in gazetteer.wide:
        return Lookup("wide", gazetteer.wide[name])
    return Lookup("abroad", gazetteer.abroad[name]) if name in gazetteer.abroad else None


def _stands_for_place(reading: _Reading, first: int, last: int, name: str, lookup: Lookup, gazetteer: Gazetteer) -> bool:
    whole = first == 0 and last == len(reading.tokens) - 1
    if whole:
        return True
    preposition = reading.preposition(first)
    if name in MONTHS:
        return preposition in ("near", "nr", "around", "outside") or (preposition == "in" and _living(reading, first))
    strict = name in gazetteer.strict
    if strict and not (reading.capital(first) and (preposition or (reading.edge_before(first) and reading.edge_after(last)))):
        return False
    if not strict and not _needs_words_around(name, lookup, reading, first, gazetteer):
        return True
    if preposition:
        return reading.word(last + 1) not in GOES_ON and (preposition != "at" or reading.capital(first))
    if lookup.outcome in ("abroad", "wide"):
        return reading.edge_before(first) and reading.edge_after(last)
    alone = reading.edge_before(first) and reading.edge_after(last)
    beside = reading.word(first - 1) in PROVIDER | {"search", "try"} and (reading.edge_after(last) or reading.word(last + 1) in BEFORE)
    heading = reading.edge_before(first) and reading.word(last + 1) in PROVIDER
    return alone or beside or heading or reading.word(last + 1) in AFTER


def _needs_words_around(name: str, lookup: Lookup, reading: _Reading, first: int, gazetteer: Gazetteer) -> bool:
    if lookup.outcome in ("abroad", "wide") or name in gazetteer.ordinary:
        return True
    known = all(word in gazetteer.words or len(word) < 3 for word in name.split())
    written_as_name = reading.capital(first) and reading.has_capitals and " " in name
    return known and lookup.places[0].population < 20_000 and not written_as_name


def _living(reading: _Reading, first: int) -> bool:
    return any(reading.word(index) in LIVING for index in range(max(0, first - 3), first))


def _qualified(reading: _Reading, last: int, lookup: Lookup, gazetteer: Gazetteer) -> Tuple[Lookup, int]:
    """Settle an ambiguous name by what follows it ("Newport, Isle of Wight"); return also the tokens used."""
    if lookup.outcome != "ambiguous":
        return lookup, 0
    start = last + 1
    while reading.word(start) in ("in", "on", "the", "near"):
        start += 1
    for size in (4, 3, 2, 1):
        words = [reading.word(index) for index in range(start, start + size)]
        if not all(words):
            continue
        place = gazetteer.near(lookup.places, " ".join(words)) or gazetteer.near(lookup.places, "near " + " ".join(words))
        if place is not None:
            return Lookup("found", place.name, (place,)), start + size - 1 - last
    return lookup, 0


def _leaning(text: str, start: int) -> float:
    """Return how the words before a place raise or lower it: "now in", "moved from"."""
    before = text[max(0, start - 40):start]
    if LEFT.search(before):
        return -0.8
    return 0.5 if NOW.search(before) else 0.0


def _misspelt(reading: _Reading, taken: Set[int], gazetteer: Gazetteer) -> List[Mention]:
    """Return a place that is spelt wrongly, where a place must stand or the word is no English one."""
    for first, token in enumerate(reading.tokens):
        announced = bool(reading.preposition(first)) and reading.preposition(first) not in ("at", "to", "by")
        for size in (3, 2, 1):
            last = first + size - 1
            span = set(range(first, last + 1))
            if last >= len(reading.tokens) or span & taken or not reading.joined(first, last):
                continue
            words = [reading.word(index) for index in range(first, last + 1)]
            whole = first == 0 and last == len(reading.tokens) - 1
            if all(word in gazetteer.words or len(word) < 3 for word in words):
                continue
            if size > 1 and (words[0] in BEFORE or words[-1] in BEFORE | PROVIDER | {"and", "for", "with", "or", "please", "online"}):
                continue
            lookup = gazetteer.spelt_like(" ".join(words), sure=not (announced or whole))
            if lookup.places:
                return [Mention(token.start, reading.tokens[last].end, lookup, 1.0)]
    return []
