"""Edits of YAML files that leave every other line as it is: ruamel.yaml finds the place, the rest is untouched.

A round trip through a parser would keep comments too, but moves those that stand between two answers.
"""
from __future__ import annotations

import json
import re
from itertools import groupby
from typing import Iterator, List, Optional, Sequence, Tuple

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from assistant.errors import ContentError
from studio.draft import Draft, Wording

Span = Tuple[int, int]  # first line, line after the last


def node_at(text: str, *path: object) -> Optional[Node]:
    """Return the node below the keys and positions of `path`, or None."""
    node: Optional[Node] = YAML().compose(text)
    for step in path:
        if isinstance(node, MappingNode):
            node = next((value for key, value in node.value if key.value == step), None)
        elif isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
        else:
            return None
    return node


def entry(text: str, *path: object) -> Optional[Span]:
    """Return the lines of the mapping entry `path`, its key and value without the comments that follow."""
    parent = node_at(text, *path[:-1])
    if not isinstance(parent, MappingNode):
        return None
    for key, value in parent.value:
        if key.value == path[-1]:
            return key.start_mark.line, _end(text, key.start_mark, value)
    return None


def _end(text: str, start: object, value: Node) -> int:
    """Return the line after the last of an entry; what follows that is indented no deeper is not its own."""
    lines = text.splitlines()
    column = start.column  # type: ignore[attr-defined]
    # A block ends where the next word begins, which stands no deeper than the key; a value on one line ends in it.
    last = min(value.end_mark.line + (1 if value.end_mark.column > column else 0), len(lines))
    last = max(last, start.line + 1)  # type: ignore[attr-defined]
    while last > start.line + 1 and _outside(lines[last - 1], column):  # type: ignore[attr-defined]
        last -= 1
    return last


def _outside(line: str, column: int) -> bool:
    stripped = line.lstrip()
    return not stripped or (stripped.startswith("#") and len(line) - len(stripped) <= column)


def replaced(text: str, span: Span, lines: Sequence[str]) -> str:
    """Return `text` with the lines of `span` replaced by `lines`."""
    old = text.splitlines()
    return "\n".join([*old[:span[0]], *lines, *old[span[1]:]]) + "\n"


def quoted(text: str) -> str:
    """Return `text` as a YAML scalar in double quotes."""
    return json.dumps(text, ensure_ascii=False)


def literal(text: str, indent: int) -> List[str]:
    """Return the lines of `text` for a literal block, indented by `indent`."""
    lines = [line.strip() for line in text.strip().splitlines()]
    return [" " * indent + line if line else "" for line in lines]


def edit_topic(text: str, before: Draft, after: Draft, titles: "Titles") -> str:
    """Return the topic file `text` with what `after` changes of `before`."""
    metadata = ("nlu", 0, "metadata")
    if after.label != before.label:
        text = _set(text, (*metadata, "label"), f"    label: {quoted(after.label)}")
    if after.neighbours != before.neighbours:
        text = _set(text, (*metadata, "neighbours"), f"    neighbours: [{', '.join(after.neighbours)}]")
    if (after.reviewed_by, after.reviewed_on) != (before.reviewed_by, before.reviewed_on):
        name = quoted(after.reviewed_by) if after.reviewed_by else "null"
        text = _set(text, (*metadata, "reviewed_by"), f"    reviewed_by: {name}")
        text = _set(text, (*metadata, "reviewed_on"), f"    reviewed_on: {after.reviewed_on or 'null'}")
    if after.examples != before.examples:
        text = _set(text, ("nlu", 0, "examples"), *example_lines(after.examples))
    for name, wordings in after.replies.items():
        if wordings == before.replies.get(name):
            continue
        span = entry(text, "responses", name)
        if span is not None:
            text = replaced(text, span, reply_lines(name, wordings, titles))
        else:
            text = _appended(text, reply_lines(name, wordings, titles))
    if after.cited != before.cited:
        text = _set(text, (*metadata, "sources"), f"    sources: [{', '.join(map(_source, after.cited))}]")
    return text


def new_topic(intent: str, draft: Draft, titles: "Titles") -> str:
    """Return the text of a new topic file."""
    lines = [
        'version: "3.1"', "nlu:", f"- intent: {intent}", "  metadata:", f"    label: {quoted(draft.label)}",
        f"    neighbours: [{', '.join(draft.neighbours)}]", f"    sources: [{', '.join(map(_source, draft.cited))}]",
        f"    reviewed_by: {quoted(draft.reviewed_by) if draft.reviewed_by else 'null'}",
        f"    reviewed_on: {draft.reviewed_on or 'null'}", *example_lines(draft.examples), "responses:",
    ]
    for name, wordings in draft.replies.items():
        lines += reply_lines(name, wordings, titles)
    lines += ["rules:", f"- rule: {intent}", "  steps:", f"  - intent: {intent}", f"  - action: utter_{intent}"]
    return "\n".join(lines) + "\n"


