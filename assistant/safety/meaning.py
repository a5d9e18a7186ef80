"""The second detector: what no list of phrases foresees, learnt from data/safety/examples.yml.

Kernel ridge regression on a basis of the project's own messages (subset of regressors, Rasmussen & Williams 2006,
ch. 8.3.1): nearness of meaning (Gaussian kernel over the sentence encoder), of wording (TF-IDF) and of phrase flags.
The parts that are linear fold into plain weights, so that judging costs one product with the basis' embeddings.
The score for crisis also weighs how near the nearest messages of either kind are: what is like nothing known is harmless.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_matrix

from assistant.safety.features import Embedder, Featurizer, Reading
from assistant.safety.verdict import CATEGORIES

GAMMA = 1.5  # width of the Gaussian kernel over embeddings
LETTERS_WEIGHT = 0.5
FLAGS_WEIGHT = 0.1
RIDGE = 0.5
FOLDS = 5
# The basis: some messages by chance, then in steps up to these sizes those that the fit so far judges worst. Chosen so, half
# as many do better than chosen by chance alone; time and memory grow with the square.
BASIS = (1000, 3500, 6000)
NEIGHBOURS = 5
NARROW = 128  # axes of the embeddings in which neighbours are sought: a third of the time and memory for a fortieth more false alarms
# What the mean likeness to the nearest messages at risk adds, that to the nearest harmless ones takes away, and what puts the
# sum back between -1 and 1: logistic regression on the scores of messages held out from the examples, rounded.
RISKY_PULL, CALM_PULL, LEVELLED = 2.8, 3.3, 0.5
UNLIKELY = -1.0  # a score that no neighbour lifts to a threshold: they need not be looked at
PIECE = 2048  # rows of the kernel that are made at a time
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
    candidates: np.ndarray  # [c], the units that may join the basis, shuffled


@dataclass(frozen=True)
class Weights:
    """The fitted arrays: all that is stored."""

    basis: np.ndarray  # [m, 384]
    alpha: np.ndarray  # [m, outputs]
    ngrams: np.ndarray  # [ngrams, outputs]
    flags: np.ndarray  # [flags, outputs]
    axes: np.ndarray  # [384, NARROW], to what the neighbours are looked up in
    risky: np.ndarray  # [r, NARROW], the examples of crisis
    calm: np.ndarray  # [c, NARROW], the examples of none

    def cheap(self, ngrams: csr_matrix, flags: np.ndarray) -> np.ndarray:
        """Return the part of the scores that needs no encoder: [n, outputs]."""
        return np.asarray(ngrams @ self.ngrams) + flags @ self.flags

    def dear(self, embeddings: np.ndarray) -> np.ndarray:
        """Return the part of the scores that comes from the embeddings: [n, outputs]."""
        return _gaussian(embeddings, self.basis) @ self.alpha

    def pull(self, embeddings: np.ndarray) -> np.ndarray:
        """Return what the nearest examples add to the score for crisis: [n]."""
        narrow = embeddings @ self.axes
        pulled = RISKY_PULL * _nearest(narrow, self.risky) - CALM_PULL * _nearest(narrow, self.calm) + LEVELLED
        return pulled  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Judgement:
    """Scores of the unit that counts most; about -1 for none to 1 for the level."""

    crisis: float
    heavy: float
    category: int
    third_party: float  # whether somebody else is worried about
    long: bool = False  # of many sentences one scores high by chance: long messages have a threshold of their own


NOTHING = Judgement(-1.0, -1.0, 0, -1.0)  # on an empty message, or without an encoder


class MeaningDetector:
    """Scores a message by its weightiest unit."""

    def __init__(self, featurizer: Featurizer, weights: Weights, embedder: Optional[Embedder]) -> None:
        self._featurizer, self._weights, self._embedder = featurizer, weights, embedder

    def judge(self, reading: Reading) -> Judgement:
        """Return the scores of `reading`; without an encoder nothing is said, and the phrases judge alone."""
        return self.judge_all([reading])[0]

    def judge_all(self, readings: Sequence[Reading]) -> List[Judgement]:
        """Return the scores of each of `readings`, worked out together."""
        units = [(place, unit) for place, reading in enumerate(readings) for unit in reading.units]
        if not units or self._embedder is None:
            return [NOTHING] * len(readings)
        texts = [readings[place].text(unit) for place, unit in units]
        flags = np.concatenate([self._featurizer.flags(reading, reading.units) for reading in readings])
        scores = self._weights.cheap(self._featurizer.ngrams(texts), flags)
        of = np.array([place for place, _ in units])
        chosen = [row for place in range(len(readings)) for row in _worth_encoding(scores, np.flatnonzero(of == place))]
        embeddings = embedded(self._embedder, [texts[row] for row in chosen])
        scores, of = scores[chosen] + self._weights.dear(embeddings), of[chosen]
        likely = scores[:, CRISIS] > UNLIKELY
        scores[likely, CRISIS] += self._weights.pull(embeddings[likely])
        return [_weightiest(scores[of == place], len(reading.units)) for place, reading in enumerate(readings)]


def embedded(embedder: Embedder, texts: Sequence[str]) -> np.ndarray:
    """Return the encoder's second embedding of each text: float32 [len(texts), 384], each row of length 1.

    It blends the upper layers, and parts what is meant from what is talked about better than the published one.
    """
    return np.ascontiguousarray(embedder.embed_both(texts)[:, 1])


def learn(examples: Examples, folds: Dict[int, int]) -> Tuple[Weights, List[Weights]]:
    """Return the weights for all of `examples`, and one set a fold, learnt without its messages. `folds`: group to fold."""
    fold = np.array([folds[group] for group in examples.groups])
    basis = _basis(examples)
    between = _kernel(examples, basis, basis)
    parts = [_products(examples, np.flatnonzero(fold == one), basis) for one in range(FOLDS)]
    gram, target = parts[0][0].copy(), parts[0][1].copy()
    for own_gram, own_target in parts[1:]:
        gram += own_gram
        target += own_target
    held_out = []
    for one, (own_gram, own_target) in enumerate(parts):
        kept = fold[basis] != one
        inner = np.ix_(kept, kept)
        alpha = _solve((gram - own_gram)[inner], between[inner], (target - own_target)[kept])
        held_out.append(_folded(examples, basis[kept], alpha, fold != one))
    return _folded(examples, basis, _solve(gram, between, target), np.ones(len(fold), dtype=bool)), held_out


def _basis(examples: Examples) -> np.ndarray:
    """Return the units of the basis; see BASIS."""
    everything = np.arange(len(examples.groups))
    basis = examples.candidates[:BASIS[0]]
    for size in BASIS[1:]:
        gram, target = _products(examples, everything, basis)
        alpha = _solve(gram, _kernel(examples, basis, basis), target)
        others = np.setdiff1d(examples.candidates, basis)
        wrong = np.abs(examples.targets[others, CRISIS] - np.concatenate([
            _kernel(examples, piece, basis) @ alpha[:, CRISIS] for piece in _pieces(others)]))
        basis = np.append(basis, others[np.argsort(-wrong, kind="stable")[:size - len(basis)]])
    return basis


def _products(examples: Examples, rows: np.ndarray, basis: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Return the normal equations' two sides for `rows`, made in pieces: the whole kernel would take a gigabyte."""
    gram = np.zeros((len(basis), len(basis)), dtype=np.float32)
    target = np.zeros((len(basis), examples.targets.shape[1]), dtype=np.float32)
    for piece in _pieces(rows):
        features = _kernel(examples, piece, basis)
        gram += features.T @ features
        target += features.T @ examples.targets[piece]
    return gram, target


