"""Edits of the safety files, and the second person who has to approve each."""
from __future__ import annotations

import difflib
import re
import tempfile
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping

from sqlalchemy import select
from sqlalchemy.engine import Engine

from assistant.errors import AssistantError
from assistant.safety.helplines import Helplines
from assistant.safety.phrases import PhraseDetector
from studio.people import People, Person
from studio.repository import Repository, merge
from studio.schema import proposals
from studio.yaml_edit import entry, node_at, quoted, replaced

HELPLINES = "data/safety/helplines.yml"
PHRASES = "data/safety/phrases.yml"
# The kinds of phrases, as data/safety/phrases.yml has them, in words.
KINDS = {
    "explicit": "names the risk", "coded": "says it in other words", "bare": "a mention, not counted in talk about work, study or media",
    "whole": "counted only where the message is nothing else",
}
OVERDUE_DAYS = 90
SHORTEST_REASON = 10
FIELDS = ("name", "call", "sms", "sms_body", "email", "web", "hours_text", "for", "verified_on")


class SafetyError(AssistantError):
    """A change of a safety file that cannot be made."""


@dataclass(frozen=True)
class Helpline:
    """A service as its form shows it."""

    id: str
    fields: Dict[str, str]
    overdue: bool
    state: str  # "confirmed 12 days ago", "never confirmed"


def helplines(repository: Repository) -> List[Helpline]:
    """Return the services of the registry with the state of their confirmation. Raises ContentError."""
    registry = Helplines.load(repository.root / "data/safety")
    found = []
    for service in registry.services.values():
        fields = {
            "name": service.name, "call": service.call, "sms": service.sms, "sms_body": service.sms_body, "email": service.email,
            "web": service.web, "hours_text": service.hours_text, "for": service.whom,
            "verified_on": service.verified_on.isoformat() if service.verified_on else None,
        }
        age = (date.today() - service.verified_on).days if service.verified_on else None
        state = "never confirmed" if age is None else f"confirmed {age} days ago"
        found.append(Helpline(service.id, {name: value or "" for name, value in fields.items()}, age is None or age > OVERDUE_DAYS, state))
    return found


def edit_helpline(text: str, service: str, fields: Mapping[str, str]) -> str:
    """Return helplines.yml with other values for a service. Raises SafetyError for values that are none."""
    if fields.get("verified_on") and not re.fullmatch(r"\d{4}-\d\d-\d\d", fields["verified_on"]):
        raise SafetyError(f"{fields['verified_on']}: write the date as 2025-01-31.")
    for name in ("call", "sms"):
        if fields.get(name) and not re.fullmatch(r"[\d ]{3,16}", fields[name]):
            raise SafetyError(f"{fields[name]}: a number has digits and spaces only.")
    for name in ("name", "hours_text", "for"):
        if not fields.get(name):
            raise SafetyError("Name, hours and for whom cannot be empty.")
    for name in FIELDS:
        text = _set_field(text, service, name, fields.get(name, "").strip())
    return text


def _set_field(text: str, service: str, name: str, value: str) -> str:
    node, span = node_at(text, "services", service, name), entry(text, "services", service, name)
    present = "" if node is None or node.value in ("null", None) else str(node.value)
    if present == value:
        return text
    written = "null" if name == "verified_on" and not value else value if name == "verified_on" else quoted(value)
    line = f"    {name}: {written}"
    if span is not None:
        return replaced(text, span, [line] if value or name == "verified_on" else [])
    anchor = entry(text, "services", service, "name")
    if anchor is None:
        raise SafetyError(f"{service}: there is no such service.")
    return replaced(text, (anchor[1], anchor[1]), [line])


def phrase_blocks(text: str) -> Dict[str, Dict[str, List[str]]]:
    """Return the crisis phrases by category and kind."""
    crisis = node_at(text, "crisis")
    found: Dict[str, Dict[str, List[str]]] = {}
    for category, kinds in crisis.value if crisis is not None else ():
        blocks = (
            {kind.value: str(block.value).splitlines() for kind, block in kinds.value}
            if isinstance(kinds.value, list)
            else {"": str(kinds.value).splitlines()}
        )
        found[str(category.value)] = blocks
    return found


