"""Whether a message says where and how to meet, and nothing else: an answer to the search's questions.

A town's letters can look like a word of risk (Woking, Wetherby, Evesham), as every check by likeness finds out. Who answers
"Where should I look?" by such a name is no nearer to harm than who lives in York.
"""
from __future__ import annotations

import re

from assistant.places.gazetteer import Gazetteer
from assistant.places.mentions import find_places
from assistant.places.place import key

LONGEST = 80  # characters
_UNREAD = re.compile(r"[^\w\s.,;:!?&()/'’-]")  # signs such as emoji, which may say anything
_NO = re.compile(r"^no (?!one\b)")  # "no, face to face", not "no one"
# What may stand around a place's name. Nothing here tells of a wish, a feeling, an end or a harm in any order of words.
AROUND = frozenset(
    """a actually an and another anxiety anyone area around at based between book by change city close could depression either else
    face find for from grief im in instead is it its look looking make me meet my near nearby nr of ok okay on one online or
    person phone please pls postcode prefer region sessions show someone somebody somewhere sorry switch the therapist
    therapists therapy there to town trauma try us video want we were with would zoom""".split()
)


def says_only_where(text: str, gazetteer: Gazetteer) -> bool:
    """Return whether `text` holds nothing but exact names of places and words around them; a misspelt name does not count."""
    if len(text) > LONGEST or _UNREAD.search(text):
        return False
    rest = text
    for mention in find_places(text, gazetteer):
        if _exact(text[mention.start:mention.end], gazetteer):
            rest = rest[:mention.start] + " " * (mention.end - mention.start) + rest[mention.end:]
    return all(word in AROUND for word in _NO.sub("", key(rest)).split())


def _exact(name: str, gazetteer: Gazetteer) -> bool:
    if gazetteer.named(name) or key(name) in gazetteer.abroad or key(name) in gazetteer.wide:
        return True
    return gazetteer.look_up(name).outcome == "found" and any(letter.isdigit() for letter in name)
