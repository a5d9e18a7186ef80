"""What the meaning detector sees of a stretch of text: its meaning, its letters, and the phrases in it."""
from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import List, Mapping, Optional, Protocol, Sequence, Tuple

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.preprocessing import normalize

from assistant.safety.normalise import STOP, Sentence
from assistant.safety.phrases import PhraseDetector, Span

LONGEST_SENTENCE = 24  # words; a longer one is read in windows
WINDOW, STRIDE = 16, 8
LETTERS = 2**16  # hashed n-grams of letters, and as many of words


class Embedder(Protocol):
    """What is needed of assistant.encoder.Encoder."""

    def embed(self, texts: Sequence[str]) -> np.ndarray: ...


@dataclass(frozen=True)
class Reading:
    """A message ready to be judged: its words, the phrases in them, and the stretches to be looked at."""

    tokens: Sequence[str]
    matches: Mapping[str, Sequence[Span]]
    units: Sequence[Span]  # sentences or windows of long ones; the last one is the whole, where there are several

    def text(self, unit: Span) -> str:
        """Return the words of a unit, an emoji by its name ("loudly crying face")."""
        return " ".join(_spoken(token) for token in self.tokens[slice(*unit)] if token != STOP)


def units_of(sentences: Sequence[Sentence]) -> List[Span]:
    """Return the stretches of `flat(sentences)` to look at: sentences, windows of long ones, and the whole."""
    units: List[Span] = []
    start = 0
    for one in sentences:
        length = len(one.tokens)
        if length <= LONGEST_SENTENCE:
            units.append((start, start + length))
        else:
            units.extend((start + at, start + min(at + WINDOW, length)) for at in range(0, length - STRIDE, STRIDE))
        start += length + one.ends
    if len(units) > 1:
        units.append((0, start))
    return units


class Featurizer:
    """Turns units into n-grams (sparse) and flags (dense); `frequencies` is learnt by `fit`, the rest is fixed."""

    def __init__(self, phrases: PhraseDetector, frequencies: Optional[np.ndarray] = None) -> None:
        self._keys = {key: place for place, key in enumerate(dict.fromkeys(phrases.keys))}
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
