"""The client of Rasa's channel: one turn, one event, one deletion, one health call."""
from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any, Mapping, Optional

import aiohttp

from assistant.errors import AssistantError

# Rasa says after `rasa_turn_seconds` that it is late; this much longer is given to a server that says nothing at all.
GRACE_SECONDS = 0.3
LEAST_SECONDS = 0.7
DELETE_SECONDS = 10.0


class RasaDown(AssistantError):
    """Rasa gave no usable answer; `reason` is a short word for the metrics."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Rasa did not answer ({reason}).")
        self.reason = reason


@dataclass(frozen=True)
class RasaTurn:
    """What one turn in Rasa came to."""

    model: str
    intent: str
    confidence: Optional[float]
    alternatives: list[dict[str, Any]]
    actions: list[str]
    messages: list[dict[str, Any]]


class Rasa:
    """Calls `addons/channel.py` (its contract stands in docs/architecture.md)."""

    def __init__(self, url: str, token: str, turn_seconds: float) -> None:
        self._base = f"{url}/webhooks/assistant"
        self._limit = turn_seconds + GRACE_SECONDS
        self._telling: set[asyncio.Task[None]] = set()
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {token}"}, trust_env=False,
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=4),
        )

    async def stop(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def say(self, conversation: str, key: str, text: str, seconds: Optional[float] = None) -> RasaTurn:
        """Send a text. Raises RasaDown."""
        return await self._turn({"conversation": conversation, "id": key, "text": text}, seconds)

    async def press(self, conversation: str, key: str, payload: str, seconds: Optional[float] = None) -> RasaTurn:
        """Send a button's payload, `/intent` or `/intent{"entity": "value"}`, as parse data. Raises RasaDown."""
        intent, brace, rest = payload.lstrip("/").partition("{")
        entities = json.loads(brace + rest) if brace else {}
        body = {"conversation": conversation, "id": key, "intent": intent,
                "entities": [{"entity": name, "value": value} for name, value in entities.items()]}
        return await self._turn(body, seconds)

    def tell_crisis(self, conversation: str, key: str) -> None:
        """Tell Rasa, without text and without waiting, that a crisis was answered, so that a form pauses; best effort."""
        task = asyncio.ensure_future(self._tell({"conversation": conversation, "id": key, "event": "crisis"}))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def delete(self, conversation: str) -> None:
        """Delete the conversation's tracker, under its lock. Raises RasaDown."""
        await self._call("DELETE", f"/conversations/{conversation}", None, DELETE_SECONDS)

    async def model(self) -> str:
        """Return the served model's id. Raises RasaDown."""
        return str((await self._call("GET", "/", None, 2.0)).get("model") or "")

    async def _tell(self, body: Mapping[str, Any]) -> None:
        try:
            await self._call("POST", "/messages", body, self._limit)
        except RasaDown:
            pass

    async def _turn(self, body: Mapping[str, Any], seconds: Optional[float]) -> RasaTurn:
        if seconds is not None and seconds < LEAST_SECONDS:
            raise RasaDown("no time left")  # it waited behind a turn that hung: Rasa is not asked, the visitor not kept waiting
        value = await self._call("POST", "/messages", body, min(self._limit, seconds) if seconds is not None else self._limit)
        turn = _turn(value)
        if not turn.messages:
            raise RasaDown("empty")
        return turn

    async def _call(self, method: str, path: str, body: Optional[Mapping[str, Any]], seconds: float) -> dict[str, Any]:
        try:
            timeout = aiohttp.ClientTimeout(total=max(seconds, 0.05))
            async with self._session.request(method, self._base + path, json=body, timeout=timeout) as response:
                if response.status == 204:
                    return {}
                if response.status != 200:
                    raise RasaDown(str(response.status))
                value = await response.json()
        except asyncio.TimeoutError:
            raise RasaDown("timeout") from None
        except (aiohttp.ClientError, ValueError, OSError):
            raise RasaDown("unreachable") from None
        if not isinstance(value, dict):
            raise RasaDown("garbage")
        return value


def _turn(value: Mapping[str, Any]) -> RasaTurn:
    """Read a turn. What is only recorded may be missing or odd: the visitor still gets the messages."""
    intent = _mapping(value.get("intent"))
    return RasaTurn(
        model=str(value.get("model") or ""), intent=str(intent.get("name") or ""), confidence=_number(intent.get("confidence")),
        # Rasa's own ranking says `name` for the intent.
        alternatives=[{"intent": str(item.get("intent") or item.get("name") or ""), "confidence": _number(item.get("confidence"))}
                      for item in map(_mapping, _list(value.get("alternatives")))],
        actions=[str(item) for item in _list(value.get("actions"))],
        messages=[item for item in _list(value.get("messages")) if isinstance(item, dict)],
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _number(value: Any) -> Optional[float]:
    return float(value) if isinstance(value, (int, float)) else None
