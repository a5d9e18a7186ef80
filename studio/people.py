"""Who may use the studio: names, roles, one-time links and passwords."""
from __future__ import annotations

import hashlib
import re
import secrets
import time
from dataclasses import dataclass
from typing import Any, Callable, List, Optional

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import func, select
from sqlalchemy.engine import Engine

from assistant.errors import AssistantError
from studio.schema import people, sessions

ROLES = ("editor", "publisher", "administrator")  # each may do what those before it may
INVITATION_SECONDS = 7 * 24 * 3600.0
SHORTEST_PASSWORD = 12
_NAME = re.compile(r"[^\W\d_][\w .'-]{0,78}\w")


class PeopleError(AssistantError):
    """A name, role, link or password that cannot be accepted."""


@dataclass(frozen=True)
class Person:
    """Someone with an account."""

    id: int
    name: str
    role: str
    safety: bool
    joined: bool  # has chosen a password
    disabled: bool
    created_at: float

    def may(self, need: str) -> bool:
        """Return whether this person meets `need`: "person", "safety" or a role."""
        if self.disabled:
            return False
        if need == "safety":
            return self.safety
        return need == "person" or ROLES.index(self.role) >= ROLES.index(need)

    @property
    def title(self) -> str:
        """The role in words."""
        return f"{self.role} and safety" if self.safety else self.role


class People:
    """The accounts in the studio's database."""

    def __init__(self, engine: Engine, now: Callable[[], float] = time.time) -> None:
        self._engine, self._now = engine, now
        self._hasher = PasswordHasher()
        # Verified against when there is no such person, so that the time tells nothing.
        self._nobody = self._hasher.hash(secrets.token_hex(16))

    def invite(self, name: str, role: str) -> str:
        """Create the account, or renew its link and role, and return the token of the one-time link.

        `role` is a role, `safety` (an editor with the safety role), or both: `publisher+safety`. Raises PeopleError.
        """
        name, (role, safety) = " ".join(name.split()), parse_role(role)
        if not _NAME.fullmatch(name):
            raise PeopleError(f"NAME={name!r}: give a person's name of 2 to 80 letters.")
        token = secrets.token_urlsafe(32)
        values = dict(role=role, safety=safety, invitation=_digest(token), disabled=False,
                      invitation_until=self._now() + INVITATION_SECONDS)
        with self._engine.begin() as connection:
            changed = connection.execute(people.update().where(func.lower(people.c.name) == name.lower()).values(**values))
            if not changed.rowcount:
                connection.execute(people.insert().values(name=name, created_at=self._now(), **values))
        return token

    def invited(self, token: str) -> Optional[Person]:
        """Return whose one-time link `token` is; None when it is unknown, used or too old."""
        return self._one(people.c.invitation == _digest(token), people.c.invitation_until > self._now(), people.c.disabled.is_(False))

    def join(self, token: str, password: str) -> Person:
        """Set the password of the person with the one-time link `token`, which is then used up. Raises PeopleError."""
        person = self.invited(token)
        if person is None:
            raise PeopleError("This link was used already or has expired. Ask an administrator for a new one.")
        self._set_password(person, password)
        return person

    def change_password(self, person: Person, old: str, new: str) -> None:
        """Replace the password and end the person's sessions. Raises PeopleError when `old` is wrong."""
        if self.verified(person.name, old) is None:
            raise PeopleError("The present password is not right.")
        self._set_password(person, new)

    def verified(self, name: str, password: str) -> Optional[Person]:
        """Return the person whose name and password these are, else None."""
        with self._engine.connect() as connection:
            row = connection.execute(select(people).where(func.lower(people.c.name) == " ".join(name.split()).lower())).first()
        usable = row is not None and row.password and not row.disabled
        try:
            self._hasher.verify(row.password if usable else self._nobody, password)
        except (VerifyMismatchError, InvalidHashError):
            return None
        return _person(row) if usable else None

    def all(self) -> List[Person]:
        """Return everyone, by name."""
        with self._engine.connect() as connection:
            return [_person(row) for row in connection.execute(select(people).order_by(people.c.name))]

    def get(self, number: int) -> Optional[Person]:
        """Return the person with this id."""
        return self._one(people.c.id == number)

    def change_role(self, person: Person, role: str) -> None:
        """Give the person another role. Raises PeopleError when no administrator would be left."""
        role, safety = parse_role(role)
        if person.role == "administrator" and role != "administrator":
            self._keep_an_administrator(person)
        self._update(person, role=role, safety=safety)

    def disable(self, person: Person) -> None:
        """Close the account and end its sessions. Raises PeopleError when no administrator would be left."""
        self._keep_an_administrator(person)
        self._update(person, disabled=True, invitation=None, password=None)
        self._end_sessions(person)

    def _keep_an_administrator(self, person: Person) -> None:
        others = [one for one in self.all() if one.id != person.id and one.may("administrator") and one.joined]
        if person.role == "administrator" and not others:
            raise PeopleError(f"{person.name} is the only administrator. Make somebody else one first.")

    def _set_password(self, person: Person, password: str) -> None:
        if len(password) < SHORTEST_PASSWORD:
            raise PeopleError(f"A password needs at least {SHORTEST_PASSWORD} characters. Three or four words together are good.")
        if person.name.lower().replace(" ", "") in password.lower().replace(" ", ""):
            raise PeopleError("The password must not hold your name.")
        self._update(person, password=self._hasher.hash(password), invitation=None, invitation_until=None)
        self._end_sessions(person)

    def _update(self, person: Person, **values: Any) -> None:
        with self._engine.begin() as connection:
            connection.execute(people.update().where(people.c.id == person.id).values(**values))

    def _end_sessions(self, person: Person) -> None:
        with self._engine.begin() as connection:
            connection.execute(sessions.delete().where(sessions.c.person == person.id))

    def _one(self, *conditions: Any) -> Optional[Person]:
        with self._engine.connect() as connection:
            row = connection.execute(select(people).where(*conditions)).first()
        return None if row is None else _person(row)


def parse_role(text: str) -> tuple[str, bool]:
    """Return (role, whether with the safety role) for `editor`, `safety`, `publisher+safety` …; raises PeopleError."""
    parts = set(text.strip().lower().split("+"))
    role = parts - {"safety"} or {"editor"}
    if len(role) != 1 or not role <= set(ROLES):
        raise PeopleError(f"ROLE={text!r}: give editor, publisher, administrator or safety, or two joined as publisher+safety.")
    return role.pop(), "safety" in parts


def _person(row: Any) -> Person:
    return Person(row.id, row.name, row.role, row.safety, row.password is not None, row.disabled, row.created_at)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
