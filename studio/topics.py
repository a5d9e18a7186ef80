"""Topics as staff work on them: opened, saved with others' changes merged in, created, switched off, deleted."""
from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from assistant.content import Topic, read_topic
from assistant.content.project import Flow, read_project
from assistant.content.topics import GROUPS, OFF, read_yaml, stem, topic_files
from assistant.errors import AssistantError, ContentError
from studio.draft import Conflict, Draft, merged
from studio.repository import Repository
from studio.topic_links import relabelled, unlinked
from studio.yaml_edit import Titles, edit_topic, list_items, new_topic

DOMAIN = "domain.yml"
NEW_GROUPS = ("faq", "practical", "site")


class TopicError(AssistantError):
    """A topic that cannot be saved, created or taken away; the message is for staff."""


class Conflicted(Exception):
    """Somebody else changed the same fields meanwhile; holds what to show."""

    def __init__(self, draft: Draft, conflicts: Sequence[Conflict], base: str) -> None:
        super().__init__("changed by two people")
        self.draft, self.conflicts, self.base = draft, conflicts, base


@dataclass(frozen=True)
class OffTopic:
    """A topic that was switched off."""

    intent: str
    label: str
    path: str


@dataclass(frozen=True)
class Opened:
    """A topic with the state of its file, to which changes are later compared."""

    topic: Topic
    draft: Draft
    base: str  # Repository.keep of the file's text


