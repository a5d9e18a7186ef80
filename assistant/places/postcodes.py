"""UK postcodes: found in a text in any case and spacing, and reduced to their outward part.

Form: outward part (area of one or two letters, district), inward part (digit, two letters), as in BS7666.
"""
from __future__ import annotations

import re
from typing import Iterator, NamedTuple, Set

_AREA = r"[a-z]{1,2}"
_DISTRICT = r"\d(?:\d|[a-z])?"
_FULL = re.compile(rf"\b({_AREA})[ \-]?({_DISTRICT})[ \-]*(\d[ ]?[a-z]{{2}})\b", re.IGNORECASE)
_OUTWARD = re.compile(rf"\b({_AREA})({_DISTRICT})\b", re.IGNORECASE)


class Postcode(NamedTuple):
    """A postcode in a text: its outward part in upper case, and where it stands."""

    outward: str
    start: int
    end: int
    full: bool  # with an inward part


def find_postcodes(text: str, areas: Set[str]) -> Iterator[Postcode]:
    """Yield the full postcodes of `text`, then the outward parts that stand alone, of the known `areas`."""
    taken = []
    for match in _FULL.finditer(text):
        if match.group(1).upper() in areas:
            taken.append(match.span())
            yield Postcode((match.group(1) + match.group(2)).upper(), *match.span(), full=True)
    for match in _OUTWARD.finditer(text):
        inside = any(start <= match.start() < end for start, end in taken)
        if not inside and match.group(1).upper() in areas:
            yield Postcode(match.group(0).upper(), *match.span(), full=False)


def shorten_postcodes(text: str) -> str:
    """Return `text` with each full postcode cut to its outward part, which names a town, not a street."""
    return _FULL.sub(lambda match: (match.group(1) + match.group(2)).upper(), text)
