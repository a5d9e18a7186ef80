"""`make load-test`: visitors in real conversations of ten turns, with time to think and without.

At 1, 10, 50 and 200 visitors at once it prints throughput, latency, errors by kind; then the growth of memory over
20,000 messages. One JSON line last, by concurrency, with the processor milliseconds that a message costs each process.
The stack is the whole assistant with a folder of its own.
"""
from __future__ import annotations

import asyncio
import json
import os
import random
import sqlite3
import sys
import time
import uuid
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence

import aiohttp
import numpy as np

from assistant.errors import AssistantError
from scripts.stack import Stack

VISITORS = (1, 10, 50, 200)
THINK_SECONDS = 3.0
# Rasa remembers 500 conversations, the gateway more: until then memory grows as it should.
FILLING_MESSAGES, MEMORY_MESSAGES = 5_500, 20_000
SECONDS = 60.0  # how long a scenario goes on starting conversations
# Ten turns each, as visitors have them: questions, follow-ups, feelings, a search, small talk.
CONVERSATIONS: Sequence[Sequence[str]] = (
    ("hi", "what is attachment based therapy", "how does it work", "tell me more", "how many sessions would i need", "and what does it cost",
     "is it on the nhs", "does it work online", "find me a therapist in leeds", "thanks bye"),
    ("hello there", "my relationships always end the same way", "could this help with trust", "is there proof it works", "who is it for",
     "what are the attachment styles", "what about the anxious one", "can that change", "how do i choose someone", "ok thank you"),
    ("is this confidential", "are you a real person", "what happens in a session", "can it make me feel worse",
     "do i have to talk about my childhood", "how long is a session and how often", "online please, for anxiety", "skip",
     "what does secure base mean", "cheers"),
    ("what do you do", "im a bit lost tbh", "whats the difference from cbt", "does it help with depression",
     "my son is adopted, is it for children too",
     "who invented it", "any books", "do i need a gp letter", "whats the weather like", "bye"),
)


@dataclass
class Tally:
    """What one scenario came to."""

    seconds: List[float] = field(default_factory=list)
    failures: "Counter[str]" = field(default_factory=Counter)


async def visit(http: aiohttp.ClientSession, base: str, turns: Sequence[str], think: float, tally: Tally) -> None:
    """Hold one conversation."""
    async with http.post(f"{base}/api/session", json={}) as response:
        if response.status != 201:
            tally.failures[f"session {response.status}"] += 1
            return
        token = (await response.json())["token"]
    for text in turns:
        if think:
            await asyncio.sleep(random.expovariate(1 / think))
        before = time.perf_counter()
        try:
            async with http.post(f"{base}/api/messages", json={"id": str(uuid.uuid4()), "text": text},
                                 headers={"Authorization": f"Bearer {token}"}) as response:
                body = await response.json()
                if response.status == 200 and body.get("messages"):
                    tally.seconds.append(time.perf_counter() - before)
                    token = body.get("token", token)
                elif response.status == 503 and "help" in body:
                    tally.failures["503 with helplines"] += 1
                else:
                    tally.failures[str(response.status)] += 1
        except (aiohttp.ClientError, asyncio.TimeoutError) as error:
            tally.failures[type(error).__name__] += 1


async def scenario(base: str, visitors: int, think: float, going: Callable[[Tally, float], bool]) -> Dict[str, Any]:
    """Return the figures of `visitors` at once, who start conversations while `going(tally, seconds since the start)`."""
    tally = Tally()
    started = time.perf_counter()

    async def one(number: int) -> None:
        await asyncio.sleep(random.uniform(0, think))
        turn = number
        while going(tally, time.perf_counter() - started):
            await visit(http, base, CONVERSATIONS[turn % len(CONVERSATIONS)], think, tally)
            turn += 1

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=30)) as http:
        await asyncio.gather(*(one(number) for number in range(visitors)))
    took = time.perf_counter() - started
    all_ = len(tally.seconds) + sum(tally.failures.values())
    p50, p95, p99 = np.percentile(tally.seconds, [50, 95, 99]) * 1000 if tally.seconds else (0.0, 0.0, 0.0)
    return {"visitors": visitors, "think_seconds": think, "messages": all_, "per_second": round(all_ / took, 1), "p50_ms": round(p50),
            "p95_ms": round(p95), "p99_ms": round(p99), "errors": dict(tally.failures)}


