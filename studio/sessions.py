"""Who is logged in, how long, and how often a log-in may fail."""
from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from typing import Callable, Optional, Sequence

from sqlalchemy import func, select
from sqlalchemy.engine import Engine

from studio.people import People, Person
from studio.schema import attempts, sessions

IDLE_SECONDS = 2 * 3600.0
LONGEST_SECONDS = 12 * 3600.0
# OWASP's advice on throttling: slow guessing down for the account and for the address.
WINDOW_SECONDS = 15 * 60.0
FAILURES_A_NAME = 5
FAILURES_AN_ADDRESS = 20


@dataclass(frozen=True)
class Session:
    """A logged-in browser."""

    person: Person
    token: str  # the cookie
    notice: str

    @property
    def csrf(self) -> str:
        """The token that every form of this session carries."""
        return hmac.new(self.token.encode(), b"csrf", hashlib.sha256).hexdigest()


class Sessions:
    """Sessions and log-in attempts in the studio's database."""

    def __init__(self, engine: Engine, people: People, key: bytes, now: Callable[[], float] = time.time) -> None:
        self._engine, self._people, self._key, self._now = engine, people, key, now

    def open(self, person: Person) -> str:
        """Log `person` in and return the cookie's value."""
        token, now = secrets.token_urlsafe(32), self._now()
        with self._engine.begin() as connection:
            connection.execute(sessions.delete().where(sessions.c.created_at < now - LONGEST_SECONDS))
            connection.execute(sessions.insert().values(token=_digest(token), person=person.id, created_at=now, seen_at=now, notice=""))
        return token

    def find(self, token: str) -> Optional[Session]:
        """Return the session of the cookie `token`; None when there is none or it has expired. Its notice is then used up."""
        now = self._now()
        with self._engine.begin() as connection:
            row = connection.execute(select(sessions).where(
                sessions.c.token == _digest(token), sessions.c.created_at > now - LONGEST_SECONDS,
                sessions.c.seen_at > now - IDLE_SECONDS,
            )).first()
            if row is None:
                return None
            connection.execute(sessions.update().where(sessions.c.token == row.token).values(seen_at=now))
        person = self._people.get(row.person)
        return Session(person, token, row.notice) if person is not None and person.may("person") else None

    def notify(self, token: str, notice: str) -> None:
        """Keep a line for the session's next page; "" clears it."""
        with self._engine.begin() as connection:
            connection.execute(sessions.update().where(sessions.c.token == _digest(token)).values(notice=notice))

    def close(self, token: str) -> None:
        """Log out."""
        with self._engine.begin() as connection:
            connection.execute(sessions.delete().where(sessions.c.token == _digest(token)))

    def wait(self, name: str, address: str) -> float:
        """Return the seconds until another log-in for this name from this address may be tried, 0 if now."""
        limits = zip(self._keys(name, address), (FAILURES_A_NAME, FAILURES_AN_ADDRESS))
        return max(self._wait(key, limit) for key, limit in limits)

    def failed(self, name: str, address: str) -> None:
        """Note a failed log-in."""
        now = self._now()
        with self._engine.begin() as connection:
            connection.execute(attempts.delete().where(attempts.c.at < now - WINDOW_SECONDS))
            for key in self._keys(name, address):
                connection.execute(attempts.insert().values(key=key, at=now))

    def succeeded(self, name: str, address: str) -> None:
        """Forget the failed log-ins of this name."""
        with self._engine.begin() as connection:
            connection.execute(attempts.delete().where(attempts.c.key == self._keys(name, address)[0]))

    def _wait(self, key: str, limit: int) -> float:
        start = self._now() - WINDOW_SECONDS
        query = select(func.count(), func.min(attempts.c.at)).where(attempts.c.key == key, attempts.c.at > start)
        with self._engine.connect() as connection:
            count, oldest = connection.execute(query).one()
        return max(0.0, oldest - start) if count >= limit else 0.0

    def _keys(self, name: str, address: str) -> Sequence[str]:
        # Keyed, so that the table tells no address and no mistyped password in the name's place.
        texts = ("name " + " ".join(name.split()).lower(), "address " + address)
        return [hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest() for text in texts]


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
