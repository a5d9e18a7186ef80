"""UK postcodes: found in a text in any case and spacing, and reduced to their outward part.

Form: outward part (area of one or two letters, district), inward part (digit, two letters), as in BS7666. The parts may stand
apart by anything that is hardly seen, and each letter by itself ("L S 6  2 A B").
"""
from __future__ import annotations

import re
from typing import Iterator, List, NamedTuple, Set, Tuple

# All there are; data/vocabulary/places.yml says where they lie.
AREAS = frozenset(
    """
    AB AL B BA BB BD BH BL BN BR BS BT CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY E EC EH EN EX FK FY G GL GU
    GY HA HD HG HP HR HS HU HX IG IM IP IV JE KA KT KW KY L LA LD LE LL LN LS LU M ME MK ML N NE NG NN NP NR NW OL OX PA PE
    PH PL PO PR RG RH RM S SA SE SG SK SL SM SN SO SP SR SS ST SW SY TA TD TF TN TQ TR TS TW UB W WA WC WD WF WN WR WS WV YO
    ZE
    """.split()
)
_AREA = r"[a-z]{1,2}"
_DISTRICT = r"\d(?:\d|[a-z])?"
_GAP = r"[\s.\-\u2010-\u2015\u200b-\u200d\u2060\ufeff]"  # spaces, dots, dashes, and what has no width
_LAST = r"[abd-hjlnp-uw-z]"  # the letters of inward parts: where letters stand apart, others are words ("at 5 1 i m")
_FULL = re.compile(rf"\b({_AREA}){_GAP}*({_DISTRICT}){_GAP}*(\d(?:[a-z]{{2}}|{_GAP}*{_LAST}{_GAP}*{_LAST}))\b", re.IGNORECASE)
_APART = re.compile(rf"\b([a-z](?:{_GAP}+[a-z])?){_GAP}+(\d(?:{_GAP}+\d)?){_GAP}+(\d{_GAP}+{_LAST}{_GAP}+{_LAST})\b", re.IGNORECASE)
_OUTWARD = re.compile(rf"\b({_AREA})({_DISTRICT})\b", re.IGNORECASE)


class Postcode(NamedTuple):
    """A postcode in a text: its outward part in upper case, and where it stands."""

    outward: str
    start: int
    end: int
    full: bool  # with an inward part


def find_postcodes(text: str, areas: Set[str]) -> Iterator[Postcode]:
    """Yield the full postcodes of `text`, then the outward parts that stand alone, of the known `areas`."""
    taken: List[Tuple[int, int]] = []
    for match in (*_APART.finditer(text), *_FULL.finditer(text)):
        inside = any(start < match.end() and match.start() < end for start, end in taken)
        if not inside and _area(match) in areas:
            taken.append(match.span())
            yield Postcode(_outward(match), *match.span(), full=True)
    for match in _OUTWARD.finditer(text):
        inside = any(start <= match.start() < end for start, end in taken)
        if not inside and match.group(1).upper() in areas:
            yield Postcode(match.group(0).upper(), *match.span(), full=False)


def shorten_postcodes(text: str) -> str:
    """Return `text` with each full postcode cut to its outward part, which names a town, not a street."""
    def shortened(match: "re.Match[str]") -> str:
        return _outward(match) if _area(match) in AREAS else match.group()

    return _FULL.sub(shortened, _APART.sub(shortened, text))


def _outward(match: "re.Match[str]") -> str:
    return re.sub(r"\W", "", match.group(1) + match.group(2)).upper()


def _area(match: "re.Match[str]") -> str:
    return re.sub(r"\W", "", match.group(1)).upper()
