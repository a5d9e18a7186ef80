"""What a change of one topic asks of the files of the others: the titles of buttons, buttons and near topics that go."""
from __future__ import annotations

import re
from dataclasses import replace
from typing import Dict, Sequence

from assistant.content import Topic
from assistant.content.topics import content_files
from studio.draft import Draft
from studio.repository import Repository
from studio.yaml_edit import Titles, edit_topic, retitled


def relabelled(repository: Repository, topic: Topic, label: str) -> Dict[str, str]:
    """Return the other files whose buttons carry the topic's label, with the new one."""
    changes = {}
    for file in content_files(repository.root):
        path = file.relative_to(repository.root).as_posix()
        text = repository.read(path) or ""
        if file != topic.path and f"/{topic.intent}" in text:
            changes[path] = retitled(text, f"/{topic.intent}", label)
    return changes


def unlinked(repository: Repository, topic: Topic, others: Sequence[Topic], titles: Titles) -> Dict[str, str]:
    """Return the other topics' files without buttons to the topic and without it as a near topic."""
    changes = {}
    for other in others:
        before = Draft.of(other)
        after = replace(
            before,
            neighbours=tuple(near for near in before.neighbours if near != topic.intent),
            replies={
                name: tuple(
                    replace(wording, buttons=tuple(p for p in wording.buttons if not _leads_to(p, topic.intent))) for wording in wordings
                )
                for name, wordings in before.replies.items()
            },
        )
        if other.intent != topic.intent and after != before:
            path = other.path.relative_to(repository.root).as_posix()
            changes[path] = edit_topic(repository.read(path) or "", before, after, titles)
    return changes


def _leads_to(payload: str, intent: str) -> bool:
    return re.split(r"[{@]", payload)[0] == f"/{intent}"
