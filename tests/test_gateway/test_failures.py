"""Each row of the failure table that a server behind the gateway can cause; tests/fault/ has those that need processes."""
import asyncio
import time
import uuid

import pytest
from aiohttp import web
from patience import within
from support import CRISIS, gateway_at, settings_for, texts, until

pytestmark = pytest.mark.asyncio


def helplines(value):
    return [message for message in value["messages"] if message["type"] == "helplines"]


async def hang(body):
    await asyncio.sleep(30)
    raise AssertionError("nobody should wait that long")


async def answered_honestly(gateway, visitor):
    started = time.monotonic()
    status, value = await visitor.say("How many sessions will I need?")
    assert status == 200 and time.monotonic() - started < within(5.5)
    message = value["messages"][0]
    assert message["text"] in gateway.parts.texts.unavailable
    urls = [link["url"] for link in message["links"]]
    assert f"mailto:{gateway.parts.texts.contact}" in urls and any("/r/" in url or url.startswith("http") for url in urls)


async def crisis_is_quick(visitor):
    started = time.monotonic()
    status, value = await visitor.say(CRISIS)
    assert status == 200 and time.monotonic() - started < within(0.3) and helplines(value)


async def test_rasa_stopped_then_back(gateway):
    visitor = await gateway.visitor()
    await gateway.rasa.stop()
    await answered_honestly(gateway, visitor)
    await crisis_is_quick(visitor)
    await gateway.rasa.start(gateway.settings.rasa_port)
    assert texts((await visitor.say("hello"))[1])[0] == "You said hello"


async def test_rasa_hanging(light):
    light.rasa.answer = hang
    visitor, other = await light.visitor(), await light.visitor()
    waiting = asyncio.ensure_future(answered_honestly(light, visitor))
    await until(lambda: light.rasa.calls)
    await crisis_is_quick(visitor)
    await crisis_is_quick(other)
    await waiting


async def test_everyone_behind_a_hanging_turn_is_answered_in_time(light):
    light.rasa.answer = hang
    visitor = await light.visitor()
    started = time.monotonic()
    answers = await asyncio.gather(*(visitor.say(f"message {number}") for number in range(5)))
    assert time.monotonic() - started < within(5.5)
    assert {status for status, _ in answers} == {200}
    light.rasa.answer = light.rasa.usual
    assert texts((await visitor.say("hello"))[1])[0] == "You said hello"


@pytest.mark.parametrize("answer", [
    web.Response(status=503), web.Response(status=504), web.Response(status=500), web.Response(status=200, text="garbage"),
    web.json_response([]), web.json_response({}), web.json_response({"messages": []}), web.json_response({"messages": "text"}),
    web.json_response({"messages": [{"custom": {"type": "unknown"}}]}), web.json_response({"messages": [1, None, {}]}),
    web.json_response({"messages": [{"text": 5}], "intent": 7, "alternatives": 1, "actions": {}}),
], ids=range(11))
async def test_rasa_without_a_usable_answer(light, answer):
    async def broken(body):
        return web.Response(status=answer.status, body=answer.body, content_type=answer.content_type)

    light.rasa.answer = broken
    await answered_honestly(light, await light.visitor())


async def test_the_wording_of_the_fallback_does_not_repeat(light):
    await light.rasa.stop()
    visitor = await light.visitor()
    said = [texts((await visitor.say("hello"))[1])[0] for _ in range(4)]
    assert len(set(said)) == 4


async def test_a_crisis_does_not_wait_behind_a_slow_turn_and_keeps_rasas_form(light):
    go_on = asyncio.Event()

    async def held(body):
        if "event" not in body:
            await go_on.wait()
        return await light.rasa.usual(body)

    light.rasa.answer = held
    visitor = await light.visitor()
    slow = asyncio.ensure_future(visitor.say("find me a therapist"))
    await until(lambda: light.rasa.calls)
    await crisis_is_quick(visitor)
    await until(lambda: [call for call in light.rasa.calls if call.get("event") == "crisis"])
    assert all("kill" not in str(call) for call in light.rasa.calls)
    go_on.set()
    assert (await slow)[0] == 200


async def test_after_a_crisis_the_help_card_stays_reachable(light):
    visitor = await light.visitor()
    await visitor.say(CRISIS)
    for _ in range(3):
        _, value = await visitor.say("how much is it?")
        labels = {choice["label"]: choice["choice"] for message in value["messages"] for choice in message.get("choices", [])}
        assert light.parts.texts.help_label in labels
    _, value = await visitor.choose(labels[light.parts.texts.help_label])
    assert helplines(value)
    _, value = await visitor.say(CRISIS)
    assert helplines(value)


@pytest.mark.parametrize("words", ["urgent help", "Get urgent help"])
async def test_the_words_of_the_help_button_bring_the_card(light, words):
    assert helplines((await (await light.visitor()).say(words))[1])


async def test_a_failing_safety_check_shows_support_and_stops_nothing(light, monkeypatch):
    def broken(text, previous=""):
        raise RuntimeError(text)

    monkeypatch.setattr(type(light.parts.view().safety), "check", lambda self, text, previous="": broken(text))
    status, value = await (await light.visitor()).say("how much is it?")
    assert status == 200 and "You said how much is it?" in texts(value) and len(value["messages"]) > 1


async def test_signposting_mode_answers_with_links_and_helplines_alone(tmp_path, view, monkeypatch):
    monkeypatch.delenv("ASSISTANT_JOURNAL_URL", raising=False)
    async with gateway_at(settings_for(tmp_path, ASSISTANT_MODE="signposting"), view) as gateway:
        visitor = await gateway.visitor()
        _, value = await visitor.say("how much is it?")
        assert [message["type"] for message in value["messages"]] == ["links", "helplines"] and gateway.rasa.calls == []
        await crisis_is_quick(visitor)


async def test_readiness_names_what_is_wrong(light):
    status, value, _ = await light.stranger().call("GET", "/health/ready")
    assert status == 200 and value["status"] == "ready" and value["release"]["served"] == "model-1"
    wanted = {"rasa": True, "journal": True, "safety": True, "actions": False}  # no action server here: reported, and no reason to be unready
    assert {name: dependency["ok"] for name, dependency in value["dependencies"].items()} == wanted
    assert all(dependency["milliseconds"] >= 0 for dependency in value["dependencies"].values())
    await light.rasa.stop()

    async def unready():
        status, value, _ = await light.stranger().call("GET", "/health/ready")
        return value if status == 503 else None

    value = await until(unready)
    rasa = value["dependencies"]["rasa"]
    assert (rasa["ok"], rasa["problem"]) == (False, "unreachable")
    assert value["dependencies"]["journal"]["ok"]
    assert (await light.stranger().call("GET", "/health/live"))[0] == 200


async def test_the_canary_leaves_no_conversation_behind(light):
    await light.stranger().call("GET", "/health/ready")
    assert light.rasa.deleted == [f"canary{light.parts.journal.me}"] and light.rasa.calls == []


async def test_a_restart_loses_nothing_and_keeps_the_session(tmp_path, view, journal_url):
    settings, identity = settings_for(tmp_path), str(uuid.uuid4())
    async with gateway_at(settings, view) as gateway:
        visitor = await gateway.visitor()
        _, first = await visitor.say("hello", identity)
        token = visitor.token
    async with gateway_at(settings, view) as gateway:
        visitor = gateway.stranger()
        visitor.token = token
        assert (await visitor.say("hello", identity))[1]["messages"] == first["messages"]
        assert gateway.rasa.calls == []
        choice = first["messages"][0]["choices"][0]["choice"]
        assert (await visitor.choose(choice))[0] == 200
