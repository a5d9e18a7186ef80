"""Finds what a message names: place, format, concern, who it is for, attachment style, glossary term.

spaCy's PhraseMatcher over data/vocabulary/, and assistant/places for places. Pure: the same text gives the same result.
"""
from __future__ import annotations

import re
from functools import lru_cache
from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence, Set, Tuple

from rapidfuzz import process
from rapidfuzz.distance import OSA

from assistant.places import Gazetteer, Lookup, find_places
from assistant.settings import Settings
from assistant.spacy_light import Doc, PhraseMatcher, Span, spacy
from assistant.vocabulary import Vocabulary, Word, load_vocabulary

ANY = "any"  # the value of a format that the visitor leaves open: "online or in person"
FORMATS = ("online", "in_person")
# Where phrases of these kinds overlap, the longest counts: "low cost" is no low mood, "anxious style" no anxiety.
RIVALS = ("concern", "style", "wish")
SHORTEST_TYPO = 5
PREFERRED = re.compile(r"\b(prefer(ably|ence|red)?|rather|ideally|instead|mainly|mostly)\b", re.IGNORECASE)
# Between a word that turns a format down and the format: "don't want [to do it on] zoom".
LINK = r"(?:\s+(?:a|an|any|the|to|do|doing|it|be|being|on|by|via|over|want|really|just|for|have|having|using|use|like|into|keen))*"
LEFT_ASIDE = re.compile(r"\b(not|without|never|don't|isn't|except)\s+(my\s+|about\s+|for\s+|any\s+)?$", re.IGNORECASE)


class Entity(NamedTuple):
    """Something that text[start:end] names."""

    entity: str
    value: str
    start: int
    end: int


class _Match(NamedTuple):
    word: Word
    start: int
    end: int


class Matcher:
    """Finds entities; see `load`."""

    def __init__(self, vocabulary: Vocabulary, gazetteer: Gazetteer) -> None:
        """Build the phrase matcher."""
        self.vocabulary, self.gazetteer = vocabulary, gazetteer
        self._nlp = spacy.blank("en")
        self._words: Dict[str, List[Word]] = {}
        for word in vocabulary.words:
            for spelling in _spellings(word.phrase):
                self._words.setdefault(spelling, []).append(word)
        either = {spelling for phrase in vocabulary.either for spelling in _spellings(phrase)}
        self._matcher = PhraseMatcher(self._nlp.vocab, attr="LOWER")
        self._matcher.add("word", [self._nlp.make_doc(phrase) for phrase in self._words])
        self._matcher.add("either", [self._nlp.make_doc(phrase) for phrase in either])
        self._typos = [phrase for phrase, words in self._words.items()
                       if len(phrase) >= SHORTEST_TYPO and phrase.isalpha() and words[0].entity in ("concern", "session_format")]
        turned_down = "|".join(re.escape(_plain(phrase)) for phrase in vocabulary.turned_down)
        self._turned_down = re.compile(rf"\b(?:{turned_down}){LINK}\s*$", re.IGNORECASE)
        self._whole_steps = {_bare(phrase): step for phrase, step in vocabulary.whole_steps.items()}
        parts = sorted(vocabulary.part_steps, key=len, reverse=True)
        self._part_steps = re.compile(rf"\b({'|'.join(map(re.escape, parts))})\b", re.IGNORECASE)

    @classmethod
    def load(cls, settings: Settings) -> "Matcher":
        """Return the matcher of this installation, one a process; raises ContentError when its data are not there."""
        return _load(Gazetteer.load(settings))

    def find(self, text: str) -> List[Entity]:
        """Return the entities of `text` in order: one at most of location, session_format, concern and audience."""
        plain = _plain(text)
        doc = self._nlp.make_doc(plain)
        matches, either = self._matches(doc)
        found = [
            *self._location(text),
            *self._format(plain, matches, either),
            *_concern(plain, matches),
            *_first(matches, "audience"),
            *(Entity(m.word.entity, m.word.value, m.start, m.end) for m in matches if m.word.entity in ("style", "term", "wish")),
            *self._step(text),
        ]
        return sorted(dict.fromkeys(found), key=lambda entity: entity.start)

    def step(self, text: str) -> Optional[str]:
        """Return how the whole of `text` steers the search: "skip", "stop", "more" …, or None."""
        return self._whole_steps.get(_bare(text))

    def _location(self, text: str) -> List[Entity]:
        return [Entity("location", _location_value(m.lookup), m.start, m.end) for m in find_places(text, self.gazetteer)[:1]]

    def _matches(self, doc: Doc) -> Tuple[List[_Match], List[Span]]:
        spans: List[Span] = []
        either: List[Span] = []
        for match_id, start, end in self._matcher(doc):
            span = doc[start:end]
            (either if self._nlp.vocab.strings[match_id] == "either" else spans).append(span)
        matches = [_Match(word, span.start_char, span.end_char) for span in spans for word in self._words[span.text.lower()]]
        return _longest(matches + self._misspelt(doc, spans)), either

    def _misspelt(self, doc: Doc, spans: Iterable[Span]) -> List[_Match]:
        """Return the words that one slip of the keyboard keeps from being known."""
        known = {token.i for span in spans for token in span}
        matches = []
        for token in doc:
            spelt = token.lower_
            if token.i in known or len(spelt) < SHORTEST_TYPO or not spelt.isalpha() or spelt in self.gazetteer.words:
                continue
            near = process.extractOne(spelt, self._typos, scorer=OSA.distance, score_cutoff=1 if len(spelt) < 9 else 2)
            if near and near[0][0] == spelt[0]:
                matches += [_Match(word, token.idx, token.idx + len(token)) for word in self._words[near[0]]]
        return matches

    def _format(self, plain: str, matches: Sequence[_Match], either: Sequence[Span]) -> List[Entity]:
        """Return the format asked for: the other one where one is turned down, ANY where both are welcome."""
        wanted: Dict[str, _Match] = {}
        for match in matches:
            if match.word.entity == "session_format":
                other = FORMATS[match.word.value == FORMATS[0]]
                against = self._turned_down.search(plain[:match.start])
                wanted.setdefault(other if against else match.word.value, match)
        if len(wanted) == 2:
            return [_preferred(plain, wanted)]
        if wanted:
            value, match = next(iter(wanted.items()))
            return [Entity("session_format", value, match.start, match.end)]
        # "either" by itself answers the question about the format; in a longer message it may be about anything.
        open_ = [span for span in either if span.start == 0 and span.end == len(span.doc)]
        return [Entity("session_format", ANY, span.start_char, span.end_char) for span in open_[:1]]

    def _step(self, text: str) -> List[Entity]:
        whole = self.step(text)
        if whole:
            return [Entity("search_step", whole, 0, len(text))]
        match = self._part_steps.search(_plain(text))
        if match is None:
            return []
        return [Entity("search_step", self.vocabulary.part_steps[match.group(1).lower()], match.start(), match.end())]


