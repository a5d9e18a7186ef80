"""A circuit breaker: after failures in a row a service is left alone for a while, then tried once (Nygard 2007)."""
from __future__ import annotations

import time
from typing import Callable

FAILURES = 3  # in a row, until the service is left alone
REST = 20.0  # seconds for which it is left alone


class Breaker:
    """Says whether a call may be tried; the caller reports how it went."""

    def __init__(self, failures: int = FAILURES, rest: float = REST, clock: Callable[[], float] = time.monotonic) -> None:
        """`rest` and `clock` are in seconds."""
        self._most, self._rest, self._clock = failures, rest, clock
        self._failed = 0
        self._until = 0.0

    def allows(self) -> bool:
        """Whether to call now. After the rest one call is let through, and others only if it succeeds."""
        if self._failed < self._most:
            return True
        if self._clock() < self._until:
            return False
        self._until = self._clock() + self._rest
        return True

    def succeeded(self) -> None:
        """Note a call that went well: all is open again."""
        self._failed = 0

    def failed(self) -> None:
        """Note a call that failed."""
        self._failed += 1
        if self._failed >= self._most:
            self._until = self._clock() + self._rest
