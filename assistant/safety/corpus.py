"""The messages that the meaning detector learns from: data/safety/examples.yml alone.

The phrasings of the topics are left out on purpose: else a change of an answer's phrasings would move the safety check.
"""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator, List, Tuple

import yaml

from assistant.errors import ContentError
from assistant.safety.verdict import CATEGORIES, LEVELS


@dataclass(frozen=True)
class Example:
    """A message; `kind` is the category for crisis, else a free name; `form` as in examples.yml, or ""."""

    text: str
    level: str
    kind: str
    form: str


def read_examples(folder: Path) -> List[Example]:
    """Return the messages of examples.yml in `folder`.

    Raises ContentError for a file that cannot be read and for an unknown level or category.
    """
    raw = _load(folder / "examples.yml")
    if set(raw or {}) != set(LEVELS):
        raise ContentError(f"examples.yml: has the levels {', '.join(raw or {}) or 'none'}. It needs {', '.join(LEVELS)}.")
    strange = set(raw["crisis"]) - set(CATEGORIES)
    if strange:
        raise ContentError(f"examples.yml: unknown category {', '.join(sorted(strange))}. Categories: {', '.join(CATEGORIES)}.")
    return [Example(text, level, path[0], path[-1] if len(path) > 1 else "")
            for level in LEVELS for path, text in _lines(raw[level], ())]


def _lines(value: Any, path: Tuple[str, ...]) -> Iterator[Tuple[Tuple[str, ...], str]]:
    if isinstance(value, str):
        yield from ((path, line.strip()) for line in value.splitlines() if line.strip())
    else:
        for key, inner in value.items():
            yield from _lines(inner, (*path, key))


def _load(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, yaml.YAMLError) as error:
        raise ContentError(f"{path.name}: cannot be read: {' '.join(str(error).split())}. Correct it.") from error
