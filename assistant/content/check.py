"""The content check: every problem of the content at once, path first."""
from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Dict, Iterator, List, Set, Tuple

from assistant.content import phrasings, wording
from assistant.content.project import INTERNAL, Project, read_project
from assistant.content.site import PATH, site_problems
from assistant.content.topics import Button, Topic, Variation, stem
from assistant.errors import ContentError
from assistant.safety import registry_check

LONGEST_LABEL = 20  # WhatsApp shows no more of a button's title
EXAMPLES = {"conversation": 30}
EXAMPLES_OF_A_QUESTION = 40
EXAMPLES_OUT_OF_SCOPE = 400
# A topic that staff have just written may go out with so many; it is warned about until it has the full number.
EXAMPLES_TO_BEGIN_WITH = 10
ANSWER_WORDS = (15, 80)
MORE_WORDS = (30, 80)
MOST_BUTTONS = 2


@dataclass(frozen=True)
class Problem:
    """Something wrong in a file; a warning does not fail the check."""

    path: str
    text: str
    warning: bool = False

    def __str__(self) -> str:
        return f"{self.path}: {'warning: ' if self.warning else ''}{self.text}"


def check(root: Path) -> List[Problem]:
    """Return all problems of the content below `root`, sorted by file."""
    project = read_project(root)
    found = [Problem(path, text) for path, text in (line.split(": ", 1) for line in project.unreadable)]
    for part in (_forms, _intents, _labels, _examples, _phrasings, _answers, _provenance, _buttons, _flows):
        found += part(project, root)
    found += [Problem(PATH, text) for text in site_problems(root)]
    found += _telephone_numbers(root)
    return sorted(found, key=lambda problem: (problem.path, problem.warning))


def _telephone_numbers(root: Path) -> Iterator[Problem]:
    """The registry of helplines, and numbers that stand anywhere else (assistant/safety/registry_check.py)."""
    folder = root / "data" / "safety"
    if not folder.is_dir():
        return
    try:
        found = [*registry_check.check(folder, date.today()), *registry_check.number_elsewhere(root)]
    except ContentError as error:
        yield Problem("data/safety/helplines.yml", str(error))
        return
    for problem in found:
        path, text = problem.text.split(": ", 1)
        yield Problem(path, text, problem.warning)


def shown(topic: Topic) -> str:
    """Return the path of the topic's file from the root."""
    return f"data/{topic.group}/{topic.path.name}"


def _forms(project: Project, root: Path) -> Iterator[Problem]:
    for topic in project.topics:
        for problem in topic.problems:
            yield Problem(shown(topic), f"{problem}.")
        if topic.path.stem != stem(topic.intent):
            yield Problem(shown(topic), f"holds {topic.intent}. Name the file {stem(topic.intent)}.yml.")
        if not topic.sources:
            yield Problem(shown(topic), "names no source. Give `sources:` A, B, editorial or a citation.")
        if bool(topic.reviewed_by) != bool(topic.reviewed_on):
            yield Problem(shown(topic), "reviewed_by and reviewed_on go together: give both or neither.")


def _intents(project: Project, root: Path) -> Iterator[Problem]:
    files: Dict[str, List[Topic]] = {}
    for topic in project.topics:
        files.setdefault(topic.intent, []).append(topic)
    for intent, topics in files.items():
        for extra in topics[1:]:
            yield Problem(shown(extra), f"{intent} has a file already: {shown(topics[0])}. Keep one.")
        if project.intents and intent not in project.intents:
            yield Problem(shown(topics[0]), f"{intent} is not listed under `intents:` in domain.yml. Add it there.")
    for intent in project.intents:
        if intent not in files and intent not in INTERNAL:
            yield Problem("domain.yml", f"{intent} has no topic file {stem(intent)}.yml below data/.")
    for topic in project.topics:
        for near in topic.neighbours:
            if near not in files:
                yield Problem(shown(topic), f"neighbour {near} has no topic file.")


