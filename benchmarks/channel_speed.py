"""`python -m benchmarks.channel_speed [RATE]`: how soon webhooks are acknowledged and forgeries refused, Rasa well and Rasa hanging.

The real gateway with all five channels on gets RATE (default 50) genuine calls a second of many people, at their time whether the
former ones are answered or not, and ten forged ones. The services and Rasa are stood up in this process. Prints a table, and one line of JSON last:
milliseconds, by how Rasa is.
"""
from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import aiohttp
import numpy as np
from aiohttp import web

from assistant.errors import AssistantError
from assistant.settings import ROOT
from scripts.local_services import free_port

sys.path.insert(0, str(ROOT / "tests" / "test_channels"))
from fakes import SERVICES, Call, FakeService  # noqa: E402

PER_SECOND, FORGED_PER_SECOND = 50.0, 10.0
SECONDS = 20.0
PEOPLE = 200
START_SECONDS = 240.0  # the first start fits the safety check
TEXT = "How many sessions would I need, and what does one cost?"


class SpeedError(AssistantError):
    """The measurement could not be made."""


class Rasa:
    """Rasa's channel, well or hanging."""

    def __init__(self) -> None:
        """It is well at first."""
        self.hanging = False

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a turn, or never."""
        if self.hanging:
            await asyncio.sleep(3600)
        return web.json_response({"model": "speed", "intent": {"name": "faq_cost", "confidence": 0.9}, "alternatives": [],
                                  "actions": ["utter_faq_cost"], "messages": [{"text": "It depends on what you need."}]})

    async def start(self, port: int) -> web.AppRunner:
        """Listen."""
        app = web.Application()
        app.router.add_post("/webhooks/assistant/messages", self.answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        return runner


class Gateway:
    """The gateway's process."""

    def __init__(self, folder: Path, services: Dict[str, FakeService], rasa_port: int) -> None:
        """folder: for its journal."""
        port = free_port()
        self.base = f"http://127.0.0.1:{port}"
        self._env = {name: value for name, value in os.environ.items() if not name.startswith("ASSISTANT_")}
        for service in services.values():
            self._env.update(service.env)
        self._env.update(ASSISTANT_VAR=str(folder), ASSISTANT_PORT=str(port), ASSISTANT_RASA_URL=f"http://127.0.0.1:{rasa_port}",
                         ASSISTANT_RASA_PORT=str(rasa_port), ASSISTANT_MESSAGES_PER_MINUTE="100000")

    async def start(self, http: aiohttp.ClientSession) -> asyncio.subprocess.Process:
        """Start it and wait until it lives; raises SpeedError."""
        process = await asyncio.create_subprocess_exec(sys.executable, "-W", "ignore", "-m", "gateway", cwd=ROOT, env=self._env,
                                                       stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL)
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and process.returncode is None:
            try:
                async with http.get(f"{self.base}/health/live") as response:
                    if response.status == 200:
                        return process
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)
        if process.returncode is None:
            process.kill()
        raise SpeedError(f"the gateway did not start within {START_SECONDS:g} s: try `make run` for its message.")


def genuine(services: Dict[str, FakeService]) -> Iterator[Tuple[str, Call]]:
    """Yield calls of each service in turn, each of another person."""
    for number in itertools.count():
        for name, service in services.items():
            person = f"{service.user[:-3]}{number % PEOPLE:03d}"
            yield name, service.text(person, TEXT)


def forged(services: Dict[str, FakeService]) -> Iterator[Tuple[str, Call]]:
    """Yield forgeries of each service in turn."""
    while True:
        for name, service in services.items():
            for _, call in service.forged(service.user):
                yield name, call


async def post(http: aiohttp.ClientSession, base: str, name: str, call: Call) -> Tuple[int, float]:
    """Return (status, milliseconds)."""
    url = f"{base}/webhooks/{name}" + (f"?{call.query}" if call.query else "")
    started = time.perf_counter()
    async with http.request(call.method, url, data=call.body, headers=call.headers) as response:
        await response.read()
        return response.status, (time.perf_counter() - started) * 1000


async def at_a_rate(http: aiohttp.ClientSession, base: str, calls: Iterator[Tuple[str, Call]], rate: float,
                    seconds: float) -> List[Tuple[int, float]]:
    """Return (status, milliseconds) of calls made `rate` times a second."""
    tasks = []
    started = time.monotonic()
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(started + number / rate - time.monotonic(), 0.0))
        tasks.append(asyncio.ensure_future(post(http, base, *next(calls))))
    return list(await asyncio.gather(*tasks))


async def measure(http: aiohttp.ClientSession, base: str, services: Dict[str, FakeService], rate: float) -> Dict[str, Any]:
    """Return the figures of one state of Rasa."""
    taken, refused = await asyncio.gather(at_a_rate(http, base, genuine(services), rate, SECONDS),
                                          at_a_rate(http, base, forged(services), FORGED_PER_SECOND, SECONDS))
    return {"acknowledged": sum(status == 200 for status, _ in taken), "not_acknowledged": sum(status != 200 for status, _ in taken),
            **_percentiles([took for _, took in taken], ""), "refused": sum(status in (401, 403) for status, _ in refused),
            "not_refused": sum(status not in (401, 403) for status, _ in refused), **_percentiles([took for _, took in refused], "forged_")}


def _percentiles(took: List[float], prefix: str) -> Dict[str, float]:
    return {f"{prefix}p{level}": round(float(np.percentile(took, level)), 1) for level in (50, 99, 100)}


async def run(folder: Path, rate: float) -> Dict[str, Any]:
    """Return the figures by how Rasa is. Raises SpeedError."""
    services = {name: await fake().start() for name, fake in SERVICES.items()}
    rasa, rasa_port = Rasa(), free_port()
    runner = await rasa.start(rasa_port)
    gateway = Gateway(folder, services, rasa_port)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        process = await gateway.start(http)
        try:
            alone = await at_a_rate(http, gateway.base, forged(services), 50, 4.0)
            found: Dict[str, Any] = {"rate": rate, "forged_alone": _percentiles([took for _, took in alone], "")}
            for state in ("well", "hanging"):
                rasa.hanging = state == "hanging"
                found[state] = await measure(http, gateway.base, services, rate)
        finally:
            process.terminate()
            await process.wait()
    await runner.cleanup()
    for service in services.values():
        await service.stop()
    return found


def _rate(arguments: List[str]) -> float:
    """Return the calls a second. Raises SpeedError."""
    try:
        rate = float(arguments[0]) if arguments else PER_SECOND
    except ValueError:
        rate = 0.0
    if rate <= 0:
        raise SpeedError(f"RATE={arguments[0]}: give a number of calls a second, such as 50.")
    return rate


def main() -> int:
    """Measure and print; return the exit code."""
    try:
        rate = _rate(sys.argv[1:])
        with tempfile.TemporaryDirectory(prefix="assistant-speed-") as folder:
            found = asyncio.run(run(Path(folder), rate))
    except AssistantError as error:
        print(f"channel_speed: {error}", file=sys.stderr)
        return 1
    print(f"{'Rasa':10} {'acknowledged':>13} {'p50 ms':>8} {'p99 ms':>8} {'most':>8} {'forged p50':>11} {'p99':>8}")
    for state in ("well", "hanging"):
        row = found[state]
        print(f"{state:10} {row['acknowledged']:>13} {row['p50']:>8} {row['p99']:>8} {row['p100']:>8} {row['forged_p50']:>11} "
              f"{row['forged_p99']:>8}")
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
