"""The widget API in ordinary use: sessions, messages, choices, history, feedback."""
import asyncio
import uuid

import pytest
from support import CRISIS, texts

pytestmark = pytest.mark.asyncio


async def test_a_message_is_answered_by_rasa(gateway):
    visitor = await gateway.visitor()
    status, value = await visitor.say("How much is it?")
    assert status == 200
    assert value["messages"][0]["type"] == "choices" and value["messages"][0]["text"] == "You said How much is it?"
    assert value["messages"][0]["choices"][0]["label"] == "What does it cost?"
    assert gateway.rasa.calls[0]["conversation"] == visitor.conversation


async def test_the_same_id_again_gives_the_same_reply_and_is_processed_once(gateway):
    visitor, identity = await gateway.visitor(), str(uuid.uuid4())
    first = await visitor.say("hello", identity)
    second = await visitor.say("hello", identity)
    assert first[1]["messages"] == second[1]["messages"] and first[1]["cursor"] == second[1]["cursor"]
    assert gateway.rasa.said == ["hello"]


async def test_fifty_copies_at_once_get_one_answer(gateway):
    visitor, identity = await gateway.visitor(), str(uuid.uuid4())
    answers = await asyncio.gather(*(visitor.say("hello", identity) for _ in range(50)))
    assert {status for status, _ in answers} == {200}
    assert len({value["messages"][0]["id"] for _, value in answers}) == 1
    assert gateway.rasa.said == ["hello"]


async def test_fifty_copies_of_a_crisis_get_one_answer(gateway):
    visitor, identity = await gateway.visitor(), str(uuid.uuid4())
    answers = await asyncio.gather(*(visitor.say(CRISIS, identity) for _ in range(50)))
    assert {status for status, _ in answers} == {200}
    assert len({value["messages"][0]["id"] for _, value in answers}) == 1
    assert gateway.rasa.said == []


async def test_twenty_messages_at_once_are_answered_in_order_one_at_a_time(gateway):
    visitor = await gateway.visitor()

    async def slowly(body):
        await asyncio.sleep(0.02)
        return await gateway.rasa.usual(body)

    gateway.rasa.answer = slowly
    answers = await asyncio.gather(*(visitor.say(f"message {number}") for number in range(20)))
    assert {status for status, _ in answers} == {200}
    for number, (_, value) in enumerate(answers):
        assert texts(value) == [f"You said message {number}"]
    assert gateway.rasa.most_running[visitor.conversation] == 1
    _, history, _ = await visitor.call("GET", "/api/messages")
    said = [message["text"] for message in history["messages"] if message["from"] == "visitor"]
    answered = [message["text"] for message in history["messages"] if message["from"] == "bot"]
    assert answered == [f"You said {text}" for text in said] and gateway.rasa.said == said


async def test_a_client_that_hangs_up_finds_its_reply_later(gateway):
    visitor, identity = await gateway.visitor(), str(uuid.uuid4())
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def held(body):
        arrived.set()
        await go_on.wait()
        return await gateway.rasa.usual(body)

    gateway.rasa.answer = held
    sending = asyncio.ensure_future(visitor.say("hello", identity))
    await arrived.wait()
    sending.cancel()
    await asyncio.wait({sending})
    go_on.set()
    status, value = await visitor.say("hello", identity)
    assert status == 200 and texts(value) == ["You said hello"] and gateway.rasa.said == ["hello"]


async def test_a_choice_reaches_rasa_as_parse_data(gateway):
    visitor = await gateway.visitor()
    _, value = await visitor.say("hello")
    status, _ = await visitor.choose(value["messages"][0]["choices"][0]["choice"])
    assert status == 200
    assert gateway.rasa.calls[1]["intent"] == "faq_cost" and "text" not in gateway.rasa.calls[1]


@pytest.mark.parametrize("words", ["1", "the first one", "what does it cost"])
async def test_a_number_or_the_words_of_a_button_choose_it(light, words):
    visitor = await light.visitor()
    await visitor.say("hello")
    await visitor.say(words)
    assert light.rasa.said == ["hello", "/faq_cost"]


async def test_a_payload_with_entities_becomes_entities(light):
    async def with_entities(body):
        return light.rasa.reply({"text": "Where?", "buttons": [{"title": "Leeds", "payload": '/find_therapist{"location": "Leeds"}'}]})

    light.rasa.answer = with_entities
    visitor = await light.visitor()
    _, value = await visitor.say("hello")
    await visitor.choose(value["messages"][0]["choices"][0]["choice"])
    assert light.rasa.calls[1]["entities"] == [{"entity": "location", "value": "Leeds"}]


async def test_no_payload_is_ever_shown(light):
    visitor = await light.visitor()
    _, value = await visitor.say("hello")
    _, history, _ = await visitor.call("GET", "/api/messages")
    assert "faq_cost" not in str(value) and "faq_cost" not in str(history)


