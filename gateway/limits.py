"""How often a visitor may write and open a session; in memory alone, bounded, gone with the process."""
from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict, deque
from typing import Callable, Deque, Optional

REMEMBERED = 20_000


class Window:
    """At most `limit` different items within `seconds` for each visitor."""

    def __init__(self, limit: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit, self._seconds, self._clock = limit, seconds, clock
        self._seen: OrderedDict[str, Deque[tuple[float, str]]] = OrderedDict()

    def wait(self, visitor: str, item: str) -> Optional[float]:
        """Count `item` and return None, or return the seconds until there is room for it.

        An item that was counted already (the copy of a message) is free.
        """
        now = self._clock()
        seen = self._seen.setdefault(visitor, deque())
        self._seen.move_to_end(visitor)
        self._forget(now)
        while seen and seen[0][0] <= now - self._seconds:
            seen.popleft()
        if any(item == counted for _, counted in seen):
            return None
        if len(seen) >= self._limit:
            return seen[0][0] + self._seconds - now
        seen.append((now, item))
        return None

    def __len__(self) -> int:
        """Return how many visitors are remembered."""
        return len(self._seen)

    def _forget(self, now: float) -> None:
        """Drop the visitors whose window has passed, and the longest silent where there are too many; the last is the one at hand."""
        while len(self._seen) > 1:
            longest_silent = next(iter(self._seen.values()))
            if len(self._seen) <= REMEMBERED and longest_silent and longest_silent[-1][0] > now - self._seconds:
                break
            self._seen.popitem(last=False)


class Pseudonym:
    """Turns an address into a short-lived pseudonym: its key lives in this process alone."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def __call__(self, address: str) -> str:
        """Return the pseudonym of `address`."""
        return hmac.new(self._key, address.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:16]
