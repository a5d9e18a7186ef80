"""The first detector: wording that shows risk, with guards for wording that only looks so (data/safety/phrases.yml)."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, FrozenSet, List, Mapping, Sequence, Tuple

import yaml

from assistant.errors import ContentError
from assistant.safety.normalise import STOP
from assistant.safety.patterns import Coder, words_of

KINDS = ("explicit", "coded", "bare", "whole")
PARTS = ("lists", "crisis", "guards", "traps", "frames", "urgent", "past", "topics", "child", "adult", "denial", "spellings")

_FILLER = frozenset({STOP, "please", "help", "lol", "haha", "now", "again", "omg", "ok", "so", "just", "tbh", "idk", "rn", "me"})
_SELF = frozenset({"i", "me", "my", "myself", "us"})
_NEAR = 20  # words to either side within which a frame or a time counts for a match in a run-on sentence
_BEFORE = 5  # words before a match among which its subject is looked for


Span = Tuple[int, int]


@dataclass(frozen=True)
class Phrases:
    """What the phrases found in a message."""

    level: str  # crisis, concern or none
    category: str  # of the strongest match, or ""
    explicit: bool
    spans: Tuple[Tuple[int, int], ...]  # the matches that count, as positions among the tokens
    topics: Tuple[str, ...]
    child: bool
    denial: bool


class PhraseDetector:
    """Finds the patterns of phrases.yml in normalised tokens; safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        """Read `path`; raises ContentError when it is missing or a pattern cannot be read."""
        raw = _read(path)
        self.spellings: Dict[str, str] = {str(key): str(value) for key, value in raw["spellings"].items()}
        self._lists: Mapping[str, str] = raw["lists"]
        self.categories = tuple(raw["crisis"])
        self.topics = tuple(raw["topics"])
        self.third = words_of("<one>", self._lists) | {"he", "she", "they"}
        self._past_tense = words_of("<told>", self._lists)
        lines = [(key, line) for key, text in _keys(raw) for line in map(str.strip, text.splitlines()) if line]
        self.keys = tuple(dict.fromkeys(key for key, _ in lines))
        self.words: FrozenSet[str] = frozenset().union(*(words_of(line, self._lists) for _, line in lines))
        self._coder = Coder(self.words)
        self._patterns = [(key, self._coder.compile(line, self._lists)) for key, line in lines]

    def find(self, tokens: Sequence[str], found: Mapping[str, Sequence[Span]]) -> Phrases:
        """Return what `found` (of `matches`) means in `tokens`."""
        guards = self.guarded(found)
        hits: List[Tuple[str, str, Span]] = []
        past = False
        for category in self.categories:
            for kind in KINDS:
                for span in found.get(f"crisis.{category}.{kind}", []):
                    if any(_overlap(span, guard) for guard in guards):
                        continue
                    if kind == "whole" and not _is_whole(span, tokens):
                        continue
                    if self._told(span, tokens) and self._near(span, found.get("past", []), tokens):
                        past = True
                        continue
                    if self._framed(category, kind, span, found, tokens):
                        continue
                    hits.append((self._whose(category, span, tokens), kind, span))
        topics = tuple(topic for topic in self.topics if f"topics.{topic}" in found)
        heavy = past or "aimed_at_bot" in topics or "suicide_bereavement" in topics
        return Phrases(
            level="crisis" if hits else "concern" if heavy else "none",
            category=_strongest(hits),
            explicit=any(kind != "coded" for _, kind, _ in hits),
            spans=tuple(span for _, _, span in hits),
            topics=topics,
            child="child" in found and "adult" not in found,
            denial="denial" in found,
        )

    def guarded(self, found: Mapping[str, Sequence[Span]]) -> List[Span]:
        """Return where `found` has wording that only looks like risk; a denial beside a trap is none."""
        traps = found.get("traps", ())
        guards = [span for key in ("idiom", "media", "bereavement") for span in found.get(f"guards.{key}", ())]
        return guards + [span for span in found.get("guards.denial", ()) if not any(_overlap(span, trap, 1) for trap in traps)]

    def matches(self, tokens: Sequence[str]) -> Dict[str, List[Span]]:
        """Return where each group of patterns matches `tokens` (normalised words, STOP at the ends of sentences)."""
        coded = self._coder.code(tokens)
        found: Dict[str, List[Span]] = {}
        for key, pattern in self._patterns:
            for match in pattern.finditer(coded):
                found.setdefault(key, []).append(match.span())
        return found

    def _framed(self, category: str, kind: str, span: Span, found: Mapping[str, Sequence[Span]], tokens: Sequence[str]) -> bool:
        """Whether a mention stands in professional, study or media talk."""
        if kind != "bare" and category != "third_party" and _SELF & set(tokens[slice(*span)]):
            return False
        if category == "third_party" and self._near(span, found.get("urgent", []), tokens):
            return False
        return self._near(span, found.get("frames", []), tokens)

    def _told(self, span: Span, tokens: Sequence[str]) -> bool:
        """Whether a match is in a past tense, by its own words or the four before it."""
        return not self._past_tense.isdisjoint(tokens[max(0, span[0] - 4):span[1]])

    def _near(self, span: Span, others: Sequence[Span], tokens: Sequence[str]) -> bool:
        """Whether one of `others` stands in the sentence of `span`, not too far away."""
        start, end = _sentence(span, tokens)
        return any(start <= other[0] and other[1] <= end for other in others)

    def _whose(self, category: str, span: Span, tokens: Sequence[str]) -> str:
        """Return third_party where the nearest person before a suicide or self-harm match is somebody else."""
        if category not in ("suicide", "self_harm"):
            return category
        start = max(_sentence(span, tokens)[0], span[0] - _BEFORE)
        for token in reversed(tokens[start:span[1]]):
            if token in self.third:
                return "third_party"
            if token in _SELF:
                return category
        return category


