"""The words of data/vocabulary/: what visitors call concerns, formats, styles and so on, and how the assistant says them."""
from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, List, Tuple

import yaml

from assistant.errors import ContentError
from assistant.settings import ROOT

FOLDER = ROOT / "data" / "vocabulary"
# The file of each kind of entity, and the key under which its values stand there.
KINDS = {
    "concern": ("concerns.yml", "concerns"),
    "session_format": ("formats.yml", "formats"),
    "audience": ("audiences.yml", "audiences"),
    "style": ("styles.yml", "styles"),
    "wish": ("wishes.yml", "wishes"),
}


@dataclass(frozen=True)
class Word:
    """One phrase: the entity and value that it stands for; a weak one counts when nothing else is named."""

    entity: str
    value: str
    phrase: str
    weak: bool = False


@dataclass(frozen=True)
class Vocabulary:
    """All phrases, the labels of their values, and what the search is steered with."""

    words: List[Word]
    labels: Dict[Tuple[str, str], str]  # (entity, value) -> how the assistant says it
    either: List[str]  # phrases for "online or in person"
    turned_down: List[str]  # phrases before a format that is not wanted
    whole_steps: Dict[str, str]  # phrase -> step, when it is the whole message
    part_steps: Dict[str, str]  # phrase -> step, anywhere
    meanings: Dict[str, str] = field(default_factory=dict)  # glossary term -> meaning

    def label(self, entity: str, value: str) -> str:
        """Return how the assistant says `value`, such as "low self-esteem"."""
        return self.labels[entity, value]

    def values(self, entity: str) -> List[str]:
        """Return all values of `entity`, in the file's order."""
        return [value for kind, value in self.labels if kind == entity]


@lru_cache(maxsize=2)
def load_vocabulary(folder: Path = FOLDER) -> Vocabulary:
    """Read the vocabulary; a missing glossary is none. Raises ContentError for a file that does not parse."""
    words: List[Word] = []
    labels: Dict[Tuple[str, str], str] = {}
    for entity, (name, top) in KINDS.items():
        content = _read(folder / name)
        kin = content.get("kin", [])
        for value, entry in content[top].items():
            labels[entity, value] = entry["label"]
            for weak in (False, True):
                phrases = _expanded(entry.get("weak" if weak else "phrases", []), kin)
                words += [Word(entity, value, phrase, weak) for phrase in phrases]
    formats, steps = _read(folder / "formats.yml"), _read(folder / "steps.yml")["steps"]
    meanings, terms = _glossary(folder / "glossary.yml")
    return Vocabulary(
        words=words + terms,
        labels=labels,
        either=formats["either"],
        turned_down=[str(phrase) for phrase in formats["not"]],
        whole_steps={phrase: step for step, entry in steps.items() for phrase in entry.get("whole", [])},
        part_steps={phrase: step for step, entry in steps.items() for phrase in entry.get("part", [])},
        meanings=meanings,
    )


def _expanded(phrases: List[Any], kin: List[str]) -> List[str]:
    expanded: List[str] = []
    for phrase in map(str, phrases):
        expanded += [phrase.replace("{kin}", word) for word in kin] if "{kin}" in phrase else [phrase]
    return expanded


def _glossary(path: Path) -> Tuple[Dict[str, str], List[Word]]:
    if not path.is_file():
        return {}, []
    meanings, words = {}, []
    for entry in _read(path)["terms"]:
        meanings[entry["term"]] = entry["meaning"]
        words += [Word("term", entry["term"], phrase) for phrase in [entry["term"], *entry.get("synonyms", [])]]
    return meanings, words


def _read(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, yaml.YAMLError) as error:
        raise ContentError(f"data/vocabulary/{path.name}: {str(error).splitlines()[0]}. Restore it from git.") from error
