"""Counts the hand-offs, with no trace of who followed the link; a count is never worth a visitor's wait."""
from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Optional

from assistant.directory.counts import Counts
from assistant.errors import DirectoryError
from assistant.settings import Settings
from gateway.errors import log_failure


class Clicks:
    """The counter of links to a therapist or the search that were opened; a thread of its own does the writing."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._counts: Optional[Counts] = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="clicks")

    def count(self) -> None:
        """Count one click, behind the visitor's back and without raising."""
        self._thread.submit(self._count)

    def stop(self) -> None:
        """Write what is in hand and let the thread go."""
        self._thread.shutdown(wait=False)

    def _count(self) -> None:
        try:
            self._counts = self._counts or Counts(self._settings)
            self._counts.add("clicked")
        except DirectoryError as error:
            log_failure("count of a hand-off", error)