def for_seconds(limit: float) -> Callable[[Tally, float], bool]:
    """Go on for `limit` seconds."""
    return lambda tally, seconds: seconds < limit


def for_messages(limit: int) -> Callable[[Tally, float], bool]:
    """Go on until `limit` messages were answered."""
    return lambda tally, seconds: len(tally.seconds) < limit


def put_off(var: Path) -> int:
    """Return how many messages got the reply "I can't answer just now", since Rasa took too long: no error, and yet a failure."""
    with closing(sqlite3.connect(f"file:{var / 'journal.db'}?mode=ro", uri=True)) as journal:
        return int(journal.execute("SELECT count(*) FROM turns WHERE outcome = 'unavailable'").fetchone()[0])


def memory(stack: Stack) -> Dict[str, float]:
    """Return the resident memory of each process in MB."""
    return {name: _resident(process.pid) for name, process in stack.processes.items()}


def _resident(pid: int) -> float:
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))


def processor(stack: Stack) -> Dict[str, float]:
    """Return the processor seconds that each process has used so far."""
    used = {}
    for name, process in stack.processes.items():
        with open(f"/proc/{process.pid}/stat", encoding="ascii") as stat:
            user, system = stat.read().rsplit(")", 1)[1].split()[11:13]
        used[name] = (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    return used


def growth(stack: Stack) -> Dict[str, Any]:
    """Return the growth of memory over MEMORY_MESSAGES, in percent by process, once what is remembered is full."""
    asyncio.run(scenario(stack.base, 10, 0, for_messages(FILLING_MESSAGES)))
    before = memory(stack)
    asyncio.run(scenario(stack.base, 10, 0, for_messages(MEMORY_MESSAGES)))
    after = memory(stack)
    return {name: round(100 * (after[name] / before[name] - 1), 2) for name in before}


def _row(figures: Dict[str, Any]) -> str:
    errors = ", ".join(f"{count} × {name}" for name, count in figures["errors"].items()) or "none"
    return (f"{figures['visitors']:>8} {figures['think_seconds']:>6g} {figures['messages']:>9} {figures['per_second']:>8} "
            f"{figures['p50_ms']:>7} {figures['p95_ms']:>7} {figures['p99_ms']:>7}  {errors}")


def main() -> int:
    """Run all scenarios; return the exit code."""
    try:
        with Stack() as stack:
            asyncio.run(scenario(stack.base, 5, 0, for_seconds(5)))  # warm
            print(f"{'visitors':>8} {'think':>6} {'messages':>9} {'per s':>8} {'p50 ms':>7} {'p95 ms':>7} {'p99 ms':>7}  errors")
            results = []
            for think in (THINK_SECONDS, 0.0):
                for visitors in VISITORS:
                    print(f"{visitors} visitors, {think:g} s to think …", file=sys.stderr)
                    before, used = put_off(stack.var), processor(stack)
                    results.append(asyncio.run(scenario(stack.base, visitors, think, for_seconds(SECONDS))))
                    if late := put_off(stack.var) - before:
                        results[-1]["errors"]["put off"] = late
                    results[-1]["processor_ms"] = {name: round(1000 * (after - used[name]) / results[-1]["messages"], 1)
                                                   for name, after in processor(stack).items()}
                    print(_row(results[-1]), flush=True)
            print(f"memory over {MEMORY_MESSAGES} messages …", file=sys.stderr)
            grown = growth(stack)
    except AssistantError as error:
        print(f"make load-test: {error}", file=sys.stderr)
        return 1
    for name, percent in grown.items():
        print(f"memory of {name}: {percent:+.2f} % over {MEMORY_MESSAGES} messages")
    print(json.dumps({"scenarios": results, "memory_growth_percent": grown}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
