"""The one sentence encoder of a Rasa process, shared by the components."""
from __future__ import annotations

from functools import lru_cache

from assistant.encoder import Encoder, Remembering, remembered
from assistant.settings import Settings


@lru_cache(maxsize=1)
def shared_encoder() -> Remembering:
    """Return the encoder; the components that read the same message share its embeddings."""
    return remembered(Encoder.load(Settings.from_env()))
