"""The second detector: what no list of phrases foresees, learnt from data/safety/examples.yml.

Kernel ridge regression on a basis of the project's own messages (subset of regressors, Rasmussen & Williams 2006,
ch. 8.3.1): nearness of meaning (Gaussian kernel over the sentence encoder), of wording (TF-IDF) and of phrase flags.
The parts that are linear fold into plain weights, so that judging costs one product with the basis' embeddings.
The score for crisis also weighs how near the nearest messages of either kind are: what is like nothing known is harmless.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Optional, Sequence

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_matrix

from assistant.safety.features import Embedder, Featurizer, Reading
from assistant.safety.phrases import Span
from assistant.safety.verdict import CATEGORIES

GAMMA = 1.5  # width of the Gaussian kernel over embeddings
LETTERS_WEIGHT = 0.5
FLAGS_WEIGHT = 0.1
RIDGE = 0.5
FOLDS = 5
BASIS = 6000  # messages in the basis; twice as many make a sixth fewer false alarms, and take four times the time and memory
NEIGHBOURS = 5
# What the mean likeness to the nearest messages at risk adds, that to the nearest harmless ones takes away, and what puts the
# sum back between -1 and 1: logistic regression on the scores of messages held out from the examples, rounded.
RISKY_PULL, CALM_PULL, LEVELLED = 2.7, 3.5, 0.4
UNLIKELY = -1.0  # a score that no neighbour lifts to a threshold: they need not be looked at
MOST_UNITS = 12  # sentences of a long message that are given to the encoder
PART_MARGIN = 0.05  # taken off a part's score for each doubling of their number: of many, one is high by chance
CRISIS, HEAVY, FIRST_CATEGORY = 0, 1, 2  # columns of the targets: crisis; crisis or concern; the categories
THIRD_PARTY = FIRST_CATEGORY + CATEGORIES.index("third_party")


@dataclass(frozen=True)
class Examples:
    """Units to learn from. `groups`: which message each comes from, so that folds part messages, not units."""

    embeddings: np.ndarray  # [n, 384]
    ngrams: csr_matrix  # [n, ngrams]
    flags: np.ndarray  # [n, flags]
    targets: np.ndarray  # [n, 2 + categories], 1 or -1
    groups: np.ndarray  # [n]
    basis: np.ndarray  # [n] bool: whether it joins the basis


@dataclass(frozen=True)
class Weights:
    """The fitted arrays: all that is stored."""

    basis: np.ndarray  # [m, 384]
    alpha: np.ndarray  # [m, outputs]
    ngrams: np.ndarray  # [ngrams, outputs]
    flags: np.ndarray  # [flags, outputs]
    risky: np.ndarray  # [r, 384], the examples of crisis
    calm: np.ndarray  # [c, 384], the examples of none

    def cheap(self, ngrams: csr_matrix, flags: np.ndarray) -> np.ndarray:
        """Return the part of the scores that needs no encoder: [n, outputs]."""
        return np.asarray(ngrams @ self.ngrams) + flags @ self.flags

    def dear(self, embeddings: np.ndarray) -> np.ndarray:
        """Return the part of the scores that comes from the embeddings: [n, outputs]."""
        return _gaussian(embeddings, self.basis) @ self.alpha

    def pull(self, embeddings: np.ndarray) -> np.ndarray:
        """Return what the nearest examples add to the score for crisis: [n]."""
        pulled = RISKY_PULL * _nearest(embeddings, self.risky) - CALM_PULL * _nearest(embeddings, self.calm) + LEVELLED
        return pulled  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Judgement:
    """Scores of the unit that counts most; about -1 for none to 1 for the level."""

    crisis: float
    heavy: float
    category: int
    third_party: float  # whether somebody else is worried about
    long: bool = False  # of many sentences one scores high by chance: long messages have a threshold of their own


class MeaningDetector:
    """Scores a message by its weightiest unit."""

    def __init__(self, featurizer: Featurizer, weights: Weights, embedder: Optional[Embedder]) -> None:
        self._featurizer, self._weights, self._embedder = featurizer, weights, embedder

    def judge(self, reading: Reading) -> Judgement:
        """Return the scores of `reading`; without an encoder nothing is said, and the phrases judge alone."""
        if not reading.units or self._embedder is None:
            return Judgement(-1.0, -1.0, 0, -1.0)
        texts = [reading.text(unit) for unit in reading.units]
        scores = self._weights.cheap(self._featurizer.ngrams(texts), self._featurizer.flags(reading, reading.units))
        chosen = _worth_encoding(scores, reading.units)
        embeddings = embedded(self._embedder, [texts[place] for place in chosen])
        scores = scores[chosen] + self._weights.dear(embeddings)
        likely = scores[:, CRISIS] > UNLIKELY
        scores[likely, CRISIS] += self._weights.pull(embeddings[likely])
        scores[:-1, :FIRST_CATEGORY] -= PART_MARGIN * np.log2(len(reading.units))
        best = int(scores[:, CRISIS].argmax())
        return Judgement(float(scores[best, CRISIS]), float(scores[:, HEAVY].max()),
                         int(scores[best, FIRST_CATEGORY:].argmax()), float(scores[best, THIRD_PARTY]), len(reading.units) > 1)


def embedded(embedder: Embedder, texts: Sequence[str]) -> np.ndarray:
    """Return the encoder's second embedding of each text: float32 [len(texts), 384], each row of length 1.

    It blends the upper layers, and parts what is meant from what is talked about better than the published one.
    """
    return np.ascontiguousarray(embedder.embed_both(texts)[:, 1])


def fit(examples: Examples) -> Weights:
    """Return the weights for all of `examples`."""
    basis = np.flatnonzero(examples.basis)
    features = _kernel(examples, basis)
    alpha = _solve(features.T @ features, features[basis], features.T @ examples.targets)
    return _folded(examples, basis, alpha, np.ones(len(examples.groups), dtype=bool))


def cross_fit(examples: Examples, folds: Dict[int, int]) -> List[Weights]:
    """Return one set of weights a fold, learnt without the messages of that fold. `folds`: group to fold."""
    fold = np.array([folds[group] for group in examples.groups])
    basis = np.flatnonzero(examples.basis)
    features = _kernel(examples, basis)
    parts = [features[fold == one] for one in range(FOLDS)]
    grams = [part.T @ part for part in parts]
    sums = [part.T @ examples.targets[fold == one] for one, part in enumerate(parts)]
    total, target = sum(grams), sum(sums)
    result = []
    for one in range(FOLDS):
        kept = fold[basis] != one
        gram = (total - grams[one])[np.ix_(kept, kept)]
        alpha = _solve(gram, features[basis][np.ix_(kept, kept)], (target - sums[one])[kept])
        result.append(_folded(examples, basis[kept], alpha, fold != one))
    return result


def _kernel(examples: Examples, basis: np.ndarray) -> np.ndarray:
    return (_gaussian(examples.embeddings, examples.embeddings[basis])
            + LETTERS_WEIGHT * (examples.ngrams @ examples.ngrams[basis].T).toarray()
            + FLAGS_WEIGHT * examples.flags @ examples.flags[basis].T).astype(np.float32)


def _gaussian(embeddings: np.ndarray, basis: np.ndarray) -> np.ndarray:
    return np.exp(-2 * GAMMA * (1 - embeddings @ basis.T))  # type: ignore[no-any-return]  # |x - y|^2 = 2 - 2xy for unit x, y


def _nearest(embeddings: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the mean likeness of each embedding to the nearest of `others`: [len(embeddings)]."""
    likeness = embeddings @ others.T
    return np.partition(likeness, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS:].mean(axis=1)  # type: ignore[no-any-return]


