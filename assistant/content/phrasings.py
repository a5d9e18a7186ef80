"""Phrasings that stand twice, or nearly the same under two intents."""
from __future__ import annotations

import re
from collections import Counter
from typing import Dict, Iterator, List, Sequence, Tuple

import numpy as np
from rapidfuzz import fuzz, process

from assistant.content.wording import fold

# Share of letters in common, in per cent, from which two phrasings are nearly the same (rapidfuzz's ratio).
NEARLY = 94
BLOCK = 512
# "theory" and "therapy" are a letter apart and worlds apart: a word of this length that so many phrasings have
# is taken for another word, not for a slip of the keyboard.
WORD_LENGTH = 4
WORD_KNOWN = 5
_NEGATION = re.compile(r"\b(?:no|not|never|without|\w+nt)\b")  # folding has taken the apostrophe of "wasn't"

Pair = Tuple[int, int]


def duplicates(phrasings: Sequence[str]) -> List[Pair]:
    """Return (first, again) for each phrasing that stands before, case and punctuation left aside."""
    first: Dict[str, int] = {}
    found = []
    for index, phrasing in enumerate(phrasings):
        folded = fold(phrasing)
        if folded in first:
            found.append((first[folded], index))
        else:
            first[folded] = index
    return found


def nearly_the_same(phrasings: Sequence[str], intents: Sequence[str]) -> List[Pair]:
    """Return the pairs of phrasings of different intents that are nearly, but not wholly, the same."""
    folded = [fold(phrasing) for phrasing in phrasings]
    order = sorted(range(len(folded)), key=lambda index: len(folded[index]))
    texts = [folded[index] for index in order]
    known = Counter(word for text in texts for word in set(text.split()))
    found = []
    for row, column in _close(texts):
        one, other = sorted((order[row], order[column]))
        if intents[one] != intents[other] and _nearly(folded[one], folded[other], known):
            found.append((one, other))
    return sorted(found)


def _nearly(one: str, other: str, known: "Counter[str]") -> bool:
    """Whether two like texts differ in small words or in spelling, not in a word of their own or a "not"."""
    if len(_NEGATION.findall(one)) != len(_NEGATION.findall(other)):
        return False
    here, there = set(one.split()) - set(other.split()), set(other.split()) - set(one.split())
    another = [all(len(word) >= WORD_LENGTH and known[word] >= WORD_KNOWN for word in side) for side in (here, there)]
    return one != other and not (here and there and all(another))


def _close(texts: List[str]) -> Iterator[Pair]:
    """Yield the pairs (i < j) of `texts`, sorted by length, whose ratio is at least NEARLY.

    The ratio of texts of lengths a < b is at most 2a / (a + b), so only like lengths are compared.
    """
    lengths = np.array([len(text) for text in texts])
    for start in range(0, len(texts), BLOCK):
        block = texts[start:start + BLOCK]
        longest = lengths[start + len(block) - 1] * (200 - NEARLY) / NEARLY
        stop = int(np.searchsorted(lengths, longest, side="right"))
        scores = process.cdist(block, texts[start:stop], scorer=fuzz.ratio, score_cutoff=NEARLY, dtype=np.uint8)
        for row, column in np.argwhere(np.triu(scores, 1)):
            yield start + int(row), start + int(column)
