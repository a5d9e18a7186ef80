"""Fits a Reader from phrasings, and keeps what was fitted so that equal phrasings are never fitted twice."""
from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Dict, Mapping, Optional, Sequence

import numpy as np

from assistant import encoder as encoder_module
from assistant.understanding import classifier as classifier_module
from assistant.understanding import features, nearness, ridge, scope
from assistant.understanding.classifier import Classifier
from assistant.understanding.reader import Embeds, Reader, Topic


def fit(
    texts: Sequence[str],
    intents: Sequence[str],
    topics: Mapping[str, Topic],
    encoder: Embeds,
    cache: Optional[Path] = None,
) -> Reader:
    """Return a Reader trained on `texts` with their `intents`; taken from `cache` when it was fitted before."""
    if cache is None:
        return Reader(Classifier.fit(texts, intents, encoder.embed_both(texts)), topics, encoder)
    stored = cache / "classifier" / f"{_key(texts, intents)}.npz"
    names = sorted(set(intents))
    if stored.is_file():
        with np.load(stored, allow_pickle=False) as arrays:
            return Reader(Classifier(names, dict(arrays)), topics, encoder)
    classifier = Classifier.fit(texts, intents, encoder.embed_both(texts))
    _store(stored, classifier.arrays())
    return Reader(classifier, topics, encoder)


def _key(texts: Sequence[str], intents: Sequence[str]) -> str:
    """Return a hash of all that decides the fit: the examples, the encoder's build and the fitting code."""
    digest = hashlib.sha256(encoder_module.BUILD.encode())
    for module in (classifier_module, features, nearness, ridge, scope):
        digest.update(Path(module.__file__).read_bytes())
    digest.update(json.dumps(list(zip(texts, intents))).encode())
    return digest.hexdigest()[:32]


def _store(path: Path, arrays: Dict[str, np.ndarray]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".npz", delete=False) as draft:
        np.savez(draft, **arrays)
    os.replace(draft.name, path)
