"""The sentence encoder: all-MiniLM-L6-v2 run by ONNX Runtime.

`make setup` builds it once (assistant/encoder_build.py); everything that compares meanings uses this one class.
"""
from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import FrozenSet, List, Sequence

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from assistant.errors import EncoderError
from assistant.settings import Settings

WIDTH = 384
# The model was trained on at most 128 tokens a text, and attention costs grow with the square of the length.
LONGEST = 128
BATCH = 32
# The longest text of a batch is at most so many times as long as its shortest.
SPREAD = 1.5
# Part of the folder's name and of every cache key: raise it when the same text would get another embedding.
BUILD = "minilm-l6-v2-int8-2"


def folder(settings: Settings) -> Path:
    """Return where the built encoder stands: `encoder.onnx` and `tokenizer.json`."""
    return settings.cache / "encoder" / BUILD


class Encoder:
    """Turns texts into unit vectors whose dot product is their similarity of meaning."""

    def __init__(self, path: Path) -> None:
        """Load the encoder built in `path`; raises EncoderError when it is not there."""
        if not (path / "encoder.onnx").is_file():
            raise EncoderError(f"{path}: the sentence encoder is not built. Run `make setup`.")
        self.tokenizer = Tokenizer.from_file(str(path / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(LONGEST)
        options = onnxruntime.SessionOptions()
        # One thread a session: under load two threads on one message are slower than two messages on a thread each.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(path / "encoder.onnx"), options, providers=["CPUExecutionProvider"]
        )

    @classmethod
    def load(cls, settings: Settings) -> "Encoder":
        """Return the encoder of this installation; one for all callers in a process."""
        return _load(folder(settings))

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Return the embeddings of `texts`: float32 [len(texts), 384], each row of length 1; see `embed_both`."""
        return self.embed_both(texts)[:, 0]

    def embed_both(self, texts: Sequence[str]) -> np.ndarray:
        """Return two embeddings of each text, float32 [len(texts), 2, 384], each of length 1.

        The first is the published model's, made for likeness of subject; the second blends its upper layers and
        tells intents apart better. A text counts up to its first 128 tokens. Texts of like length run together, so
        that little is padded, and the batches of a long list run on all cores.
        """
        result = np.zeros((len(texts), 2, WIDTH), dtype=np.float32)
        ids = [encoding.ids for encoding in self.tokenizer.encode_batch(list(texts))]
        batches = _batches([len(row) for row in ids])

        def run(rows: List[int]) -> None:
            result[rows] = self._run([ids[row] for row in rows])

        if len(texts) <= BATCH:  # a message: another one may need the other core
            for rows in batches:
                run(rows)
        else:
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                list(pool.map(run, batches))
        return result

    def words(self) -> FrozenSet[str]:
        """Return the words that the encoder knows whole, in lower case: a dictionary of common English."""
        return frozenset(word for word in self.tokenizer.get_vocab() if word.isalpha())

    def _run(self, batch: List[List[int]]) -> np.ndarray:
        longest = max(len(row) for row in batch)
        tokens = np.zeros((len(batch), longest), dtype=np.int64)
        mask = np.zeros((len(batch), longest), dtype=np.float32)
        for index, row in enumerate(batch):
            tokens[index, :len(row)] = row
            mask[index, :len(row)] = 1.0
        return np.stack(self._session.run(None, {"input_ids": tokens, "attention_mask": mask}), axis=1)


def _batches(lengths: Sequence[int]) -> List[List[int]]:
    """Return the indices of texts in batches of like length: all are padded to the longest of their batch."""
    batches: List[List[int]] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if not batches or len(batches[-1]) == BATCH or lengths[index] > SPREAD * lengths[batches[-1][0]]:
            batches.append([])
        batches[-1].append(index)
    return batches


@lru_cache(maxsize=2)
def _load(path: Path) -> Encoder:
    return Encoder(path)


def remembered(encoder: Encoder, size: int = 512) -> "Remembering":
    """Return `encoder` with the last `size` embeddings kept (the safety check and the intents read one text)."""
    return Remembering(encoder, size)


class Remembering:
    """An encoder that keeps the last embeddings in memory; same methods as Encoder, safe in threads."""

    def __init__(self, encoder: Encoder, size: int) -> None:
        self._encoder, self._size = encoder, size
        # One at a time: the quantised activations of a batch depend a little on all its texts, and a message must
        # not be read differently for what was read before.
        self._embed_one = lru_cache(maxsize=size)(lambda text: encoder.embed_both([text])[0])

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """As Encoder.embed."""
        return self.embed_both(texts)[:, 0]

    def embed_both(self, texts: Sequence[str]) -> np.ndarray:
        """As Encoder.embed_both; more texts than are kept go straight to the encoder."""
        if not texts or len(texts) > self._size:
            return self._encoder.embed_both(texts)
        return np.stack([self._embed_one(text) for text in texts])

    def words(self) -> FrozenSet[str]:
        """As Encoder.words."""
        return self._encoder.words()
