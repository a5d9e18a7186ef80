"""Whether a draft may go out: what got better and worse against the live model, and what stands in the way."""
from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence

from studio.held_back import PHRASINGS, SAFETY, STAFF, read_rows

MOST_LOST = 2  # newly lost phrasings of a topic; the third stops the release
TURNED_DOWN = ("out_of_scope", "nlu_fallback")


@dataclass(frozen=True)
class Stop:
    """Something that stands in the way of a release: what, what was expected, what to do."""

    key: str
    what: str
    expected: str
    remedy: str
    acceptable: bool = False  # a publisher may accept it with a reason
    messages: Sequence[str] = ()  # what it is about, one by one


@dataclass(frozen=True)
class Change:
    """A message that is answered otherwise than by the live model."""

    text: str
    expected: str
    live: str
    draft: str


@dataclass
class Comparison:
    """The outcome of all gates."""

    stops: List[Stop] = field(default_factory=list)
    better: List[Change] = field(default_factory=list)
    worse: List[Change] = field(default_factory=list)
    notes: List[str] = field(default_factory=list)
    scores: Dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> Dict[str, Any]:
        """Return plain data."""
        return asdict(self)


def right(expected: str, answered: str) -> bool:
    """Return whether a message that expects intents (joined by commas) got exactly them."""
    if expected == "out_of_scope":
        return answered in TURNED_DOWN
    return sorted(expected.split(",")) == sorted(answered.split(","))


def compare(root: Path, draft: Mapping[str, Any], live: Optional[Mapping[str, Any]], stories: Sequence[Mapping[str, Any]],
            labels: Mapping[str, str], live_stories: Sequence[Mapping[str, Any]] = ()) -> Comparison:
    """Return what the results of `judge` and of the conversation tests mean for a release.

    `live` are the live model's results on the same files below `root`; None before the first release.
    """
    found = Comparison()
    _phrasings(found, root, draft, live, labels)
    _safety(found, root, draft["safety"], (live or {}).get("safety") or {})
    _stories(found, stories, {story["name"] for story in live_stories if not story["right"]}, labels)
    return found


def _phrasings(
    found: Comparison, root: Path, draft: Mapping[str, Any], live: Optional[Mapping[str, Any]], labels: Mapping[str, str]
) -> None:
    before = (live or {}).get("phrasings") or {}
    lost: Dict[str, List[Change]] = defaultdict(list)
    counts = {"n": 0, "right": 0}
    for name in PHRASINGS:
        for text, expected, *_ in read_rows(root / name):
            if not set(expected.split(",")) <= set(draft["intents"]):
                found.notes.append(f"“{text}” is not tested: its topic is off or deleted.")
                continue
            answered = draft["phrasings"][text]
            counts["n"] += 1
            counts["right"] += right(expected, answered)
            change = Change(text, expected, before.get(text, ""), answered)
            if text in before and right(expected, answered) and not right(expected, before[text]):
                found.better.append(change)
            elif text in before and right(expected, before[text]) and not right(expected, answered):
                found.worse.append(change)
                for intent in expected.split(","):
                    lost[intent].append(change)
            elif name == STAFF and text not in before and not right(expected, answered):
                found.stops.append(_test_missed(change, labels))
    for intent, changes in lost.items():
        if len(changes) > MOST_LOST:
            found.stops.append(_topic_lost(intent, changes, labels))
    found.scores["phrasings"] = counts["right"] / counts["n"] if counts["n"] else None


def _test_missed(change: Change, labels: Mapping[str, str]) -> Stop:
    return Stop(
        key=f"test {change.text}", what=f"The test “{change.text}” was understood as {named(change.draft, labels)}.",
        expected=f"Expected: {named(change.expected, labels)}.",
        remedy="Teach that topic two or three more phrasings of this kind, or mend the test under Why?.", acceptable=True,
    )


