"""A place in the UK, what a name may mean, and how names and points are compared."""
from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from typing import Optional, Tuple

MILES_PER_DEGREE = 69.05  # of latitude


@dataclass(frozen=True)
class Place:
    """Somewhere in the UK; coordinates in degrees."""

    name: str  # "Newport", or a postcode's outward part: "LS6"
    label: str  # as the assistant says it, unmistakable: "Newport, Wales"
    latitude: float
    longitude: float
    kind: str  # "town", "borough", "postcode" or "county"
    population: int = 0
    nation: str = ""

    @property
    def exact(self) -> bool:
        """Whether distances from here mean something to the mile; from a county or postcode area they are "about"."""
        return self.kind in ("town", "borough")


@dataclass(frozen=True)
class Lookup:
    """What a name may mean: `found` (one place), `ambiguous` (several), `wide`, `abroad` or `unknown` (none)."""

    outcome: str
    name: str
    places: Tuple[Place, ...] = ()

    @property
    def place(self) -> Optional[Place]:
        """Return the place when exactly one fits."""
        return self.places[0] if self.outcome == "found" else None


def key(name: str) -> str:
    """Return `name` as it is compared: no case, accents, punctuation or "saint"."""
    plain = unicodedata.normalize("NFKD", name.replace("’", "'").replace("&", " and "))
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter)).lower().replace("'", "")
    words = re.findall(r"[^\W_]+", plain)
    return " ".join("st" if word == "saint" else word for word in words)


def distance(first: Tuple[float, float], second: Tuple[float, float]) -> float:
    """Return the miles between two points (latitude, longitude), right to 1% within the UK."""
    north = (second[0] - first[0]) * MILES_PER_DEGREE
    east = (second[1] - first[1]) * MILES_PER_DEGREE * math.cos(math.radians((first[0] + second[0]) / 2))
    return math.hypot(north, east)


def point(place: Place) -> Tuple[float, float]:
    """Return the latitude and longitude of `place`."""
    return place.latitude, place.longitude
