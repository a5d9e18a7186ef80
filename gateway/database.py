"""The journal's database: SQLite or PostgreSQL behind one interface, and no call that takes longer than its limit."""
from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
from pathlib import Path
from typing import IO, Any, Awaitable, Callable, Optional, TypeVar

from sqlalchemy import event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from assistant.errors import SettingsError
from gateway.errors import JournalError, log_failure
from gateway.schema import metadata

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]

# A caller gets an answer within LIMIT_SECONDS, so that a visitor gets one within 3 s while the database hangs.
LIMIT_SECONDS = 2.2
BUSY_SECONDS = 1.5


class Database:
    """Transactions on the journal, each within LIMIT_SECONDS; a failure of any kind is a JournalError."""

    def __init__(self, url: str, on_failure: Callable[[], None] = lambda: None) -> None:
        self._url, self._on_failure = make_url(url), on_failure
        self.sqlite = self._url.get_backend_name() == "sqlite"
        self._path = Path(self._url.database or "") if self.sqlite else None
        self._inode: Optional[int] = None
        self._lock_file: Optional[IO[str]] = None
        self._writing = asyncio.Lock()  # SQLite has one writer; waiting here is fair, waiting in SQLite is not
        self._engine: AsyncEngine = self._make_engine()

    async def start(self) -> None:
        """Create what is missing. Raises SettingsError when another gateway uses the same SQLite file."""
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock_file = _exclusive(self._path.with_name(self._path.name + ".lock"))
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
            self._inode = os.stat(self._path).st_ino
        try:
            async with self._engine.begin() as connection:
                if not self.sqlite:
                    await connection.execute(text("SELECT pg_advisory_xact_lock(72616)"))  # gateways that start together
                await connection.run_sync(metadata.create_all)
        except (SQLAlchemyError, OSError) as error:
            log_failure("journal", error)
            raise JournalError(f"The journal ({self.describe()}) cannot be opened: {type(error).__name__}.") from None

    async def stop(self) -> None:
        """Close all connections; a database that hangs is left alone."""
        await asyncio.wait({asyncio.ensure_future(self._engine.dispose())}, timeout=LIMIT_SECONDS)
        if self._lock_file is not None:
            self._lock_file.close()

    def describe(self) -> str:
        """Return where the journal is, without a password."""
        return str(self._url.set(username=None, password=None, query={}))

    async def write(self, work: Work[T]) -> T:
        """Run `work` in one transaction and return its result. Raises JournalError."""
        if not self.sqlite:
            return await self._within_limit(self._transaction(work))
        return await self._within_limit(self._alone(work))

    async def read(self, work: Work[T]) -> T:
        """Run `work`, which only reads, and return its result. Raises JournalError."""
        return await self._within_limit(self._transaction(work, read=True))

    async def scrub(self) -> None:
        """Make deleted rows unreadable in the files: on SQLite the log is folded in and cut to nothing."""
        if self.sqlite:
            await self._within_limit(self._checkpoint())

    async def _checkpoint(self) -> None:
        async with self._writing, self._engine.connect() as connection:
            connection = await connection.execution_options(begin=None)  # a checkpoint cannot run inside a transaction
            await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    async def _alone(self, work: Work[T]) -> T:
        async with self._writing:
            return await self._transaction(work)

    async def _transaction(self, work: Work[T], read: bool = False) -> T:
        if self._path is not None:
            await self._follow_file()
        async with self._engine.connect() as connection:
            if read:
                connection = await connection.execution_options(begin="BEGIN")
            async with connection.begin():
                return await work(connection)

    async def _follow_file(self) -> None:
        """SQLite goes on writing to a file that was deleted, and loses it all at the next start: notice that instead."""
        assert self._path is not None
        try:
            inode = os.stat(self._path).st_ino
        except OSError:
            raise JournalError(f"The journal {self._path} has gone. Put it back, or restart the gateway for an empty one.") from None
        if inode != self._inode:
            await self._engine.dispose()
            self._engine, self._inode = self._make_engine(), inode

    async def _within_limit(self, coroutine: Any) -> Any:
        """Wait for `coroutine`; past the limit let go of it without waiting, since even its cancelling may hang."""
        task = asyncio.ensure_future(coroutine)
        done, _ = await asyncio.wait({task}, timeout=LIMIT_SECONDS)
        if not done:
            task.cancel()
            task.add_done_callback(_swallow)
            self._on_failure()
            raise JournalError("The journal does not answer.")
        try:
            return task.result()
        except (SQLAlchemyError, sqlite3.Error, OSError, asyncio.TimeoutError, asyncio.CancelledError) as error:
            self._on_failure()
            log_failure("journal", error)
            raise JournalError(f"The journal failed: {type(error).__name__}.") from None

    def _make_engine(self) -> AsyncEngine:
        if not self.sqlite:
            # hide_parameters: SQLAlchemy's errors would quote a visitor's text.
            return create_async_engine(self._url.set(drivername="postgresql+asyncpg"), hide_parameters=True, pool_size=10,
                                       max_overflow=0, pool_timeout=LIMIT_SECONDS, connect_args={"timeout": LIMIT_SECONDS})
        # mode=rw: a file that has gone is an error and not a new, empty journal.
        url = f"sqlite+aiosqlite:///file:{self._path}?mode=rw&uri=true"
        engine = create_async_engine(url, hide_parameters=True, poolclass=AsyncAdaptedQueuePool, pool_size=4, max_overflow=0,
                                     pool_timeout=LIMIT_SECONDS, connect_args={"timeout": BUSY_SECONDS})
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
        return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where _begin_sqlite says, not where the driver guesses
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    # A writer that starts as a reader fails at once ("database is locked") when another has written meanwhile.
    statement = connection.get_execution_options().get("begin", "BEGIN IMMEDIATE")
    if statement:
        connection.exec_driver_sql(statement)


def _exclusive(path: Path) -> IO[str]:
    file = open(path, "w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise SettingsError(f"{path}: another gateway uses this journal. Stop it, or share PostgreSQL by ASSISTANT_JOURNAL_URL.") from None
    return file


def _swallow(task: "asyncio.Future[Any]") -> None:
    if not task.cancelled():
        task.exception()