def edit_phrases(text: str, category: str, kind: str, add: str = "", remove: str = "") -> str:
    """Return phrases.yml with one pattern more or less in a block. Raises SafetyError."""
    span, node = entry(text, "crisis", category, kind), node_at(text, "crisis", category, kind)
    if span is None or node is None:
        raise SafetyError(f"{category}, {kind}: there is no such list of phrases.")
    lines = [line for line in str(node.value).splitlines() if line != remove]
    if remove and len(lines) == len(str(node.value).splitlines()):
        raise SafetyError(f"“{remove}” is not in the list any more.")
    add = " ".join(add.lower().split())
    if add and add in lines:
        raise SafetyError(f"“{add}” is in the list already.")
    head = text.splitlines()[span[0]]
    return replaced(text, span, [head, *(" " * 6 + line for line in [*lines, *filter(None, [add])])])


def check_file(path: str, text: str, repository: Repository) -> None:
    """Raise ContentError when the safety files would not load with `text` in place of the file."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder)
        for source in (repository.root / "data/safety").glob("*.yml"):
            (target / source.name).write_bytes(source.read_bytes())
        (target / Path(path).name).write_text(text, encoding="utf-8")
        if path == HELPLINES:
            Helplines.load(target)
        else:
            PhraseDetector(target / Path(path).name)


class Proposals:
    """Changes of the safety files, each of which a second person approves before it is saved."""

    def __init__(self, engine: Engine, repository: Repository, people: People) -> None:
        self._engine, self._repository, self._people = engine, repository, people

    def alone(self, person: Person) -> bool:
        """Return whether there is nobody else who could approve."""
        return not any(one.id != person.id and one.joined and one.may("editor") for one in self._people.all())

    def propose(self, person: Person, path: str, change: Callable[[str], str], summary: str, reason: str) -> str:
        """Note a change of the file `path`; return its status: `waiting`, or `alone` when it was saved without a second person.

        Raises SafetyError, ContentError.
        """
        before = self._repository.read(path) or ""
        after = change(before)
        if after == before:
            raise SafetyError("Nothing was changed.")
        check_file(path, after, self._repository)
        alone = self.alone(person)
        if alone and len(reason) < SHORTEST_REASON:
            raise SafetyError(
                "Yours is the only account, so nobody can approve this. Type the reason; the change stays flagged until reviewed."
            )
        if alone:
            self._repository.commit({path: after}, f"Safety: {summary} (not reviewed yet)", person.name)
        status = "alone" if alone else "waiting"
        with self._engine.begin() as connection:
            connection.execute(proposals.insert().values(
                at=time.time(), person=person.name, path=path, summary=summary, reason=reason, before=before, after=after, status=status,
            ))
        return status

    def open(self) -> List[Any]:
        """Return the changes that wait for somebody: to be approved, or to be reviewed."""
        query = select(proposals).where(proposals.c.status.in_(("waiting", "alone"))).order_by(proposals.c.id)
        with self._engine.connect() as connection:
            return list(connection.execute(query))

    def decide(self, number: int, person: Person, approve: bool) -> Any:
        """Approve or reject a change as the second person; return it. Raises SafetyError."""
        row = next((one for one in self.open() if one.id == number), None)
        if row is None:
            raise SafetyError("Somebody else has decided that already.")
        if row.person == person.name:
            raise SafetyError("A change of yours needs somebody else’s approval.")
        self._save(row, approve)
        with self._engine.begin() as connection:
            connection.execute(proposals.update().where(proposals.c.id == number, proposals.c.status == row.status).values(
                status="approved" if approve else "rejected", decided_by=person.name, decided_at=time.time(),
            ))
        return row

    def _save(self, row: Any, approve: bool) -> None:
        if approve == (row.status == "alone"):
            return  # saved already, or not to be saved
        now = self._repository.read(row.path) or ""
        base, mine = (row.before, row.after) if approve else (row.after, row.before)
        text = merge(base, mine, now)
        if text is None:
            raise SafetyError("The file has changed at the same place meanwhile. Reject this and propose it anew.")
        check_file(row.path, text, self._repository)
        verb = "approved" if approve else "taken back"
        self._repository.commit({row.path: text}, f"Safety: {row.summary} ({verb})", row.person)


def difference(row: Any) -> List[str]:
    """Return the changed lines of a proposal, each with + or - before it."""
    lines = difflib.unified_diff(row.before.splitlines(), row.after.splitlines(), lineterm="", n=1)
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]
