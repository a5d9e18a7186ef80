"""The form of a topic: read into a draft, and what the page needs to show it."""
from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from assistant.content import Topic
from assistant.content.wording import sentences
from studio.draft import Draft, Wording, carried_over
from studio.web import Visit

SLOTS = 2  # related questions below an answer
NEW = "utter_new"
# How a sentence's source is chosen; "other" is a citation such as a doi.
SOURCES = (("editorial", "Our own words"), ("A", "The provider’s page"), ("B", "The directory’s page"), ("other", "Another work"))


def empty_draft(label: str = "", examples: Sequence[str] = ()) -> Draft:
    """Return the draft of a topic that is to be written."""
    blank = (Wording("", (), ()),)
    return Draft(label=label, examples=tuple(examples), neighbours=(), replies={NEW: blank, f"{NEW}_more": blank})


def read_form(visit: Visit, base: Draft) -> Draft:
    """Return `base` with what the form changes; wordings that were left empty are taken out."""
    replies: Dict[str, Tuple[Wording, ...]] = {}
    for name, wordings in base.replies.items():
        read = [_wording(visit, f"{name}:{index}", wordings) for index in range(len(wordings) + 1)]
        kept = tuple(wording for wording in read if wording.text)
        replies[name] = kept or wordings[:1]
    reviewed_on = visit.form("reviewed_on") or None
    return replace(
        base,
        label=" ".join(visit.form("label").split()),
        examples=tuple(_lines(visit.form("examples"))),
        neighbours=tuple(dict.fromkeys(visit.form_list("neighbours"))),
        replies=replies,
        reviewed_by=visit.form("reviewed_by") or None,
        reviewed_on=reviewed_on if reviewed_on and re.fullmatch(r"\d{4}-\d\d-\d\d", reviewed_on) else None,
    )


def _wording(visit: Visit, key: str, before: Sequence[Wording]) -> Wording:
    position = int(key.rsplit(":", 1)[1])
    old = before[position] if position < len(before) else Wording("")
    text = "\n".join(" ".join(line.split()) for line in visit.form(f"text:{key}").splitlines()).strip()
    sources = carried_over(text, before)
    if visit.form(f"known:{key}") == text:  # the sources on the page are those of this text
        sources = tuple(
            _source(visit, f"{key}:{number}", previous) for number, previous in enumerate(sources)
        )
    buttons = tuple(dict.fromkeys(visit.form_list(f"button:{key}")))
    return Wording(text, sources, buttons, old.remarks)


def _source(visit: Visit, key: str, previous: str) -> str:
    kind, detail = visit.form(f"source:{key}"), " ".join(visit.form(f"detail:{key}").split())
    if not kind or (kind, detail) == split_source(previous):
        return previous
    if kind == "other":
        return detail or "editorial"
    return f"{kind}: {detail}" if detail else kind


def split_source(comment: str) -> Tuple[str, str]:
    """Return (kind, detail) of a sentence's comment: `A: "words"` is ("A", '"words"')."""
    match = re.match(r"(A|B|editorial)\b[\s:;,]*(.*)", comment)
    return (match.group(1), match.group(2)) if match else ("other", comment)


def _lines(text: str) -> List[str]:
    lines = (re.sub(r"^[-•*]\s+", "", " ".join(line.split())) for line in text.splitlines())
    return [line for line in lines if line]


@dataclass(frozen=True)
class Shown:
    """One wording as the form shows it."""

    key: str  # utter_faq_cost:0
    title: str
    text: str
    buttons: Tuple[str, ...]  # payloads, filled up to the number of slots
    sentences: Tuple[Tuple[str, str, str], ...]  # (sentence, kind of source, detail)
    spare: bool = False


def shown(draft: Draft, topic: Optional[Topic]) -> List[Shown]:
    """Return the draft's wordings, with a spare one where an answer comes in several."""
    found = []
    conversation = topic is not None and topic.group == "conversation"
    for name, wordings in draft.replies.items():
        for index, wording in enumerate(wordings):
            found.append(_shown(name, index, wording, len(wordings) > 1))
        if conversation:
            found.append(Shown(f"{name}:{len(wordings)}", f"{_title(name)}: another wording", "", ("",) * SLOTS, (), spare=True))
    return found


def _shown(name: str, index: int, wording: Wording, several: bool) -> Shown:
    slots = max(SLOTS, len(wording.buttons))
    return Shown(
        key=f"{name}:{index}",
        title=_title(name) + (f", wording {index + 1}" if several else ""),
        text=wording.text,
        buttons=wording.buttons + ("",) * (slots - len(wording.buttons)),
        sentences=tuple((s, *split_source(source)) for s, source in zip(sentences(wording.text), wording.sources)),
    )


def _title(name: str) -> str:
    return "More, when the visitor asks for it" if name.endswith("_more") else "Answer"


def choices(labels: Mapping[str, str], others: Mapping[str, str]) -> List[Tuple[str, str]]:
    """Return what a button may lead to, as (payload, title)."""
    return [(f"/{intent}", label) for intent, label in labels.items()] + sorted(others.items(), key=lambda pair: pair[1])
