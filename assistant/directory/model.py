"""What a directory holds and what a search asks and returns; plain values without behaviour."""
from __future__ import annotations

from dataclasses import dataclass
from typing import List, Optional, Protocol, Tuple

from assistant.places import Place

FORMATS = ("online", "in_person")
AUDIENCES = ("adults", "children", "couples", "families")
CONCERNS = (
    "anxiety", "depression", "trauma", "ptsd", "relationships", "low_self_esteem",
    "childhood_trauma", "trust_issues", "family", "grief", "intimacy", "parenting",
)
# Without a result the search widens step by step (miles), then looks online.
RADII = (10, 25, 50)


@dataclass(frozen=True)
class Therapist:
    """One entry; coordinates in degrees, fees in whole pounds a session."""

    name: str
    title: str
    register: str  # "BACP", "UKCP", "HCPC", "BPS" …
    register_number: str
    town: str
    latitude: float
    longitude: float
    by_area: bool  # the coordinates are a town's or postcode district's, not the practice's
    formats: Tuple[str, ...]
    audiences: Tuple[str, ...]
    concerns: Tuple[str, ...]
    languages: Tuple[str, ...]
    fee_from: Optional[int]
    fee_to: Optional[int]
    accepting: bool
    url: str


@dataclass(frozen=True)
class Query:
    """What is searched for; None leaves a filter open. Online therapists are searched for without a place."""

    place: Optional[Place] = None
    session_format: Optional[str] = None
    concern: Optional[str] = None
    audience: Optional[str] = None


@dataclass(frozen=True)
class Found:
    """A therapist found, with the distance in miles where a place was given; `about` when known by area only."""

    therapist: Therapist
    miles: Optional[float] = None
    about: bool = False


@dataclass(frozen=True)
class Results:
    """One page of results, and how far the search had to go."""

    found: List[Found]
    total: int  # of all pages
    radius: Optional[int] = None  # miles within which `total` were found; None without a place
    online_instead: bool = False  # nobody within the widest radius: these work online
    sample: bool = False  # invented entries


class Directory(Protocol):
    """Where therapists are searched for; see `assistant.directory.open_directory`."""

    async def search(self, query: Query, limit: int, offset: int = 0, radius: int = RADII[0]) -> Results:
        """Return up to `limit` therapists after the first `offset`, from `radius` miles upwards.

        Raises DirectoryError when the directory cannot be searched.
        """
