"""What the meaning detector sees of a stretch of text: its meaning, its letters, and the phrases in it."""
from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import FrozenSet, List, Mapping, Optional, Protocol, Sequence, Tuple

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.preprocessing import normalize

from assistant.safety.normalise import STOP, Sentence, flat
from assistant.safety.phrases import PhraseDetector, Span

LONG_MESSAGE = 45  # words; a longer message is read sentence by sentence too, a shorter one as a whole alone
LONGEST_SENTENCE = 24  # words; a longer one is read in windows
WINDOW, STRIDE = 16, 8
SHORTEST_CLAUSE = 3  # words; a shorter one stays with its sentence
LETTERS = 2**16  # hashed n-grams of letters, and as many of words


class Embedder(Protocol):
    """What is needed of assistant.encoder.Encoder."""

    def embed_both(self, texts: Sequence[str]) -> np.ndarray:
        """See Encoder.embed_both: unit vectors, float32 [len(texts), 2, 384]."""

    def words(self) -> FrozenSet[str]:
        """See Encoder.words."""


@dataclass(frozen=True)
class Reading:
    """A message ready to be judged: its words, the phrases in them, and the stretches to be looked at."""

    tokens: Sequence[str]
    matches: Mapping[str, Sequence[Span]]
    units: Sequence[Span]  # the parts of a long message, then the whole; of a short one the whole alone

    guarded: Sequence[Span] = ()  # wording that only looks like risk (idiom, true denial …): left out of the text

    def text(self, unit: Span) -> str:
        """Return the words of a unit that count, an emoji by its name ("loudly crying face")."""
        hidden = {place for start, end in self.guarded for place in range(start, end)}
        return " ".join(_spoken(self.tokens[place]) for place in range(*unit)
                        if place not in hidden and self.tokens[place] != STOP)


def read(sentences: Sequence[Sentence], phrases: PhraseDetector) -> Reading:
    """Return the words of `sentences`, the phrases in them and the units to judge."""
    tokens = flat(sentences)
    matches = phrases.matches(tokens)
    # Bereavement stays: grief is to be heard.
    hidden = {key: spans for key, spans in matches.items() if key != "guards.bereavement"}
    return Reading(tokens, matches, units_of(sentences), phrases.guarded(hidden))


def units_of(sentences: Sequence[Sentence]) -> List[Span]:
    """Return the stretches of `flat(sentences)` to look at: of a long message sentences and parts of long ones; the whole.

    A short message is understood better as a whole: sentences out of their context cost false alarms and find no more.
    """
    length = len(flat(sentences))
    units: List[Span] = []
    start = 0
    for one in sentences if length > LONG_MESSAGE else ():
        units.extend((start + first, start + last) for first, last in _parts(one))
        start += len(one.tokens) + one.ends
    return [*units, (0, length)] if length else []


def _parts(sentence: Sentence) -> List[Span]:
    """Return the sentence, or its clauses if it has some, or overlapping windows if it is long and has none."""
    length = len(sentence.tokens)
    borders = [0, *(border for border in sentence.clauses if border >= SHORTEST_CLAUSE and length - border >= SHORTEST_CLAUSE), length]
    spans = [span for span in zip(borders, borders[1:]) if span[1] - span[0] >= SHORTEST_CLAUSE] or [(0, length)]
    parts: List[Span] = []
    for first, last in spans:
        if last - first <= LONGEST_SENTENCE:
            parts.append((first, last))
        else:
            parts.extend((first + at, min(first + at + WINDOW, last)) for at in range(0, last - first - STRIDE, STRIDE))
    if len(spans) > 1 and length <= LONGEST_SENTENCE:
        parts.append((0, length))
    return parts


class Featurizer:
    """Turns units into n-grams (sparse) and flags (dense); `frequencies` is learnt by `fit`, the rest is fixed."""

    def __init__(self, phrases: PhraseDetector, frequencies: Optional[np.ndarray] = None) -> None:
        self._keys = {key: place for place, key in enumerate(phrases.keys)}
        self._third = phrases.third
        self.frequencies = frequencies
        common = {"n_features": LETTERS, "alternate_sign": False, "norm": None, "lowercase": False, "dtype": np.float32}
        self._vectorizers = (HashingVectorizer(analyzer="word", ngram_range=(1, 2), token_pattern=r"\S+", **common),
                             HashingVectorizer(analyzer="char_wb", ngram_range=(2, 5), **common))

    def fit(self, texts: Sequence[str]) -> None:
        """Learn how rare each n-gram is (inverse document frequency, smoothed as in scikit-learn)."""
        counts = np.concatenate([np.asarray((part > 0).sum(axis=0)).ravel() for part in self._counted(texts)])
        self.frequencies = (np.log((1 + len(texts)) / (1 + counts)) + 1).astype(np.float32)

    def ngrams(self, texts: Sequence[str]) -> csr_matrix:
        """Return TF-IDF of words and of letters: float32 [len(texts), 2 * LETTERS], each half of length 1."""
        assert self.frequencies is not None
        halves = []
        for place, part in enumerate(self._counted(texts)):
            part.data = 1 + np.log(part.data)
            rare = self.frequencies[place * LETTERS:(place + 1) * LETTERS]
            part.data *= rare[part.indices]
            halves.append(normalize(part, copy=False))
        return hstack(halves, format="csr", dtype=np.float32)

    def flags(self, reading: Reading, units: Sequence[Span]) -> np.ndarray:
        """Return which groups of phrases stand in each unit, and a few plain facts: float32 [len(units), flags]."""
        result = np.zeros((len(units), len(self._keys) + 4), dtype=np.float32)
        for row, (start, end) in zip(result, units):
            for key, spans in reading.matches.items():
                row[self._keys[key]] = any(start <= span[0] and span[1] <= end for span in spans)
            words = set(reading.tokens[start:end])
            row[-4:] = (bool(words & {"i", "me", "my", "myself"}), bool(words & self._third),
                        bool(words & {"not", "never", "no"}), "lol" in words)
        return result

    def _counted(self, texts: Sequence[str]) -> Tuple[csr_matrix, ...]:
        return tuple(vectorizer.transform(texts) for vectorizer in self._vectorizers)


def _spoken(token: str) -> str:
    if len(token) == 1 and ord(token) > 0x7F:
        return unicodedata.name(token, token).lower()
    return token
