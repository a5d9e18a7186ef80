"""Word and character n-grams of a text, weighted by TF-IDF; kept as plain arrays.

scikit-learn's vectorizers give the same numbers, but take over a millisecond for one message, a fifth of its budget.
"""
from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import Callable, Dict, Iterable, List, Sequence

import numpy as np
from scipy.sparse import csr_matrix

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
    return result


def _words(text: str) -> List[str]:
    """Words, one and two at a time."""
    words = re.findall(r"\w+", text)
    return words + [f"{first} {second}" for first, second in zip(words, words[1:])]


def _pieces(text: str) -> List[str]:
    """Three to five characters within a word, its borders included: what survives bad spelling."""
    found = []
    for word in text.split():
        padded = f" {word} "
        for size in (3, 4, 5):
            found += [padded[start:start + size] for start in range(max(1, len(padded) - size + 1))]
            if len(padded) <= size:  # longer pieces of a short word would be the same one again
                break
    return found


KINDS: Dict[str, Callable[[str], List[str]]] = {"words": _words, "pieces": _pieces}


class NGrams:
    """TF-IDF of words and of pieces of words, each half of length 1 / √2, so that a whole row has length 1."""

    def __init__(self, vocabularies: Dict[str, Dict[str, int]], weights: np.ndarray) -> None:
        """Join each kind's n-grams with their columns, and all columns' weights, float32 [columns]."""
        self._vocabularies, self._weights = vocabularies, weights

    @classmethod
    def fit(cls, texts: Sequence[str]) -> "NGrams":
        """Learn the vocabulary and the weights from tidy `texts`."""
        vocabularies: Dict[str, Dict[str, int]] = {}
        seen: List[int] = []
        for kind, cut in KINDS.items():
            frequency: Counter[str] = Counter()
            for text in texts:
                frequency.update(set(cut(text)))
            vocabularies[kind] = _numbered(sorted(frequency), len(seen))
            seen.extend(frequency[name] for name in vocabularies[kind])
        weights = np.log((1 + len(texts)) / (1 + np.array(seen))) + 1  # the smoothed form, as in scikit-learn
        return cls(vocabularies, weights.astype(np.float32))

    def rows(self, texts: Sequence[str]) -> csr_matrix:
        """Return the features of tidy `texts`: sparse float32 [len(texts), columns]."""
        ends, columns, values = [0], [], []
        for text in texts:
            for kind, vocabulary in self._vocabularies.items():
                counts = Counter(vocabulary[name] for name in KINDS[kind](text) if name in vocabulary)
                found = np.fromiter(counts, dtype=np.int32, count=len(counts))
                value = (1 + np.log(np.fromiter(counts.values(), np.float32, len(counts)))) * self._weights[found]
                columns.append(found)
                values.append(value / np.float32(max(np.linalg.norm(value), 1e-9) * np.sqrt(2)))
            ends.append(ends[-1] + len(columns[-2]) + len(columns[-1]))
        shape = (len(texts), len(self._weights))
        if not texts:
            return csr_matrix(shape, dtype=np.float32)
        return csr_matrix((np.concatenate(values), np.concatenate(columns), ends), shape=shape)

    def arrays(self) -> Dict[str, np.ndarray]:
        """Return all that was learned, for `from_arrays`."""
        arrays = {"ngram_weights": self._weights}
        for kind, vocabulary in self._vocabularies.items():
            # A line each, since no tidy text holds a line end: fixed-width strings would be ten times the size.
            arrays[f"ngram_{kind}"] = np.frombuffer("".join(f"{name}\n" for name in vocabulary).encode(), dtype=np.uint8)
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Dict[str, np.ndarray]) -> "NGrams":
        """Return the n-grams that `arrays()` described."""
        vocabularies: Dict[str, Dict[str, int]] = {}
        for kind in KINDS:
            first = sum(map(len, vocabularies.values()))
            vocabularies[kind] = _numbered(arrays[f"ngram_{kind}"].tobytes().decode().split("\n")[:-1], first)
        return cls(vocabularies, arrays["ngram_weights"])


def _numbered(names: Iterable[str], first: int) -> Dict[str, int]:
    return {name: index for index, name in enumerate(names, first)}
