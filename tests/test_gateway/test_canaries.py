"""What is deleted or has expired is gone from every table and file, and nobody's words reach a log."""
import asyncio
import json
import logging
import sqlite3
import uuid

import pytest
from sqlalchemy import select, update
from support import CRISIS, gateway_at, settings_for, until

from gateway import logs, schema

pytestmark = pytest.mark.asyncio

CANARIES = ("Xanthippe", "xanthippe@canary.example", "07700 900461", "LS6 3HN", "quokkaphobia")
WORDS = f"my name is {CANARIES[0]}, {CANARIES[1]}, {CANARIES[2]}, {CANARIES[3]} and I have {CANARIES[4]}"


async def rows(gateway, table):
    return await gateway.parts.database.read(lambda connection: connection.execute(select(table)).all())


async def everything(gateway):
    """Return all that the journal holds, as one text."""
    return "\n".join([str(tuple(row)) for table in schema.metadata.tables.values() for row in await rows(gateway, table)])


async def holds_a_canary(gateway, canaries=CANARIES):
    """Return whether any of the canaries stands in the journal."""
    held = await everything(gateway)
    return any(canary in held for canary in canaries)


def files(folder):
    """Return the bytes of every file below a folder."""
    return b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


async def talk(gateway):
    """Say the canaries on every path of the widget; return the visitor."""
    async def understood_badly(body):
        button = {"title": "Yes", "payload": '/x{"a": "quokkaphobia"}'}
        return gateway.rasa.reply({"text": f"I read {body.get('text')}", "buttons": [button]},
                                  intent={"name": "nlu_fallback", "confidence": 0.1}, actions=["utter_not_understood"])

    gateway.rasa.answer = understood_badly
    visitor = await gateway.visitor()
    _, value = await visitor.say(WORDS)
    await visitor.call("POST", "/api/feedback", {"message": value["messages"][0]["id"], "helpful": False})
    await visitor.choose(value["messages"][0]["choices"][0]["choice"])
    await visitor.say(f"{CRISIS}, {WORDS}")
    return visitor


async def age(gateway, seconds):
    """Make everything look `seconds` older."""
    def work(connection):
        c = schema.conversations.c
        connection.execute(update(schema.conversations).values(
            created_at=c.created_at - seconds, expires_at=c.expires_at - seconds, deleted_at=c.deleted_at - seconds))
        for table in (schema.turns, schema.feedback, schema.inbox, schema.review, schema.seen):
            connection.execute(update(table).values(at=table.c.at - seconds))

    await gateway.parts.database.write(work)


async def test_deleting_leaves_nothing_in_any_table_or_file(gateway, journal_url):
    visitor = await talk(gateway)
    assert await holds_a_canary(gateway)
    status, _, _ = await visitor.call("DELETE", "/api/session")
    assert status == 204 and gateway.rasa.deleted == [visitor.conversation]
    assert not await holds_a_canary(gateway)
    for table in (schema.messages, schema.replies, schema.turns, schema.feedback, schema.inbox, schema.review):
        assert await rows(gateway, table) == []
    if journal_url == "sqlite":
        await gateway.parts.retention.run()
        assert not any(canary.encode() in files(gateway.settings.var) for canary in CANARIES)


async def test_a_deleted_conversation_takes_no_more_messages(gateway):
    visitor = await gateway.visitor()
    await visitor.say("hello")
    await visitor.call("DELETE", "/api/session")
    for method, path, body in (("POST", "/api/messages", {"id": str(uuid.uuid4()), "text": "hello"}), ("GET", "/api/messages", None)):
        status, value, _ = await visitor.call(method, path, body)
        assert status == 401 and value["error"]["code"] == "session_ended"
    assert [row for row in await rows(gateway, schema.messages)] == []


async def test_a_turn_in_flight_does_not_write_a_deleted_conversation_back(gateway):
    go_on = asyncio.Event()

    async def held(body):
        await go_on.wait()
        return await gateway.rasa.usual(body)

    gateway.rasa.answer = held
    visitor = await gateway.visitor()
    waiting = asyncio.ensure_future(visitor.say(WORDS))
    await until(lambda: gateway.rasa.calls)
    assert (await visitor.call("DELETE", "/api/session"))[0] == 204
    status, value = await asyncio.wait_for(waiting, 2)
    assert status == 401 and value["error"]["code"] == "session_ended"
    go_on.set()
    await until(lambda: gateway.parts.delivery.busy == 0)
    assert not await holds_a_canary(gateway)


async def test_deleting_while_rasa_is_away_finishes_by_itself(gateway):
    visitor = await talk(gateway)
    await gateway.rasa.stop()
    status, value, _ = await visitor.call("DELETE", "/api/session")
    assert (status, value) == (202, {"status": "pending"})
    assert not await holds_a_canary(gateway)
    await gateway.parts.retention.run()
    await gateway.rasa.start(gateway.settings.rasa_port)
    await gateway.parts.retention.run()
    assert gateway.rasa.deleted == [visitor.conversation]
    await age(gateway, 86400)
    await gateway.parts.retention.run()
    assert await rows(gateway, schema.conversations) == []


