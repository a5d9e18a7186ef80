"""Two of everything: each replica is killed in turn while visitors write, and comes back. Nobody may notice more than a pause."""
from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import time
import uuid
from collections import Counter, defaultdict

import aiohttp
import pytest
import pytest_asyncio
import sqlalchemy
from aiohttp import web
from patience import within
from support import until

from assistant.secrets import internal_token
from assistant.settings import ROOT, Settings
from benchmarks.crash_gateway import NAME, sign
from benchmarks.load_test import CONVERSATIONS
from scripts.cluster import Cluster
from scripts.local_services import ServiceMissing, free_port, program

pytestmark = pytest.mark.timeout(600)

VISITORS, PEOPLE = 4, 2
THINK_SECONDS = 0.5
LOOKS = {"gateway": "/health/live", "rasa": "/webhooks/assistant/", "actions": "/health"}
# The address of the person's service comes as the gateway's argument.
GATEWAY = "exec python -m benchmarks.crash_gateway http://127.0.0.1:{}/send"


class Replicas:
    """The cluster's processes, each in a group of its own, to be killed and started again."""

    def __init__(self, cluster, log, http):
        self.cluster, self.log, self.http, self._processes = cluster, log, http, {}
        settings = Settings.from_env({"ASSISTANT_VAR": str(cluster.folder)})
        self._headers = {"Authorization": f"Bearer {internal_token(settings, cluster.environment)}"}

    def start(self, name):
        with open(self.log, "ab") as log:
            self._processes[name] = subprocess.Popen(
                self.cluster.commands[name], shell=True, cwd=ROOT, env=self.cluster.env(name), stdout=log, stderr=log, start_new_session=True)

    def kill(self, name):
        process = self._processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    async def works(self, name):
        kind = name.partition(".")[0]
        if kind not in LOOKS:
            return True
        assert self._processes[name].poll() is None, self.log.read_text(errors="replace")[-2000:]
        try:
            async with self.http.get(f"http://127.0.0.1:{self.cluster.ports[name]}{LOOKS[kind]}", headers=self._headers) as response:
                return response.status == 200
        except (aiohttp.ClientError, asyncio.TimeoutError):
            return False

    def end(self):
        for name in list(self._processes):
            self.kill(name)
        self.cluster.clean()


class Crowd:
    """Visitors of the widget and people of a messaging service, who write until told to stop."""

    def __init__(self, http, base):
        self.http, self.base, self.stopping, self.answered = http, base, asyncio.Event(), Counter()
        self.deliveries = defaultdict(list)  # person -> ids of the replies in order of arrival, each once

    async def visit(self, number):
        turn = number
        while not self.stopping.is_set():
            await self._conversation(f"visitor {number}", CONVERSATIONS[turn % len(CONVERSATIONS)])
            turn += 1

    async def _conversation(self, name, turns):
        session, said = await self._insist("POST", "/api/session", {}, 201), []
        for text in turns:
            await asyncio.sleep(THINK_SECONDS)
            identity = str(uuid.uuid4())
            reply = await self._insist("POST", "/api/messages", {"id": identity, "text": text}, 200, session)
            assert reply["messages"], text
            said.append((identity, [message["id"] for message in reply["messages"]]))
            self.answered[name] += 1
        history = await self._insist("GET", "/api/messages", None, 200, session)
        expected = [identity for message, replies in said for identity in (message, *replies)]
        assert [message["id"] for message in history["messages"]] == expected, "lost, doubled or out of order"

    async def _insist(self, method, path, body, wanted, session=None):
        """Send again with the same id until it is answered, as the widget does."""
        end = time.monotonic() + within(40)
        while time.monotonic() < end:
            headers = {"Authorization": f"Bearer {session['token']}"} if session else {}
            try:
                async with self.http.request(method, self.base + path, json=body, headers=headers) as response:
                    assert response.status in (wanted, 502, 503, 504), await response.text()
                    if response.status == wanted:
                        value = await response.json()
                        if session:
                            session["token"] = value["token"]
                        return value
            except (aiohttp.ClientError, asyncio.TimeoutError):
                pass
            await asyncio.sleep(0.5)
        raise AssertionError(f"{method} {path} was not answered")

    async def chat(self, number):
        """Writes, waits for the answer, writes again: so each answer belongs to one message."""
        person = f"person-{number}"
        while not self.stopping.is_set():
            for text in CONVERSATIONS[number]:
                await self._post(person, text)
                self.answered[person] += 1
                await until(lambda: len(self.deliveries[person]) >= self.answered[person], within(60))
                if self.stopping.is_set():
                    return

    async def _post(self, person, text):
        body = json.dumps({"id": uuid.uuid4().hex, "from": person, "text": text}).encode()

        async def acknowledged():
            try:
                async with self.http.post(f"{self.base}/webhooks/{NAME}", data=body, headers={"X-Signature": sign(body)}) as response:
                    return response.status == 200
            except (aiohttp.ClientError, asyncio.TimeoutError):
                return False

        await until(acknowledged, within(40))

    async def take(self, request):
        """The messaging service: takes the replies' parts, and knows a repeated one by its key."""
        body = await request.json()
        reply = body["key"].rpartition(".")[0]
        if reply not in self.deliveries[body["to"]]:
            self.deliveries[body["to"]].append(reply)
        return web.Response()


