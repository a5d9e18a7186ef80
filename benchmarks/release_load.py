"""`make release-test`: the model is released again and again while visitors write; nothing is lost, nobody waits long.

20 visitors who think for 2 s between messages, on the whole assistant with a folder of its own and the studio as its release
store. The store's current release changes 20 times between two models, each change as soon as Rasa and the gateway have taken up
the one before. Wanted: no message lost or put off, p99 under 1 s, less than 20 MB more memory, each change taken up within 10 s.
"""
from __future__ import annotations

import asyncio
import json
import shutil
import sys
import time
from typing import Any, Dict, List

import aiohttp

from assistant.errors import AssistantError
from assistant.settings import ROOT, Settings
from benchmarks.load_test import FILLING_MESSAGES, Tally, for_messages, memory, put_off, scenario
from scripts.stack import Stack
from studio.answers import with_answers
from studio.releases import Release, Releases

VISITORS, THINK_SECONDS, CHANGES = 20, 2.0, 20
BETWEEN_SECONDS = 3.0  # so that each change meets visitors at work
GIVE_UP_SECONDS = 60.0
MEANINGS = "studio-meaning*.npz"


class ReleaseError(AssistantError):
    """A change was not taken up."""


class Store:
    """The studio's release store, with two models that differ in their version alone."""

    def __init__(self, stack: Stack) -> None:
        """Take the release that the studio has made of the trained model, and add one. Raises ReleaseError, ModelError."""
        self.stack, self.releases = stack, Releases(stack.var / "releases")
        first = _soon(self.releases.current, "the studio has taken up the trained model")
        archive = stack.var / "second.tar.gz"
        version = with_answers(self.releases.archive(first.id), ROOT, archive)
        second = self.releases.add(archive, Release("second", version, "", "benchmark", "the same again", time.time(), ""))
        self.choices = (first, second)

    async def change(self, http: aiohttp.ClientSession, number: int) -> float:
        """Make the other model current; return the seconds until Rasa and the gateway serve it. Raises ReleaseError."""
        chosen = self.choices[(number + 1) % 2]
        self.releases.activate(chosen.id, "benchmark")
        started = time.monotonic()
        while time.monotonic() - started < GIVE_UP_SECONDS:
            async with http.get(f"{self.stack.base}/health/ready") as response:
                if set((await response.json())["release"].values()) == {chosen.version}:
                    return time.monotonic() - started
            await asyncio.sleep(0.1)
        raise ReleaseError(f"release {chosen.version} was not taken up within {GIVE_UP_SECONDS:g} s: {self.stack.tail()}")


async def run(store: Store, visitors: int = VISITORS, think: float = THINK_SECONDS, changes: int = CHANGES) -> Dict[str, Any]:
    """Return the figures of `changes` under load. Raises ReleaseError."""
    stack, changing, taken, before = store.stack, True, [], {}
    put_off_before = put_off(stack.var)

    async def change() -> None:
        nonlocal changing, before
        try:
            async with aiohttp.ClientSession() as http:
                await store.change(http, 0)  # both models have been in memory once
                before = memory(stack)
                for number in range(1, changes + 1):
                    await asyncio.sleep(BETWEEN_SECONDS)
                    taken.append(await store.change(http, number))
                    print(f"\rchange {number} of {changes}", end="", file=sys.stderr)
        finally:
            changing = False
            print(file=sys.stderr)

    def going(tally: Tally, seconds: float) -> bool:
        return changing

    figures, _ = await asyncio.gather(scenario(stack.base, visitors, think, going), change())
    after = memory(stack)
    return {**figures, "changes": len(taken), "put_off": put_off(stack.var) - put_off_before, "slowest_change_seconds": round(max(taken), 1),
            "memory_growth_mb": {name: round(after[name] - before[name], 1) for name in ("rasa", "gateway")}}


def _soon(look: Any, what: str, seconds: float = 120.0) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.2)
    raise ReleaseError(f"{what}: not within {seconds:g} s.")


def _embedded(stack: Stack) -> None:
    """Wait until the studio has compared all phrasings, which it does once, at its first start, and which would be measured too."""
    _soon(lambda: list(stack.var.glob(MEANINGS)), "the studio has compared all phrasings", 600.0)


def main() -> int:
    """Measure; return 0 when everything was as wanted."""
    try:
        stack = Stack(parts=("rasa", "actions", "gateway", "studio"))
        stack.var.mkdir(mode=0o700)
        for known in Settings.from_env().var.glob(MEANINGS):
            shutil.copy(known, stack.var)
        with stack:
            _embedded(stack)
            asyncio.run(scenario(stack.base, 10, 0, for_messages(FILLING_MESSAGES)))
            result = asyncio.run(run(Store(stack)))
    except AssistantError as error:
        print(f"make release-test: {error}", file=sys.stderr)
        return 1
    for name, value in result.items():
        print(f"{name:<24}{value}")
    print(json.dumps(result))
    missed = _missed(result)
    for line in missed:
        print(f"make release-test: {line}", file=sys.stderr)
    return 1 if missed else 0


def _missed(result: Dict[str, Any]) -> List[str]:
    """Return what was not as wanted."""
    grown = max(result["memory_growth_mb"].values())
    checks = {
        f"errors: {result['errors']}": not result["errors"],
        f"{result['put_off']} messages were put off": not result["put_off"],
        f"p99 is {result['p99_ms']} ms, not under 1 s": result["p99_ms"] < 1000,
        f"memory grew by {grown} MB, not by less than 20": grown < 20,
        f"a change took {result['slowest_change_seconds']} s, not under 10": result["slowest_change_seconds"] < 10,
    }
    return [line for line, good in checks.items() if not good]


if __name__ == "__main__":
    sys.exit(main())
