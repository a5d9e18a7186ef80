"""Words, sentences and claims in the texts: what the content check and the studio say about wording."""
from __future__ import annotations

import re
import unicodedata
from typing import Iterable, List, Optional

STYLES = ("secure", "anxious", "avoidant", "disorganised")
# Claims of effect that no answer may make (content.md): a provider's claim is attributed, never asserted.
FORBIDDEN = re.compile(r"\b(proven|cures?|heals?|treats|guarantees?|perfect)\b", re.IGNORECASE)

# A full stop after one of these ends no sentence.
_ABBREVIATIONS = re.compile(r"\b(?:e\.g|i\.e|etc|Dr|Mr|Mrs|Ms|St|vs|No)\.$")
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"'”’)]*\s+(?=[\"'“‘(]*[A-Z0-9])")
_STYLE_WORD = re.compile(r"\b(secure|anxious|avoidant|disorganised)\b", re.IGNORECASE)
_VOWELS = re.compile(r"[aeiouy]+")


def sentences(text: str) -> List[str]:
    """Return the sentences of `text`; a line break ends one, and so does each item of a list."""
    found: List[str] = []
    for line in text.splitlines():
        pending = ""
        for part in _SENTENCE_END.split(line.strip()):
            pending = f"{pending} {part}".strip()
            if not _ABBREVIATIONS.search(pending):
                found.append(pending)
                pending = ""
        if pending:
            found.append(pending)
    return [sentence for sentence in found if sentence]


def words(text: str) -> List[str]:
    """Return the words of `text`: runs that hold a letter or a digit."""
    return [word for word in text.split() if any(character.isalnum() for character in word)]


def fold(text: str) -> str:
    """Return `text` without case, punctuation and doubled spaces: equal phrasings become equal."""
    text = unicodedata.normalize("NFKC", text).casefold()
    folded = "".join(character for character in text if not unicodedata.category(character).startswith("P"))
    # Punctuation alone ("??", "...") would fold to nothing and all be equal: such a phrasing stays as it is.
    return re.sub(r"\s+", " ", folded).strip() or text.strip()


def forbidden_claims(text: str) -> List[str]:
    """Return the words of `text` that claim an effect, lower case, in order."""
    return [match.group().lower() for match in FORBIDDEN.finditer(text)]


def wrong_style_order(names: Iterable[str]) -> Optional[str]:
    """Return the order in which styles appear in `names` when it is not the house's, else None.

    Two styles may be named in any order ("a mix of avoidant and anxious"): three or more are a list.
    """
    order = list(dict.fromkeys(name.lower() for name in names))
    if len(order) < 3 or order == sorted(order, key=STYLES.index):
        return None
    return ", ".join(order)


def styles_named(text: str) -> List[str]:
    """Return the attachment styles that `text` names, in order of appearance."""
    return [match.group().lower() for match in _STYLE_WORD.finditer(text)]


def reading_age(text: str) -> float:
    """Return the age in years at which `text` reads easily: the Flesch-Kincaid grade plus 5.

    Kincaid and others 1975, https://en.wikipedia.org/wiki/Flesch-Kincaid_readability_tests
    """
    parts, found = sentences(text), words(text)
    if not found:
        return 0.0
    syllables = sum(_syllables(word) for word in found)
    return 0.39 * len(found) / len(parts) + 11.8 * syllables / len(found) - 15.59 + 5


def _syllables(word: str) -> int:
    plain = re.sub(r"[^a-z]", "", word.lower())
    count = len(_VOWELS.findall(plain))
    if plain.endswith("e") and not plain.endswith("le") and count > 1:
        count -= 1
    return max(1, count)
