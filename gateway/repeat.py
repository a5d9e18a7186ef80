"""A job that runs again and again, and stops between two runs, never in the middle of one."""
from __future__ import annotations

import asyncio
from typing import Awaitable, Callable, Optional

from gateway.errors import JournalError, log_failure

STOP_SECONDS = 5.0


class Repeating:
    """Runs `job` every `seconds`; what fails is tried again at the next turn."""

    def __init__(self, name: str, seconds: float, job: Callable[[], Awaitable[None]]) -> None:
        self._name, self._seconds, self._job = name, seconds, job
        self._stopping = asyncio.Event()
        self._task: Optional[asyncio.Task[None]] = None

    def start(self) -> None:
        """Begin; the first run is now."""
        self._task = asyncio.ensure_future(self._run())

    async def stop(self) -> None:
        """Run no more; a run that is under way is let finish."""
        self._stopping.set()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=STOP_SECONDS)

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._job()
            except JournalError:
                pass  # reported where it arose
            except Exception as error:
                log_failure(self._name, error)
            try:
                await asyncio.wait_for(self._stopping.wait(), self._seconds)
            except asyncio.TimeoutError:
                pass
