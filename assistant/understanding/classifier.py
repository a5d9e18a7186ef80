"""Which intent a text has, how surely, and whether it has any: kernel ridge regression with closed-form
leave-one-out scores, from which the calibration and the threshold come.

The kernel joins the meaning (an RBF over the sentence embeddings) and the wording (n-grams). Leave-one-out and
leave-one-intent-out predictions follow from the inverse of one matrix (Rifkin and Lippert 2007, "Notes on
Regularized Least Squares"): no fold is ever fitted again, so that training takes seconds.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Sequence, Tuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from assistant.understanding.features import NGrams, tidy
from assistant.understanding.scope import MOST_TURNED_DOWN, ScopeModel, evidence

OUT_OF_SCOPE = "out_of_scope"

# Chosen by leave-one-out accuracy on the training data (benchmarks/tune.py), flat around these values.
SHARPNESS = 1.0  # γ of exp(γ (cosine − 1))
WORDING = 1.0  # weight of the n-gram kernel beside the meaning's
RIDGE = 0.1  # λ


@dataclass(frozen=True)
class Ranking:
    """What the classifier thinks of one text."""

    intents: List[str]  # best first
    probabilities: np.ndarray  # of `intents`, float [number of intents], sums to 1
    score: float  # that the best intent is right and the text in scope, 0 to 1
    in_scope: bool  # score reaches the threshold and the best intent is not out_of_scope


class Classifier:
    """A trained classifier; see `fit`."""

    def __init__(self, intents: List[str], arrays: Dict[str, np.ndarray]) -> None:
        """Take up a classifier from what `arrays()` returned."""
        self.intents = intents
        self._arrays = arrays
        self._ngrams = NGrams.from_arrays(arrays)
        self._scope = ScopeModel(arrays["scope"])
        self.threshold = float(arrays["threshold"])

    @classmethod
    def fit(cls, texts: Sequence[str], intents: Sequence[str], embeddings: np.ndarray) -> "Classifier":
        """Train on `texts` with their `intents` and embeddings, float32 [len(texts), 384]."""
        names = sorted(set(intents))
        position = {name: index for index, name in enumerate(names)}
        labels = np.array([position[intent] for intent in intents])
        ngrams = NGrams.fit([tidy(text) for text in texts])
        rows = ngrams.rows([tidy(text) for text in texts])
        cosine = embeddings @ embeddings.T
        kernel = np.exp(SHARPNESS * (cosine - 1)) + WORDING * (rows @ rows.T).toarray()
        targets = np.where(labels[:, None] == np.arange(len(names)), 1.0, -1.0).astype(np.float32)
        # Balanced weights: an intent with many phrasings must not draw its neighbours' messages.
        counts = np.bincount(labels)
        weights = np.sqrt(len(labels) / len(names) / counts)[labels]
        kernel[np.diag_indices_from(kernel)] += RIDGE / weights
        factor = cho_factor(kernel.astype(np.float32), lower=True, overwrite_a=True)
        inverse = cho_solve(factor, np.eye(len(labels), dtype=np.float32))
        duals = inverse @ targets
        held_out = targets - duals / np.diag(inverse)[:, None]
        temperature = _temperature(held_out, labels)
        outside = names.index(OUT_OF_SCOPE) if OUT_OF_SCOPE in names else -1
        unknown = _without_own_intent(inverse, duals, targets, labels)
        scope, threshold = _scope(labels, outside, held_out, unknown, cosine, temperature)
        arrays = {
            **ngrams.arrays(),
            "duals": duals,
            "wording": WORDING * (rows.T @ duals).astype(np.float32),
            "embeddings": embeddings,
            "labels": labels.astype(np.int32),
            "temperature": np.float32(temperature),
            "scope": scope,
            "threshold": np.float32(threshold),
        }
        return cls(names, arrays)

    def arrays(self) -> Dict[str, np.ndarray]:
        """Return all that was learned as plain arrays, for `np.savez`."""
        return self._arrays

    def rank(self, texts: Sequence[str], embeddings: np.ndarray) -> List[Ranking]:
        """Return what the classifier thinks of each text, given their embeddings, float32 [len(texts), 384]."""
        a = self._arrays
        cosine = embeddings @ a["embeddings"].T
        rows = self._ngrams.rows([tidy(text) for text in texts])
        scores = np.exp(SHARPNESS * (cosine - 1)) @ a["duals"] + rows @ a["wording"]
        probabilities = softmax(scores / a["temperature"], axis=1)
        nearest = _nearest(cosine, a["labels"], len(self.intents))
        certainty = self._scope.score(evidence(scores, probabilities, nearest, self._out_of_scope))
        return [self._ranking(*parts) for parts in zip(probabilities, certainty)]

    @property
    def _out_of_scope(self) -> int:
        return self.intents.index(OUT_OF_SCOPE) if OUT_OF_SCOPE in self.intents else -1

    def _ranking(self, probabilities: np.ndarray, certainty: float) -> Ranking:
        order = np.argsort(-probabilities)
        best = self.intents[order[0]]
        return Ranking(
            intents=[self.intents[index] for index in order],
            probabilities=probabilities[order],
            score=float(certainty),
            in_scope=best != OUT_OF_SCOPE and bool(certainty >= self.threshold),
        )


def _temperature(held_out: np.ndarray, labels: np.ndarray) -> float:
    """Return the divisor that makes the left-out scores' softmax most honest (least log loss)."""
    def loss(logarithm: float) -> float:
        return float(-log_softmax(held_out / np.exp(logarithm), axis=1)[np.arange(len(labels)), labels].mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-4, 1), method="bounded").x))


def _nearest(cosine: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    """Return the highest cosine to each intent's examples: float [texts, intents]."""
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], np.arange(count))
    return np.maximum.reduceat(cosine[:, order], starts, axis=1)


def _without_own_intent(inverse: np.ndarray, duals: np.ndarray, targets: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return each text's scores by a classifier trained without all texts of its intent: float [texts, intents]."""
    scores = np.empty_like(targets)
    for label in range(targets.shape[1]):
        rows = np.flatnonzero(labels == label)
        scores[rows] = targets[rows] - np.linalg.solve(inverse[np.ix_(rows, rows)], duals[rows])
    return scores


def _scope(
    labels: np.ndarray, outside: int, held_out: np.ndarray, unknown: np.ndarray, cosine: np.ndarray, temperature: float
) -> Tuple[np.ndarray, float]:
    """Return the parameters of the scope model and the threshold, both from texts judged without themselves."""
    rows, count = np.arange(len(labels)), held_out.shape[1]
    others = cosine.copy()
    np.fill_diagonal(others, -1.0)
    nearest = _nearest(others, labels, count)
    known = evidence(held_out, softmax(held_out / temperature, axis=1), nearest, outside)
    # What a classifier that does not know the intent sees: no score and no neighbour of that intent.
    scores, far = unknown.copy(), nearest.copy()
    scores[rows, labels] = scores.min() - 1
    far[rows, labels] = -1.0
    foreign = evidence(scores, softmax(scores / temperature, axis=1), far, outside)
    inside = labels != outside
    strangers = np.concatenate([foreign[inside], known[~inside]])
    # Real examples of out_of_scope count as much as all the made ones together.
    weights = np.concatenate([np.full(inside.sum(), 1 / inside.sum()), np.full((~inside).sum(), 1 / max(1, (~inside).sum()))])
    model, parameters = ScopeModel.fit(known[inside], strangers, weights)
    return parameters, float(np.quantile(model.score(known[inside]), MOST_TURNED_DOWN))