@lru_cache(maxsize=2)
def _load(gazetteer: Gazetteer) -> Matcher:
    return Matcher(load_vocabulary(), gazetteer)


def _location_value(lookup: Lookup) -> str:
    return lookup.place.label if lookup.place else lookup.name


def _concern(plain: str, matches: Sequence[_Match]) -> List[Entity]:
    """Return the concern named first; a weak word ("my mum") only when there is no other."""
    named = [m for m in matches if m.word.entity == "concern" and not LEFT_ASIDE.search(plain[:m.start])]
    weak = [m for m in named if m.word.weak and not re.search(r"\bfor\s+$", plain[:m.start])]
    for match in [*(m for m in named if not m.word.weak), *weak]:
        return [Entity("concern", match.word.value, match.start, match.end)]
    return []


def _first(matches: Sequence[_Match], entity: str) -> List[Entity]:
    return [Entity(entity, m.word.value, m.start, m.end) for m in matches if m.word.entity == entity][:1]


def _preferred(plain: str, wanted: Dict[str, _Match]) -> Entity:
    """Return which of two formats is preferred ("ideally in person, online if not"), or ANY; it spans both."""
    ordered = sorted(wanted.items(), key=lambda item: item[1].start)
    start, end = ordered[0][1].start, max(match.end for match in wanted.values())
    cue = PREFERRED.search(plain)
    if cue is None:
        return Entity("session_format", ANY, start, end)
    after = [value for value, match in ordered if match.start >= cue.start()]
    return Entity("session_format", after[0] if after else ordered[-1][0], start, end)


def _longest(matches: Sequence[_Match]) -> List[_Match]:
    """Return the matches without those inside a longer one of a rival kind or of their own, in order."""
    kept: List[_Match] = []
    for match in sorted(matches, key=lambda m: (m.start - m.end, m.start)):
        inside = any(
            match.start < other.end and other.start < match.end and _rivals(match.word, other.word)
            and (match.start, match.end) != (other.start, other.end)
            for other in kept
        )
        if not inside:
            kept.append(match)
    return sorted(kept, key=lambda m: m.start)


def _rivals(first: Word, second: Word) -> bool:
    return first.entity == second.entity or (first.entity in RIVALS and second.entity in RIVALS)


def _plain(text: str) -> str:
    """Return `text` with hyphens as spaces and straight apostrophes; its length stays."""
    return re.sub(r"[-–—_/]", " ", text).replace("’", "'").replace("‘", "'")


def _spellings(phrase: str) -> Set[str]:
    plain = _plain(phrase).lower()
    return {plain, plain.replace("'", "")}


def _bare(text: str) -> str:
    """Return `text` without case, punctuation and the words that only make it polite."""
    words = re.findall(r"[a-z/]+", text.lower().replace("’", "'").replace("'", ""))
    kept = [word for word in words if word not in ("please", "pls", "ok", "okay", "oh", "um", "er", "thanks", "just", "really")]
    return " ".join(kept or words)
