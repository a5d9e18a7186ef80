"""All of the content at once: topics, the domain, rules and stories, and who uses which answer."""
from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Set, Tuple

from assistant.content.topics import Topic, Variation, content_files, read_responses, read_topic, read_yaml, topic_files
from assistant.errors import ContentError

# Labels that the assistant gives itself; no file trains them (intents.md).
INTERNAL = frozenset({"crisis", "multi_question", "nlu_fallback"})
_CODE = ("addons", "actions", "assistant", "gateway")


@dataclass(frozen=True)
class Flow:
    """A rule or a story."""

    shown: str  # path of its file
    name: str
    kind: str  # "rule" or "story"
    steps: Tuple[Mapping[str, Any], ...]

    def values(self, key: str) -> Iterator[str]:
        """Yield what the steps say under `key` ("intent", "action"), alternatives (`or`) included."""
        for step in self.steps:
            for part in step.get("or", [step]) if isinstance(step, dict) else ():
                if isinstance(part, dict) and isinstance(part.get(key), str):
                    yield part[key]


@dataclass
class Project:
    """What stands below a root folder, and the files that could not be read."""

    topics: List[Topic] = field(default_factory=list)
    intents: List[str] = field(default_factory=list)  # as listed in domain.yml
    actions: Set[str] = field(default_factory=set)  # custom actions and forms of the domain
    responses: Dict[str, List[Tuple[str, Tuple[Variation, ...]]]] = field(default_factory=dict)  # by name: path, wordings
    flows: List[Flow] = field(default_factory=list)
    # utter_… names that code or the domain's forms use; Rasa says utter_default by itself.
    mentioned: Set[str] = field(default_factory=lambda: {"utter_default"})
    unreadable: List[str] = field(default_factory=list)


def read_project(root: Path) -> Project:
    """Read all content below `root`; a file that cannot be read is listed, not raised."""
    project = Project()
    topics = topic_files(root)
    for path in topics:
        try:
            topic = read_topic(path, root)
        except ContentError as error:
            project.unreadable.append(str(error))
            continue
        project.topics.append(topic)
        shown = path.relative_to(root).as_posix()
        for name, variations in topic.responses.items():
            project.responses.setdefault(name, []).append((shown, variations))
        project.flows += _flows(shown, {"rules": list(topic.rules)})
    _read_domain(root, project)
    for path in content_files(root):
        if path not in topics:
            _read_dialogue(path, root, project)
    for folder in _CODE:
        for path in (root / folder).rglob("*.py"):
            project.mentioned.update(re.findall(r"\butter_\w+", path.read_text(encoding="utf-8")))
    return project


def _read_domain(root: Path, project: Project) -> None:
    path = root / "domain.yml"
    if not path.is_file():
        project.unreadable.append("domain.yml: is missing. It lists the intents.")
        return
    text = path.read_text(encoding="utf-8")
    try:
        domain = read_yaml(text, "domain.yml")
    except ContentError as error:
        project.unreadable.append(str(error))
        return
    project.intents = [next(iter(item)) if isinstance(item, dict) else str(item) for item in domain.get("intents") or ()]
    forms = domain.get("forms") or {}
    project.actions = {str(action) for action in domain.get("actions") or ()} | set(forms)
    for form, settings in forms.items():
        for slot in (settings or {}).get("required_slots") or ():
            project.mentioned |= {f"utter_ask_{slot}", f"utter_ask_{form}_{slot}"}
    problems: List[str] = []
    for name, variations in read_responses(domain.get("responses"), text, problems).items():
        project.responses.setdefault(name, []).append(("domain.yml", variations))
    project.unreadable += [f"domain.yml: {problem}." for problem in problems]


def _read_dialogue(path: Path, root: Path, project: Project) -> None:
    shown = path.relative_to(root).as_posix()
    text = path.read_text(encoding="utf-8")
    try:
        content = read_yaml(text, shown)
    except ContentError as error:
        project.unreadable.append(str(error))
        return
    problems: List[str] = []
    for name, variations in read_responses(content.get("responses"), text, problems).items():
        project.responses.setdefault(name, []).append((shown, variations))
    project.unreadable += [f"{shown}: {problem}." for problem in problems]
    project.flows += _flows(shown, content)


def _flows(shown: str, content: Mapping[str, Any]) -> List[Flow]:
    found = []
    for part, kind in (("rules", "rule"), ("stories", "story")):
        for item in content.get(part) or ():
            if isinstance(item, dict):
                found.append(Flow(shown, str(item.get(kind, "without a name")), kind, tuple(item.get("steps") or ())))
    return found
