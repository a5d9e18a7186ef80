"""The places of the UK by name and by postcode, with coordinates, and what to ask where a name is not enough.

Towns come from GeoNames (scripts/places_extract.py), everything else from data/vocabulary/places.yml.
"""
from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, Iterable, List, Optional, Sequence, Set, Tuple

import yaml
from rapidfuzz import process
from rapidfuzz.distance import OSA

from assistant.errors import ContentError
from assistant.places.place import Lookup, Place, distance, key, point
from assistant.places.postcodes import find_postcodes
from assistant.settings import ROOT, Settings

UNITED_KINGDOM = ("GB", "GG", "IM", "JE")
VOCABULARY = ROOT / "data" / "vocabulary" / "places.yml"
# A namesake with less than a twentieth of the largest one's people is not asked about.
NAMESAKE = 20
# Names nearer than this (miles) are one place under two entries.
SAME_PLACE = 5.0
# A misspelling is taken for the larger of two equally near names when that one has three times the people.
CLEARLY_LARGER = 3
# Namesakes are told apart by the nearest town of this size.
LARGE_TOWN = 25_000
EXTRA_POPULATION = 20_000  # of the places that the vocabulary adds, whose number is not known
# Districts that GeoNames lists beside the towns they are named after.
NOT_TOWNS = re.compile(r" (County Borough|District|Parish)$")


def extract_path(settings: Settings) -> Path:
    """Return where the extract of GeoNames stands; the number rises when its form changes."""
    return settings.cache / "places-1.json"


class Gazetteer:
    """Looks up places; see `load`."""

    def __init__(self, extract: Dict[str, Any], vocabulary: Dict[str, Any]) -> None:
        """Build the index from the extract and the vocabulary, both as parsed."""
        self._regions: Dict[str, List[float]] = vocabulary["regions"]
        self.words: Set[str] = set(extract["words"])
        self.ordinary = {key(word) for word in vocabulary["words"] + vocabulary["people"]}
        self.strict = {key(word) for word in vocabulary["strict_words"]}
        self.wide = {key(name): name for name in vocabulary["nations"]}
        towns = _towns(extract["towns"], vocabulary)
        self._large = [town for town in towns if town.population >= LARGE_TOWN]
        self._names = self._index(towns, vocabulary)
        for alias, name in {**vocabulary["rename"], **vocabulary["aliases"]}.items():
            if key(name) in self._names:
                self._names[key(alias)] = self._names[key(name)]
        for places in list(self._names.values()):
            for place in places:
                self._names.setdefault(key(place.label), (place,))
        self._districts = self._postcode_districts(vocabulary["postcode_areas"])
        self.areas = set(vocabulary["postcode_areas"])
        self.abroad = {key(name.removesuffix(" City")): name.removesuffix(" City") for name in extract["abroad"]}
        self.abroad.update((key(name), name.upper() if name in ("uae", "usa") else name.title()) for name in vocabulary["abroad"])
        self.abroad = {name: shown for name, shown in self.abroad.items() if name not in self._names}
        self.longest = max(len(name.split()) for name in self._names)
        self._spellings = [name for name in self._names if len(name) >= 4]
        self._spellings_large = [name for name in self._spellings if self._names[name][0].population >= 20_000]

    @classmethod
    def load(cls, settings: Settings) -> "Gazetteer":
        """Return the gazetteer of this installation, one a process.

        Raises ContentError when the extract is not built or the vocabulary does not parse.
        """
        return _load(extract_path(settings), VOCABULARY)

    def named(self, name: str) -> Tuple[Place, ...]:
        """Return the places that bear exactly this name; more than one means that it must be asked."""
        return self._names.get(key(name), ())

    def look_up(self, text: str) -> Lookup:
        """Return what `text`, taken as a place's name or a postcode, means; misspellings count."""
        code = next(find_postcodes(text, self.areas), None)
        if code is not None and (code.full or len(text.split()) <= 2):
            place = self.postcode(code.outward)
            return Lookup("found", place.name, (place,))
        name = key(text)
        if name in self._names:
            return _lookup(self._names[name])
        if name in self.wide or name in self.abroad:
            known = self.wide if name in self.wide else self.abroad
            return Lookup("wide" if name in self.wide else "abroad", known[name])
        return self.spelt_like(text)

    def postcode(self, outward: str) -> Place:
        """Return the place of an outward part such as "LS6"; raises KeyError for an unknown area."""
        match = re.match(r"([A-Z]+)(\d+)", outward)
        assert match is not None  # the caller found it with find_postcodes
        area, district = match.group(1), int(match.group(2))
        town = self._districts.get((area, district)) or self._districts[area, None]
        return replace(town, name=outward, label=outward, kind="postcode")

    def area(self, place: Place) -> str:
        """Return the postcode area, such as "LS", that a place lies in or next to: coarse enough to be counted."""
        if place.kind == "postcode":
            return re.sub(r"\d.*", "", place.name)
        centres = {area: centre for (area, district), centre in self._districts.items() if district is None}
        return min(centres, key=lambda area: distance(point(centres[area]), point(place)))

    def spelt_like(self, text: str, sure: bool = False) -> Lookup:
        """Return the place that `text` misspells; with `sure`, only a larger town, by little."""
        name = key(text)
        if len(name) < 4 or not name.replace(" ", "").isalpha():
            return Lookup("unknown", text)
        most = (1 if len(name) < 9 else 2) if sure else (1 if len(name) < 7 else 2 if len(name) < 12 else 3)
        spellings = self._spellings_large if sure else self._spellings
        found = process.extract(name, spellings, scorer=OSA.distance, score_cutoff=most, limit=20)
        near = [(score, spelling) for spelling, score, _ in found if spelling[0] == name[0] or score == 1]
        if not near:
            return Lookup("unknown", text)
        best = min(score for score, _ in near)
        groups = {self._names[spelling] for score, spelling in near if score == best}
        ranked = sorted(groups, key=lambda places: -places[0].population)
        if len(ranked) == 1 or ranked[0][0].population >= CLEARLY_LARGER * ranked[1][0].population:
            return _lookup(ranked[0])
        return Lookup("ambiguous", text, tuple(places[0] for places in ranked[:3]))

    def near(self, places: Sequence[Place], qualifier: str) -> Optional[Place]:
        """Return the one of `places` that `qualifier` names: its nation, region, county or a town by it."""
        wanted = key(qualifier)
        for place in places:
            if wanted in (key(place.nation), key(place.label.partition(", ")[2])):
                return place
        there = self._names.get(wanted)
        if not there:
            return None
        return min(places, key=lambda place: distance(point(place), point(there[0])))

    def _index(self, towns: Iterable[Place], vocabulary: Dict[str, Any]) -> Dict[str, Tuple[Place, ...]]:
        grouped: Dict[str, List[Place]] = {}
        for town in towns:
            grouped.setdefault(key(town.name), []).append(town)
        names = {name: self._told_apart(_namesakes(places)) for name, places in grouped.items()}
        for kind, entries in (("borough", "london_boroughs"), ("county", "counties")):
            for name, (latitude, longitude) in vocabulary[entries].items():
                # A borough counts over a town of its name: it is the same place, or what people mean.
                if kind == "borough" or key(name) not in names:
                    names[key(name)] = (Place(name, name, latitude, longitude, kind, 100_000),)
        return names

    def _told_apart(self, places: List[Place]) -> Tuple[Place, ...]:
        """Give each of several namesakes a label that only it has."""
        if len(places) == 1:
            return tuple(places)
        return tuple(replace(place, label=f"{place.name}, {self._region(place, places)}") for place in places)

    def _region(self, place: Place, namesakes: Sequence[Place]) -> str:
        for region, (south, west, north, east) in self._regions.items():
            if south <= place.latitude <= north and west <= place.longitude <= east:
                return region
        if place.nation and place.nation != "England" and sum(one.nation == place.nation for one in namesakes) == 1:
            return place.nation
        others = [town for town in self._large if town.name != place.name]
        return "near " + min(others, key=lambda town: distance(point(town), point(place))).name

    def _postcode_districts(self, areas: Dict[str, Any]) -> Dict[Tuple[str, Optional[int]], Place]:
        districts: Dict[Tuple[str, Optional[int]], Place] = {}
        for area, entry in areas.items():
            centre = Place(area, area, entry["at"][0], entry["at"][1], "postcode") if "at" in entry else self._town(entry["town"], area)
            districts[area, None] = centre
            for town, numbers in entry.get("districts", {}).items():
                for number in _numbers(str(numbers)):
                    districts[area, number] = self._town(town, area, near=centre)
        return districts

    def _town(self, name: str, area: str, near: Optional[Place] = None) -> Place:
        places = self._names.get(key(name))
        if not places:
            raise ContentError(f"{VOCABULARY.name}: postcode area {area}: there is no town {name!r}. Add it under `extra`.")
        if near is None:
            return places[0]
        return min(places, key=lambda place: distance(point(place), point(near)))


