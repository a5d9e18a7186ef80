"""The journal's database: SQLite or PostgreSQL behind one interface, and no call that takes longer than its limit.

A transaction is an ordinary function of a SQLAlchemy connection. On PostgreSQL it runs over asyncpg (`run_sync`), on SQLite in a
thread of its own: there, aiosqlite would hand each statement over four times, at three times the processor time of the whole.
"""
from __future__ import annotations

import asyncio
import sqlite3
from typing import Any, Awaitable, Callable, Protocol, TypeVar

from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import SQLAlchemyError

from gateway.errors import JournalError, log_failure

T = TypeVar("T")
Work = Callable[[Connection], T]

# A caller gets an answer within LIMIT_SECONDS, so that a visitor gets one within 3 s while the database hangs.
LIMIT_SECONDS = 2.2


class Engine(Protocol):
    """One kind of database."""

    async def start(self, alone: bool) -> None:
        """Create what is missing. `alone`: refuse to share what cannot be shared."""

    async def stop(self) -> None:
        """Close all connections."""

    async def run(self, work: Work[T], read: bool) -> T:
        """Run `work` in one transaction and return its result."""

    async def scrub(self) -> None:
        """Make what was deleted unreadable in the files, as far as the database lets a client do that."""


class Database:
    """Transactions on the journal, each within LIMIT_SECONDS; a failure of any kind is a JournalError."""

    def __init__(self, url: str, on_failure: Callable[[], None] = lambda: None) -> None:
        from gateway.postgres import PostgresEngine
        from gateway.sqlite import SqliteEngine

        self._url, self._on_failure = make_url(url), on_failure
        self.sqlite = self._url.get_backend_name() == "sqlite"
        self._engine: Engine = SqliteEngine(str(self._url.database)) if self.sqlite else PostgresEngine(self._url, LIMIT_SECONDS)

    async def start(self, alone: bool = True) -> None:
        """Open the database and create what is missing; `alone`: as the one gateway on it, where it is SQLite.

        Raises SettingsError when another gateway is, JournalError.
        """
        try:
            await self._engine.start(alone)
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            log_failure("journal", error)
            where = self._url.set(username=None, password=None, query={})
            raise JournalError(f"The journal ({where}) cannot be opened: {type(error).__name__}. Is the database running?") from None

    async def stop(self) -> None:
        """Close all connections; a database that hangs is left alone."""
        await asyncio.wait({asyncio.ensure_future(self._engine.stop())}, timeout=LIMIT_SECONDS)

    async def write(self, work: Work[T]) -> T:
        """Run `work` in one transaction and return its result. Raises JournalError."""
        return await self._within_limit(self._engine.run(work, read=False))

    async def read(self, work: Work[T]) -> T:
        """Run `work`, which only reads, and return its result. Raises JournalError."""
        return await self._within_limit(self._engine.run(work, read=True))

    async def scrub(self) -> None:
        """Make deleted rows unreadable in the files. Raises JournalError."""
        await self._within_limit(self._engine.scrub())

    async def _within_limit(self, work: Awaitable[T]) -> T:
        """Wait for `work`; past the limit let go of it without waiting, since even its cancelling may hang."""
        task = asyncio.ensure_future(work)
        done, _ = await asyncio.wait({task}, timeout=LIMIT_SECONDS)
        if not done:
            task.cancel()
            task.add_done_callback(_swallow)
            self._on_failure()
            raise JournalError("The journal does not answer.")
        try:
            return task.result()
        except JournalError:
            self._on_failure()
            raise
        except (SQLAlchemyError, sqlite3.Error, OSError, asyncio.TimeoutError, asyncio.CancelledError) as error:
            self._on_failure()
            log_failure("journal", error)
            raise JournalError(f"The journal failed: {type(error).__name__}.") from None


def _swallow(task: "asyncio.Future[Any]") -> None:
    if not task.cancelled():
        task.exception()
