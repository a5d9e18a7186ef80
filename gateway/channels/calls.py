"""A call of a service's API, and what all of them have in common: 429 and 5xx mean "later", with or without a Retry-After."""
from __future__ import annotations

import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Mapping, Optional

import aiohttp

from gateway.channels.base import TryAgain
from gateway.channels.payload import NOTHING


@dataclass(frozen=True)
class Answer:
    """What a service answered. body: its JSON object, empty when it is none; after: seconds of its Retry-After."""

    status: int
    body: Mapping[str, Any]
    after: Optional[float]
    headers: Mapping[str, str]

    def not_busy(self, after: Optional[float] = None) -> "Answer":
        """Return this answer. Raises TryAgain when it says that the service is busy or broken; `after` replaces the header's."""
        if self.status == 429 or self.status >= 500:
            raise TryAgain(self.after if after is None else after)
        return self


async def call(http: aiohttp.ClientSession, method: str, url: str, **options: Any) -> Answer:
    """Call `url`. Raises aiohttp.ClientError, asyncio.TimeoutError."""
    async with http.request(method, url, allow_redirects=False, **options) as response:
        try:
            body = await response.json(content_type=None)
        except ValueError:
            body = None
        return Answer(response.status, body if isinstance(body, dict) else NOTHING, _seconds(response.headers.get("Retry-After", "")),
                      response.headers)


def bearer(token: str) -> dict[str, str]:
    """Return the header that shows `token`."""
    return {"Authorization": f"Bearer {token}"}


def _seconds(value: str) -> Optional[float]:
    """Retry-After in either of its forms (RFC 9110, 10.2.3): seconds, or a date."""
    try:
        return max(float(int(value)), 0.0)
    except ValueError:
        pass
    try:
        return max(parsedate_to_datetime(value).timestamp() - time.time(), 0.0)
    except (TypeError, ValueError, IndexError):
        return None
