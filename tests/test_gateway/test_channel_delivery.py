"""What the gateway does for every messaging service, with a service of the tests' own."""
import asyncio
import time
import uuid

import pytest
import pytest_asyncio
from aiohttp import web
from patience import within
from service import ExampleChannel, Service, batch
from sqlalchemy import select
from support import CRISIS, free_port, gateway_at, settings_for, until

from gateway import sender
from gateway.answering import HELP
from gateway.schema import conversations, messages

pytestmark = pytest.mark.asyncio

GAP = {"ASSISTANT_COALESCE_SECONDS": "0.5", "ASSISTANT_COALESCE_LONGEST_SECONDS": "1.2"}


class Phone:
    """A gateway with the channel on, and its service."""

    def __init__(self, gateway, service, port):
        self.gateway, self.service, self.port = gateway, service, port

    async def post(self, *batched, **headers):
        body, signed = batch(*batched)
        async with self.gateway.http.post(f"{self.gateway.base}/webhooks/example", data=body, headers={**signed, **headers}) as response:
            return response.status

    async def write(self, text, **more):
        assert await self.post({"text": text, **more}) == 200

    async def settled(self):
        """Wait until everything that was acknowledged has its answer."""
        async def idle():
            left = await self.gateway.parts.database.read(
                lambda connection: connection.execute(select(messages.c.key).where(messages.c.reply.is_(None))).all())
            return not left and not self.gateway.parts.delivery.busy

        await until(idle)

    async def received(self, count):
        return await until(lambda: len(self.service.received) >= count and self.service.received)


async def _phone(tmp_path, view, **env):
    service, port = Service(), free_port()
    await service.start(port)
    async with gateway_at(settings_for(tmp_path, **GAP, **env), view, {"example": ExampleChannel(f"http://127.0.0.1:{port}/send")}) as gateway:
        gateway.parts.sender._pause = 0.05
        yield Phone(gateway, service, port)
    await service.stop()


@pytest_asyncio.fixture
async def phone(tmp_path, view, journal_url):
    async for one in _phone(tmp_path, view):
        yield one


@pytest_asyncio.fixture
async def hasty_phone(tmp_path, view, monkeypatch):
    """A gateway that takes three messages a minute of one person."""
    monkeypatch.delenv("ASSISTANT_JOURNAL_URL", raising=False)
    async for one in _phone(tmp_path, view, ASSISTANT_MESSAGES_PER_MINUTE="3"):
        yield one


@pytest_asyncio.fixture
async def light_phone(tmp_path, view, monkeypatch):
    monkeypatch.delenv("ASSISTANT_JOURNAL_URL", raising=False)
    async for one in _phone(tmp_path, view):
        yield one


async def test_a_message_is_acknowledged_at_once_and_answered_with_the_notice_once(phone):
    started = time.monotonic()
    await phone.write("hello")
    assert time.monotonic() - started < within(0.25)
    first = await phone.received(1)
    assert first[0]["to"] == "person-1" and first[0]["text"].startswith("You said hello")
    everything = "\n".join(phone.service.texts)
    await until(lambda: phone.gateway.parts.texts.notice[:40] in "\n".join(phone.service.texts))
    count = len(phone.service.received)
    await phone.write("again")
    await phone.received(count + 1)
    assert phone.service.texts[count] == "You said again" and everything


async def test_messages_close_together_are_understood_as_one(phone):
    for text in ("I wonder", "how much", "it costs"):
        await phone.write(text)
    await phone.received(1)
    assert phone.gateway.rasa.said == ["I wonder\nhow much\nit costs"]


async def test_an_album_gets_one_polite_line(light_phone):
    for _ in range(5):
        await light_phone.post({"kind": "media"})
    await light_phone.settled()
    assert sum(light_phone.gateway.parts.texts.media in text for text in light_phone.service.texts) == 1


