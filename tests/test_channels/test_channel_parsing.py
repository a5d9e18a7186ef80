"""From a service's payload to messages: recorded calls, batches, buttons, media, and what nobody answers."""
import json
from pathlib import Path

import pytest
from calls import channel_of, hook
from fakes import SERVICES, Call
from fakes.slack import FakeSlack
from test_channel_verification import slack_at

RECORDED = [(path.stem, json.loads(line)) for path in sorted((Path(__file__).parent / "recorded").glob("*.jsonl"))
            for line in path.read_text().splitlines()]
NAMES = list(SERVICES)


@pytest.mark.parametrize("name, call", RECORDED, ids=[f"{name}: {call['name']}" for name, call in RECORDED])
def test_a_recorded_call_is_genuine_and_means_what_it_says(name, call):
    service = SERVICES[name]()
    given = hook(service, Call(call["headers"], call["body"].encode()))
    channel = channel_of(service)
    if name == "slack":
        channel = slack_at(int(call["headers"]["X-Slack-Request-Timestamp"]) + 1)
    assert channel.verify(given) is None
    assert [message.kind for message in channel.parse(given)] == call["kinds"]


def test_every_service_has_recordings():
    assert {name for name, _ in RECORDED} == set(SERVICES)


@pytest.mark.parametrize("name", NAMES)
def test_a_text_arrives_as_it_was_written(name):
    service = SERVICES[name]()
    text = "Größe £5 – naïve 😀 <b>&amp;</b> a/b\nsecond line"
    (message,) = channel_of(service).parse(hook(service, service.text(service.user, text, "4711")))
    assert (message.kind, message.text, message.choice) == ("text", text, "")
    assert message.id == "4711" and message.user.endswith(service.user)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "twilio"])
def test_a_pressed_button_brings_its_token(name):
    service = SERVICES[name]()
    one, other = service.press(service.user, "AbCdEfGhIjKlMnOpQrStUv"), service.press(service.user, "AbCdEfGhIjKlMnOpQrStUv")
    (first,), (second,) = (channel_of(service).parse(hook(service, call)) for call in (one, other))
    assert (first.kind, first.choice, first.text) == ("choice", "AbCdEfGhIjKlMnOpQrStUv", "")
    assert first.id != second.id and first.user == second.user


def test_whatsapp_rows_and_template_buttons():
    service = SERVICES["whatsapp"]()
    (row,) = channel_of(service).parse(hook(service, service.pick(service.user, "token")))
    assert (row.kind, row.choice) == ("choice", "token")
    button = service.message(service.user, "button", {"payload": "x", "text": "Yes please"})
    (pressed,) = channel_of(service).parse(hook(service, service.call(button)))
    assert (pressed.kind, pressed.text) == ("text", "Yes please")


def test_a_whatsapp_batch_is_taken_whole_and_in_order():
    service = SERVICES["whatsapp"]()
    values = [service.value([service.written(service.user, f"{entry}{change}{number}") for number in "01"])
              for entry in "ab" for change in "xy"]
    call = service.entries([values[:2], values[2:]])
    found = [message.text for message in channel_of(service).parse(hook(service, call))]
    assert found == ["ax0", "ax1", "ay0", "ay1", "bx0", "bx1", "by0", "by1"]


def test_a_messenger_batch_is_taken_whole_and_in_order():
    service = SERVICES["messenger"]()
    call = service.entries([[service.written(service.user, f"{entry}{number}") for number in "01"] for entry in "ab"])
    assert [message.text for message in channel_of(service).parse(hook(service, call))] == ["a0", "a1", "b0", "b1"]


@pytest.mark.parametrize("name", ["whatsapp", "messenger"])
def test_a_malformed_item_of_a_batch_does_not_cost_the_others(name):
    service = SERVICES[name]()
    good = service.written(service.user, "hello")
    call = service.call(None, 3, {"from": None, "sender": 4, "type": []}, good)
    assert [message.text for message in channel_of(service).parse(hook(service, call))] == ["hello"]


@pytest.mark.parametrize("name", ["whatsapp", "telegram", "twilio", "slack"])
def test_the_words_under_a_picture_are_read(name):
    service = SERVICES[name]()
    user = service.user
    call = {
        "whatsapp": lambda: service.call(service.message(user, "image", {"id": "1", "caption": "I want to die"})),
        "telegram": lambda: service.call(service.update(message=service.message(user, photo=[{}], caption="I want to die"))),
        "twilio": lambda: service.call({**service.written(user, "I want to die"), "NumMedia": "1"}),
        "slack": lambda: service.call(service.envelope(service.message(user, "I want to die", subtype="file_share", files=[{"id": "F1"}]))),
    }[name]()
    (message,) = channel_of(service).parse(hook(service, call))
    assert (message.kind, message.text) == ("text", "I want to die")


def test_the_start_buttons_greet():
    telegram, messenger = SERVICES["telegram"](), SERVICES["messenger"]()
    (start,) = channel_of(telegram).parse(hook(telegram, telegram.text(telegram.user, "/start")))
    (started,) = channel_of(messenger).parse(hook(messenger, messenger.postback(messenger.user, "GET_STARTED")))
    assert (start.kind, start.text) == (started.kind, started.text) == ("text", "hello")


def test_twilio_answers_whatsapp_by_whatsapp():
    service = SERVICES["twilio"]()
    (message,) = channel_of(service).parse(hook(service, service.text("whatsapp:+447700900123", "hello")))
    assert message.address == "whatsapp:+447700900123 whatsapp:+447700900999"


def test_slack_mentions_and_links_are_plain_and_a_mention_is_answered_in_a_direct_message():
    service = FakeSlack()
    text = "<@U999> see <https://example.org/a|this page> or <https://example.org/b> &lt;3"
    mention = {"type": "app_mention", "user": service.user, "channel": "C1", "ts": "1.1", "text": text}
    (message,) = channel_of(service).parse(hook(service, service.call(service.envelope(mention))))
    assert message.text == "see this page or https://example.org/b <3" and message.address == service.user


def test_slack_answers_in_the_thread():
    service = FakeSlack()
    call = service.call(service.envelope(service.message(service.user, "hello", thread_ts="17.5")))
    (message,) = channel_of(service).parse(hook(service, call))
    assert message.address == f"{service.channel(service.user)} 17.5"


@pytest.mark.parametrize("name", NAMES)
def test_the_acknowledgement_is_what_the_service_wants(name):
    service = SERVICES[name]()
    answer = channel_of(service).acknowledge(hook(service, service.text(service.user, "hello")))
    assert answer.status == 200
    assert answer.body == {"messenger": "EVENT_RECEIVED", "twilio": "<Response/>"}.get(name, "")
    assert answer.content_type.startswith("text/xml" if name == "twilio" else "text/plain")