def _keys(raw: Mapping[str, Any]) -> List[Tuple[str, str]]:
    keys = [(f"crisis.{category}.{kind}", text) for category, kinds in raw["crisis"].items() for kind, text in kinds.items()]
    for group in ("guards", "topics"):
        keys += [(f"{group}.{name}", text) for name, text in raw[group].items()]
    return keys + [(name, raw[name]) for name in ("traps", "frames", "urgent", "past", "child", "adult", "denial")]


def _read(path: Path) -> Mapping[str, Any]:
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, yaml.YAMLError) as error:
        raise ContentError(f"{path.name}: cannot be read: {' '.join(str(error).split())}. Restore it from git.") from error
    missing = [part for part in PARTS if part not in (raw or {})]
    if missing:
        raise ContentError(f"{path.name}: lacks {', '.join(missing)}. Restore it from git.")
    strange = {kind for kinds in raw["crisis"].values() for kind in kinds} - set(KINDS)
    if strange:
        raise ContentError(f"{path.name}: unknown kind {', '.join(sorted(strange))}. Kinds: {', '.join(KINDS)}.")
    return raw  # type: ignore[no-any-return]


def _overlap(one: Span, other: Span, slack: int = 0) -> bool:
    return one[0] < other[1] + slack and other[0] < one[1] + slack


def _sentence(span: Span, tokens: Sequence[str]) -> Span:
    """Return the bounds of the sentence around `span`, at most _NEAR words away on either side."""
    start, end = span
    while start > 0 and tokens[start - 1] != STOP and span[0] - start < _NEAR:
        start -= 1
    while end < len(tokens) and tokens[end] != STOP and end - span[1] < _NEAR:
        end += 1
    return start, end


def _is_whole(span: Span, tokens: Sequence[str]) -> bool:
    return all(token in _FILLER for token in (*tokens[:span[0]], *tokens[span[1]:]))


# The first that was found decides which helplines come first: danger to life now before all else.
_ORDER = ("medical_emergency", "child_at_risk", "suicide", "losing_reality", "abuse_violence", "harm_to_others", "third_party", "self_harm")


def _strongest(hits: Sequence[Tuple[str, str, Span]]) -> str:
    found = {category for category, _, _ in hits}
    return next((category for category in _ORDER if category in found), "")
