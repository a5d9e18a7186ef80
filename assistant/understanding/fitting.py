"""Fits a Reader from phrasings, and keeps what was fitted so that equal phrasings are never fitted twice."""
from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Dict, FrozenSet, Mapping, Optional, Protocol, Sequence

import numpy as np

from assistant.understanding import classifier as classifier_module
from assistant.understanding import features, nearness, ridge, scope, spelling
from assistant.understanding.classifier import Classifier
from assistant.understanding.reader import FORMAT, Embeds, Reader, Topic


class Encodes(Embeds, Protocol):
    """What training needs of the encoder."""

    def words(self) -> FrozenSet[str]:
        """Return the words that the encoder knows."""


def fit(
    texts: Sequence[str],
    intents: Sequence[str],
    topics: Mapping[str, Topic],
    encoder: Encodes,
    cache: Optional[Path] = None,
) -> Reader:
    """Return a Reader trained on `texts` with their `intents`; taken from `cache` when it was fitted before."""
    if cache is None:
        return Reader(_fit(texts, intents, encoder), topics, encoder)
    stored = cache / "classifier" / f"{_key(texts, intents)}.npz"
    names = sorted(set(intents))
    if stored.is_file():
        with np.load(stored, allow_pickle=False) as arrays:
            return Reader(Classifier(names, dict(arrays)), topics, encoder)
    classifier = _fit(texts, intents, encoder)
    _store(stored, classifier.arrays())
    return Reader(classifier, topics, encoder)


def _fit(texts: Sequence[str], intents: Sequence[str], encoder: Encodes) -> Classifier:
    return Classifier.fit(texts, intents, encoder.embed_both(texts), encoder.words())


def code() -> str:
    """Return a hash of what decides the fit besides the examples: the encoder, the form and the fitting code."""
    digest = hashlib.sha256(FORMAT.encode())
    for module in (classifier_module, features, nearness, ridge, scope, spelling):
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()


def _key(texts: Sequence[str], intents: Sequence[str]) -> str:
    examples = json.dumps(list(zip(texts, intents)))
    return hashlib.sha256(f"{code()} {examples}".encode()).hexdigest()[:32]


def _store(path: Path, arrays: Dict[str, np.ndarray]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".npz", delete=False) as draft:
        np.savez(draft, **arrays)
    os.replace(draft.name, path)
