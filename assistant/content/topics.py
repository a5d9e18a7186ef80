"""The topic files: one question or one turn of conversation each, with its phrasings, answer and rule.

The format is described in docs/architecture.md.
"""
from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from assistant.content.wording import sentences
from assistant.errors import ContentError

GROUPS = ("faq", "site", "practical", "conversation")
OFF = ".yml.off"  # the ending of a topic that staff switched off: Rasa does not read such a file


@dataclass(frozen=True)
class Button:
    """A choice below an answer."""

    title: str
    payload: str

    @property
    def intent(self) -> Optional[str]:
        """The intent that the button stands for; None for `gateway:<verb>`."""
        return re.split(r"[{@]", self.payload[1:])[0] if self.payload.startswith("/") else None

    @property
    def plain(self) -> bool:
        """Whether the payload is an intent and nothing else."""
        return self.payload == f"/{self.intent}"


@dataclass(frozen=True)
class Variation:
    """One wording of a response."""

    text: str
    buttons: Tuple[Button, ...] = ()
    comments: Tuple[str, ...] = ()  # the comment lines above it, without the #

    def provenance(self) -> Dict[int, str]:
        """Return where each sentence comes from, by its number from 1; an unnumbered comment speaks for all.

        A comment is `1 A: "as the source puts it"`, `2-3 editorial` or `editorial`.
        """
        found: Dict[int, str] = {}
        for comment in self.comments:
            match = re.match(r"(\d+(?:\s*[-–,]\s*\d+)*)[.:]?\s+(\S.*)", comment)
            if match:
                found.update(dict.fromkeys(_numbers(match.group(1)), match.group(2)))
            elif re.match(r"(?:A|B|editorial)\b|doi\b", comment):
                found.update((number, comment) for number in range(1, len(sentences(self.text)) + 1) if number not in found)
        return found


@dataclass(frozen=True)
class Topic:
    """A topic file."""

    path: Path
    group: str
    intent: str
    label: str
    neighbours: Tuple[str, ...]
    sources: Tuple[str, ...]
    reviewed_by: Optional[str]
    reviewed_on: Optional[datetime.date]
    examples: Tuple[str, ...]
    responses: Mapping[str, Tuple[Variation, ...]]
    rules: Tuple[Mapping[str, Any], ...] = ()
    problems: Tuple[str, ...] = field(default=(), compare=False)  # what is wrong with the file's form

    @property
    def utterance(self) -> str:
        """The name of the topic's answer."""
        return f"utter_{self.intent}"

    @property
    def answer(self) -> str:
        """The first wording of the answer, or "" where a form or a policy answers."""
        return self._first(self.utterance)

    @property
    def more(self) -> str:
        """The answer to "tell me more", or ""."""
        return self._first(f"{self.utterance}_more")

    def _first(self, name: str) -> str:
        variations = self.responses.get(name, ())
        return variations[0].text if variations else ""


def stem(intent: str) -> str:
    """Return the name of the file of `intent`, without its ending."""
    return intent[4:] if intent.startswith("faq_") else intent


def load_topics(root: Path) -> List[Topic]:
    """Return the topics below `root`/data, by group and name.

    Raises ContentError for the first file that cannot be read as a topic.
    """
    return [read_topic(path, root) for path in topic_files(root)]


def topic_files(root: Path) -> List[Path]:
    """Return the topic files below `root`/data in the order of their groups; a file without `nlu:` is none."""
    return [path for path in content_files(root) if path.parent.name in GROUPS and _has_phrasings(path)]


def content_files(root: Path) -> List[Path]:
    """Return the files with topics, shared replies and dialogue, in the order of their folders."""
    return [path for group in (*GROUPS, "dialogue") for path in sorted((root / "data" / group).glob("*.yml"))]


def _has_phrasings(path: Path) -> bool:
    return re.search(r"^nlu:", path.read_text(encoding="utf-8"), re.MULTILINE) is not None


