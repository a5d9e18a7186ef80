"""Tells whether a message is in English, by the small words that every sentence needs."""
from __future__ import annotations

import re
import runpy
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import FrozenSet

import spacy.lang

# Languages in Latin script with spaCy's lists of their small words; other scripts are told by their letters.
LATIN = ("de", "es", "fr", "hu", "it", "lt", "nl", "pl", "pt", "ro", "sq", "sv", "tl", "tr", "vi")
# English words, or how English is typed, that other languages count among their small words.
INFORMAL = frozenset({"am", "die", "help", "i", "im", "is", "mum", "r", "sam", "son", "u", "ur"})
_WORD = re.compile(r"[^\W\d_]+")


def is_english(text: str) -> bool:
    """Return False when `text` is surely in another language; short or mixed texts count as English."""
    words = [word.lower() for word in _WORD.findall(text)]
    letters = "".join(words)
    foreign_letters = sum("LATIN" not in unicodedata.name(letter, "") for letter in letters)
    if letters and foreign_letters > len(letters) / 2:
        return False
    distinct = {word for word in words if len(word) > 1}
    english = len(distinct & _small_words("en"))
    foreign = max(len(distinct & _small_words(code)) for code in LATIN)
    return foreign < 2 or foreign <= english


@lru_cache(maxsize=None)
def _small_words(code: str) -> FrozenSet[str]:
    # Read by its path: importing spacy.lang.<code> would load the language's tokenizer too, 0.2 s for each.
    path = Path(spacy.lang.__path__[0]) / code / "stop_words.py"
    words = frozenset(runpy.run_path(str(path))["STOP_WORDS"])
    # A word that is small in English too ("a", "me", "die") tells nothing.
    return words if code == "en" else words - _small_words("en") - INFORMAL
