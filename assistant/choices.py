"""Which of the offered buttons a visitor means who writes instead of pressing: "2", "the second one", or the label."""
from __future__ import annotations

import re
import unicodedata
from typing import Optional, Sequence

from rapidfuzz import fuzz

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_CARDINALS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_POSITION = {word: number for words in (_ORDINALS, _CARDINALS) for number, word in enumerate(words, start=1)}
_FILLER = (
    r"(?:please |can i have |i(?:'d| would) like |i(?:'ll| will) (?:have|take) |let's (?:go with|do|try) |go with |"
    r"choose |pick |i (?:choose|pick|mean|meant) )*"
)
_NUMBER = re.compile(
    rf"{_FILLER}(?:the )?(?:number |option |choice |button |no\.? ?|nr\.? ?|#)?"
    rf"(?P<position>\d{{1,2}}|{'|'.join(_POSITION)}|last)(?:st|nd|rd|th)?(?: (?:one|option|choice|button))?(?: please| thanks)?\Z"
)
# As far from a label as a slip of the finger: "how much does it cots" for "How much does it cost".
LIKENESS = 88.0


def resolve(text: str, labels: Sequence[str]) -> Optional[int]:
    """Return the index of the label that `text` names by position or by its words, or None.

    A sentence that merely holds a number or an ordinal ("my first session") names nothing, and a text that is
    as near to two labels is left open.
    """
    said = _plain(text)
    if not said or not labels:
        return None
    # By SMS a label such as "Yes" is shown as "Yes please", since the service answers the bare word itself.
    exact = [index for index, label in enumerate(labels) if _plain(label) in (said, said.removesuffix(" please"))]
    if len(exact) == 1:
        return exact[0]
    found = _NUMBER.match(said)
    if found:
        return _position(found["position"], len(labels))
    likeness = sorted(((fuzz.ratio(said, _plain(label)), index) for index, label in enumerate(labels)), reverse=True)
    best = likeness[0]
    clear = len(likeness) == 1 or best[0] - likeness[1][0] > 4
    return best[1] if best[0] >= LIKENESS and clear else None


def _position(word: str, count: int) -> Optional[int]:
    number = count if word == "last" else int(word) if word.isdigit() else _POSITION[word]
    return number - 1 if 1 <= number <= count else None


def _plain(text: str) -> str:
    """Return `text` in lower case, keycap digits and curly apostrophes made plain, without punctuation at the ends."""
    normal = unicodedata.normalize("NFKC", text).replace("\ufe0f", "").replace("\u20e3", "").replace("\u2019", "'")
    return re.sub(r"\s+", " ", normal).strip(" .,!?:;)(\"'-").casefold()