async def test_every_message_of_a_burst_is_answered_together_with_others(hasty_phone):
    for number in range(12):
        await hasty_phone.write(f"line {number}")
    await hasty_phone.settled()
    assert "\n".join(hasty_phone.gateway.rasa.said).splitlines() == [f"line {number}" for number in range(12)]
    assert len(hasty_phone.gateway.rasa.said) <= 3


async def test_beyond_the_limit_buttons_count_as_their_words_and_pictures_as_none(hasty_phone):
    await hasty_phone.write("hello")
    token = next(message["choices"][0][1] for message in await hasty_phone.received(1) if message["choices"])
    await hasty_phone.settled()
    for _ in range(2):  # with these the limit is reached
        await hasty_phone.post({"kind": "choice", "choice": token})
    for kind in ("choice", "media", "choice", "media"):
        await hasty_phone.post({"kind": kind, "choice": token if kind == "choice" else ""})
    await hasty_phone.write("and how long?")
    await hasty_phone.settled()
    label = "What does it cost?"
    assert hasty_phone.gateway.rasa.said == ["hello", "/faq_cost", "/faq_cost", f"{label}\n{label}\nand how long?"]
    count = len(hasty_phone.service.received)
    await hasty_phone.post({"kind": "choice", "choice": token})
    await hasty_phone.settled()
    assert hasty_phone.gateway.rasa.said[-1] == "/faq_cost"  # alone, its words choose as the button does
    await hasty_phone.post({"kind": "media"})
    await hasty_phone.settled()
    assert hasty_phone.gateway.parts.texts.media in hasty_phone.service.texts[-1] and len(hasty_phone.service.received) == count + 2


async def test_urgent_help_knows_no_limit(hasty_phone):
    for number in range(6):
        await hasty_phone.write(f"line {number}")
    help_token = hasty_phone.gateway.parts.tokens.make(hasty_phone.gateway.parts.key_of("person", "example", "person-1"), HELP)
    await hasty_phone.post({"kind": "choice", "choice": help_token})
    await hasty_phone.settled()
    assert "Samaritans" in "".join(hasty_phone.service.texts)
    count = len(hasty_phone.service.received)
    await hasty_phone.write(CRISIS)
    await until(lambda: "Samaritans" in "".join(hasty_phone.service.texts[count:]))


async def test_nobody_who_keeps_writing_waits_longer_than_the_limit(light_phone):
    started = time.monotonic()
    while not light_phone.gateway.rasa.said:
        await light_phone.write("and")
        await asyncio.sleep(0.05)
        assert time.monotonic() - started < within(3)
    assert "and\nand" in light_phone.gateway.rasa.said[0]


async def test_a_batch_is_journalled_whole_and_each_person_answered(phone):
    await phone.post({"text": "one", "from": "a"}, {"text": "two", "from": "b"}, {"text": "three", "from": "c"})
    await until(lambda: {message["to"] for message in phone.service.received} == {"a", "b", "c"})


async def test_fifty_copies_at_once_are_answered_once(phone):
    body, headers = batch({"text": "hello"})

    async def post():
        async with phone.gateway.http.post(f"{phone.gateway.base}/webhooks/example", data=body, headers=headers) as response:
            return response.status

    assert set(await asyncio.gather(*(post() for _ in range(50)))) == {200}
    await phone.received(1)
    await until(lambda: phone.gateway.parts.delivery.busy == 0)
    assert phone.gateway.rasa.said == ["hello"]


async def test_fifty_copies_of_a_crisis_are_answered_once(phone):
    body, headers = batch({"text": CRISIS})

    async def post():
        async with phone.gateway.http.post(f"{phone.gateway.base}/webhooks/example", data=body, headers=headers) as response:
            return response.status

    assert set(await asyncio.gather(*(post() for _ in range(50)))) == {200}
    await phone.received(1)
    keys = {message["key"].split(".")[0] for message in phone.service.received}
    assert len(keys) == 1


