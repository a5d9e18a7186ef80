"""Parts of a message: its sentences, and the places within a sentence where a second question may begin."""
from __future__ import annotations

import re
from typing import List

# A new sentence, line or list item ("1. …", "b) …").
_SENTENCE = re.compile(r"(?:(?<=[.!?…])[\"')\]]*\s+|\n+|\s*;\s*|\s+[-–—]+\s+|^)(?:\(?(?:\d|[a-d])[.)]\s+)?")
# Within a sentence: a joining word, or a comma, before words that begin a question or a wish.
_BEGINS = (
    r"(?:what|how|who|whom|whose|where|when|why|which|is|are|am|was|were|do|does|did|can|could|will|would|should|"
    r"shall|may|might|has|have|any|i need|i want|i'd like|i would like|i'm looking|im looking|looking for|find me|"
    r"tell me|explain|whether|if)\b"
)
_JOIN = re.compile(
    rf"\s*,?\s+(?:and\s+also|and\s+then|and|also|plus|but\s+also|but|as\s+well\s+as|or|\+|&)\s+(?:also\s+)?(?={_BEGINS})"
    rf"|\s*,\s*(?={_BEGINS})|\s+(?:and\s+also|also|plus)\s+|\?\s*",
    re.IGNORECASE,
)
_LOOSE_JOIN = re.compile(r"\s*,?\s+(?:and|plus|also|then|or|&|\+)\s+|\s*[,:]\s+|\s*/\s*|\?\s*", re.IGNORECASE)

# Words that ask: at the start of a part, or anywhere as a wish to know.
_ASKS = re.compile(
    rf"^(?:so|and|but|also|ok|okay|please|pls|hi|hello|hey|just|well|anyway|basically|my question is|question)?[\s,:]*{_BEGINS}"
    r"|\?\s*$|\b(?:wonder(?:ing)?|want(?:ed)? to (?:know|ask|find out)|like to know|need to know|can (?:you|anyone|someone)|"
    r"could (?:you|anyone)|any idea|not sure (?:if|whether|what|how|who)|don't know (?:if|whether|what|how|who)|"
    r"dont know (?:if|whether|what|how)|tell me|explain|curious|looking for|how (?:much|long|many|do|does|can|would)|"
    r"what (?:is|are|does|do|happens))\b",
    re.IGNORECASE,
)


def sentences(text: str) -> List[str]:
    """Return the sentences of `text`, each stripped, none empty."""
    return [part.strip() for part in _SENTENCE.split(text) if part and part.strip(" .,!?")]


def clauses(sentence: str, loosely: bool = False) -> List[str]:
    """Return the parts of `sentence` that may each ask something; `loosely` also at bare commas and "and"."""
    pattern = _LOOSE_JOIN if loosely else _JOIN
    return [part.strip(" ,") for part in pattern.split(sentence) if part and part.strip(" ,.!?")]


def asks(part: str) -> bool:
    """Return whether `part` is worded as a question or a wish to know."""
    return _ASKS.search(part.strip()) is not None
