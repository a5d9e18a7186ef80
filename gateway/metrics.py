"""Numbers for Prometheus, without a word or a pseudonym of any visitor. Suggested alerts: docs/operations.md."""
from __future__ import annotations

import hmac
import os
from typing import TYPE_CHECKING, Any, Mapping, Optional

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sanic.request import Request
from sanic.response import HTTPResponse, raw

from gateway.errors import Refusal

if TYPE_CHECKING:
    from gateway.records import Answer

LOOPBACK = ("127.0.0.1", "::1")
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 3.0, 4.0, 5.5)


class Metrics:
    """The gateway's counters, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = self._counter("requests", "Answered requests", "route", "status")
        self.request_seconds = self._histogram("request_seconds", "Time to an answer", "route")
        self.turns = self._counter("turns", "Answered messages", "channel", "outcome", "level")
        self.turn_seconds = self._histogram("turn_seconds", "Time to work out an answer", "outcome")
        self.sent = self._counter("sent", "Replies handed to messaging services", "channel", "outcome")
        self.journal_failures = self._counter("journal_failures", "Calls that the journal failed or left hanging")
        self.safety_failures = self._counter("safety_failures", "Safety checks that failed; support was shown")
        self.rate_limited = self._counter("rate_limited", "Messages and sessions refused for being too many")
        self.clicks = self._counter("handoffs", "Links to the directory that were followed", "kind")
        self.expired = self._counter("expired_conversations", "Conversations that retention has emptied")
        self.busy = Gauge("assistant_busy_conversations", "Conversations being worked on", registry=self.registry)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"assistant_{name}", meaning, labels, registry=self.registry)

    def _histogram(self, name: str, meaning: str, *labels: str) -> Histogram:
        return Histogram(f"assistant_{name}", meaning, labels, buckets=SECONDS, registry=self.registry)

    def answered(self, channel: str, answer: "Answer") -> None:
        """Count a turn."""
        self.turns.labels(channel, answer.turn.outcome, answer.turn.level).inc()
        self.turn_seconds.labels(answer.turn.outcome).observe(answer.turn.milliseconds / 1000)

    def text(self) -> bytes:
        """Return all of it in Prometheus' format."""
        return generate_latest(self.registry)


async def show(request: Request) -> HTTPResponse:
    """`GET /metrics`: for a caller on this machine, or one that shows ASSISTANT_METRICS_TOKEN."""
    if not may_see(request, os.environ):
        raise Refusal(404, "not_found", "There is nothing here.")
    parts = request.app.ctx.parts
    parts.metrics.busy.set(parts.delivery.busy)
    return raw(parts.metrics.text(), content_type=CONTENT_TYPE_LATEST)


def may_see(request: Any, env: Mapping[str, str]) -> bool:
    """Return whether the caller may see the metrics. What a proxy on this machine passes on is not from this machine."""
    token: Optional[str] = env.get("ASSISTANT_METRICS_TOKEN")
    given = request.headers.getone("authorization", "")
    if token and hmac.compare_digest(given.encode("utf-8", "replace"), f"Bearer {token}".encode()):
        return True
    forwarded = any(name in request.headers for name in ("x-forwarded-for", "forwarded", "x-real-ip", "via"))
    return request.ip in LOOPBACK and not forwarded
