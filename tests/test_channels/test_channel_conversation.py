"""One conversation, from one table of expectations, on the widget and on all five services, through the whole assistant."""
from __future__ import annotations

import dataclasses
import itertools
import re
import time
import uuid
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from fakes import SERVICES
from support import until

from assistant.content import load_topics
from assistant.settings import ROOT
from gateway.texts import load
from scripts.stack import Stack

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(900)]
REPLY_SECONDS = 30.0


@dataclasses.dataclass(frozen=True)
class Reply:
    """What a person gets: all its words, and the choices in it, as label -> what is sent to choose it."""

    text: str
    choices: dict[str, Any]

    def holds(self, text: str) -> bool:
        """Whether the reply holds `text`, wherever lines were broken."""
        return flat(text) in flat(self.text)


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@dataclasses.dataclass(frozen=True)
class Step:
    """What the person does, and what the reply must hold. expect: intents, whose answers; holds: words; offers: a label."""

    does: str  # say, press, number, words
    what: str
    expect: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()
    offers: str = ""


QUESTION, RELATED = "How many sessions will I need?", "How long is one?"
TABLE = [
    Step("say", "hello", expect=("greet",)),
    Step("say", QUESTION, expect=("faq_number_of_sessions",), offers=RELATED),
    Step("press", RELATED, expect=("faq_session_length",)),
    Step("say", QUESTION, expect=("faq_number_of_sessions",), offers=RELATED),
    Step("number", RELATED, expect=("faq_session_length",)),
    Step("say", QUESTION, expect=("faq_number_of_sessions",), offers=RELATED),
    Step("words", RELATED, expect=("faq_session_length",)),
    Step("say", "What does it cost, and is what I say confidential?", expect=("faq_cost", "faq_confidentiality")),
    Step("say", "Find me a therapist in Leeds for anxiety, online", holds=("Leeds", "http")),
    Step("say", "I want to kill myself", holds=("Samaritans", "call")),
    Step("say", "delete my data", offers="Delete my chat"),
    Step("press", "Delete my chat", holds=("Your chat has been deleted.",)),
]


class WidgetPerson:
    """Somebody at the widget's API."""

    def __init__(self, http: aiohttp.ClientSession, stack: Stack) -> None:
        self._http, self._base, self._headers = http, stack.base, {}

    async def start(self) -> None:
        async with self._http.post(f"{self._base}/api/session", json={}) as response:
            self._headers = {"Authorization": f"Bearer {(await response.json())['token']}"}

    async def say(self, text: str) -> Reply:
        return await self._send(text=text)

    async def press(self, choice: Any) -> Reply:
        return await self._send(choice=choice)

    async def _send(self, **message: str) -> Reply:
        body = {"id": str(uuid.uuid4()), **message}
        async with self._http.post(f"{self._base}/api/messages", json=body, headers=self._headers) as response:
            value = await response.json()
            assert response.status == 200, value
        choices = {choice["label"]: choice["choice"] for part in value["messages"] for choice in part.get("choices", [])}
        return Reply(str(value["messages"]), choices)


class PhonePerson:
    """Somebody on a messaging service."""

    def __init__(self, http: aiohttp.ClientSession, stack: Stack, service: Any) -> None:
        self._http, self._base, self._service = http, stack.base, service

    async def start(self) -> None:
        """There is nothing to open."""

    async def say(self, text: str) -> Reply:
        return await self._send(self._service.text(self._service.user, text))

    async def press(self, choice: Any) -> Reply:
        if isinstance(choice, int):  # there are no buttons: the number takes their place
            return await self.say(str(choice))
        return await self._send(self._service.press(self._service.user, choice))

    async def _send(self, call: Any) -> Reply:
        before = len(self._service.sent)
        url = f"{self._base}/webhooks/{self._service.name}"
        async with self._http.post(url, data=call.body, headers=call.headers) as response:
            assert response.status == 200
        await until(lambda: len(self._service.sent) > before, REPLY_SECONDS)
        at = self._service.sent[-1].at
        await until(lambda: self._service.sent[-1].at < time.monotonic() - 0.5 and self._service.sent[-1].at >= at)
        parts = self._service.sent[before:]
        text = "\n".join(part.text for part in parts)
        numbered = {label: int(number) for number, label in re.findall(r"^(\d+)\. (.+)$", text, re.MULTILINE)}
        return Reply(text, {**numbered, **dict(itertools.chain(*(part.options for part in parts)))})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world():
    """(the whole assistant, the fakes, an HTTP session); the directory's samples are shown on loopback alone, so that is its address."""
    services = {name: await fake().start() for name, fake in SERVICES.items()}
    stack = Stack(wait=False, parts=())
    for service in services.values():
        service.public = stack.base
        stack.env.update(service.env)
    stack.env.update(ASSISTANT_COALESCE_SECONDS="0.1", ASSISTANT_COALESCE_LONGEST_SECONDS="0.3", ASSISTANT_RASA_TURN_SECONDS="20")
    with stack:
        for part in ("rasa", "actions", "gateway"):
            stack.start(part)
        stack.ready(240.0)
        async with aiohttp.ClientSession() as http:
            yield stack, services, http
    for service in services.values():
        await service.stop()


@pytest.fixture(scope="module")
def answers():
    """Intent -> the answers that a visitor may get."""
    return {topic.intent: [variation.text for variation in topic.responses.get(topic.utterance, ())] for topic in load_topics(ROOT)}


@pytest.mark.parametrize("name", ["web", *SERVICES])
async def test_the_conversation_is_the_same_everywhere(name, world, answers):
    stack, services, http = world
    person = WidgetPerson(http, stack) if name == "web" else PhonePerson(http, stack, services[name])
    await person.start()
    notice, neutral = load(ROOT, 24).notice, load(ROOT, 24).neutral
    reply = Reply("", {})
    for number, step in enumerate(TABLE):
        where = f"step {number}, {step.does} {step.what!r}: {reply.text}"
        if step.does == "say":
            reply = await person.say(step.what)
        elif step.does == "words":
            reply = await person.say(step.what)
        elif step.does == "number":
            reply = await person.say(str(list(reply.choices).index(step.what) + 1))
        else:
            reply = await person.press(reply.choices[step.what])
        where = f"step {number}, {step.does} {step.what!r}: {reply.text}"
        for intent in step.expect:
            assert any(reply.holds(text) for text in answers[intent]), where
        assert all(reply.holds(text) for text in step.holds), where
        assert not step.offers or step.offers in reply.choices, where
        if name != "web":
            assert reply.holds(notice) == (number == 0), where
            assert reply.text.startswith(neutral) == (step.what == "I want to kill myself"), where
        assert "/faq_" not in reply.text and "gateway:" not in reply.text, where
    if name != "web":
        assert services[name].wrong == [] and not getattr(services[name], "unanswered", None)
