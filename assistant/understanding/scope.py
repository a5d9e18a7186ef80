"""Whether a text asks anything that the assistant knows: evidence from the classifier under a logistic model.

Texts out of scope are made from the training data alone: each intent's examples as a classifier sees them that
never heard of that intent, and the examples of out_of_scope where there are any.
"""
from __future__ import annotations

from typing import Tuple

import numpy as np
from sklearn.linear_model import LogisticRegression

# At most this share of the training texts in scope may be turned down, each judged by a classifier without it.
MOST_TURNED_DOWN = 0.03


def evidence(scores: np.ndarray, probabilities: np.ndarray, nearest: np.ndarray, out_of_scope: int) -> np.ndarray:
    """Return what speaks for "in scope", float [texts, 7].

    scores, probabilities, nearest: [texts, intents], `nearest` the highest cosine to each intent's examples;
    out_of_scope: that intent's column, or -1.
    """
    rows = np.arange(len(scores))
    inside = scores.copy()
    outside = np.full(len(scores), -1.0)
    outside_nearest = np.zeros(len(scores))
    near = nearest.copy()
    if out_of_scope >= 0:
        outside, outside_nearest = scores[:, out_of_scope], nearest[:, out_of_scope]
        inside[:, out_of_scope] = near[:, out_of_scope] = -np.inf
    best = inside.argmax(axis=1)
    top = inside[rows, best]
    second = np.partition(inside, -2, axis=1)[:, -2] if inside.shape[1] > 2 else np.full(len(scores), -1.0)
    probability = probabilities[rows, best]
    similar = near[rows, best]
    return np.column_stack([
        top,
        top - second,
        np.log(probability + 1e-6),
        similar,
        np.sqrt(probability) * similar,
        top - outside,
        similar - outside_nearest,
    ])


class ScopeModel:
    """A logistic model over `evidence`; its parameters are one array [3, 7 + 1]."""

    def __init__(self, parameters: np.ndarray) -> None:
        """Take up the parameters: mean, scale and weight of each feature; the last column holds the intercept."""
        self._mean, self._scale, self._weight = parameters[:, :-1]
        self._intercept = parameters[2, -1]

    @classmethod
    def fit(cls, inside: np.ndarray, outside: np.ndarray, outside_weights: np.ndarray) -> Tuple["ScopeModel", np.ndarray]:
        """Learn to tell the evidence of texts in scope from that of texts out of scope; the two count equally."""
        features = np.concatenate([inside, outside])
        mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-6
        weights = np.concatenate([np.full(len(inside), 1 / len(inside)), outside_weights / outside_weights.sum()])
        labels = np.concatenate([np.ones(len(inside)), np.zeros(len(outside))])
        model = LogisticRegression(C=10.0, max_iter=500)
        model.fit((features - mean) / scale, labels, sample_weight=weights * len(inside))
        parameters = np.zeros((3, features.shape[1] + 1))
        parameters[:, :-1] = mean, scale, model.coef_[0]
        parameters[2, -1] = model.intercept_[0]
        return cls(parameters), parameters

    def score(self, features: np.ndarray) -> np.ndarray:
        """Return how likely each text is in scope, float [texts], 0 to 1."""
        logits = ((features - self._mean) / self._scale) @ self._weight + self._intercept
        return np.asarray(1 / (1 + np.exp(-logits)))
