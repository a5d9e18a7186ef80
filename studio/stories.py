"""Stories, rules and conversation tests: listed, edited by labels, saved as Rasa stories, run."""
from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Optional, Sequence

from ruamel.yaml.nodes import SequenceNode

from assistant.content.topics import read_yaml
from assistant.errors import AssistantError, ContentError
from studio.journal import Turn
from studio.repository import Repository
from studio.yaml_edit import node_at, quoted, replaced

STAFF_STORIES = "data/dialogue/stories_staff.yml"
STAFF_TESTS = "tests/test_stories_staff.yml"
TESTS = "tests/test_stories*.yml"
PARTS = {"rules": "rule", "stories": "story"}
MOST_STEPS = 40
_HEAD = 'version: "3.1"\n# Written in the studio; a developer may edit it too.\nstories:\n'


class StoryError(AssistantError):
    """A story that cannot be saved; the message is for staff."""


@dataclass(frozen=True)
class Step:
    """A turn: `who` is visitor, assistant or other; `value` an intent or an action, `text` the visitor's words in a test."""

    who: str
    value: str
    text: str = ""

    @property
    def words(self) -> str:
        """The visitor's words without the marks of entities."""
        return re.sub(r"\[([^\]]+)\](?:\{[^}]*\}|\([^)]*\))", r"\1", self.text)


@dataclass(frozen=True)
class Story:
    """A story, rule or test with its place."""

    path: str
    part: str  # rules, stories
    position: int
    name: str
    steps: Sequence[Step]
    plain: bool  # only turns: staff may edit it
    stamp: str  # of its name and steps: another one tells that somebody changed it

    @property
    def kind(self) -> str:
        """What it is, in one word."""
        return "test" if self.path.startswith("tests/") else PARTS[self.part]

    @property
    def key(self) -> str:
        """The story in an address."""
        return f"{self.path.replace('/', '~')}:{self.part}:{self.position}"


