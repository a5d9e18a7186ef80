"""The journal on SQLite: one writing thread, a few reading ones, and one gateway alone."""
from __future__ import annotations

import asyncio
import fcntl
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, Callable, Optional

from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection
from sqlalchemy.engine import Engine as SqlEngine
from sqlalchemy.pool import QueuePool

from assistant.errors import SettingsError
from gateway.database import T, Work
from gateway.errors import JournalError
from gateway.schema import metadata

# Less than the limit of a call, so that a locked file is reported as such.
BUSY_SECONDS = 1.5
READERS = 2


class SqliteEngine:
    """Runs transactions on the file at `path` in threads of its own."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._inode: Optional[int] = None
        self._lock_file: Optional[IO[str]] = None
        # SQLite has one writer: here the others wait in line, in SQLite they would wait by luck.
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="journal-writer")
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="journal-reader")
        self._engine = self._make_engine()

    async def start(self) -> None:
        """Create file and tables. Raises SettingsError when another gateway uses the file."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock_file = _exclusive(self._path.with_name(self._path.name + ".lock"))
        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        self._inode = os.stat(self._path).st_ino
        await self.run(metadata.create_all, read=False)

    async def stop(self) -> None:
        """Close the connections and let the threads go."""
        self._readers.shutdown(wait=False)
        await asyncio.get_running_loop().run_in_executor(self._writer, self._engine.dispose)
        self._writer.shutdown(wait=False)
        if self._lock_file is not None:
            self._lock_file.close()

    async def run(self, work: Work[T], read: bool) -> T:
        """Run `work` in one transaction."""
        return await self._in_thread(lambda: self._transaction(work, read), self._readers if read else self._writer)

    async def scrub(self) -> None:
        """Fold the log into the file and cut it to nothing; `secure_delete` has overwritten what was deleted."""
        await self._in_thread(self._checkpoint, self._writer)

    async def _in_thread(self, call: Callable[[], T], threads: ThreadPoolExecutor) -> T:
        return await asyncio.get_running_loop().run_in_executor(threads, call)

    def _transaction(self, work: Work[T], read: bool) -> T:
        self._follow_file()
        with self._engine.connect() as connection:
            if read:
                connection = connection.execution_options(begin="BEGIN")
            with connection.begin():
                return work(connection)

    def _checkpoint(self) -> None:
        self._follow_file()
        with self._engine.connect() as connection:
            # A checkpoint cannot run inside a transaction.
            connection.execution_options(begin=None).exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def _follow_file(self) -> None:
        """SQLite goes on writing to a file that was deleted, and loses it all at the next start: notice that instead."""
        try:
            inode = os.stat(self._path).st_ino
        except OSError:
            raise JournalError(f"The journal {self._path} has gone. Put it back, or restart the gateway for an empty one.") from None
        if inode != self._inode:
            self._engine.dispose()
            self._engine, self._inode = self._make_engine(), inode

    def _make_engine(self) -> SqlEngine:
        # mode=rw: a file that has gone is an error and not a new, empty journal. hide_parameters: errors would quote a visitor's text.
        engine = create_engine(
            f"sqlite:///file:{self._path}?mode=rw&uri=true", future=True, hide_parameters=True, poolclass=QueuePool,
            pool_size=1 + READERS, max_overflow=0, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
        return engine


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where _begin says, not where the driver guesses
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
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
