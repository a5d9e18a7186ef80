"""The journal on SQLite: one writing thread, a few reading ones, and one gateway alone."""
from __future__ import annotations

import asyncio
import fcntl
import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any, Optional, Sequence

from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection
from sqlalchemy.engine import Engine as SqlEngine
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import QueuePool

from assistant.errors import SettingsError
from gateway.database import T, Work
from gateway.errors import JournalError
from gateway.schema import metadata

# Less than the limit of a call, so that a locked file is reported as such.
BUSY_SECONDS = 1.5
READERS = 2
# Transactions committed together at most.
TOGETHER = 64


@dataclass
class _Job:
    """A transaction that waits for the writer, and where its result goes."""

    work: Work[Any]
    future: "Future[Any]" = field(default_factory=Future)
    result: Any = None
    error: Optional[BaseException] = None

    def settle(self) -> None:
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class SqliteEngine:
    """Runs transactions on the file at `path` in threads of its own.

    SQLite has one writer and waits for the disk at each commit, so all that waits for the writer is committed together, each
    transaction within a savepoint of its own.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._inode: Optional[int] = None
        self._lock_file: Optional[IO[str]] = None
        self._jobs: "SimpleQueue[Optional[_Job]]" = SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="journal-writer", daemon=True)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="journal-reader")
        self._engine = self._make_engine()

    async def start(self, alone: bool) -> None:
        """Create file and tables. Raises SettingsError when `alone` is asked for and another gateway uses the file."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if alone:
            self._lock_file = _exclusive(self._path.with_name(self._path.name + ".lock"))
        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        self._inode = os.stat(self._path).st_ino
        self._writer.start()
        await self.run(metadata.create_all, read=False)

    async def stop(self) -> None:
        """Write what waits, close the connections and let the threads go."""
        self._readers.shutdown(wait=False)
        self._jobs.put(None)
        if self._writer.is_alive():
            await asyncio.get_running_loop().run_in_executor(None, self._writer.join)
        self._engine.dispose()
        if self._lock_file is not None:
            self._lock_file.close()

    async def run(self, work: Work[T], read: bool) -> T:
        """Run `work` in one transaction."""
        if read:
            return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)
        job = _Job(work)
        self._jobs.put(job)
        result: T = await asyncio.wrap_future(job.future)
        return result

    async def scrub(self) -> None:
        """Fold the log into the file and cut it to nothing; `secure_delete` has overwritten what was deleted."""
        await asyncio.get_running_loop().run_in_executor(self._readers, self._checkpoint)

    def _read(self, work: Work[T]) -> T:
        self._follow_file()
        with self._engine.connect() as connection, connection.execution_options(begin="BEGIN").begin():
            return work(connection)

    def _write(self) -> None:
        while (job := self._jobs.get()) is not None:
            jobs, last = [job], False
            while len(jobs) < TOGETHER and not self._jobs.empty():
                job = self._jobs.get()
                if job is None:
                    last = True
                    break
                jobs.append(job)
            self._commit([job for job in jobs if job.future.set_running_or_notify_cancel()])
            if last:
                return

    def _commit(self, jobs: Sequence[_Job]) -> None:
        try:
            self._follow_file()
            with self._engine.connect() as connection, connection.begin():
                for job in jobs:
                    _run(job, connection)
        except Exception as error:
            for job in jobs:
                job.error = job.error or error
        for job in jobs:
            job.settle()

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


def _run(job: _Job, connection: Connection) -> None:
    try:
        with connection.begin_nested():
            job.result = job.work(connection)
    except OperationalError:
        raise  # the database's own trouble is everybody's
    except Exception as error:
        job.error = error


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
