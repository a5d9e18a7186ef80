"""How near phrasings are to each other in meaning, with the embeddings kept between starts."""
from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Callable, Dict, FrozenSet, List, Optional, Sequence

import numpy as np

from assistant.encoder import BUILD, WIDTH, Encoder

# From this cosine to a group's middle on, a message joins it. Of pairs of phrasings of two topics 3% reach it, of pairs of
# one topic 25% (20% by the published last layer); a group is shown whole, and what does not belong is unticked.
SAME_QUESTION = 0.65


class Meaning:
    """Embeddings of phrasings by their text; the encoder is loaded when first needed. Safe to use from threads."""

    def __init__(self, path: Path, encoder: Callable[[], Encoder]) -> None:
        """Keep the embeddings in the file `path`, which is remade when the encoder changes."""
        self._path = path.with_name(f"{path.stem}-{BUILD}.npz")
        self._make, self._lock = encoder, threading.Lock()
        self._rows: Dict[str, np.ndarray] = {}
        self._loaded = False

    def embed(self, texts: Sequence[str], keep: bool = False) -> np.ndarray:
        """Return the embeddings of `texts`, float32 [len(texts), 384]; see `embed_both`."""
        return self.embed_both(texts, keep)[:, 0]

    def words(self) -> FrozenSet[str]:
        """As Encoder.words."""
        return self._make().words()

    def embed_both(self, texts: Sequence[str], keep: bool = False) -> np.ndarray:
        """As Encoder.embed_both: float32 [len(texts), 2, 384]. `keep` those of staff's words, never a visitor's."""
        with self._lock:
            self._load()
            found = {text: self._rows[text] for text in texts if text in self._rows}
        unknown = [text for text in dict.fromkeys(texts) if text not in found]
        if unknown:
            fresh = dict(zip(unknown, self._make().embed_both(unknown)))
            found.update(fresh)
            if keep:
                with self._lock:
                    self._rows.update(fresh)
        rows = [found[text] for text in texts]
        return np.stack(rows) if rows else np.zeros((0, 2, WIDTH), dtype=np.float32)

    def knows(self, texts: Sequence[str]) -> bool:
        """Return whether all of `texts` are embedded already, so that an answer takes no time."""
        with self._lock:
            self._load()
            return all(text in self._rows for text in texts)

    def groups(self, texts: Sequence[str], limit: float = SAME_QUESTION) -> List[List[int]]:
        """Return positions of `texts` grouped by meaning, the largest group first; each text is in one group."""
        rows = self.embed_both(texts)[:, 1]
        similar = rows @ rows.T >= limit
        left, found = set(range(len(texts))), []
        while left:
            order = sorted(left)
            # The text with most others near it is the middle of the next group.
            middle = max(order, key=lambda index: int(similar[index, order].sum()))
            members = [index for index in order if similar[middle, index]] or [middle]
            found.append([middle, *(index for index in members if index != middle)])
            left -= set(members) | {middle}
        return sorted(found, key=len, reverse=True)

    def _load(self) -> None:
        if self._loaded:
            return
        self._loaded = True
        if self._path.is_file():
            with np.load(self._path, allow_pickle=False) as stored:
                texts = stored["texts"].tobytes().decode().split("\0")
                self._rows = dict(zip(texts, stored["rows"]))

    def store(self, wanted: Optional[Sequence[str]] = None) -> None:
        """Write what is kept to the file, by rename; of `wanted`, if given, and then nothing else is kept."""
        with self._lock:
            if wanted is not None:
                self._rows = {text: self._rows[text] for text in dict.fromkeys(wanted) if text in self._rows}
            rows = dict(self._rows)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_name(f".{os.getpid()}-{self._path.name}")
        np.savez(draft, texts=np.frombuffer("\0".join(rows).encode(), dtype=np.uint8), rows=np.stack(list(rows.values())))
        os.replace(draft, self._path)
