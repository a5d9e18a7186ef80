"""Measures the safety check: `make evaluate-safety FILE=x.tsv` with lines text<TAB>level[<TAB>category[<TAB>form]]."""
from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence

from assistant.encoder import Encoder
from assistant.errors import InputFileError
from assistant.safety import LEVELS, SafetyCheck
from assistant.settings import ROOT, Settings
from benchmarks.cli import print_json, print_table, progress, read_tsv, run


@dataclass(frozen=True)
class Row:
    """A message, what it is, and what the check took it for."""

    level: str
    category: str
    form: str
    found: str


def rate(rows: Sequence[Row], wanted: Callable[[Row], bool], good: Callable[[Row], bool]) -> Optional[float]:
    """Return the share of the `wanted` rows that are `good`, None where there are none."""
    chosen = [row for row in rows if wanted(row)]
    return sum(map(good, chosen)) / len(chosen) if chosen else None


def measure(rows: Sequence[Row]) -> Dict[str, Any]:
    """Return the figures that architecture.md names; a figure without rows is None."""
    def recall_by(key: Callable[[Row], str]) -> Dict[str, float]:
        groups: Dict[str, List[Row]] = defaultdict(list)
        for row in rows:
            if row.level == "crisis" and key(row):
                groups[key(row)].append(row)
        return {name: sum(row.found == "crisis" for row in group) / len(group) for name, group in sorted(groups.items())}

    return {
        "n": len(rows),
        "crisis_recall": rate(rows, lambda row: row.level == "crisis", lambda row: row.found == "crisis"),
        "crisis_recall_by_category": recall_by(lambda row: row.category),
        "crisis_recall_by_form": recall_by(lambda row: row.form),
        "false_alarms_none": rate(rows, lambda row: row.level == "none", lambda row: row.found == "crisis"),
        "false_alarms_concern": rate(rows, lambda row: row.level == "concern", lambda row: row.found == "crisis"),
        "concern_recall": rate(rows, lambda row: row.level == "concern", lambda row: row.found != "none"),
        "concern_on_none": rate(rows, lambda row: row.level == "none", lambda row: row.found == "concern"),
    }


def _false_alarms(rows: Sequence[Row], name: str, group: str) -> List[Any]:
    chosen = [row for row in rows if row.level == "none" and getattr(row, name) == group]
    return [group, sum(row.found == "crisis" for row in chosen) / len(chosen), len(chosen)]


def main(arguments: List[str]) -> None:
    """Judge the messages of the file and print the figures."""
    cells = read_tsv(Path(arguments[0]), ("text", "level"), ("category", "form"))
    strange = sorted({level for _, level, _, _ in cells if level not in LEVELS})
    if strange:
        raise InputFileError(f"FILE={arguments[0]}: unknown level {', '.join(strange)}. Levels: {', '.join(LEVELS)}.")
    settings = Settings.from_env()
    progress("Fitting the safety check, or taking it from the cache …")
    check = SafetyCheck.fit(ROOT / "data" / "safety", Encoder.load(settings), cache=settings.cache)
    progress(f"Checking {len(cells)} messages …")
    rows = [Row(level, category, form, check.check(text).level) for text, level, category, form in cells]
    figures = measure(rows)
    print_table("Level (down: what it is; across: what was found)", ["", *LEVELS],
                [[level, *(sum(row.level == level and row.found == found for row in rows) for found in LEVELS)] for level in LEVELS])
    for title, key in (("Recall of crisis by category", "crisis_recall_by_category"), ("Recall of crisis by form", "crisis_recall_by_form")):
        if figures[key]:
            print_table(title, ["", "recall"], list(figures[key].items()))
    for name in ("category", "form"):
        groups = sorted({getattr(row, name) for row in rows if row.level == "none"} - {""})
        if groups:
            print_table(f"None taken for crisis, by {name}", ["", "rate", "n"], [_false_alarms(rows, name, group) for group in groups])
    print_table("Figures", ["", ""], [[name, value] for name, value in figures.items() if not isinstance(value, dict)])
    print_json(figures)


if __name__ == "__main__":
    run(main, "make evaluate-safety FILE=x.tsv")
