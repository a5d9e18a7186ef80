"""`make crash-test N=…`: the gateway is killed at random while a messaging service posts; nothing is lost or doubled.

A service of the test's own posts N signed messages of several people, each again and again until it is acknowledged,
as real ones do. Meanwhile the gateway is ended with SIGKILL at random points, at least N/10 times, and started again.
At the end every acknowledged message must have exactly one answer: alone or together with its neighbours, since the
gateway takes up messages of one person that come close together as one. A reply that is delivered again under its own
key (killed between the delivery and its note) is the same answer; it is counted as `repeated`.
"""
from __future__ import annotations

import asyncio
import json
import os
import random
import re
import signal
import sys
import tempfile
import time
import uuid
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, Dict, List, Optional, Set

import aiohttp
from aiohttp import web

from assistant.errors import AssistantError
from assistant.secrets import internal_token
from assistant.settings import ROOT, Settings
from benchmarks.crash_gateway import NAME, sign
from scripts.local_services import free_port

PEOPLE = 20
QUIET_SECONDS = 60.0  # with nothing new for so long, what is missing counts as lost
TOKEN = re.compile(r"\bm\d{6}\b")


class CrashError(AssistantError):
    """The test could not be made."""


class World:
    """The service that posts and takes replies, and the Rasa that answers; both in this process, never killed."""

    def __init__(self, messages: int) -> None:
        """messages: how many will be posted."""
        self.messages = messages
        self.acknowledged: Set[str] = set()
        self.answers: Dict[str, Set[str]] = defaultdict(set)  # message -> keys of the replies that answer it
        self.deliveries: "Counter[str]" = Counter()
        self.last_news = time.monotonic()

    async def take_reply(self, request: web.Request) -> web.Response:
        """Note a reply that the gateway sends."""
        body = await request.json()
        self.deliveries[body["key"]] += 1
        for token in TOKEN.findall(body["text"]):
            self.answers[token].add(body["key"])
        self.last_news = time.monotonic()
        return web.Response()

    async def rasa(self, request: web.Request) -> web.Response:
        """Answer as Rasa's channel does, with the visitor's own words."""
        body = await request.json()
        await asyncio.sleep(random.uniform(0, 0.03))
        said = {"text": f"You wrote {body.get('text') or body.get('intent')}"}
        return web.json_response({"model": "crash-test", "intent": {"name": "greet", "confidence": 1.0}, "alternatives": [],
                                  "questions": [], "actions": ["utter_greet"], "messages": [said]})

    @property
    def lost(self) -> List[str]:
        """Return the acknowledged messages without an answer."""
        return sorted(self.acknowledged - self.answers.keys())

    @property
    def doubled(self) -> List[str]:
        """Return the messages that more than one reply answers."""
        return sorted(token for token, keys in self.answers.items() if len(keys) > 1)


class Victim:
    """The gateway's process."""

    def __init__(self, env: Dict[str, str], replies: str, port: int, log: Path) -> None:
        """env: its environment; replies: the service's address; port: where it listens; log: what it prints."""
        self._env, self._replies, self.base, self._log = env, replies, f"http://127.0.0.1:{port}", log
        self.kills = 0
        self._process: Optional[asyncio.subprocess.Process] = None

    async def start(self, http: aiohttp.ClientSession, seconds: float = 60.0) -> None:
        """Start it and wait until it is alive; raises CrashError."""
        with open(self._log, "ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-W", "ignore", "-m", "benchmarks.crash_gateway", self._replies, cwd=ROOT, env=self._env,
                stdout=log, stderr=log,
            )
        end = time.monotonic() + seconds
        while time.monotonic() < end and self._process.returncode is None:
            try:
                async with http.get(f"{self.base}/health/live") as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.02)
        raise CrashError(f"the gateway did not start: {self._log.read_text(errors='replace').strip().splitlines()[-1:]}")

    async def kill(self) -> None:
        """End it as a power cut would."""
        if self._process and self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()
            self.kills += 1

    async def end(self) -> None:
        """End it for good, not counted."""
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


async def post(world: World, victim: Victim, http: aiohttp.ClientSession, person: int, numbers: List[int], allowed: "Allowance") -> None:
    """Post one person's messages in order, each until it is acknowledged."""
    for number in numbers:
        await allowed.until(number)
        token = f"m{number:06d}"
        body = json.dumps({"id": uuid.uuid4().hex, "from": f"person-{person}", "text": token}).encode()
        while token not in world.acknowledged:
            try:
                async with http.post(f"{victim.base}/webhooks/{NAME}", data=body, headers={"X-Signature": sign(body)}) as response:
                    if response.status == 200:
                        world.acknowledged.add(token)
            except (aiohttp.ClientError, asyncio.TimeoutError):
                pass
            if token not in world.acknowledged:
                await asyncio.sleep(0.05)


