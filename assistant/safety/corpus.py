"""The messages that the meaning detector learns from: data/safety/examples.yml, and the ordinary questions of the topics."""
from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator, List, Set, Tuple

import yaml

from assistant.errors import ContentError
from assistant.safety.verdict import CATEGORIES, LEVELS

TOPIC_GROUPS = ("faq", "site", "practical", "conversation")
FROM_TOPICS = "topics"  # the kind of what the topic files hold
# What visitors tell about their lives may be heavy: those phrasings are not all `none`.
NOT_ORDINARY = frozenset({"share_feelings"})

_ENTITY = re.compile(r"\[([^\]]*)\](?:\([^)]*\)|\{[^}]*\})")


@dataclass(frozen=True)
class Example:
    """A message; `kind` is the category for crisis, else a free name; `form` as in examples.yml, or ""."""

    text: str
    level: str
    kind: str
    form: str


def read_examples(folder: Path) -> List[Example]:
    """Return the messages of examples.yml in `folder`, then those of the topics beside it.

    Raises ContentError for a file that cannot be read and for an unknown level or category.
    """
    raw = _load(folder / "examples.yml")
    if set(raw or {}) != set(LEVELS):
        raise ContentError(f"examples.yml: has the levels {', '.join(raw or {}) or 'none'}. It needs {', '.join(LEVELS)}.")
    strange = set(raw["crisis"]) - set(CATEGORIES)
    if strange:
        raise ContentError(f"examples.yml: unknown category {', '.join(sorted(strange))}. Categories: {', '.join(CATEGORIES)}.")
    found = [Example(text, level, path[0], path[-1] if len(path) > 1 else "")
             for level in LEVELS for path, text in _lines(raw[level], ())]
    known = {example.text for example in found}
    return found + [example for example in _ordinary(folder.parent) if example.text not in known]


def _ordinary(data: Path) -> List[Example]:
    texts: Set[str] = set()
    for path in (path for group in TOPIC_GROUPS for path in sorted((data / group).glob("*.yml"))):
        for block in (_load(path) or {}).get("nlu") or ():
            if block.get("intent") in NOT_ORDINARY or not isinstance(block.get("examples"), str):
                continue
            texts.update(_ENTITY.sub(r"\1", line.strip()[2:]) for line in block["examples"].splitlines() if line.strip().startswith("- "))
    return [Example(text, "none", FROM_TOPICS, "") for text in sorted(texts)]


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