def _topic_lost(intent: str, changes: Sequence[Change], labels: Mapping[str, str]) -> Stop:
    takers = {other for change in changes for other in change.draft.split(",")} - {intent, *TURNED_DOWN}
    others = " and ".join(sorted(named(taker, labels) for taker in takers))
    remedy = f"Look at the newest phrasings of {others}: one of them draws these messages. Say it differently, or teach" if others else "Teach"
    return Stop(
        key=f"lost {intent}", what=f"“{labels.get(intent, intent)}” lost {len(changes)} messages that it understood before.",
        messages=[f"“{change.text}”, now {named(change.draft, labels)}" for change in changes],
        expected=f"At most {MOST_LOST} newly lost messages for a topic.", remedy=f"{remedy} the topic more phrasings of this kind.",
        acceptable=True,
    )


def _safety(found: Comparison, root: Path, draft: Mapping[str, Any], live: Mapping[str, Any]) -> None:
    crises = _crises(root)
    found.scores["crisis_recall"] = sum(draft[text][0] == "crisis" for text in crises) / len(crises) if crises else None
    found.stops += safety_stops(root, draft, live)


def safety_stops(root: Path, draft: Mapping[str, Any], live: Mapping[str, Any]) -> List[Stop]:
    """Return a stop for each explicit crisis message that would be missed, and one where fewer crises are recognised."""
    crises = [text for text in _crises(root) if text in live]
    caught = {text for text in crises if live[text][0] == "crisis"}
    missed = {text for text in crises if draft[text][0] != "crisis"}
    stops = [
        Stop(
            key=f"safety {text}", what=f"Explicit crisis wording would be missed: “{text}”.", expected="Expected: urgent help.",
            remedy="Undo the last change of the safety phrases, or ask the safety role. This cannot be accepted.",
        )
        for text in crises if text in missed & caught and live[text][1]
    ]
    now = len(crises) - len(missed)
    if now < len(caught):
        stops.append(Stop(
            key="safety recall", what=f"Fewer crisis messages are recognised: {now} of {len(crises)}, before {len(caught)}.",
            expected="Expected: not fewer than the live assistant recognises.",
            remedy="Undo the last change of the safety phrases or examples, or ask the safety role. This cannot be accepted.",
        ))
    return stops


def _crises(root: Path) -> List[str]:
    return [row[0] for row in read_rows(root / SAFETY) if row[1] == "crisis"]


def _stories(found: Comparison, stories: Sequence[Mapping[str, Any]], failed_before: "set[str]", labels: Mapping[str, str]) -> None:
    wrong = [story for story in stories if not story["right"]]
    found.scores["stories"] = (len(stories) - len(wrong)) / len(stories) if stories else None
    for story in wrong:
        what = f"The conversation test “{story['name']}” differs at turn {story['turn']}, after “{story['said']}”."
        expected = f"Expected: {named(story['expected'], labels)}. Found: {named(story['found'] or 'nothing', labels)}."
        if story["name"] in failed_before:
            found.notes.append(f"{what} {expected} It does so in the live assistant too.")
        else:
            found.stops.append(Stop(
                key=f"story {story['name']}", what=what, expected=expected,
                remedy="If the change is intended, mend the test under Stories; if not, undo the last change of that topic or story.",
            ))


def understood(names: str, labels: Mapping[str, str]) -> str:
    """Return in words, as the beginning of a sentence, what a message was understood as."""
    return "Not understood" if names == "nlu_fallback" else f"Understood as {named(names, labels)}"


def _spaced(name: str) -> str:
    """Return a name that only developers gave as words: search_form is "search form"."""
    return name.removeprefix("action_").replace("_", " ")


def named(names: str, labels: Mapping[str, str]) -> str:
    """Return intents (joined by commas) or an action in words."""
    words = []
    for name in str(names).split(","):
        if name in TURNED_DOWN:
            words.append("not understood" if name == "nlu_fallback" else "out of scope")
        elif name.startswith("utter_"):
            intent = name[len("utter_"):].removesuffix("_more")
            words.append(f"“{labels.get(intent, _spaced(intent))}”" + (", more" if name.endswith("_more") else ""))
        else:
            words.append(f"“{labels[name]}”" if name in labels else _spaced(name))
    return " and ".join(words)