class Allowance:
    """Spreads the messages over the kills, so that every kill meets some on their way."""

    def __init__(self, messages: int, kills: int) -> None:
        """messages, kills: how many there will be."""
        self._each = max(1, messages // kills)
        self._most = self._each
        self._more = asyncio.Condition()

    async def until(self, number: int) -> None:
        """Wait until message `number` may be posted."""
        async with self._more:
            await self._more.wait_for(lambda: number < self._most)

    async def raise_(self) -> None:
        """Allow the messages of another kill."""
        async with self._more:
            self._most += self._each
            self._more.notify_all()


async def run(messages: int, folder: Path) -> Dict[str, Any]:
    """Return {"acknowledged", "kills", "lost", "doubled", "repeated"} of a test with `messages` messages; raises CrashError."""
    kills = max(5, messages // 10)
    port, service_port = free_port(), free_port()
    env = {**os.environ, "ASSISTANT_VAR": str(folder), "ASSISTANT_PORT": str(port), "ASSISTANT_RASA_URL": f"http://127.0.0.1:{service_port}",
           "ASSISTANT_COALESCE_SECONDS": "0.1", "ASSISTANT_COALESCE_LONGEST_SECONDS": "0.3", "PYTHONPATH": str(ROOT)}
    internal_token(Settings.from_env({key: value for key, value in env.items() if key.startswith("ASSISTANT_")}))
    world = World(messages)
    runner = await _serve(world, service_port)
    victim = Victim(env, f"http://127.0.0.1:{service_port}/send", port, folder / "log")
    allowed = Allowance(messages, kills)
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http:
            await victim.start(http)
            shares = [list(range(person, messages, PEOPLE)) for person in range(PEOPLE)]
            posting = asyncio.gather(*(post(world, victim, http, person, share, allowed) for person, share in enumerate(shares)))
            while victim.kills < kills:
                await _under_way(world, random.randint(0, max(1, messages // kills)))
                await asyncio.sleep(random.uniform(0.0, 0.3))
                await victim.kill()
                print(f"\rkilled {victim.kills} of {kills}, acknowledged {len(world.acknowledged)} of {messages}", end="", file=sys.stderr)
                await victim.start(http)
                await allowed.raise_()
            await posting
            world.last_news = time.monotonic()
            while world.lost and time.monotonic() - world.last_news < QUIET_SECONDS:
                await asyncio.sleep(0.1)
            await asyncio.sleep(2.0)  # a second answer would come now
    finally:
        await victim.end()
        await runner.cleanup()
        print(file=sys.stderr)
    repeated = sum(count - 1 for count in world.deliveries.values())
    return {"acknowledged": len(world.acknowledged), "kills": victim.kills, "lost": len(world.lost), "doubled": len(world.doubled),
            "repeated": repeated}


async def _under_way(world: World, more: int, seconds: float = 10.0) -> None:
    """Wait until `more` messages are acknowledged, so that kills meet messages at every stage; not longer than `seconds`."""
    enough, end = len(world.acknowledged) + more, time.monotonic() + seconds
    while len(world.acknowledged) < min(enough, world.messages) and time.monotonic() < end:
        await asyncio.sleep(0.005)


async def _serve(world: World, port: int) -> web.AppRunner:
    app = web.Application()
    app.router.add_post("/send", world.take_reply)
    app.router.add_post("/webhooks/assistant/messages", world.rasa)
    app.router.add_get("/webhooks/assistant/", world.rasa)
    app.router.add_delete("/webhooks/assistant/conversations/{id}", world.rasa)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner


def main() -> int:
    """Run the test with as many messages as the argument says; return 0 when nothing was lost or doubled."""
    try:
        messages = int(sys.argv[1]) if len(sys.argv) == 2 else 0
        if messages < 1:
            raise CrashError("N is missing or not a whole number from 1: make crash-test N=1000")
        with tempfile.TemporaryDirectory(prefix="assistant-crash-") as folder:
            result = asyncio.run(run(messages, Path(folder)))
    except ValueError:
        print(f"make crash-test: N={sys.argv[1]!r}: give a whole number from 1.", file=sys.stderr)
        return 2
    except AssistantError as error:
        print(f"make crash-test: {error}", file=sys.stderr)
        return 1
    for name, value in result.items():
        print(f"{name:<14}{value:>8}")
    print(json.dumps(result))
    return 0 if result["lost"] == result["doubled"] == 0 and result["acknowledged"] == messages else 1


if __name__ == "__main__":
    sys.exit(main())
