"""Sending through each service's API, against a fake that checks it and can be busy, blocked, down or slow."""
import asyncio
import time
from email.utils import formatdate

import aiohttp
import pytest
import pytest_asyncio
from calls import channel_of, hook

from gateway.channels.base import Blocked, Part, Rejected, TryAgain
from gateway.channels.calls import _seconds
from gateway.channels.rendering import render

pytestmark = pytest.mark.asyncio
TOKENS = [f"AbCdEfGhIjKlMnOpQrSt{number:02d}" for number in range(40)]


@pytest_asyncio.fixture
async def http():
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=1.0)) as session:
        yield session


def address(channel, service):
    """The address to which the person's message is answered."""
    (message,) = channel.parse(hook(service, service.text(service.user, "hello")))
    return message.address


def with_choices(count, label="Choice", text="Which?"):
    offered = [{"label": f"{label} {number}", "choice": TOKENS[number]} for number in range(count)]
    return [{"type": "choices", "text": text, "choices": offered}]


@pytest.mark.parametrize("count", [0, 1, 3, 4, 10, 13, 14, 25, 40])
@pytest.mark.parametrize("label", ["Choice", "A label with more words than a button takes"])
async def test_every_number_of_choices_is_taken(service, http, count, label):
    channel = channel_of(service)
    to = address(channel, service)
    parts = render(with_choices(count, label), channel.limits)
    for part in parts:
        await channel.send(http, to, part, "key")
    assert [sent.text for sent in service.to(service.user)] == [part.text for part in parts]
    options = service.sent[-1].options
    if options:
        assert options == tuple((f"{label} {number}", TOKENS[number]) for number in range(count))
    else:
        shown = "\n".join(sent.text for sent in service.sent)
        assert all(f"{number + 1}. {label} {number}" in shown for number in range(count))


async def test_marks_and_long_text_arrive_as_they_are(service, http):
    channel = channel_of(service)
    text = "Is 1 < 2 & 3 > 2? *Yes* _really_ 😀 £5. " * 150
    for part in render([{"type": "text", "text": text}], channel.limits):
        await channel.send(http, address(channel, service), part, "key")
    assert " ".join(sent.text for sent in service.sent) == text.strip() and len(service.sent) > 1


async def test_a_busy_service_says_how_long_to_wait(service, http):
    channel = channel_of(service)
    service.plan.extend([("busy", 7.0), ("busy", None), ("down",)])
    for expected in (7.0, None, None):
        with pytest.raises(TryAgain) as error:
            await channel.send(http, address(channel, service), Part("hello"), "key")
        assert error.value.after == expected


async def test_who_has_blocked_us_is_told_apart(service, http):
    channel = channel_of(service)
    service.blocked.add(service.user)
    with pytest.raises(Blocked):
        await channel.send(http, address(channel, service), Part("hello"), "key")


async def test_a_call_that_the_service_will_never_take_is_not_tried_again(service, http):
    channel = channel_of(service)
    with pytest.raises(Rejected):
        await channel.send(http, address(channel, service), Part("x" * 20_000), "key")
    assert len(service.wrong) == 1
    service.wrong.clear()


async def test_a_service_that_hangs_or_is_gone_is_an_ordinary_failure(service, http):
    channel = channel_of(service)
    service.plan.append(("hang",))
    with pytest.raises(asyncio.TimeoutError):
        await channel.send(http, address(channel, service), Part("hello"), "key")
    await service.stop()
    with pytest.raises(aiohttp.ClientError):
        await channel.send(http, address(channel, service), Part("hello"), "key")


async def test_a_pressed_button_stops_spinning(service, http):
    if service.name == "twilio":
        return
    channel, call = channel_of(service), service.press(service.user, TOKENS[0])
    await channel.settle(http, hook(service, call))
    await channel.settle(http, hook(service, service.text(service.user, "hello")))
    assert not getattr(service, "unanswered", None)


async def test_retry_after_is_read_in_both_forms():
    assert _seconds("7") == 7.0 and _seconds("") is None and _seconds("soon") is None
    assert 58 < _seconds(formatdate(time.time() + 60, usegmt=True)) <= 60
    assert _seconds(formatdate(time.time() - 60, usegmt=True)) == 0.0
