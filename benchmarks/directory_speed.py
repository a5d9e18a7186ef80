"""Measures the directory at its largest: import and search of generated entries; prints JSON.

`python -m benchmarks.directory_speed [entries]`: by default 20,000, the size of the largest UK directories.
"""
from __future__ import annotations

import csv
import json
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Dict, List

from assistant.directory.importing import import_directory
from assistant.directory.model import AUDIENCES, CONCERNS, FORMATS, Query
from assistant.directory.rows import COLUMNS
from assistant.directory.store import SQLiteDirectory
from assistant.places import Gazetteer, Place
from assistant.settings import Settings

ENTRIES = 20_000
SEARCHES = 2_000
CITIES = ("London", "London", "London", "Birmingham", "Manchester", "Leeds", "Glasgow", "Bristol", "Sheffield", "Edinburgh",
          "Liverpool", "Cardiff", "Belfast", "Nottingham", "Brighton", "Norwich", "Exeter", "York", "Inverness", "Truro")


def generate(path: Path, entries: int, gazetteer: Gazetteer, seed: int = 1) -> None:
    """Write a CSV file of made-up entries, a third of them around London, as in the real directories."""
    chance = random.Random(seed)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for number in range(entries):
            writer.writerow(_entry(number, chance, gazetteer))


def _entry(number: int, chance: random.Random, gazetteer: Gazetteer) -> Dict[str, object]:
    town = gazetteer.named(chance.choice(CITIES))[0]
    fee = chance.randrange(30, 100, 5)
    return dict(
        name=f"Entry {number}", title="Counsellor", register="BACP", register_number=f"{number:06d}", town=town.name,
        postcode="", latitude=f"{chance.gauss(town.latitude, 0.12):.5f}", longitude=f"{chance.gauss(town.longitude, 0.18):.5f}",
        formats="; ".join(chance.sample(FORMATS, chance.randint(1, 2))),
        audiences="; ".join(chance.sample(AUDIENCES, chance.randint(1, 3))),
        concerns="; ".join(chance.sample(CONCERNS, chance.randint(2, 8))),
        languages="English", fee_from=fee, fee_to=fee + 10, accepting=chance.choice(["yes", "yes", "no"]),
        url=f"https://example.org/{number}", sample="yes",
    )


def measure(directory: SQLiteDirectory, queries: List[Query]) -> Dict[str, float]:
    """Return p50 and p99 of the searches in milliseconds."""
    times = []
    for query in queries:
        start = time.perf_counter()
        directory.search_now(query, 3)
        times.append((time.perf_counter() - start) * 1000)
    return {"p50": round(statistics.median(times), 2), "p99": round(statistics.quantiles(times, n=100)[98], 2)}


def main() -> int:
    """Generate, import, search, print."""
    entries = int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES
    gazetteer = Gazetteer.load(Settings.from_env())
    places: List[Place] = [gazetteer.named(name)[0] for name in CITIES]
    chance = random.Random(2)
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "entries.csv", Path(folder) / "directory.sqlite"
        generate(source, entries, gazetteer)
        start = time.perf_counter()
        import_directory(source, target, gazetteer)
        seconds = time.perf_counter() - start
        directory = SQLiteDirectory(target)
        directory.search_now(Query(), 3)
        filtered = [
            Query(chance.choice(places), "in_person", chance.choice(CONCERNS), chance.choice(AUDIENCES)) for _ in range(SEARCHES)
        ]
        by_place = [Query(chance.choice(places)) for _ in range(SEARCHES // 10)]
        online = [Query(None, "online", chance.choice(CONCERNS)) for _ in range(SEARCHES // 10)]
        result = {
            "entries": entries, "import_seconds": round(seconds, 2),
            "all_filters_ms": measure(directory, filtered), "place_alone_ms": measure(directory, by_place),
            "online_ms": measure(directory, online),
        }
        directory.close()
    for name, value in result.items():
        print(f"{name:16} {value}")
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