async def test_tampered_and_unsigned_calls_are_refused_and_leave_nothing(light_phone):
    assert await light_phone.post({"text": "hello"}, **{"X-Signature": "0" * 64}) == 401
    assert await light_phone.post({"text": "hello"}, **{"X-Signature": ""}) == 401
    assert light_phone.gateway.rasa.said == []


async def test_a_handshake_is_answered(light_phone):
    async with light_phone.gateway.http.get(f"{light_phone.gateway.base}/webhooks/example?challenge=42") as response:
        assert response.status == 200 and await response.text() == "42"


async def test_a_malformed_payload_is_a_400(light_phone):
    from service import sign

    for body in (b"{}", b"[]", b"nonsense", b'{"messages": 5}', b'{"messages": [5]}'):
        async with light_phone.gateway.http.post(f"{light_phone.gateway.base}/webhooks/example", data=body,
                                                 headers={"X-Signature": sign(body)}) as response:
            assert response.status == 400


async def test_a_crisis_is_answered_at_once_while_the_rest_waits(phone):
    await phone.write("I wonder how much it costs")
    started = time.monotonic()
    await phone.write(CRISIS)
    await phone.received(1)
    assert time.monotonic() - started < within(0.3)
    assert any(service in phone.service.texts[0] for service in ("Samaritans", "999"))
    await until(lambda: phone.gateway.rasa.said == ["I wonder how much it costs"])


async def test_a_disclosure_over_two_messages_is_seen_as_a_whole(light_phone, monkeypatch):
    check = type(light_phone.gateway.parts.view().safety)
    real = check.check
    monkeypatch.setattr(check, "check", lambda self, text, previous="": real(self, CRISIS if "half one\nhalf two" in text else text))
    await light_phone.write("half one")
    await light_phone.write("half two")
    await light_phone.received(1)
    await until(lambda: "Samaritans" in "".join(light_phone.service.texts))
    assert light_phone.gateway.rasa.said == []


async def test_a_button_and_a_number_choose(phone):
    await phone.write("hello")
    received = await phone.received(1)
    token = next(message["choices"][0][1] for message in received if message["choices"])
    await phone.post({"kind": "choice", "choice": token})
    await until(lambda: phone.gateway.rasa.said == ["hello", "/faq_cost"])
    await until(lambda: phone.gateway.parts.delivery.busy == 0)
    await phone.write("1")
    await until(lambda: phone.gateway.rasa.said == ["hello", "/faq_cost", "/faq_cost"])


async def test_a_button_of_an_earlier_chat_gets_a_polite_line(light_phone):
    await light_phone.post({"kind": "choice", "choice": "forgotten"})
    assert light_phone.gateway.parts.texts.unknown_choice in (await light_phone.received(1))[0]["text"]


async def test_media_get_one_polite_line_with_urgent_help(light_phone):
    await light_phone.post({"kind": "media"})
    received = await light_phone.received(1)
    assert light_phone.gateway.parts.texts.media[:60] in received[0]["text"] and light_phone.gateway.rasa.said == []


async def test_a_service_that_is_down_for_a_while_gets_the_reply_once(phone):
    await phone.service.stop()
    await phone.write("hello")
    await until(lambda: phone.gateway.rasa.said)
    await asyncio.sleep(0.1)
    await phone.service.start(phone.port)
    await phone.received(1)
    await until(lambda: phone.gateway.parts.delivery.busy == 0)
    assert sum("You said hello" in text for text in phone.service.texts) == 1


async def test_retry_after_is_obeyed(light_phone):
    times = []

    def busy_once(body):
        times.append(time.monotonic())
        return web.Response(status=429, headers={"Retry-After": "1"}) if len(times) == 1 else web.Response()

    light_phone.service.answer = busy_once
    await light_phone.write("hello")
    await light_phone.received(1)
    assert times[1] - times[0] >= 1


