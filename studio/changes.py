"""What lies between two commits: whether only answers changed, and what to show before publishing."""
from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Dict, List

from assistant.content import read_topic
from assistant.content.topics import GROUPS, read_yaml
from assistant.errors import ContentError
from studio.repository import Repository

# What a model is made of. Anything else (documents, tests, the widget) changes no answer.
MODEL_INPUTS = ("config.yml", "domain.yml", "requirements.lock", "data", "addons", "assistant")
# Read from the checkout and not from the model.
BESIDE_THE_MODEL = ("data/site.yml", "data/gateway.yml", "data/README.md")


def model_changes(repository: Repository, old: str, new: str) -> List[str]:
    """Return the paths that differ between two commits and go into a model."""
    return repository.changed(old, new, *MODEL_INPUTS)


def only_answers(repository: Repository, old: str, new: str) -> bool:
    """Return whether what is understood and how conversations go stays the same: only texts and buttons differ."""
    return all(_same_but_answers(repository, old, new, path) for path in model_changes(repository, old, new))


def _same_but_answers(repository: Repository, old: str, new: str, path: str) -> bool:
    if path in BESIDE_THE_MODEL or path.endswith(".md"):
        return True
    group = re.fullmatch(r"data/(\w+)/[\w-]+\.yml", path)
    if not group or group.group(1) not in (*GROUPS, "dialogue"):
        return False
    texts = [repository.at(commit, path) for commit in (old, new)]
    if None in texts:
        return False
    try:
        return _skeleton(path, texts[0] or "") == _skeleton(path, texts[1] or "")
    except ContentError:
        return False


def _skeleton(path: str, text: str) -> Dict[str, Any]:
    """Return all of a file that decides what is understood and which answer is chosen."""
    content = read_yaml(text, path)
    kept: Dict[str, Any] = {key: value for key, value in content.items() if key not in ("responses", "nlu")}
    # A name that comes or goes changes what may be said; its words do not.
    kept["responses"] = sorted(content.get("responses") or {})
    if content.get("nlu"):
        topic = read_topic(Path("/") / path, Path("/"), text)
        kept["nlu"] = (topic.intent, topic.neighbours, topic.examples)
    return kept
