"""A model with other answers: the live one with the texts and labels replaced, without a training.

Valid only where `changes.only_answers` holds. Rasa 3.6 keeps the responses in the archive's `metadata.json`, from where
the server takes them, and in the domain that the graph loads; both get the same. What is understood stays to the byte.
"""
from __future__ import annotations

import io
import json
import time
import uuid
from pathlib import Path
from typing import Any, Dict

from ruamel.yaml import YAML

from assistant.content import load_topics
from assistant.content.topics import content_files, read_yaml
from assistant.release import UNDERSTANDING
from studio.archive import rewrite


def responses_of(root: Path) -> Dict[str, Any]:
    """Return all responses of the files below `root`, as Rasa reads them."""
    found: Dict[str, Any] = {}
    for path in [root / "domain.yml", *content_files(root)]:
        found.update(read_yaml(path.read_text(encoding="utf-8"), path.relative_to(root).as_posix()).get("responses") or {})
    plain: Dict[str, Any] = json.loads(json.dumps(found))
    return plain


def with_answers(archive: Path, root: Path, out: Path) -> str:
    """Write the model `archive` with the answers and labels of `root` to `out`, by rename; return its new version.

    Raises ModelError when the archive is not of the known form or names other responses than the files.
    """
    responses = responses_of(root)
    labels = {topic.intent: topic.label for topic in load_topics(root)}
    version = uuid.uuid4().hex
    rewrite(archive, out, lambda name, content: _changed(name, content, responses, labels, version))
    return version


def _changed(name: str, content: bytes, responses: Dict[str, Any], labels: Dict[str, str], version: str) -> bytes:
    path = Path(name)
    if path.name == "metadata.json":
        metadata = json.loads(content)
        _same_names(metadata["domain"]["responses"], responses)
        metadata["domain"]["responses"] = responses
        metadata.update(model_id=version, trained_at=time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()))
        return json.dumps(metadata, ensure_ascii=False).encode()
    if path.name == "domain.yml" and path.parent.name.endswith("domain_provider"):
        domain = YAML(typ="safe").load(content.decode())
        _same_names(domain["responses"], responses)
        domain["responses"] = responses
        text = io.StringIO()
        YAML(typ="safe").dump(domain, text)
        return text.getvalue().encode()
    if path.name == "topics.json" and UNDERSTANDING in path.parent.name:
        known = json.loads(content)
        known["topics"] = {intent: [labels.get(intent, label), near] for intent, (label, near) in known["topics"].items()}
        return json.dumps(known, ensure_ascii=False).encode()
    return content


def _same_names(old: Dict[str, Any], new: Dict[str, Any]) -> None:
    if set(old) != set(new):
        raise ValueError(f"responses that came or went: {', '.join(sorted(set(old) ^ set(new)))}")
