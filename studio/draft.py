"""A topic as its form shows it: made from a topic file, changed by staff, merged with what others changed meanwhile."""
from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from assistant.content import Topic, Variation
from assistant.content.wording import fold, sentences

PROVENANCE = re.compile(r"\d+(?:\s*[-–,]\s*\d+)*[.:]?\s+\S|(?:A|B|editorial)\b|doi\b")


@dataclass(frozen=True)
class Wording:
    """One wording of a reply. `sources` says for each sentence where it comes from; `remarks` are other comments."""

    text: str
    sources: Tuple[str, ...] = ()
    buttons: Tuple[str, ...] = ()  # payloads
    remarks: Tuple[str, ...] = ()

    @classmethod
    def of(cls, variation: Variation) -> "Wording":
        """Return the wording that stands in a file."""
        known = variation.provenance()
        found = sentences(variation.text)
        return cls(
            text=variation.text,
            sources=tuple(known.get(number, "editorial") for number in range(1, len(found) + 1)),
            buttons=tuple(button.payload for button in variation.buttons),
            remarks=tuple(comment for comment in variation.comments if not PROVENANCE.match(comment)),
        )


@dataclass(frozen=True)
class Draft:
    """What staff may change of a topic."""

    label: str
    examples: Tuple[str, ...]
    neighbours: Tuple[str, ...]
    replies: Mapping[str, Tuple[Wording, ...]] = field(default_factory=dict)  # by response name, in the file's order
    reviewed_by: Optional[str] = None
    reviewed_on: Optional[str] = None  # YYYY-MM-DD

    @classmethod
    def of(cls, topic: Topic) -> "Draft":
        """Return the draft that changes nothing of `topic`."""
        return cls(
            label=topic.label,
            examples=topic.examples,
            neighbours=topic.neighbours,
            replies={name: tuple(map(Wording.of, variations)) for name, variations in topic.responses.items()},
            reviewed_by=topic.reviewed_by,
            reviewed_on=topic.reviewed_on.isoformat() if topic.reviewed_on else None,
        )

    @property
    def cited(self) -> Tuple[str, ...]:
        """The sources that the sentences name, for the file's `sources:`."""
        texts = [source for wordings in self.replies.values() for wording in wordings for source in wording.sources]
        return tuple(dict.fromkeys(source_of(text) for text in texts)) or ("editorial",)


def source_of(comment: str) -> str:
    """Return the source that a sentence's comment names: A, B, editorial, or the citation itself."""
    match = re.match(r"(A|B|editorial)\b", comment)
    return match.group(1) if match else comment.split(": ")[0].strip()


def carried_over(text: str, old: Sequence[Wording]) -> Tuple[str, ...]:
    """Return a source for each sentence of a new `text`: that of the same sentence before, else editorial."""
    known = {fold(sentence): source for wording in old for sentence, source in zip(sentences(wording.text), wording.sources)}
    return tuple(known.get(fold(sentence), "editorial") for sentence in sentences(text))


@dataclass(frozen=True)
class Conflict:
    """A field that two people changed at once."""

    name: str  # as in `fields`
    base: str
    mine: str
    theirs: str


def merged(base: Draft, mine: Draft, theirs: Draft) -> Tuple[Draft, List[Conflict]]:
    """Return both people's changes of `base` in one draft, and the fields in which they disagree (there mine is kept).

    Phrasings and near topics are merged one by one: what either added or took away is added or gone.
    """
    conflicts: List[Conflict] = []

    def pick(name: str, b: Any, m: Any, t: Any) -> Any:
        if m == b or m == t:
            return t
        if t != b:
            conflicts.append(Conflict(name, *map(_shown, (b, m, t))))
        return m

    names = list(dict.fromkeys([*theirs.replies, *mine.replies]))
    replies: Dict[str, Tuple[Wording, ...]] = {}
    for name in names:
        kept = pick(name, base.replies.get(name), mine.replies.get(name), theirs.replies.get(name))
        if kept is not None:
            replies[name] = kept
    draft = replace(
        mine,
        label=pick("label", base.label, mine.label, theirs.label),
        examples=_union(base.examples, mine.examples, theirs.examples),
        neighbours=_union(base.neighbours, mine.neighbours, theirs.neighbours),
        replies=replies,
        reviewed_by=pick("reviewed_by", base.reviewed_by, mine.reviewed_by, theirs.reviewed_by),
        reviewed_on=pick("reviewed_on", base.reviewed_on, mine.reviewed_on, theirs.reviewed_on),
    )
    return draft, conflicts


def _union(base: Sequence[str], mine: Sequence[str], theirs: Sequence[str]) -> Tuple[str, ...]:
    gone = set(base) - set(mine)
    kept = [item for item in theirs if item not in gone]
    return tuple(kept + [item for item in mine if item not in base and item not in kept])


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return "\n\n".join(wording.text for wording in value)
    return str(value or "")