def example_lines(examples: Sequence[str]) -> List[str]:
    """Return the lines of `examples:`."""
    return ["  examples: |", *(f"    - {example}" for example in examples)]


def reply_lines(name: str, wordings: Sequence[Wording], titles: "Titles") -> List[str]:
    """Return the lines of one response with its comments."""
    lines = [f"  {name}:"]
    for wording in wordings:
        lines += [f"  # {remark}" for remark in wording.remarks]
        lines += [f"  # {numbers} {source}" for numbers, source in _runs(wording.sources)]
        lines += ["  - text: |-", *literal(wording.text, 6)]
        if wording.buttons:
            lines.append("    buttons:")
            for payload in wording.buttons:
                lines += [f"    - title: {quoted(titles.of(payload))}", f"      payload: {payload}"]
    return lines


def _runs(sources: Sequence[str]) -> List[Tuple[str, str]]:
    """Return (numbers, source) with neighbours of one source together: ("1", "A: …"), ("2-4", "editorial")."""
    found: List[Tuple[str, str]] = []
    number = 1
    for source, run in groupby(sources):
        count = len(list(run))
        found.append((f"{number}-{number + count - 1}" if count > 1 else str(number), source))
        number += count
    return found


def retitled(text: str, payload: str, title: str) -> str:
    """Return `text` with another title on every button of `payload`."""
    responses = node_at(text, "responses")
    lines = text.splitlines()
    for button in _buttons(responses) if responses is not None else ():
        parts = {key.value: value for key, value in button.value}
        if "title" in parts and parts.get("payload") is not None and parts["payload"].value == payload:
            mark = parts["title"].start_mark
            lines[mark.line] = lines[mark.line][:mark.column] + quoted(title)
    return "\n".join(lines) + "\n"


def _buttons(responses: Node) -> Iterator[MappingNode]:
    for _, wordings in responses.value:
        for wording in wordings.value if isinstance(wordings, SequenceNode) else ():
            for key, value in wording.value if isinstance(wording, MappingNode) else ():
                if key.value == "buttons" and isinstance(value, SequenceNode):
                    yield from (button for button in value.value if isinstance(button, MappingNode))


class Titles:
    """The titles of buttons by payload: a topic's label, or what the button was called before."""

    def __init__(self, labels: "dict[str, str]", others: "dict[str, str]") -> None:
        """Take labels by intent and, for payloads that are no plain intent, titles by payload."""
        self._labels, self._others = labels, others

    def renamed(self, intent: str, label: str) -> "Titles":
        """Return the titles with another label for `intent`."""
        return Titles({**self._labels, intent: label}, self._others)

    def of(self, payload: str) -> str:
        """Return the button's title. Raises ContentError for a payload that is unknown."""
        title = self._labels.get(payload[1:]) or self._others.get(payload)
        if title is None:
            raise ContentError(f"{payload}: there is no such topic to link to.")
        return title


def list_items(text: str, key: str, add: Sequence[str] = (), remove: Sequence[str] = ()) -> str:
    """Return `text` with items added to and removed from the list of plain words under the top-level `key`."""
    node = node_at(text, key)
    if not isinstance(node, SequenceNode) or not node.value:
        raise ContentError(f"domain.yml: has no list `{key}:`.")
    present = {_name(item): item for item in node.value}
    lines = text.splitlines()
    if node.flow_style:
        names = [name for name in [*present, *add] if name not in remove]
        start, stop = node.start_mark, node.end_mark
        head, tail = lines[start.line][:start.column], lines[stop.line][stop.column:]
        return replaced(text, (start.line, stop.line + 1), [f"{head}[{', '.join(dict.fromkeys(names))}]{tail}"])
    last = max(item.start_mark.line for item in node.value)
    prefix = re.match(r"\s*- ", lines[last])
    indent = prefix.group() if prefix else "- "
    lines[last + 1:last + 1] = [f"{indent}{name}" for name in add if name not in present]
    gone = {present[name].start_mark.line for name in remove if name in present}
    return "\n".join(line for number, line in enumerate(lines) if number not in gone) + "\n"


def _name(item: Node) -> str:
    return str(item.value[0][0].value) if isinstance(item, MappingNode) else str(item.value)


def _set(text: str, path: Sequence[object], *lines: str) -> str:
    span = entry(text, *path)
    if span is None:
        raise ContentError(f"{path[-1]} is missing in the file. A developer has to mend it there.")
    return replaced(text, span, lines)


def _appended(text: str, lines: Sequence[str]) -> str:
    """Return `text` with a response added behind the others."""
    span = entry(text, "responses")
    if span is None:
        rules = entry(text, "rules")
        place = rules[0] if rules else len(text.splitlines())
        return replaced(text, (place, place), ["responses:", *lines])
    return replaced(text, (span[1], span[1]), lines)


def _source(source: str) -> str:
    return source if re.fullmatch(r"\w+", source) else quoted(source)
