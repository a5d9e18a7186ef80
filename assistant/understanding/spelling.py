"""Slips of the keyboard: a word that nobody knows, one letter away from one that the examples use.

A slip in the longest word of a message costs 10 points of accuracy; mending it wins 8 of them back.
"""
from __future__ import annotations

import re
import string
from collections import Counter
from typing import Collection, Dict, Iterator, Sequence

import numpy as np

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
SHORTEST = 5  # letters; shorter words have too many neighbours
# A word is mended to one that so many examples use: misspellings stand among the examples too. A word that the
# dictionary lacks ("disorganised") needs more of them.
USED, USED_UNLISTED = 3, 10


class Spelling:
    """The words that are known, and those that a slip is mended to."""

    def __init__(self, known: Collection[str], targets: Dict[str, int]) -> None:
        """Take up the known words, and the words to mend to with how many examples use each."""
        self._known, self._targets = frozenset(known), targets
        self._longest = max(map(len, targets), default=0) + 1  # a longer word is no slip of any

    @classmethod
    def fit(cls, texts: Sequence[str], dictionary: Collection[str]) -> "Spelling":
        """Learn the words of tidy `texts`; words of the `dictionary` are known as well."""
        used = Counter(word for text in texts for word in set(_WORD.findall(text)))
        targets = {word: count for word, count in used.items() if count >= (USED if word in dictionary else USED_UNLISTED)}
        return cls({*used, *dictionary}, targets)

    def mend(self, text: str) -> str:
        """Return tidy `text` with its slips mended."""
        return _WORD.sub(lambda match: self._mended(match.group()), text)

    def _mended(self, word: str) -> str:
        if not SHORTEST <= len(word) <= self._longest or word in self._known:
            return word
        near = sorted(candidate for candidate in set(_one_letter_away(word)) if candidate in self._targets)
        return max(near, key=self._targets.__getitem__, default=word)

    def arrays(self) -> Dict[str, np.ndarray]:
        """Return all that was learned, for `from_arrays`."""
        known = "\n".join(sorted(self._known)).encode()
        targets = "\n".join(f"{word} {count}" for word, count in self._targets.items()).encode()
        return {"spelling_known": np.frombuffer(known, dtype=np.uint8), "spelling_targets": np.frombuffer(targets, dtype=np.uint8)}

    @classmethod
    def from_arrays(cls, arrays: Dict[str, np.ndarray]) -> "Spelling":
        """Return the spelling that `arrays()` described."""
        known = arrays["spelling_known"].tobytes().decode().split("\n")
        pairs = (line.split(" ") for line in arrays["spelling_targets"].tobytes().decode().split("\n") if line)
        return cls(known, {word: int(count) for word, count in pairs})


def _one_letter_away(word: str) -> Iterator[str]:
    """Give the words made by dropping, swapping, changing or adding one letter."""
    for place in range(len(word) + 1):
        before, after = word[:place], word[place:]
        if after:
            yield before + after[1:]
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]
        for letter in string.ascii_lowercase:
            yield before + letter + after
            if after:
                yield before + letter + after[1:]
