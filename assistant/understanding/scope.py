"""Whether a text asks anything that the assistant knows: evidence from the classifier under a logistic model.

Texts out of scope come from the training data alone: the examples of out_of_scope where there are any, and each
intent's examples as a classifier sees them that never heard of that intent.
"""
from __future__ import annotations

from typing import Callable, Tuple

import numpy as np
from sklearn.linear_model import LogisticRegression

from assistant.understanding.nearness import Nearness
from assistant.understanding.ridge import Ridge

# What the unheard-of intents weigh beside real examples of out_of_scope: nearer to the subject, and so the harder
# case, but half of them are questions that deserve a "did you mean".
UNHEARD = 0.3
# Without examples of out_of_scope: the share of training texts, each judged without itself, that the threshold turns
# down. The correlation (MCC) is flat from 0.08 to 0.15.
TURNED_DOWN = 0.1
# What the cosine to the nearest example, that to the examples' mean and the logarithm of the number of words weigh
# beside the score. The score knows near misses, the cosines know what is far from everything; "ok?" says little.
NEAREST, CENTRE, WORDS = 2.0, 0.5, 0.1


def evidence(scores: np.ndarray, near: Callable[[np.ndarray], np.ndarray], words: np.ndarray, outside: int) -> np.ndarray:
    """Return what speaks for and against "in scope", float [texts, 1], or [texts, 3] with an out_of_scope intent.

    scores: [texts, intents]; near: as Nearness.to, the texts given; words: int [texts]; outside: out_of_scope's
    column, or -1.
    """
    inside = scores
    if outside >= 0:
        inside = scores.copy()
        inside[:, outside] = -np.inf
    best = inside.argmax(axis=1)
    nearest, centre = near(best).T
    known = scores[np.arange(len(scores)), best] + NEAREST * nearest + CENTRE * centre + WORDS * np.log(np.maximum(words, 1))
    if outside < 0:
        return known[:, None]
    return np.column_stack([known, scores[:, outside], near(np.full(len(scores), outside))[:, 0]])


def fit(fitted: Ridge, nearness: Nearness, words: np.ndarray, labels: np.ndarray, outside: int) -> Tuple[np.ndarray, float]:
    """Return the scope model's parameters and the threshold, from texts that are judged without themselves."""
    known = evidence(fitted.without_text, nearness.of_examples, words, outside)
    unheard = evidence(fitted.without_intent, nearness.of_examples, words, outside)
    inside = labels != outside
    kinds = [(known[inside], 1.0, 1.0), (known[~inside], 0.0, 1.0), (unheard[inside], 0.0, 1.0 if outside < 0 else UNHEARD)]
    features = np.concatenate([rows for rows, _, _ in kinds])
    targets = np.concatenate([np.full(len(rows), target) for rows, target, _ in kinds])
    weights = np.concatenate([np.full(len(rows), weight / max(1, len(rows))) for rows, _, weight in kinds])
    mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-6
    model = LogisticRegression(C=10.0, max_iter=500)
    model.fit((features - mean) / scale, targets, sample_weight=weights * inside.sum())
    weight = model.coef_[0] / scale
    parameters = np.append(weight, model.intercept_[0] - mean @ weight)
    judged = ScopeModel(parameters).score(known)
    if outside < 0:
        return parameters, float(np.quantile(judged, TURNED_DOWN))
    return parameters, _best_threshold(judged[inside], judged[~inside])


def _best_threshold(inside: np.ndarray, outside: np.ndarray) -> float:
    """Return the threshold with the least sum of both error rates (Youden)."""
    thresholds = np.unique(np.concatenate([inside, outside]))
    turned_down = np.searchsorted(np.sort(inside), thresholds) / len(inside)
    let_in = 1 - np.searchsorted(np.sort(outside), thresholds) / len(outside)
    return float(thresholds[np.argmin(turned_down + let_in)])


class ScopeModel:
    """A logistic model over `evidence`; its parameters are the weights and, last, the intercept."""

    def __init__(self, parameters: np.ndarray) -> None:
        """Take up the parameters, float [features + 1]."""
        self._parameters = parameters

    def score(self, features: np.ndarray) -> np.ndarray:
        """Return how likely each text is in scope, float [texts], 0 to 1."""
        return np.asarray(1 / (1 + np.exp(-(features @ self._parameters[:-1] + self._parameters[-1]))))
