"""The gateway is killed between acknowledgement and reply: every acknowledged message is answered once after the restart."""
import asyncio
import os
import signal
import sys

import aiohttp
import pytest
import pytest_asyncio
from fakes import SERVICES
from support import CRISIS, FakeRasa, free_port, until

from assistant.settings import ROOT, Settings

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(180)]
START_SECONDS = 60.0
QUIET_SECONDS = 1.0


class Process:
    """The real gateway with all five channels on, as `make run` starts it, and the fakes of their services."""

    def __init__(self, folder, services):
        self.services = services
        self.port, rasa = free_port(), free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        given = {name: value for service in services.values() for name, value in service.env.items()}
        given.update({"ASSISTANT_VAR": str(folder / "var"), "ASSISTANT_PORT": str(self.port), "ASSISTANT_RASA_PORT": str(rasa),
                      "ASSISTANT_RASA_URL": f"http://127.0.0.1:{rasa}", "ASSISTANT_COALESCE_SECONDS": "1"})
        self.settings = Settings.from_env(given)
        self.env = {**{name: value for name, value in os.environ.items() if not name.startswith("ASSISTANT_")}, **given,
                    "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
        self.rasa = FakeRasa(self.settings)
        self.process = None

    async def start(self, http):
        """Start and wait until it lives."""
        self.process = await asyncio.create_subprocess_exec(sys.executable, "-W", "ignore", "-m", "gateway", cwd=ROOT, env=self.env,
                                                            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL)

        async def alive():
            assert self.process.returncode is None, "the gateway did not start"
            try:
                async with http.get(f"{self.base}/health/live") as response:
                    return response.status == 200
            except aiohttp.ClientError:
                return False

        await until(alive, START_SECONDS)

    async def kill(self):
        """End it as a power cut would."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
            await self.process.wait()

    async def write(self, http, text):
        """One person on each service writes; all are acknowledged."""
        async def one(service):
            call = service.text(service.user, text)
            async with http.post(f"{self.base}/webhooks/{service.name}", data=call.body, headers=call.headers) as response:
                assert response.status == 200, service.name

        await asyncio.gather(*(one(service) for service in self.services.values()))

    async def answered(self, text):
        """Each person has got one message with `text`, and gets no second one."""
        def counts():
            return [sum(text in sent.text for sent in service.sent) for service in self.services.values()]

        await until(lambda: min(counts()) >= 1, START_SECONDS)
        await asyncio.sleep(QUIET_SECONDS)  # the second one would come now
        assert counts() == [1] * len(self.services)


@pytest_asyncio.fixture
async def world(tmp_path):
    """(the gateway's process, an HTTP session)"""
    services = {name: await fake().start() for name, fake in SERVICES.items()}
    process = Process(tmp_path, services)
    await process.rasa.start(process.settings.rasa_port)
    async with aiohttp.ClientSession() as http:
        await process.start(http)
        yield process, http
        await process.kill()
    await process.rasa.stop()
    for service in services.values():
        await service.stop()
        assert service.wrong == []


async def test_killed_between_acknowledgement_and_reply(world):
    process, http = world
    await process.write(http, "How much is it?")
    await process.kill()
    assert not any(service.sent for service in process.services.values())
    await process.start(http)
    await process.answered("You said How much is it?")


async def test_killed_while_the_services_are_away_with_a_crisis_and_a_question_unanswered(world):
    process, http = world
    for service in process.services.values():
        service.plan.extend([("hang",)] * 4)
    await process.write(http, CRISIS)
    await process.write(http, "How much is it?")
    await until(lambda: all(service.tries for service in process.services.values()))
    await process.kill()
    for service in process.services.values():
        service.plan.clear()
    await process.start(http)
    await process.answered("You said How much is it?")
    neutral = "Thank you for your message."
    await process.answered(neutral)