async def test_a_choice_of_another_conversation_is_unknown(gateway):
    one, other = await gateway.visitor(), await gateway.visitor()
    _, value = await one.say("hello")
    status, answer = await other.choose(value["messages"][0]["choices"][0]["choice"])
    assert status == 404 and answer["error"]["code"] == "unknown_choice"


@pytest.mark.parametrize("text", ["/restart", "  //faq_cost", "/greet{\"a\": 1}", "\u00a0/greet"])
async def test_leading_slashes_are_just_text(light, text):
    visitor = await light.visitor()
    status, _ = await visitor.say(text)
    assert status == 200 and not light.rasa.calls[0]["text"].startswith(("/", " "))


async def test_the_name_of_a_town_that_looks_like_risk_is_a_place_when_nothing_else_is_said(light, monkeypatch):
    check = type(light.parts.view().safety)
    real = check.check
    monkeypatch.setattr(check, "check", lambda self, text, previous="": real(self, CRISIS if "Woking" in text else text, previous))
    visitor = await light.visitor()
    _, value = await visitor.say("Woking please")
    assert texts(value) == ["You said Woking please"]
    _, value = await visitor.say("Woking, I cannot go on")
    assert any(message["type"] == "helplines" for message in value["messages"])


async def test_history_after_a_cursor_holds_only_what_came_after(gateway):
    visitor = await gateway.visitor()
    _, first = await visitor.say("one")
    await visitor.say("two")
    _, value, _ = await visitor.call("GET", f"/api/messages?after={first['cursor']}")
    assert texts(value) == ["two", "You said two"]
    _, end, _ = await visitor.call("GET", f"/api/messages?after={value['cursor']}")
    assert end["messages"] == [] and end["cursor"] == value["cursor"]


async def test_another_session_sees_nothing_of_a_conversation(gateway):
    visitor, other = await gateway.visitor(), await gateway.visitor()
    await visitor.say("hello")
    _, value, _ = await other.call("GET", "/api/messages")
    assert value["messages"] == []


async def test_feedback_is_taken_for_own_messages_alone(gateway):
    visitor, other = await gateway.visitor(), await gateway.visitor()
    _, value = await visitor.say("hello")
    body = {"message": value["messages"][0]["id"], "helpful": False}
    assert (await visitor.call("POST", "/api/feedback", body))[0] == 204
    assert (await visitor.call("POST", "/api/feedback", {**body, "helpful": True}))[0] == 204
    assert (await other.call("POST", "/api/feedback", body))[0] == 404


async def test_each_reply_bears_a_reference_code(light):
    visitor = await light.visitor()
    _, value = await visitor.say("hello")
    reference = value["messages"][0]["reference"]
    assert len(reference) == 9 and reference[4] == "-"


async def test_an_idle_session_expires_and_a_used_one_does_not(light, monkeypatch):
    visitor = await light.visitor()
    _, value = await visitor.say("hello")
    import itsdangerous.timed

    real = itsdangerous.timed.TimestampSigner.get_timestamp
    monkeypatch.setattr(itsdangerous.timed.TimestampSigner, "get_timestamp", lambda self: real(self) + 41 * 60)
    status, answer = await visitor.say("still here?")
    assert status == 401 and answer["error"]["code"] == "session_expired"
    assert value["token"]


async def test_markup_and_unsafe_links_from_rasa_stay_text_or_go(light):
    async def hostile(body):
        return light.rasa.reply(
            {"text": "<script>alert(1)</script>"},
            {"custom": {"type": "links", "links": [{"label": "bad", "url": "javascript:alert(1)"}, {"label": "ok", "url": "https://example.org/"}]}},
            {"custom": {"type": "cards", "cards": [{"name": "X", "url": "data:text/html,x"}]}},
            {"custom": {"type": "surprise"}})

    light.rasa.answer = hostile
    _, value = await (await light.visitor()).say("hello")
    assert [message["type"] for message in value["messages"]] == ["text", "links"]
    assert [link["label"] for link in value["messages"][1]["links"]] == ["ok"]


async def test_a_link_to_the_directory_is_counted_and_redirects_with_ref(light):
    home = light.parts.texts.home

    async def cards(body):
        return light.rasa.reply({"custom": {"type": "cards", "cards": [{"name": "Dr A", "town": "Leeds", "url": f"{home}/dr-a?x=1"}]}})

    light.rasa.answer = cards
    visitor = await light.visitor()
    _, value = await visitor.say("hello")
    url = value["messages"][0]["cards"][0]["url"]
    assert url.startswith(light.base + "/r/")
    status, _, headers = await visitor.call("GET", url.removeprefix(light.base))
    assert status == 302 and headers["Location"] == f"{home}/dr-a?x=1&ref=assistant" and headers["Referrer-Policy"] == "no-referrer"


async def test_a_forged_link_redirects_nowhere(light):
    status, value, _ = await light.stranger().call("GET", "/r/WyJzZWFyY2giLCJodHRwczovL2V2aWwuZXhhbXBsZSJd.AAAA")
    assert status == 404 and value["error"]["code"] == "unknown_link"