async def test_deletion_in_the_conversation_does_the_same(gateway):
    visitor = await talk(gateway)

    async def offers_deletion(body):
        return gateway.rasa.reply({"text": "Delete it all?", "buttons": [{"title": "Yes, delete it", "payload": "gateway:delete"}]})

    gateway.rasa.answer = offers_deletion
    await visitor.say("delete my data")
    status, value = await visitor.say("yes, delete it")
    assert status == 200 and value["ended"] and value["messages"][0]["text"] == gateway.parts.texts.deleted and "token" not in value
    assert gateway.rasa.deleted == [visitor.conversation]
    assert not await holds_a_canary(gateway) and await rows(gateway, schema.turns) == []


async def test_after_a_day_the_words_are_gone_and_what_bears_no_text_stays(gateway, journal_url):
    visitor = await talk(gateway)
    await age(gateway, 86400 + 60)
    status, _ = await visitor.say("hello")
    assert status == 401
    await gateway.parts.retention.run()
    assert not await holds_a_canary(gateway, CANARIES[:4])  # the inbox keeps redacted rows for a month
    assert await rows(gateway, schema.messages) == [] and await rows(gateway, schema.replies) == []
    assert gateway.rasa.deleted == [visitor.conversation]
    turns = await rows(gateway, schema.turns)
    assert len(turns) == 3 and {turn.level for turn in turns} == {"none", "crisis"}
    if journal_url == "sqlite":
        assert not any(canary.encode() in files(gateway.settings.var) for canary in CANARIES[:4])
    await age(gateway, 31 * 86400)
    await gateway.parts.retention.run()
    if journal_url == "sqlite":
        assert not any(canary.encode() in files(gateway.settings.var) for canary in CANARIES)
    for table in schema.metadata.tables.values():
        assert await rows(gateway, table) == [], table.name


async def test_the_inbox_holds_redacted_words_and_never_a_crisis(gateway):
    await talk(gateway)
    kept = await rows(gateway, schema.inbox)
    # What the safety check finds near its threshold goes to the review queue instead of the inbox.
    looked_at = {row.reason for row in [*kept, *await rows(gateway, schema.review)]}
    assert "unhelpful" in looked_at and looked_at & {"not_understood", "near"}
    for row in kept:
        assert "[name]" in row.text and "[email]" in row.text and "[phone]" in row.text and "LS6" in row.text
        assert not any(canary in row.text for canary in CANARIES[:4]) and "kill" not in row.text
        assert row.intent == "nlu_fallback" and row.level == "none"


async def test_an_unhelpful_answer_to_a_crisis_stays_out_of_the_inbox(light):
    visitor = await light.visitor()
    _, value = await visitor.say(CRISIS)
    assert (await visitor.call("POST", "/api/feedback", {"message": value["messages"][0]["id"], "helpful": False}))[0] == 204
    assert await rows(light, schema.inbox) == []


async def test_help_opened_after_a_calm_turn_is_for_the_safety_role_alone(light):
    visitor = await light.visitor()
    await visitor.say("how much is it?")
    await visitor.say("urgent help")

    async def noted():
        return [row.reason for row in await rows(light, schema.review)] == ["help_after_none"]

    await until(noted)
    assert await rows(light, schema.inbox) == []


async def test_turns_keep_what_explains_a_reply_and_no_text(light):
    visitor = await light.visitor()
    _, value = await visitor.say(WORDS)
    turn = (await rows(light, schema.turns))[0]
    assert turn.reference == value["messages"][0]["reference"]
    assert (turn.intent, turn.confidence, json.loads(turn.actions), turn.release) == ("faq_cost", 0.9, ["utter_faq_cost"], "model-1")
    assert not any(canary in str(tuple(turn)) for canary in CANARIES)


async def test_no_words_reach_a_log_at_any_level_whatever_fails(tmp_path, view, monkeypatch, caplog):
    monkeypatch.delenv("ASSISTANT_JOURNAL_URL", raising=False)
    logs.configure()
    settings = settings_for(tmp_path)
    with caplog.at_level(logging.DEBUG):
        async with gateway_at(settings, view) as gateway:
            visitor = await talk(gateway)

            async def broken(body):
                raise RuntimeError(WORDS)

            gateway.rasa.answer = broken
            await visitor.say(WORDS)
            monkeypatch.setattr(type(gateway.parts.answerer), "answer", lambda *a: (_ for _ in ()).throw(RuntimeError(WORDS)))
            await visitor.say(WORDS)
            monkeypatch.setattr(type(gateway.parts.safety), "check", lambda *a: (_ for _ in ()).throw(RuntimeError(WORDS)))
            assert (await visitor.say(WORDS))[0] == 500
            monkeypatch.undo()
            holder = sqlite3.connect(settings.var / "journal.db", isolation_level=None)
            holder.execute("BEGIN IMMEDIATE")
            assert (await (await gateway.visitor()).say(WORDS))[0] == 503
            holder.close()
    own = [record for record in caplog.records if record.name == "gateway"]
    assert len(own) >= 3
    assert not any(canary in record.getMessage() + str(record.exc_text) for record in caplog.records
                   for canary in CANARIES if not record.name.startswith(("aiohttp.server", "hypothesis")))


async def test_retention_runs_by_itself(tmp_path, view, monkeypatch):
    monkeypatch.delenv("ASSISTANT_JOURNAL_URL", raising=False)
    settings = settings_for(tmp_path)
    async with gateway_at(settings, view) as gateway:
        await talk(gateway)
        await age(gateway, 2 * 86400)
    async with gateway_at(settings, view) as gateway:
        async def emptied():
            return await rows(gateway, schema.messages) == []

        await until(emptied)
