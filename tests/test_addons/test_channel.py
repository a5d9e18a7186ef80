"""The gateway's way into Rasa (addons/channel.py), as a real Rasa serves it."""
import sqlite3
import uuid

import pytest

from tests.test_addons.serving import message, texts, wait_until


def stored(rasa, conversation):
    """Return the events of `conversation` that are in the database."""
    with sqlite3.connect(rasa.var / "tracker.sqlite") as database:
        return [row[0] for row in database.execute("SELECT data FROM tracker_events WHERE conversation = ?", (conversation,))]


def stored_when(rasa, conversation, text):
    """Return the stored events of `conversation` once one of them holds `text`."""
    wait_until(lambda: any(text in row for row in stored(rasa, conversation)), 15, f"{text!r} is stored")
    return stored(rasa, conversation)


@pytest.mark.parametrize("token", ["", "wrong", "é"])
def test_call_without_the_token_is_refused(rasa, conversation, token):
    header = token.encode().decode("latin-1")
    for method, path in (("GET", "/"), ("POST", "/messages"), ("DELETE", f"/conversations/{conversation}")):
        assert rasa.call(method, path, message(conversation, text="hello"), token=header)[0] == 401
    assert stored(rasa, conversation) == []


def test_health_names_the_model(rasa, conversation):
    status, health = rasa.call("GET", "/")
    assert (status, health["status"]) == (200, "ok")
    assert health["model"] == rasa.say(conversation, "hello")["model"]


@pytest.mark.parametrize("body", [
    b"{", b"", b"[]", b"null", b'"text"', b"\xff\xfe",
    {"id": "1", "text": "hello"},
    {"conversation": "c", "text": "hello"},
    {"conversation": "c", "id": "1"},
    {"conversation": "c", "id": "1", "text": 7},
    {"conversation": "c", "id": 1, "text": "hello"},
    {"conversation": "", "id": "1", "text": "hello"},
    {"conversation": "c" * 65, "id": "1", "text": "hello"},
    {"conversation": "c\x00", "id": "1", "text": "hello"},
    {"conversation": "\ud800", "id": "1", "text": "hello"},
    {"conversation": "c", "id": "1", "event": "party"},
    {"conversation": "c", "id": "1", "intent": "faq_cost", "entities": [{"entity": "concern"}]},
    {"conversation": "c", "id": "1", "intent": "faq_cost", "entities": {"concern": "anxiety"}},
])
def test_malformed_call_is_refused(rasa, body):
    assert rasa.call("POST", "/messages", body)[0] == 400


def test_without_a_model_each_call_says_so(modelless, conversation):
    modelless.wait(503)
    for method, path in (("GET", "/"), ("POST", "/messages"), ("DELETE", f"/conversations/{conversation}")):
        status, body = modelless.call(method, path, message(conversation, text="hello"))
        assert (status, body["error"]["code"]) == (503, "no_model")


def test_text_is_answered_with_what_was_understood_and_done(rasa, conversation):
    turn = rasa.say(conversation, "how much does therapy cost?")
    assert turn["intent"]["name"] == "faq_cost" and 0 < turn["intent"]["confidence"] <= 1
    assert turn["actions"] == ["utter_faq_cost"]
    assert [item["name"] for item in turn["alternatives"]][0] == "faq_cost"
    assert "fee" in texts(turn)


def test_several_questions_are_named(rasa, conversation):
    turn = rasa.say(conversation, "What does it cost? And is it on the NHS?")
    assert turn["questions"] == ["faq_cost", "faq_nhs"]
    assert turn["actions"] == ["utter_faq_cost", "utter_faq_nhs"]


ODD = ("\ud800", "hello \udfff there", "\x00", "", "   ", "/", "\u200b", "🙂", "a" * 20_000, "\n" * 500)


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_no_text_leaves_the_visitor_without_an_answer(rasa, conversation, text):
    assert texts(rasa.say(conversation, text))


@pytest.mark.parametrize("text", [
    "/goodbye", "//goodbye", " / goodbye", "\u00a0/goodbye", "\t\n/goodbye", '/goodbye{"location": "Leeds"}', "/session_start",
])
def test_leading_slash_is_text_and_no_command(rasa, conversation, text):
    rasa.say(conversation, "what is attachment theory?")
    turn = rasa.say(conversation, text)
    assert turn["intent"].get("confidence") != 1.0
    assert texts(turn)
    assert "utter_faq_attachment_theory_more" in rasa.say(conversation, "tell me more")["actions"]


def test_button_is_taken_as_what_it_means(rasa, conversation):
    turn = rasa.press(conversation, "faq_nhs")
    assert turn["intent"] == {"name": "faq_nhs", "confidence": 1.0}
    assert turn["actions"] == ["utter_faq_nhs"]