class Topics:
    """The topics of one repository."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self._read: Dict[Path, Tuple[Tuple[int, int], Topic]] = {}

    def all(self) -> List[Topic]:
        """Return all topics that are switched on. Raises ContentError for a file that cannot be read."""
        return [self._topic(path) for path in topic_files(self.repository.root)]

    def readable(self) -> Tuple[List[Topic], List[str]]:
        """Return the topics that can be read, and one line for each file that cannot."""
        topics, problems = [], []
        for path in topic_files(self.repository.root):
            try:
                topics.append(self._topic(path))
            except ContentError as error:
                problems.append(str(error))
        return topics, problems

    def off(self) -> List[OffTopic]:
        """Return the topics that are switched off."""
        root = self.repository.root
        found = []
        for path in sorted(path for group in GROUPS for path in (root / "data" / group).glob(f"*{OFF}")):
            topic = read_topic(path, root)
            found.append(OffTopic(topic.intent, topic.label, path.relative_to(root).as_posix()))
        return found

    def get(self, intent: str) -> Optional[Topic]:
        """Return the topic of `intent`, or None."""
        return next((topic for topic in self.readable()[0] if topic.intent == intent), None)

    def open(self, intent: str) -> Optional[Opened]:
        """Return the topic of `intent` ready to be changed, or None."""
        topic = self.get(intent)
        if topic is None:
            return None
        text = self.repository.read(self.path(topic)) or ""
        return Opened(topic, Draft.of(topic), self.repository.keep(text))

    def path(self, topic: Topic) -> str:
        """Return the path of the topic's file from the root."""
        return topic.path.relative_to(self.repository.root).as_posix()

    def labels(self) -> Dict[str, str]:
        """Return the labels by intent, in the order of their groups."""
        return {topic.intent: topic.label for topic in self.readable()[0]}

    def titles(self) -> Titles:
        """Return the titles that buttons may have."""
        return Titles(self.labels(), self.special_buttons())

    def special_buttons(self) -> Dict[str, str]:
        """Return the titles, by payload, of buttons that are more than a topic (such as "Get urgent help")."""
        return {
            button.payload: button.title for topic in self.readable()[0] for wordings in topic.responses.values()
            for wording in wordings for button in wording.buttons if not button.plain
        }

    def draft_of(self, base: str, topic: Topic) -> Draft:
        """Return the draft of the topic as it was when its form was opened as `base`. Raises TopicError."""
        text = self.repository.kept(base)
        if text is None:
            raise TopicError("This form is too old. Copy your text, open the topic again and paste it there.")
        return self._draft(text, topic.path)

    def save(self, intent: str, base: str, draft: Draft, author: str) -> str:
        """Commit the changes of the topic that was opened as `base`, with what others changed since; return the commit.

        Raises Conflicted when both changed a field, TopicError when the topic has gone.
        """
        opened, before = self.open(intent), self.repository.kept(base)
        if opened is None or before is None:
            raise TopicError("This topic was deleted, renamed or switched off meanwhile. Copy your text into a new topic.")
        if base != opened.base:
            draft, conflicts = merged(self._draft(before, opened.topic.path), draft, opened.draft)
            if conflicts:
                raise Conflicted(draft, conflicts, opened.base)
        return self._write(opened, draft, author)

    def add_examples(self, intent: str, phrasings: Sequence[str], author: str, extra: Mapping[str, str]) -> str:
        """Commit more phrasings for a topic, together with the files of `extra`; return the commit."""
        opened = self.open(intent)
        if opened is None:
            raise TopicError(f"{intent}: there is no such topic. It may have been deleted meanwhile.")
        draft = replace(opened.draft, examples=tuple(dict.fromkeys([*opened.draft.examples, *phrasings])))
        return self._write(opened, draft, author, extra, f"Teach {opened.topic.label!r} more phrasings")

    def remove_examples(self, intent: str, phrasings: Sequence[str], author: str, extra: Mapping[str, str]) -> str:
        """Commit that a topic loses phrasings, together with the files of `extra`; return the commit."""
        opened = self.open(intent)
        if opened is None:  # the topic has gone meanwhile, and its phrasings with it
            return self.repository.commit(extra, f"Take back a test for {intent}", author)
        draft = replace(opened.draft, examples=tuple(example for example in opened.draft.examples if example not in phrasings))
        return self._write(opened, draft, author, extra, f"Take back phrasings of {opened.topic.label!r}")

    def create(self, group: str, draft: Draft, author: str, extra: Mapping[str, str] = {}) -> str:
        """Commit a new topic with its intent in the domain, its rule and the files of `extra`; return the intent."""
        if group not in NEW_GROUPS:
            raise TopicError(f"{group}: choose one of {', '.join(NEW_GROUPS)}.")
        intent = self.name_for(draft.label)
        draft = replace(draft, replies={name.replace("utter_new", f"utter_{intent}"): value for name, value in draft.replies.items()})
        titles = self.titles()
        changes = {
            f"data/{group}/{stem(intent)}.yml": new_topic(intent, draft, titles),
            DOMAIN: list_items(self._domain(), "intents", add=[intent]),
            **extra,
        }
        self.repository.commit(changes, f"Add the topic {draft.label!r}", author)
        return intent

    def name_for(self, label: str) -> str:
        """Return the name of a new intent after its label. Raises TopicError when it is taken."""
        plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
        words = re.findall(r"[a-z0-9]+", plain.replace("'", ""))
        if not words:
            raise TopicError("The label needs at least one letter.")
        intent = "faq_" + "_".join(words)
        taken = [*self.labels(), *(topic.intent for topic in self.off())]
        if intent in taken:
            raise TopicError(f"There is a topic of that name already ({intent}). Choose another label.")
        return intent

    def uses(self, intent: str) -> List[Flow]:
        """Return the stories and rules, beside the topic's own, in which the intent or one of its answers occurs."""
        own = f"utter_{intent}"
        return [
            flow for flow in read_project(self.repository.root).flows
            if flow.shown.startswith("data/dialogue/")
            and (intent in flow.values("intent") or {own, f"{own}_more"} & set(flow.values("action")))
        ]

    def switch_off(self, intent: str, author: str) -> str:
        """Commit that the topic is not taught any more; its text stays. Return the commit."""
        topic = self._free(intent)
        path = self.path(topic)
        changes = {**self._without(topic), path: None, path[:-len(".yml")] + OFF: self.repository.read(path)}
        return self.repository.commit(changes, f"Switch the topic {topic.label!r} off", author)

    def switch_on(self, intent: str, author: str) -> str:
        """Commit that a topic which was switched off is taught again; return the commit."""
        off = next((topic for topic in self.off() if topic.intent == intent), None)
        if off is None:
            raise TopicError(f"{intent}: no such topic is switched off.")
        changes = {
            off.path: None, off.path[:-len(OFF)] + ".yml": self.repository.read(off.path),
            DOMAIN: list_items(self._domain(), "intents", add=[intent]),
        }
        return self.repository.commit(changes, f"Switch the topic {off.label!r} on", author)

    def delete(self, intent: str, author: str) -> Topic:
        """Commit that the topic has gone, with the buttons that led to it; return what it was."""
        topic = self._free(intent)
        self.repository.commit({**self._without(topic), self.path(topic): None}, f"Delete the topic {topic.label!r}", author)
        return topic

    def _free(self, intent: str) -> Topic:
        topic, uses = self.get(intent), self.uses(intent)
        if topic is None:
            raise TopicError("There is no such topic.")
        if not intent.startswith("faq_"):
            raise TopicError(f"{topic.label!r} is part of every conversation: the assistant cannot do without it.")
        if uses:
            raise TopicError(f"These stories need the topic: {', '.join(flow.name for flow in uses)}. Change them first.")
        return topic

    def _without(self, topic: Topic) -> Dict[str, Optional[str]]:
        changes: Dict[str, Optional[str]] = {DOMAIN: list_items(self._domain(), "intents", remove=[topic.intent])}
        return {**changes, **unlinked(self.repository, topic, self.all(), self.titles())}

    def _write(self, opened: Opened, draft: Draft, author: str, extra: Mapping[str, str] = {}, message: str = "") -> str:
        path, changes = self.path(opened.topic), dict(extra)
        titles = self.titles().renamed(opened.topic.intent, draft.label)
        changes[path] = edit_topic(self.repository.read(path) or "", opened.draft, draft, titles)
        self._draft(changes[path], opened.topic.path)  # raises ContentError rather than write what cannot be read
        if draft.label != opened.draft.label:
            changes.update(relabelled(self.repository, opened.topic, draft.label))
        return self.repository.commit(changes, message or f"Change the topic {draft.label!r}", author)

    def _draft(self, text: str, path: Path) -> Draft:
        return Draft.of(read_topic(path, self.repository.root, text))

    def _domain(self) -> str:
        text = self.repository.read(DOMAIN)
        if text is None:
            raise TopicError("domain.yml is missing. A developer has to bring it back.")
        read_yaml(text, DOMAIN)
        return text

    def _topic(self, path: Path) -> Topic:
        stat = path.stat()
        stamp, known = (stat.st_mtime_ns, stat.st_size), self._read.get(path)
        if known is None or known[0] != stamp:
            known = (stamp, read_topic(path, self.repository.root))
            self._read[path] = known
        return known[1]

