"""Word and character n-grams of a text, weighted by TF-IDF; kept as plain arrays."""
from __future__ import annotations

import re
import unicodedata
from typing import Dict, List, Sequence

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer

# Words 1 to 2 and characters 2 to 5 within words: the usual pair for short, badly typed questions.
KINDS: Dict[str, Dict[str, object]] = {
    "word": {"analyzer": "word", "ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b"},
    "char": {"analyzer": "char_wb", "ngram_range": (2, 5)},
}


def tidy(text: str) -> str:
    """Return `text` in NFKC, lower case, with plain apostrophes and single spaces."""
    text = unicodedata.normalize("NFKC", text).lower().replace("’", "'").replace("‘", "'")
    return re.sub(r"\s+", " ", text).strip()


class NGrams:
    """TF-IDF of words and characters, each part of length 1 / √2, so that a whole row has length 1."""

    def __init__(self, parts: Dict[str, TfidfVectorizer]) -> None:
        self._parts = parts

    @classmethod
    def fit(cls, texts: Sequence[str]) -> "NGrams":
        """Learn the vocabulary and the weights from tidy `texts`."""
        parts = {}
        for kind, options in KINDS.items():
            parts[kind] = TfidfVectorizer(sublinear_tf=True, lowercase=False, dtype=np.float32, **options)
            parts[kind].fit(texts)
        return cls(parts)

    def rows(self, texts: Sequence[str]) -> csr_matrix:
        """Return the features of tidy `texts`: sparse float32 [len(texts), vocabulary]."""
        return hstack([part.transform(texts) for part in self._parts.values()], format="csr") / np.float32(np.sqrt(2))

    def arrays(self) -> Dict[str, np.ndarray]:
        """Return all that was learned, for `from_arrays`."""
        arrays = {}
        for kind, part in self._parts.items():
            words: List[str] = sorted(part.vocabulary_, key=part.vocabulary_.__getitem__)
            # Joined by NUL, which no tidy text holds: an array of fixed-width strings would be ten times the size.
            arrays[f"{kind}_vocabulary"] = np.frombuffer("\0".join(words).encode(), dtype=np.uint8)
            arrays[f"{kind}_idf"] = part.idf_.astype(np.float32)
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Dict[str, np.ndarray]) -> "NGrams":
        """Return the n-grams that `arrays()` described."""
        parts = {}
        for kind, options in KINDS.items():
            words = arrays[f"{kind}_vocabulary"].tobytes().decode().split("\0")
            vocabulary = {word: index for index, word in enumerate(words)}
            part = TfidfVectorizer(
                sublinear_tf=True, lowercase=False, dtype=np.float32, vocabulary=vocabulary, **options
            )
            part.idf_ = arrays[f"{kind}_idf"]
            parts[kind] = part
        return cls(parts)
