"""Which intent a text has, how surely, and whether it has any: kernel ridge regression with closed-form left-out
predictions, from which the calibration and the threshold come.

The kernel joins the meaning (an RBF over the encoder's blended embeddings, centred on the training texts) and the
wording (n-grams).
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Collection, Dict, List, Sequence

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from assistant.understanding import ridge, scope
from assistant.understanding.features import NGrams, gram, tidy
from assistant.understanding.nearness import Nearness
from assistant.understanding.spelling import Spelling

OUT_OF_SCOPE = "out_of_scope"

# Chosen by accuracy on left-out texts with 10 and 30 examples an intent and with all of them; flat around these.
SHARPNESS = 1.5  # γ of exp(γ (cosine − 1))
WORDING = 0.15  # weight of the n-gram kernel beside the meaning's
RIDGE = 0.1  # λ


@dataclass(frozen=True)
class Ranking:
    """What the classifier thinks of one text."""

    intents: List[str]  # best first; out_of_scope stands last, since it can never be offered
    probabilities: np.ndarray  # of `intents`, float [number of intents], sums to 1
    score: float  # that the text is in scope, 0 to 1
    in_scope: bool  # score reaches the threshold, and out_of_scope is not the likeliest intent
    unrelated: bool  # out_of_scope is the likeliest intent


class Classifier:
    """A trained classifier; see `fit`."""

    def __init__(self, intents: List[str], arrays: Dict[str, np.ndarray]) -> None:
        """Take up a classifier from what `arrays()` returned."""
        self.intents = intents
        self._arrays = arrays
        self._outside = _position(intents)
        self._spelling = Spelling.from_arrays(arrays)
        self._ngrams = NGrams.from_arrays(arrays)
        self._nearness = Nearness(arrays["embeddings"], arrays["starts"])
        self._scope = scope.ScopeModel(arrays["scope"])
        self.threshold = float(arrays["threshold"])

    @classmethod
    def fit(
        cls, texts: Sequence[str], intents: Sequence[str], embeddings: np.ndarray, dictionary: Collection[str] = ()
    ) -> "Classifier":
        """Train on `texts` with their `intents` and both embeddings, float32 [len(texts), 2, width].

        Words of the `dictionary` are never taken for misspelt ones.
        """
        names = sorted(set(intents))
        labels = np.searchsorted(names, intents)
        order = np.argsort(labels, kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.bincount(labels))])
        wordings = [tidy(texts[index]) for index in order]
        ngrams = NGrams.fit(wordings)
        rows = ngrams.rows(wordings)
        subjects, blends = embeddings[order, 0], embeddings[order, 1]
        centre = blends.mean(axis=0)
        meanings = _unit(blends - centre)
        kernel = _sharpened(meanings @ meanings.T)
        kernel += np.float32(WORDING) * gram(rows)
        fitted = ridge.fit(kernel, starts, RIDGE)
        temperature = _temperature(fitted.without_text, labels[order])
        parameters, threshold = scope.fit(fitted, Nearness(subjects, starts), _lengths(wordings), labels[order], _position(names))
        wording = np.float32(WORDING) * (rows.T @ fitted.duals)
        return cls(names, {
            **Spelling.fit(wordings, dictionary).arrays(),
            **ngrams.arrays(),
            "centre": centre,
            "meanings": meanings,
            # Row by row, or each message would copy them: a sparse product needs that order.
            "duals": np.ascontiguousarray(fitted.duals),
            "wording": np.ascontiguousarray(wording, dtype=np.float32),
            "embeddings": subjects,
            "starts": starts,
            "temperature": np.array(temperature, dtype=np.float32),
            "scope": parameters,
            "threshold": np.array(threshold, dtype=np.float32),
        })

    def arrays(self) -> Dict[str, np.ndarray]:
        """Return all that was learned as plain arrays, for `np.savez`."""
        return self._arrays

    def mend(self, texts: Sequence[str]) -> List[str]:
        """Return the texts as they are to be embedded and ranked: slips of the keyboard mended, else as they were."""
        plain = [tidy(text) for text in texts]
        mended = [self._spelling.mend(text) for text in plain]
        return [text if new == old else new for text, old, new in zip(texts, plain, mended)]

    def rank(self, texts: Sequence[str], embeddings: np.ndarray) -> List[Ranking]:
        """Return what the classifier thinks of each text, mended by `mend`.

        embeddings: both of each text, float32 [len(texts), 2, width].
        """
        a = self._arrays
        kernel = _sharpened(_unit(embeddings[:, 1] - a["centre"]) @ a["meanings"].T)
        wordings = [tidy(text) for text in texts]
        scores = kernel @ a["duals"] + self._ngrams.rows(wordings) @ a["wording"]
        probabilities = softmax(scores / a["temperature"], axis=1)
        evidence = scope.evidence(scores, lambda intents: self._nearness.to(embeddings[:, 0], intents), _lengths(wordings), self._outside)
        return [self._ranking(*parts) for parts in zip(probabilities, self._scope.score(evidence))]

    def _ranking(self, probabilities: np.ndarray, score: float) -> Ranking:
        order = np.argsort(-probabilities)
        unrelated = bool(order[0] == self._outside)
        if self._outside >= 0:
            order = np.append(order[order != self._outside], self._outside)
        inside = not unrelated and bool(score >= self.threshold)
        names = [self.intents[index] for index in order]
        return Ranking(names, probabilities[order], float(score), inside, unrelated)


def _position(intents: List[str]) -> int:
    return intents.index(OUT_OF_SCOPE) if OUT_OF_SCOPE in intents else -1


def _lengths(wordings: Sequence[str]) -> np.ndarray:
    return np.array([len(wording.split()) for wording in wordings])


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def _sharpened(cosine: np.ndarray) -> np.ndarray:
    """Return exp(γ (cosine − 1)); the memory of `cosine` is used for it."""
    cosine -= 1
    cosine *= np.float32(SHARPNESS)
    return np.exp(cosine, out=cosine)


def _temperature(scores: np.ndarray, labels: np.ndarray) -> float:
    """Return the divisor that makes the left-out scores' softmax most honest (least log loss)."""
    def loss(logarithm: float) -> float:
        return float(-log_softmax(scores / np.exp(logarithm), axis=1)[np.arange(len(labels)), labels].mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-4, 1), method="bounded").x))
