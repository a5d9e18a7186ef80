"""Word and character n-grams of a text, weighted by TF-IDF; kept as plain arrays."""
from __future__ import annotations

import re
import unicodedata
from typing import Dict, List, Sequence

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer

# Words 1 to 2 and characters 3 to 5 within words: the usual pair for short, badly typed questions.
KINDS: Dict[str, Dict[str, object]] = {
    "word": {"analyzer": "word", "ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b"},
    "char": {"analyzer": "char_wb", "ngram_range": (3, 5)},
}
# N-grams in more than this share of the texts are multiplied as a dense matrix: the cost of a sparse product grows
# with the square of each column's entries (12 s against 1 s on 8,000 texts).
FREQUENT = 0.02


def tidy(text: str) -> str:
    """Return `text` in NFKC, lower case, with plain apostrophes and single spaces."""
    text = unicodedata.normalize("NFKC", text).lower().replace("’", "'").replace("‘", "'")
    return re.sub(r"\s+", " ", text).strip()


def gram(rows: csr_matrix) -> np.ndarray:
    """Return rows @ rows.T as a dense array, float32 [texts, texts]."""
    frequent = rows.getnnz(axis=0) > FREQUENT * rows.shape[0]
    columns = rows.tocsc()
    dense = columns[:, frequent].toarray()
    rare = columns[:, ~frequent].tocsr()
    result = dense @ dense.T
    product = (rare @ rare.T).tocoo()
    result[product.row, product.col] += product.data
    return result  # type: ignore[no-any-return]


class NGrams:
    """TF-IDF of words and characters, each part of length 1 / √2, so that a whole row has length 1."""

    def __init__(self, parts: Dict[str, TfidfVectorizer]) -> None:
        self._parts = parts

    @classmethod
    def fit(cls, texts: Sequence[str]) -> "NGrams":
        """Learn the vocabulary and the weights from tidy `texts`."""
        return cls({kind: _vectorizer(kind).fit(texts) for kind in KINDS})

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
        for kind in KINDS:
            words = arrays[f"{kind}_vocabulary"].tobytes().decode().split("\0")
            parts[kind] = _vectorizer(kind, vocabulary={word: index for index, word in enumerate(words)})
            parts[kind].idf_ = arrays[f"{kind}_idf"]
        return cls(parts)


def _vectorizer(kind: str, **more: object) -> TfidfVectorizer:
    return TfidfVectorizer(sublinear_tf=True, lowercase=False, dtype=np.float32, **KINDS[kind], **more)
