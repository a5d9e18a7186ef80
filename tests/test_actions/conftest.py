"""A real action server and a real Rasa: what the visitor of tests/test_actions talks to."""
import asyncio
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
import uuid

import pytest

from assistant.settings import ROOT, Settings
from scripts.places_extract import build

STARTS_WITHIN = 30.0  # seconds


class Visitor:
    """Talks to Rasa in one conversation and keeps what was said last."""

    def __init__(self, agent):
        self._agent, self._conversation = agent, uuid.uuid4().hex
        self.messages, self.tracker = [], None

    def says(self, text, **entities):
        """Send a text, or the button `/intent` with entities; return the texts of the reply, joined."""
        from rasa.core.channels.channel import CollectingOutputChannel, UserMessage

        channel, message = CollectingOutputChannel(), {}
        if text.startswith("/"):
            found = [{"entity": name, "value": value, "start": 0, "end": 0} for name, value in entities.items()]
            message = {"parse_data": {"text": "", "intent": {"name": text[1:], "confidence": 1.0}, "entities": found}}
        asyncio.run(self._agent.handle_message(UserMessage("" if message else text, channel, self._conversation, **message)))
        self.tracker = asyncio.run(self._agent.tracker_store.retrieve(self._conversation))
        self.messages = channel.messages
        return "\n".join(part["text"] for part in self.messages if part.get("text"))

    @property
    def buttons(self):
        return {button["title"]: button["payload"] for part in self.messages for button in part.get("buttons", [])}

    def presses(self, title):
        """Press a button of the last reply."""
        intent, _, entities = self.buttons[title].partition("{")
        return self.says(intent, **(json.loads("{" + entities) if entities else {}))

    def custom(self, kind):
        return next((part["custom"] for part in self.messages if part.get("custom", {}).get("type") == kind), None)

    @property
    def cards(self):
        return (self.custom("cards") or {"cards": []})["cards"]

    def slot(self, name):
        return self.tracker.get_slot(name)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def action_server(tmp_path_factory):
    """Start the action server alone; yield its address and the seconds it took."""
    build(Settings.from_env())
    port, started = free_port(), time.monotonic()
    env = {**os.environ, "ASSISTANT_VAR": str(tmp_path_factory.mktemp("var")), "SANIC_HOST": "127.0.0.1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "ignore", "-m", "rasa_sdk", "--actions", "actions", "--port", str(port)]
    log = (tmp_path_factory.mktemp("log") / "actions.log").open("w+")
    server = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT)
    try:
        while not _answers(f"http://127.0.0.1:{port}/health"):
            assert server.poll() is None and time.monotonic() - started < STARTS_WITHIN, (log.seek(0), log.read())
            time.sleep(0.05)
        server.url, server.seconds, server.log = f"http://127.0.0.1:{port}", time.monotonic() - started, log
        yield server
    finally:
        server.terminate()
        server.wait(10)


def _answers(url):
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return answer.status == 200
    except OSError:
        return False


@pytest.fixture(scope="session")
def agent(action_server):
    """Rasa with the project's own model and responses."""
    from rasa.core.agent import Agent
    from rasa.utils.endpoints import EndpointConfig

    from scripts.train import train

    return Agent.load(
        str(train(Settings.from_env())), action_endpoint=EndpointConfig(f"{action_server.url}/webhook"),
        generator=EndpointConfig(type="addons.nlg.Responses"),
    )


@pytest.fixture
def visitor(agent):
    return Visitor(agent)