async def test_after_five_tries_a_reply_is_given_up(light_phone):
    light_phone.service.answer = lambda body: web.Response(status=500)
    await light_phone.write("hello")
    await until(lambda: light_phone.service.tried == sender.TRIES)
    await until(lambda: light_phone.gateway.parts.delivery.busy == 0)
    assert light_phone.service.tried == sender.TRIES
    light_phone.service.answer = lambda body: web.Response()
    await light_phone.write("again")
    assert (await light_phone.received(1))[0]["text"].startswith("You said again")


async def test_a_person_who_blocked_the_assistant_is_not_tried_again(light_phone):
    light_phone.service.answer = lambda body: web.Response(status=403)
    await light_phone.write("hello")
    await until(lambda: light_phone.service.tried)
    await until(lambda: light_phone.gateway.parts.delivery.busy == 0)
    assert light_phone.service.tried == 1


@pytest.mark.parametrize("text, late", [
    ("how much is it?", True), (CRISIS, False), ("My husband beats me and I am scared he will kill me tonight", True),
])
async def test_a_late_answer_says_nothing_except_support_that_gives_nothing_away(light_phone, monkeypatch, text, late):
    monkeypatch.setattr(sender, "LATE_SECONDS", 0.4)
    light_phone.gateway.parts.sender._pause = 0.5
    light_phone.service.answer = lambda body: web.Response(status=500 if light_phone.service.tried == 1 else 200)
    await light_phone.write(text)
    said = (await light_phone.received(1))[0]["text"]
    assert (said == light_phone.gateway.parts.texts.late) == late
    if late:
        await until(lambda: light_phone.gateway.parts.delivery.busy == 0)
        assert light_phone.service.texts == [said]
    else:
        await until(lambda: "Samaritans" in "".join(light_phone.service.texts))


async def test_the_address_and_the_pseudonym_are_all_that_is_kept_of_a_person(light_phone):
    await light_phone.write("hello", **{"from": "+447700900123"})
    await light_phone.received(1)
    row = (await light_phone.gateway.parts.database.read(lambda connection: connection.execute(select(conversations)).first()))
    assert row.address == "+447700900123" and "7700900123" not in row.person and "7700900123" not in row.id
    keys = (await light_phone.gateway.parts.database.read(lambda connection: connection.execute(select(messages.c.key)).scalars().all()))
    assert all(len(key) == 32 for key in keys)


async def test_asking_for_deletion_is_answered_and_leaves_nothing(phone):
    async def offers_deletion(body):
        return phone.gateway.rasa.reply({"text": "Delete it all?", "buttons": [{"title": "Yes, delete", "payload": "gateway:delete"}]})

    phone.gateway.rasa.answer = offers_deletion
    await phone.write("delete my data")
    received = await phone.received(1)
    token = next(message["choices"][0][1] for message in received if message["choices"])
    await phone.post({"kind": "choice", "choice": token})
    await until(lambda: phone.gateway.parts.texts.deleted in phone.service.texts)
    assert len(phone.gateway.rasa.deleted) == 1

    async def emptied():
        await phone.gateway.parts.retention.run()
        rows = (await phone.gateway.parts.database.read(lambda connection: connection.execute(select(conversations)).all()))
        left = (await phone.gateway.parts.database.read(lambda connection: connection.execute(select(messages)).all()))
        return not left and all(row.person is None and row.address is None for row in rows)

    await until(emptied)
    phone.gateway.rasa.answer = phone.gateway.rasa.usual
    count = len(phone.service.received)
    await phone.write("hello again")
    assert (await phone.received(count + 1))[count]["text"].startswith("You said hello again")


async def test_a_journal_that_is_away_is_not_acknowledged(light_phone, tmp_path):
    path = light_phone.gateway.settings.var / "journal.db"
    path.rename(path.with_suffix(".away"))
    assert await light_phone.post({"text": "hello"}) == 503
    started = time.monotonic()
    assert await light_phone.post({"text": CRISIS, "id": uuid.uuid4().hex}) == 200
    await light_phone.received(1)
    assert time.monotonic() - started < within(0.4)
    path.with_suffix(".away").rename(path)
    assert await light_phone.post({"text": "hello"}) == 200
