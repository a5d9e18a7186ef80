"""Is the process alive; can it do its whole work, and if not, what is missing."""
from __future__ import annotations

import asyncio
import time
from typing import Any, Awaitable, Callable, Optional

import aiohttp
from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse, json
from sqlalchemy import text

from gateway.errors import JournalError
from gateway.parts import Parts
from gateway.rasa import RasaDown
from gateway.release import PLAIN_CRISIS

# One look serves all who ask within this time, so that a public address cannot keep Rasa busy.
FRESH_SECONDS = 2.0
CANARY_SECONDS = 2.0
CANARY_TEXT = "hello"
# What the assistant can do without for a while; it is reported all the same.
OPTIONAL = ("actions",)

health = Blueprint("health", url_prefix="/health")


class Readiness:
    """Looks at each dependency with a real call."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._looking: Optional[asyncio.Future[dict[str, Any]]] = None
        self._at = 0.0

    async def look(self) -> dict[str, Any]:
        """Return {"status", "release", "dependencies"}; status is "ready" when all that is not OPTIONAL is well."""
        if self._looking is None or (self._looking.done() and time.monotonic() - self._at > FRESH_SECONDS):
            self._looking = asyncio.ensure_future(self._look())
        return await asyncio.shield(self._looking)

    async def _look(self) -> dict[str, Any]:
        served: dict[str, str] = {}
        looks = {"rasa": lambda: self._canary(served), "journal": self._journal, "safety": self._safety, "actions": self._actions}
        dependencies = dict(zip(looks, await asyncio.gather(*(_timed(look) for look in looks.values()))))
        wanted = self._parts.view().version
        well = all(item["ok"] for name, item in dependencies.items() if name not in OPTIONAL)
        self._at = time.monotonic()
        return {"status": "ready" if well else "not ready", "release": {"wanted": wanted, "served": served.get("model")},
                "dependencies": dependencies}

    async def _canary(self, served: dict[str, str]) -> None:
        """Send a message through the whole of Rasa, in a conversation of this process, and take it away again."""
        conversation = f"canary{self._parts.journal.me}"
        turn = await self._parts.rasa.say(conversation, "canary", CANARY_TEXT, CANARY_SECONDS)
        served["model"] = turn.model
        await self._parts.rasa.delete(conversation)

    async def _actions(self) -> None:
        """The action server: without it the search falls back to the link, and all else works."""
        try:
            async with self._parts.sender.http.get(f"{self._parts.settings.actions_url}/health") as response:
                if response.status != 200:
                    raise RasaDown(str(response.status))
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError):
            raise RasaDown("unreachable") from None

    async def _journal(self) -> None:
        await self._parts.database.write(lambda connection: connection.execute(text("SELECT 1")).scalar())

    async def _safety(self) -> None:
        verdict = await self._parts.safety.verdict(PLAIN_CRISIS)
        if verdict["level"] != "crisis":
            raise JournalError("The safety check does not recognise a plain crisis.")


async def _timed(call: Callable[[], Awaitable[Any]]) -> dict[str, Any]:
    started = time.monotonic()
    try:
        await call()
        problem = None
    except RasaDown as error:
        problem = error.reason
    except JournalError as error:
        problem = str(error)
    found = {"ok": problem is None, "milliseconds": round((time.monotonic() - started) * 1000, 1)}
    return {**found, "problem": problem} if problem else found


@health.get("/live")
async def live(request: Request) -> HTTPResponse:
    """Answer that the process runs; for a supervisor or a load balancer."""
    return json({"status": "ok"})


@health.get("/ready")
async def ready(request: Request) -> HTTPResponse:
    """Answer 200 when everything works, else 503 with what does not; for alerts."""
    found = await request.app.ctx.readiness.look()
    return json(found, 200 if found["status"] == "ready" else 503)