def read_topic(path: Path, root: Path, text: Optional[str] = None) -> Topic:
    """Return the topic in `path`, below `root`; `text` stands for the file's if given.

    Raises ContentError when there is no topic to be read. Faults of form that leave the rest readable are listed in `Topic.problems`.
    """
    shown = path.relative_to(root).as_posix()
    text = path.read_text(encoding="utf-8") if text is None else text
    content = read_yaml(text, shown)
    blocks = content.get("nlu")
    if not isinstance(blocks, list) or len(blocks) != 1 or not isinstance(blocks[0], dict) or "intent" not in blocks[0]:
        raise ContentError(f"{shown}: has not exactly one intent. Give `nlu:` one item `- intent: …` with its examples.")
    block, problems = blocks[0], []
    metadata = block.get("metadata")
    if not isinstance(metadata, dict):
        problems.append("has no metadata. Add label, neighbours, sources, reviewed_by and reviewed_on")
        metadata = {}
    unknown = set(content) - {"version", "nlu", "responses", "rules", "stories"}
    problems += [f"has an unknown part `{name}:`" for name in sorted(unknown)]
    problems += [f"metadata has no `{name}:`" for name in _METADATA if metadata and name not in metadata]
    problems += [f"metadata has an unknown field `{name}:`" for name in sorted(set(metadata) - set(_METADATA))]
    reviewed_on = metadata.get("reviewed_on")
    if reviewed_on is not None and not isinstance(reviewed_on, datetime.date):
        problems.append(f"reviewed_on: {reviewed_on} is not a date. Write it as 2025-01-31, or null")
        reviewed_on = None
    return Topic(
        path=path,
        group=path.parent.name,
        intent=str(block["intent"]),
        label=str(metadata.get("label") or ""),
        neighbours=_strings(metadata.get("neighbours"), "neighbours", problems),
        sources=_strings(metadata.get("sources"), "sources", problems),
        reviewed_by=metadata.get("reviewed_by"),
        reviewed_on=reviewed_on,
        examples=_examples(block.get("examples"), problems),
        responses=read_responses(content.get("responses"), text, problems),
        rules=tuple(content.get("rules") or ()),
        problems=tuple(problems),
    )


_METADATA = ("label", "neighbours", "sources", "reviewed_by", "reviewed_on")


def read_yaml(text: str, shown: str) -> Dict[str, Any]:
    """Return the mapping that `text` holds; raises ContentError, naming the file as `shown`, when it holds none."""
    try:
        content = YAML(typ="safe").load(text)
    except MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ContentError(f"{shown}{line}: {error.problem or 'is no YAML'}. Mend the YAML there.") from None
    except YAMLError as error:
        raise ContentError(f"{shown}: {str(error).splitlines()[0]}. Mend the YAML.") from None
    if not isinstance(content, dict):
        raise ContentError(f"{shown}: holds no `key: value` lines. docs/architecture.md shows the form.")
    return content


def read_responses(found: Any, text: str, problems: List[str]) -> Dict[str, Tuple[Variation, ...]]:
    """Return the responses of a file from its parsed part `found` and its whole `text`, which has the comments."""
    if found is not None and not isinstance(found, dict):
        problems.append("`responses:` is no list of named answers")
        return {}
    comments = _comments(text)
    result: Dict[str, Tuple[Variation, ...]] = {}
    for name, items in (found or {}).items():
        variations = []
        for index, item in enumerate(items if isinstance(items, list) else []):
            if not isinstance(item, dict) or not ("text" in item or "custom" in item):
                problems.append(f"{name}: wording {index + 1} has no `text:`")
                continue
            buttons = tuple(
                Button(str(button.get("title", "")), str(button.get("payload", ""))) for button in item.get("buttons") or ()
            )
            variations.append(Variation(str(item.get("text", "")).strip(), buttons, comments.get((name, index), ())))
        if not variations:
            problems.append(f"{name} has no wording. Give it `- text: …`")
        result[name] = tuple(variations)
    return result


def _comments(text: str) -> Dict[Tuple[str, int], Tuple[str, ...]]:
    """Return the comment lines that stand above each wording, by response and position."""
    found: Dict[Tuple[str, int], Tuple[str, ...]] = {}
    name, index, dash, pending = "", 0, "", []  # type: str, int, str, List[str]
    for line in text.splitlines():
        key, item = re.match(r"  (utter_\w+):", line), re.match(r" {2,4}- ", line)
        if key:
            name, index, dash, pending = key.group(1), 0, "", []
        elif re.match(r" {0,4}#", line):  # deeper lines are text
            pending.append(line.strip().lstrip("#").strip())
        elif item and name and item.group() == (dash or item.group()):  # a deeper dash is a button's
            found[name, index] = tuple(pending)
            index, dash, pending = index + 1, item.group(), []
        elif re.match(r"\S", line):
            name = ""
    return found


def _numbers(text: str) -> List[int]:
    found: List[int] = []
    for part in text.split(","):
        ends = [int(number) for number in re.findall(r"\d+", part)]
        found.extend(range(ends[0], ends[-1] + 1))
    return found


def _strings(found: Any, name: str, problems: List[str]) -> Tuple[str, ...]:
    if found is None:
        return ()
    if not isinstance(found, list):
        problems.append(f"{name}: {found} is no list. Write [{found}]")
        return ()
    return tuple(str(item) for item in found)


def _examples(found: Any, problems: List[str]) -> Tuple[str, ...]:
    if found is None:
        return ()
    if not isinstance(found, str):
        problems.append("`examples:` is no text block. Begin it with `examples: |`")
        return ()
    lines = [line.strip() for line in found.splitlines() if line.strip()]
    problems += [f"example {line!r} does not begin with `- `" for line in lines if not line.startswith("- ")]
    return tuple(line[2:].strip() for line in lines if line.startswith("- "))