class Stories:
    """The stories of a repository."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def all(self) -> List[Story]:
        """Return every story, rule and test outside the topic files. Files that cannot be read are left out."""
        root = self._repository.root
        paths = [*sorted((root / "data/dialogue").glob("*.yml")), *sorted(root.glob(TESTS))]
        found: List[Story] = []
        for path in paths:
            shown = path.relative_to(root).as_posix()
            try:
                content = read_yaml(path.read_text(encoding="utf-8"), shown)
            except ContentError:
                continue
            for part in PARTS:
                for position, item in enumerate(content.get(part) or ()):
                    found.append(_story(shown, part, position, item))
        return found

    def get(self, key: str) -> Optional[Story]:
        """Return the story with this key, or None."""
        return next((story for story in self.all() if story.key == key), None)

    def as_opened(self, key: str, stamp: str) -> Optional[Story]:
        """Return the story that was opened under `key`, wherever it stands now; None when it was changed or deleted since."""
        path = key.split(":")[0].replace("~", "/")
        return next((story for story in self.all() if story.path == path and story.stamp == stamp), None)

    def named(self, key: str, name: str) -> Optional[Story]:
        """Return the story of this name in the file of `key`, or None."""
        path = key.split(":")[0].replace("~", "/")
        return next((story for story in self.all() if story.path == path and story.name == name), None)

    def save(self, story: Story, name: str, steps: Sequence[Step], author: str) -> None:
        """Commit another name and other steps for a story. Raises StoryError."""
        text = self._repository.read(story.path) or ""
        self._check(name, steps, story.kind)
        if not story.plain:
            raise StoryError(f"This {story.kind} has parts beyond plain turns: a developer edits it in {story.path}.")
        if any(other.name == name and other.key != story.key and other.kind == story.kind for other in self.all()):
            raise StoryError(f"There is a {story.kind} called “{name}” already.")
        lines = story_lines(PARTS[story.part], name, steps, _indent(text, story))
        self._repository.commit({story.path: replaced(text, _span(text, story), lines)}, f"Change the {story.kind} {name!r}", author)

    def create(self, kind: str, name: str, steps: Sequence[Step], author: str) -> Story:
        """Commit a new story or test and return it. Raises StoryError."""
        self._check(name, steps, kind)
        if any(other.name == name and other.kind == kind for other in self.all()):
            raise StoryError(f"There is a {kind} called “{name}” already.")
        path = STAFF_TESTS if kind == "test" else STAFF_STORIES
        text = self._repository.read(path) or _HEAD
        self._repository.commit({path: text.rstrip("\n") + "\n" + "\n".join(story_lines("story", name, steps, "")) + "\n"},
                                f"Add the {kind} {name!r}", author)
        return next(story for story in self.all() if story.path == path and story.name == name)

    def delete(self, story: Story, author: str) -> None:
        """Commit that a story has gone."""
        text = self._repository.read(story.path) or ""
        left = replaced(text, _span(text, story), [])
        empty = not (read_yaml(left, story.path).get(story.part))
        self._repository.commit({story.path: None if empty and story.path in (STAFF_STORIES, STAFF_TESTS) else left},
                                f"Delete the {story.kind} {story.name!r}", author)

    @staticmethod
    def _check(name: str, steps: Sequence[Step], kind: str) -> None:
        if not name:
            raise StoryError("Give it a name.")
        if not steps or steps[0].who != "visitor":
            raise StoryError("It begins with what the visitor says.")
        if steps[-1].who != "assistant":
            raise StoryError("It ends with what the assistant does.")
        if len(steps) > MOST_STEPS:
            raise StoryError(f"At most {MOST_STEPS} turns.")


def from_turns(turns: Sequence[Turn]) -> List[Step]:
    """Return a conversation of the journal by its labels: intents and actions, no words."""
    steps: List[Step] = []
    for turn in turns:
        if turn.outcome == "rasa" and turn.intent and turn.actions:
            steps.append(Step("visitor", turn.intent))
            steps += [Step("assistant", action) for action in turn.actions]
    return steps[:MOST_STEPS]


def story_lines(kind: str, name: str, steps: Sequence[Step], indent: str) -> List[str]:
    """Return the lines of a story as Rasa reads it."""
    lines = [f"- {kind}: {quoted(name)}", "  steps:"]
    for step in steps:
        if step.who == "visitor" and step.text:
            lines += ["  - user: |-", f"      {step.text}", f"    intent: {step.value}"]
        else:
            lines.append(f"  - {'intent' if step.who == 'visitor' else 'action'}: {step.value}")
    return [indent + line for line in lines]


def run(steps: Sequence[Step], say: Callable[[str, str], Dict[str, Any]]) -> Dict[str, Any]:
    """Play a story by `say(text, intent)` and return {"right"} or the first turn that differs: {"turn", "said", "expected", "found"}."""
    turn, index = 0, 0
    while index < len(steps):
        step = steps[index]
        expected = []
        index += 1
        while index < len(steps) and steps[index].who == "assistant":
            expected.append(steps[index].value)
            index += 1
        turn += 1
        reply = say(step.text, "" if step.text else step.value)
        understood = str(reply["intent"].get("name"))
        if step.text and understood != step.value:
            return {"right": False, "turn": turn, "said": step, "expected": [step.value], "found": [understood]}
        if reply["actions"] != expected:
            return {"right": False, "turn": turn, "said": step, "expected": expected, "found": reply["actions"]}
    return {"right": True, "turn": turn}


def _story(path: str, part: str, position: int, item: Any) -> Story:
    steps = [_step(step) for step in item.get("steps") or ()]
    plain = (
        all(step.who != "other" for step in steps) and set(item) <= {"rule", "story", "steps"} and bool(steps) and steps[0].who == "visitor"
    )
    stamp = hashlib.sha256(json.dumps(item, default=str).encode()).hexdigest()
    return Story(path, part, position, str(item.get(PARTS[part], "without a name")), steps, plain, stamp)


def _step(step: Any) -> Step:
    if isinstance(step, dict) and set(step) == {"intent"}:
        return Step("visitor", str(step["intent"]))
    if isinstance(step, dict) and set(step) == {"user", "intent"}:
        return Step("visitor", str(step["intent"]), " ".join(str(step["user"]).split()))
    if isinstance(step, dict) and set(step) == {"action"}:
        return Step("assistant", str(step["action"]))
    return Step("other", re.sub(r"[{}'\"]", "", str(step)))


def _span(text: str, story: Story) -> "tuple[int, int]":
    """Return the lines of a story without the comments and blank lines that follow it."""
    items = node_at(text, story.part)
    assert isinstance(items, SequenceNode)
    lines = text.splitlines()
    first = items.value[story.position].start_mark.line
    later = items.value[story.position + 1:]
    last = later[0].start_mark.line if later else items.end_mark.line + (1 if items.end_mark.column > 2 else 0)
    last = min(last, len(lines))
    while last > first + 1 and re.fullmatch(r"\s{0,1}(#.*)?|\s*", lines[last - 1]):
        last -= 1
    return first, last


def _indent(text: str, story: Story) -> str:
    line = text.splitlines()[_span(text, story)[0]]
    return line[:len(line) - len(line.lstrip())]