def _labels(project: Project, root: Path) -> Iterator[Problem]:
    first: Dict[str, Topic] = {}
    for topic in project.topics:
        if not topic.label:
            yield Problem(shown(topic), "has no label. Give metadata a `label:` of at most 20 characters.")
            continue
        if len(topic.label) > LONGEST_LABEL:
            yield Problem(shown(topic), f"label {topic.label!r} has {len(topic.label)} characters: at most {LONGEST_LABEL}.")
        other = first.setdefault(topic.label.casefold(), topic)
        if other is not topic:
            yield Problem(shown(topic), f"label {topic.label!r} is that of {shown(other)} too. Labels are unique.")


def examples_needed(topic: Topic) -> int:
    """Return how many example phrasings the topic must have."""
    if topic.intent == "out_of_scope":
        return EXAMPLES_OUT_OF_SCOPE
    return EXAMPLES.get(topic.group, EXAMPLES_OF_A_QUESTION)


def _examples(project: Project, root: Path) -> Iterator[Problem]:
    for topic in project.topics:
        if not topic.examples:
            yield Problem(shown(topic), f"{topic.utterance} has no example phrasings.")
        elif len(topic.examples) < examples_needed(topic):
            yield Problem(
                shown(topic), f"has {len(topic.examples)} example phrasings: at least {examples_needed(topic)}.",
                warning=EXAMPLES_TO_BEGIN_WITH <= len(topic.examples),
            )


def _phrasings(project: Project, root: Path) -> Iterator[Problem]:
    rows: List[Tuple[str, Topic]] = [(example, topic) for topic in project.topics for example in topic.examples]
    texts, topics = [row[0] for row in rows], [row[1] for row in rows]
    for first, again in phrasings.duplicates(texts):
        where = "twice" if topics[first] is topics[again] else f"in {shown(topics[first])} too"
        yield Problem(shown(topics[again]), f"example {texts[again]!r} stands {where}.")
    for one, other in phrasings.nearly_the_same(texts, [topic.intent for topic in topics]):
        yield Problem(
            shown(topics[other]), f"example {texts[other]!r} is nearly {texts[one]!r} in {shown(topics[one])}. Keep one."
        )


def _wordings(project: Project) -> Iterator[Tuple[str, str, Variation]]:
    """Yield (path, name, wording) of every response."""
    for name, places in project.responses.items():
        for path, variations in places:
            for variation in variations:
                yield path, name, variation


def _answers(project: Project, root: Path) -> Iterator[Problem]:
    lengths: Dict[str, Tuple[int, int]] = {}
    for topic in project.topics:
        low = ANSWER_WORDS[0] if topic.group != "conversation" else 1
        lengths[topic.utterance] = (low, ANSWER_WORDS[1])
        if topic.group != "conversation":
            lengths[f"{topic.utterance}_more"] = MORE_WORDS
            # A topic without responses is answered by a form (find_therapist).
            needed = (topic.utterance, f"{topic.utterance}_more") if topic.responses else ()
            for name in needed:
                if name not in topic.responses:
                    yield Problem(shown(topic), f"{name} is missing. Write it under `responses:`.")
    for path, name, variation in _wordings(project):
        count, (low, high) = len(wording.words(variation.text)), lengths.get(name, (0, ANSWER_WORDS[1]))
        if not low <= count <= high:
            yield Problem(path, f"{name} has {count} words: {low} to {high}.")
        yield from (Problem(path, f"{name} {text}") for text in wording_problems(variation))


def wording_problems(variation: Variation) -> Iterator[str]:
    """Yield what is wrong with the words of an answer, as the end of a sentence that begins with its name."""
    provenance = variation.provenance()
    for number, sentence in enumerate(wording.sentences(variation.text), start=1):
        quoted = "quotation" in provenance.get(number, "").lower()
        for claim in wording.forbidden_claims(sentence) if not quoted else ():
            yield f'says "{claim}" in sentence {number}: attribute the claim, or mark its comment as a quotation with its source.'
        order = wording.wrong_style_order(wording.styles_named(sentence))
        if order:
            yield f"names the styles as {order}: the order is {', '.join(wording.STYLES)}."
    if "!" in variation.text:
        yield "has an exclamation mark: answers have none."


def _provenance(project: Project, root: Path) -> Iterator[Problem]:
    for topic in project.topics:
        for name, variations in topic.responses.items():
            for variation in variations:
                yield from (Problem(shown(topic), f"{name} {text}") for text in _unsourced(variation, topic))