def _pieces(rows: np.ndarray) -> List[np.ndarray]:
    return np.array_split(rows, range(PIECE, len(rows), PIECE))


def _kernel(examples: Examples, rows: np.ndarray, basis: np.ndarray) -> np.ndarray:
    return (_gaussian(examples.embeddings[rows], examples.embeddings[basis])
            + LETTERS_WEIGHT * (examples.ngrams[rows] @ examples.ngrams[basis].T).toarray()
            + FLAGS_WEIGHT * examples.flags[rows] @ examples.flags[basis].T).astype(np.float32)  # type: ignore[no-any-return]


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
    axes = np.linalg.eigh(examples.embeddings.T @ examples.embeddings)[1][:, -NARROW:]
    short = (examples.embeddings @ axes).astype(np.float16)  # how they are stored: the fitted and the loaded check agree
    return Weights(examples.embeddings[basis], alpha,
                   np.asarray(LETTERS_WEIGHT * (examples.ngrams[basis].T @ alpha), dtype=np.float32),
                   (FLAGS_WEIGHT * examples.flags[basis].T @ alpha).astype(np.float32), axes,
                   *(short[known & chosen].astype(np.float32) for chosen in (examples.targets[:, CRISIS] > 0, examples.targets[:, HEAVY] < 0)))


def _worth_encoding(scores: np.ndarray, units: np.ndarray) -> List[int]:
    """Return the rows of one message for the encoder: the likeliest sentences by the cheap scores, and the whole."""
    likeliest = units[:-1][np.argsort(-scores[units[:-1], CRISIS], kind="stable")[:MOST_UNITS]]
    return [*sorted(map(int, likeliest)), *map(int, units[-1:])]


def _weightiest(scores: np.ndarray, units: int) -> Judgement:
    """Return the judgement on a message of so many units; `scores`: [those that were encoded, outputs], the whole last."""
    if not units:
        return NOTHING
    scores[:-1, :FIRST_CATEGORY] -= PART_MARGIN * np.log2(units)
    best = int(scores[:, CRISIS].argmax())
    return Judgement(float(scores[best, CRISIS]), float(scores[:, HEAVY].max()),
                     int(scores[best, FIRST_CATEGORY:].argmax()), float(scores[best, THIRD_PARTY]), units > 1)