def _solve(gram: np.ndarray, between: np.ndarray, target: np.ndarray) -> np.ndarray:
    matrix = gram + RIDGE * between
    matrix[np.diag_indices_from(matrix)] += 0.05  # two near twins in the basis would leave it singular in float32
    return cho_solve(cho_factor(matrix, overwrite_a=True, check_finite=False), target).astype(np.float32)  # type: ignore[no-any-return]


def _folded(examples: Examples, basis: np.ndarray, alpha: np.ndarray, known: np.ndarray) -> Weights:
    """Return the weights; `known`: bool [n], the units that may be neighbours."""
    short = examples.embeddings.astype(np.float16)  # how they are stored: the fitted and the loaded check agree
    return Weights(examples.embeddings[basis], alpha,
                   np.asarray(LETTERS_WEIGHT * (examples.ngrams[basis].T @ alpha), dtype=np.float32),
                   (FLAGS_WEIGHT * examples.flags[basis].T @ alpha).astype(np.float32),
                   *(short[known & chosen].astype(np.float32) for chosen in (examples.targets[:, CRISIS] > 0, examples.targets[:, HEAVY] < 0)))


def _worth_encoding(scores: np.ndarray, units: Sequence[Span]) -> List[int]:
    """Return the units for the encoder: the likeliest sentences by the cheap scores, and the whole."""
    likeliest = np.argsort(-scores[:-1, CRISIS], kind="stable")[:MOST_UNITS]
    return [*sorted(int(place) for place in likeliest), len(units) - 1]