def _unsourced(variation: Variation, topic: Topic) -> Iterator[str]:
    provenance, count = variation.provenance(), len(wording.sentences(variation.text))
    opening = f"({variation.text[:30]}…)"
    missing = [str(number) for number in range(1, count + 1) if number not in provenance]
    if missing:
        yield f"{opening}: no comment says where sentence {', '.join(missing)} of {count} comes from."
    surplus = [str(number) for number in provenance if number > count]
    if surplus:
        yield f"{opening}: a comment speaks of sentence {', '.join(surplus)}, but there are {count}."
    for number, comment in provenance.items():
        source = re.match(r"A\b|B\b|editorial\b", comment)
        if source and source.group() not in topic.sources:
            yield f"{opening}: sentence {number} comes from {source.group()}, which `sources:` does not name."
        elif not source and not any(citation not in ("A", "B", "editorial") for citation in topic.sources):
            yield f"{opening}: sentence {number} cites {comment!r}, but `sources:` names no citation."


def _buttons(project: Project, root: Path) -> Iterator[Problem]:
    labels = {topic.intent: topic.label for topic in project.topics}
    for path, name, variation in _wordings(project):
        styles = [str(button.intent)[len("faq_style_"):] for button in variation.buttons if "faq_style_" in button.payload]
        if len(variation.buttons) > max(MOST_BUTTONS, len(styles)):
            yield Problem(path, f"{name} has {len(variation.buttons)} buttons: at most {MOST_BUTTONS}.")
        order = wording.wrong_style_order(styles)
        if order:
            yield Problem(path, f"{name} has the styles' buttons as {order}: the order is {', '.join(wording.STYLES)}.")
        for button in variation.buttons:
            yield from (Problem(path, f"{name} {text}") for text in _button(button, labels))


def _button(button: Button, labels: Dict[str, str]) -> Iterator[str]:
    if button.intent is None and not re.fullmatch(r"gateway:\w+", button.payload):
        yield f"has a button {button.title!r} with payload {button.payload!r}: write /<intent> or gateway:<verb>."
    elif button.intent is not None and button.intent not in labels:
        yield f"has a button {button.title!r} to {button.intent}, which has no topic file."
    elif button.intent is not None and button.plain and button.title != labels[button.intent]:
        yield f"has a button {button.title!r} to {button.intent}: its title must be the label {labels[button.intent]!r}."
    if len(button.title) > LONGEST_LABEL:
        yield f"has a button {button.title!r} of {len(button.title)} characters: at most {LONGEST_LABEL}."


def _flows(project: Project, root: Path) -> Iterator[Problem]:
    intents = {topic.intent for topic in project.topics} | set(project.intents) | INTERNAL
    used = set(project.mentioned)
    ruled: Set[str] = set()
    for flow in project.flows:
        for intent in flow.values("intent"):
            if intent not in intents:
                yield Problem(flow.shown, f"{flow.kind} {flow.name!r} waits for {intent}, which is no intent.")
        if flow.kind == "rule":
            ruled.update(flow.values("intent"))
        for action in flow.values("action"):
            used.add(action)
            if action.startswith("utter_") and action not in project.responses:
                yield Problem(flow.shown, f"{flow.kind} {flow.name!r} says {action}, which has no text.")
    for topic in project.topics:
        if topic.intent not in ruled:
            yield Problem(shown(topic), f"no rule answers {topic.intent}. Add one under `rules:`.")
    names = Counter((flow.kind, flow.name) for flow in project.flows)
    for flow in project.flows:
        if names[flow.kind, flow.name] > 1:
            yield Problem(flow.shown, f"{flow.kind} name {flow.name!r} stands {names[flow.kind, flow.name]} times.")
    for name, places in project.responses.items():
        for path, _ in places[1:]:
            yield Problem(path, f"{name} stands in {places[0][0]} too. Keep one.")
        # `…_more` belongs to "tell me more": a policy says it after its topic's answer.
        if name not in used and not (name.endswith("_more") and name[:-5] in used):
            yield Problem(places[0][0], f"{name} is an orphan: no rule, story or form says it.")
