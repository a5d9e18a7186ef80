"""How near a text lies to the examples of an intent, by the cosine of the sentence embeddings."""
from __future__ import annotations

import numpy as np


class Nearness:
    """The training texts' embeddings, in order of their intents."""

    def __init__(self, embeddings: np.ndarray, starts: np.ndarray) -> None:
        """Take up unit vectors, float32 [texts, width]; those of intent i stand in rows starts[i] to starts[i + 1]."""
        self._embeddings, self._starts = embeddings, starts
        self._sums = np.add.reduceat(embeddings, starts[:-1], axis=0)

    def to(self, queries: np.ndarray, intents: np.ndarray) -> np.ndarray:
        """Return for each query, float32 [n, width], how near it is to its intent, int [n].

        Float [n, 2]: the cosine to the nearest example and the cosine to the examples' mean.
        """
        return self._measure(queries, intents, self._sums[intents], None)

    def of_examples(self, intents: np.ndarray) -> np.ndarray:
        """Return `to` for the training texts themselves, each left out of the examples: float [texts, 2]."""
        own = np.repeat(np.arange(len(self._sums)), np.diff(self._starts)) == intents
        sums = self._sums[intents] - self._embeddings * own[:, None]
        return self._measure(self._embeddings, intents, sums, np.arange(len(intents)))

    def _measure(
        self, queries: np.ndarray, intents: np.ndarray, sums: np.ndarray, themselves: "np.ndarray | None"
    ) -> np.ndarray:
        lengths = np.linalg.norm(sums, axis=1) + 1e-9
        result = np.column_stack([np.zeros(len(queries)), (queries * sums).sum(axis=1) / lengths])
        for intent in np.unique(intents):
            rows = np.flatnonzero(intents == intent)
            start, end = self._starts[intent], self._starts[intent + 1]
            cosine = queries[rows] @ self._embeddings[start:end].T
            if themselves is not None:
                cosine[themselves[rows][:, None] == np.arange(start, end)] = -1.0
            result[rows, 0] = cosine.max(axis=1)
        return result