@pytest_asyncio.fixture
async def world(model, tmp_path):
    """A running cluster and its crowd, which does not write yet."""
    port, service = free_port(), free_port()
    cluster = Cluster(port)
    try:
        for name in ("nginx", "redis-server"):
            program(name)
        cluster.prepare()
    except ServiceMissing as error:
        pytest.skip(f"NO CLUSTER HERE: {error}")
    cluster.environment.update({
        "ASSISTANT_MESSAGES_PER_MINUTE": "100000", "ASSISTANT_SESSIONS_PER_SECOND": "100000",
        "ASSISTANT_COALESCE_SECONDS": "0.1", "ASSISTANT_COALESCE_LONGEST_SECONDS": "0.3",
    })
    cluster.commands.update({f"gateway.{number}": GATEWAY.format(service) for number in range(2)})
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=20)) as http:
        replicas, crowd = Replicas(cluster, tmp_path / "log", http), Crowd(http, f"http://127.0.0.1:{port}")
        app = web.Application()
        app.router.add_post("/send", crowd.take)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", service).start()
        try:
            for name in cluster.commands:
                replicas.start(name)
            await everything_works(replicas)
            yield replicas, crowd
        finally:
            replicas.end()
            await runner.cleanup()


async def everything_works(replicas):
    for name in replicas.cluster.commands:
        await until(lambda name=name: replicas.works(name), within(120))


async def test_each_replica_is_killed_in_turn_and_nothing_is_lost(world):
    replicas, crowd = world
    writing = asyncio.gather(*(crowd.visit(number) for number in range(VISITORS)), *(crowd.chat(number) for number in range(PEOPLE)))
    for name in ("gateway.0", "gateway.1", "rasa.0", "rasa.1", "actions.0", "actions.1"):
        before = dict(crowd.answered)
        replicas.kill(name)
        # Everybody is answered while it is away ...
        await until(lambda before=before: writing.done() or _all_further(crowd, before), within(60))
        replicas.start(name)
        await until(lambda name=name: replicas.works(name), within(90))
        assert not writing.done(), writing.exception()
    crowd.stopping.set()
    await writing
    # ... and exactly once.
    for number in range(PEOPLE):
        assert len(crowd.deliveries[f"person-{number}"]) == crowd.answered[f"person-{number}"]
    outcomes = _outcomes(replicas.cluster)
    # Rasa answered: a turn fails where its server dies over it, or waits behind that one, and nowhere else.
    assert outcomes['["rasa:500"]'] <= VISITORS + PEOPLE and outcomes["rasa"] > outcomes.total() / 2, outcomes


def _all_further(crowd, before):
    return len(crowd.answered) == VISITORS + PEOPLE and all(crowd.answered[name] > count for name, count in before.items())


def _outcomes(cluster):
    engine = sqlalchemy.create_engine(cluster.environment["ASSISTANT_JOURNAL_URL"])
    with engine.connect() as connection:
        counted = "SELECT CASE outcome WHEN 'unavailable' THEN actions ELSE outcome END, count(*) FROM turns GROUP BY 1"
        return Counter(dict(connection.execute(sqlalchemy.text(counted)).all()))