def test_button_with_entities_reaches_the_search(rasa, actions, conversation):
    seen = []
    answer, actions.answer = actions.answer, lambda call: seen.append(call) or answer(call)
    try:
        body = message(conversation, intent="find_therapist", entities=[{"entity": "session_format", "value": "online"}])
        assert rasa.call("POST", "/messages", body)[0] == 200
    finally:
        actions.answer = answer
    entities = seen[0]["tracker"]["latest_message"]["entities"]
    assert [(item["entity"], item["value"]) for item in entities] == [("session_format", "online")]


def test_crisis_event_pauses_a_search(rasa, conversation):
    assert rasa.say(conversation, "find me a therapist")["actions"] == ["search_form"]
    status, turn = rasa.call("POST", "/messages", message(conversation, event="crisis"))
    assert (status, turn["actions"]) == (200, ["utter_crisis_support"])
    assert rasa.say(conversation, "how much does therapy cost?")["actions"] == ["utter_faq_cost"]


def test_slow_turn_is_answered_with_504_and_goes_on(rasa, actions, conversation):
    actions.hold()
    try:
        status, body = rasa.call("POST", "/messages", message(conversation, text="find me a therapist"))
        assert (status, body["error"]["code"]) == (504, "slow")
    finally:
        actions.release()
    stored_when(rasa, conversation, "The slow action is done.")
    assert "The slow action is done." in texts(rasa.say(conversation, "say that again"))


def test_client_that_hangs_up_does_not_lose_the_turn(rasa, actions, conversation):
    actions.hold()
    try:
        connection = rasa.send("POST", "/messages", message(conversation, text="find me a therapist"))
        assert actions.arrived.wait(10)
        connection.close()
    finally:
        actions.release()
    stored_when(rasa, conversation, "The slow action is done.")
    assert "The slow action is done." in texts(rasa.say(conversation, "say that again"))


def test_turns_of_one_conversation_wait_for_each_other(rasa, actions, conversation):
    actions.hold()
    try:
        first = rasa.send("POST", "/messages", message(conversation, text="find me a therapist"))
        assert actions.arrived.wait(10)
        second = rasa.send("POST", "/messages", message(conversation, text="how much does therapy cost?"))
        other = rasa.say(uuid.uuid4().hex, "hello")
    finally:
        actions.release()
    assert other["actions"] == ["utter_greet"]
    assert first.getresponse().status in (200, 504)
    second.getresponse()
    order = [row for row in stored_when(rasa, conversation, "utter_faq_cost") if '"event": "user"' in row]
    assert ["find me a therapist" in row for row in order] == [True, False]


def test_deletion_leaves_nothing_in_database_or_memory(rasa, conversation):
    canary = "zanzibarplum"
    rasa.say(conversation, f"what is attachment theory? {canary}")
    assert any(canary in row for row in stored(rasa, conversation))
    assert rasa.call("DELETE", f"/conversations/{conversation}") == (204, None)
    assert stored(rasa, conversation) == []
    for file in rasa.var.glob("tracker.sqlite*"):
        assert canary.encode() not in file.read_bytes(), file.name
    assert rasa.say(conversation, "tell me more")["actions"] == ["utter_tell_me_more"]


def test_deletion_waits_for_the_turn_in_flight(rasa, actions, conversation):
    actions.hold()
    try:
        turn = rasa.send("POST", "/messages", message(conversation, text="find me a therapist"))
        assert actions.arrived.wait(10)
        deletion = rasa.send("DELETE", f"/conversations/{conversation}")
    finally:
        actions.release()
    assert turn.getresponse().status in (200, 504)
    assert deletion.getresponse().status == 204
    assert stored(rasa, conversation) == []


def test_deleting_what_is_not_there_is_fine(rasa):
    assert rasa.call("DELETE", "/conversations/never-seen")[0] == 204


def test_no_text_of_a_visitor_is_logged_at_any_level(rasa, actions, conversation):
    canary = "quillfeather"
    for text in (f"my name is {canary}", f"/{canary}", f"find me a therapist in {canary}", f"{canary} \ud800", f"I feel {canary}"):
        rasa.say(conversation, text)
    body = message(conversation, intent="find_therapist", entities=[{"entity": "location", "value": canary}])
    rasa.call("POST", "/messages", body)
    rasa.call("POST", "/messages", f'{{"conversation": "{conversation}", "text": "{canary}'.encode())
    good, actions.answer = actions.answer, lambda call: {"events": [{"event": "no such event", "name": canary}], "responses": []}
    try:
        rasa.call("POST", "/messages", message(conversation, text=f"a therapist near {canary}"))
    finally:
        actions.answer = good
    assert any(canary in row for row in stored(rasa, conversation))
    assert canary not in rasa.log