@lru_cache(maxsize=2)
def _load(extract: Path, vocabulary: Path) -> Gazetteer:
    if not extract.is_file():
        raise ContentError(f"{extract.name}: the extract of places is not built. Run `make setup`.")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    parsed = yaml.load(vocabulary.read_text(encoding="utf-8"), Loader=loader)
    return Gazetteer(json.loads(extract.read_text(encoding="utf-8")), parsed)


def _lookup(places: Tuple[Place, ...]) -> Lookup:
    return Lookup("found" if len(places) == 1 else "ambiguous", places[0].name, places)


def _towns(rows: Sequence[Sequence[Any]], vocabulary: Dict[str, Any]) -> List[Place]:
    """Return the towns under the names that people use."""
    towns = []
    for name, latitude, longitude, population, nation in rows:
        if NOT_TOWNS.search(name):
            continue
        name = vocabulary["rename"].get(name, name)
        name = re.sub(r"^Saint ", "St ", name)
        towns.append(Place(name, name, latitude, longitude, "town", population, nation))
    extra = [Place(name, name, latitude, longitude, "town", EXTRA_POPULATION)
             for name, (latitude, longitude) in vocabulary["extra"].items()]
    replaced = {key(place.name) for place in extra}
    return [town for town in towns if key(town.name) not in replaced] + extra


def _namesakes(places: List[Place]) -> List[Place]:
    """Return the places that a name may well mean, largest first."""
    ranked = sorted(places, key=lambda place: -place.population)
    kept: List[Place] = []
    for place in ranked:
        likely = not kept or (place.population >= 2000 and place.population * NAMESAKE >= ranked[0].population)
        if likely and all(distance(point(place), point(other)) > SAME_PLACE for other in kept):
            kept.append(place)
    return kept[:3]



def _numbers(text: str) -> List[int]:
    """Return the district numbers of "1-3 7": [1, 2, 3, 7]."""
    numbers: List[int] = []
    for part in text.split():
        first, _, last = part.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    return numbers
