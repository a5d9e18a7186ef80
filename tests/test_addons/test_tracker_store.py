"""The tracker store on SQLite and PostgreSQL (addons/tracker_store.py), and its trackers (addons/tracker.py)."""
import os
import shutil
import signal
import sqlite3
import time
import uuid

import pytest
import sqlalchemy as sa
from patience import within
from rasa.core.tracker_store import FailSafeTrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActiveLoop, BotUttered, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from addons import tracker_store
from addons.tracker import HISTORY, TURNS, BoundedTracker
from addons.tracker_store import BoundedTrackerStore, StoreAway
from scripts.local_services import Postgres
from tests.test_addons.serving import texts, wait_until

DOMAIN = Domain.from_dict({
    "version": "3.1", "intents": ["faq_cost"], "actions": ["utter_faq_cost"],
    "slots": {"place": {"type": "text", "influence_conversation": False, "mappings": [{"type": "custom"}]}},
})


@pytest.fixture(scope="module")
def postgres():
    server = Postgres()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgres"])
def database(request, tmp_path, monkeypatch):
    """Set the address of an empty database."""
    monkeypatch.setenv("ASSISTANT_VAR", str(tmp_path))
    if request.param == "sqlite":
        monkeypatch.delenv("ASSISTANT_TRACKER_URL", raising=False)
    else:
        server = request.getfixturevalue("postgres")
        monkeypatch.setenv("ASSISTANT_TRACKER_URL", server.database("t" + uuid.uuid4().hex))
    return request.param


@pytest.fixture
def sqlite(tmp_path, monkeypatch):
    monkeypatch.setenv("ASSISTANT_VAR", str(tmp_path))
    monkeypatch.delenv("ASSISTANT_TRACKER_URL", raising=False)
    return tmp_path / "tracker.sqlite"


def new_store():
    """Return a store as Rasa wraps it, and the store itself: a replica of its own."""
    store = BoundedTrackerStore(DOMAIN)
    return FailSafeTrackerStore(store), store


async def turn(store, conversation, text):
    """Do to the store what Rasa does in one turn; return the tracker."""
    tracker = await store.get_or_create_tracker(conversation)
    tracker.update(UserUttered(text, {"name": "faq_cost", "confidence": 0.9}))
    tracker.update(ActionExecuted("utter_faq_cost"))
    tracker.update(BotUttered(f"You said {text}."))
    tracker.update(ActionExecuted("action_listen"))
    await store.save(tracker)
    return tracker


def said(tracker):
    return [event.text for event in tracker.events if isinstance(event, UserUttered)]


async def test_another_process_finds_the_conversation_as_it_was(database):
    rasa, _ = new_store()
    for text in ("one", "two", "three"):
        tracker = await turn(rasa, "a", text)
    found = await new_store()[0].retrieve("a")
    assert [event.as_dict() for event in found.events] == [event.as_dict() for event in tracker.events]
    assert await new_store()[0].retrieve("b") is None


async def test_history_is_bounded_in_memory_and_when_read_again(database):
    rasa, _ = new_store()
    for number in range(HISTORY // 4 + 20):
        tracker = await turn(rasa, "a", f"{number}")
    assert len(tracker.events) == HISTORY
    found = await new_store()[0].retrieve("a")
    assert len(found.events) == HISTORY
    assert said(found)[-1] == f"{number}"


async def test_remembered_conversation_is_not_read_again(database):
    rasa, store = new_store()
    await turn(rasa, "a", "one")
    tracker = await turn(rasa, "a", "two")
    statements = []
    sa.event.listen(store._engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert await rasa.retrieve("a") is tracker
    assert len(statements) == 1 and "max" in statements[0]


async def test_what_another_replica_wrote_is_seen(database):
    here, _ = new_store()
    there, _ = new_store()
    await turn(here, "a", "one")
    await turn(there, "a", "two")
    await turn(there, "a", "three")
    tracker = await turn(here, "a", "four")
    assert said(tracker) == ["one", "two", "three", "four"]
    assert said(await new_store()[0].retrieve("a")) == ["one", "two", "three", "four"]


async def test_turn_that_fails_half_way_leaves_nothing_in_memory(database):
    rasa, _ = new_store()
    await turn(rasa, "a", "one")
    half = await rasa.retrieve("a")
    half.update(UserUttered("lost", {"name": "faq_cost", "confidence": 0.9}))  # and the turn fails: it is never saved
    assert said(await rasa.retrieve("a")) == ["one"]


async def test_memory_holds_the_newest_conversations_alone(database, monkeypatch):
    monkeypatch.setattr(tracker_store, "REMEMBERED", 3)
    rasa, store = new_store()
    for name in "abcde":
        await turn(rasa, name, name)
    assert [store.recent(name) is not None for name in "abcde"] == [False, False, True, True, True]
    assert said(await rasa.retrieve("a")) == ["a"]


async def test_deletion_removes_one_conversation_from_memory_and_database(database):
    rasa, store = new_store()
    await turn(rasa, "a", "one")
    await turn(rasa, "b", "two")
    await store.delete("a")
    assert store.recent("a") is None
    assert list(await new_store()[0].keys()) == ["b"]


async def test_locked_database_does_not_stop_the_conversation(sqlite):
    rasa, store = new_store()
    await turn(rasa, "a", "one")
    with sqlite3.connect(sqlite, isolation_level=None) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        before = time.monotonic()
        tracker = await turn(rasa, "a", "two")
        assert time.monotonic() - before < within(2) * tracker_store.SECONDS + 0.5
        assert said(tracker) == ["one", "two"]
        before = time.monotonic()
        assert said(await turn(rasa, "a", "three")) == ["one", "two", "three"]
        assert time.monotonic() - before < within(0.5)  # it is left alone for a while
        lock.execute("ROLLBACK")
    store._breaker.succeeded()
    await turn(rasa, "a", "four")
    assert said(await new_store()[0].retrieve("a")) == ["one", "two", "three", "four"]


async def test_conversation_begun_while_the_database_is_away_is_written_later(sqlite):
    rasa, store = new_store()
    await turn(rasa, "other", "one")
    with sqlite3.connect(sqlite, isolation_level=None) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        await turn(rasa, "a", "one")
        await turn(rasa, "a", "two")
        lock.execute("ROLLBACK")
    store._breaker.succeeded()
    await turn(rasa, "a", "three")
    assert said(await new_store()[0].retrieve("a")) == ["one", "two", "three"]


async def test_database_taken_away_is_made_anew(sqlite):
    rasa, store = new_store()
    await turn(rasa, "a", "one")
    store._engine.dispose()
    for file in sqlite.parent.glob("tracker.sqlite*"):
        file.unlink()
    assert said(await turn(rasa, "a", "two")) == ["one", "two"]
    store._breaker.succeeded()
    await turn(rasa, "a", "three")
    assert list(await new_store()[0].keys()) == ["a"]


async def test_folder_that_cannot_be_written_does_not_stop_the_conversation(sqlite):
    rasa, _ = new_store()
    shutil.rmtree(sqlite.parent)
    for texts_so_far in (["one"], ["one", "two"]):
        assert said(await turn(rasa, "a", texts_so_far[-1])) == texts_so_far


async def test_hung_database_costs_one_turn_a_second_and_the_next_nothing(postgres, tmp_path, monkeypatch):
    monkeypatch.setenv("ASSISTANT_VAR", str(tmp_path))
    monkeypatch.setenv("ASSISTANT_TRACKER_URL", postgres.database("hung" + uuid.uuid4().hex))
    rasa, store = new_store()
    await turn(rasa, "a", "one")
    stopped = postgres.pids
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        before = time.monotonic()
        assert said(await turn(rasa, "a", "two")) == ["one", "two"]
        assert tracker_store.SECONDS <= time.monotonic() - before < within(tracker_store.SECONDS + 1)
        before = time.monotonic()
        assert said(await turn(rasa, "a", "three")) == ["one", "two", "three"]
        assert time.monotonic() - before < within(0.5)
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    store._breaker.succeeded()
    await turn(rasa, "a", "four")
    assert said(await new_store()[0].retrieve("a")) == ["one", "two", "three", "four"]


async def test_start_needs_no_database(monkeypatch, tmp_path):
    monkeypatch.setenv("ASSISTANT_VAR", str(tmp_path))
    monkeypatch.setenv("ASSISTANT_TRACKER_URL", "postgresql://nobody@127.0.0.1:9/nowhere")
    rasa, store = new_store()
    await turn(rasa, "a", "one")
    assert said(await turn(rasa, "a", "two")) == ["one", "two"]
    with pytest.raises(StoreAway):
        await store.delete("a")


def test_locked_database_does_not_stop_a_visitor(rasa, conversation):
    """The same through the whole of a running Rasa."""
    def stored():
        with sqlite3.connect(rasa.var / "tracker.sqlite") as reader:
            return [row[0] for row in reader.execute("SELECT data FROM tracker_events WHERE conversation = ?", (conversation,))]

    rasa.say(conversation, "how much does therapy cost?")
    with sqlite3.connect(rasa.var / "tracker.sqlite", isolation_level=None) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        assert rasa.say(conversation, "tell me more")["actions"] == ["utter_faq_cost_more"]
        assert rasa.say(conversation, "tell me more")["actions"] == ["utter_no_more"]
        lock.execute("ROLLBACK")
    wait_until(lambda: texts(rasa.say(conversation, "hello")) and any("utter_no_more" in row for row in stored()),
               tracker_store.REST_SECONDS + 10, "what was missed is written", every=1)


def conversation_of(turns, tracker):
    tracker.update(ActionExecuted("action_listen"))
    for number in range(turns):
        tracker.update(UserUttered(f"{number}", {"name": "faq_cost", "confidence": 0.9}))
        tracker.update(ActionExecuted("utter_faq_cost"))
        tracker.update(ActionExecuted("action_listen"))


def test_policies_see_the_last_turns_alone():
    tracker = BoundedTracker("a", DOMAIN.slots)
    conversation_of(TURNS + 5, tracker)
    applied = tracker.applied_events()
    assert [event.text for event in applied if isinstance(event, UserUttered)] == [f"{number}" for number in range(5, TURNS + 5)]
    assert isinstance(applied[0], ActionExecuted)


def test_loop_from_before_the_last_turns_is_still_active():
    tracker = BoundedTracker("a", DOMAIN.slots)
    tracker.update(ActiveLoop("search_form"))
    conversation_of(TURNS + 5, tracker)
    assert tracker.applied_events()[0] == ActiveLoop("search_form")
    assert all(state["active_loop"] == {"name": "search_form"} for state in tracker.past_states(DOMAIN))


def test_short_conversation_is_seen_as_rasa_sees_it():
    ours, theirs = BoundedTracker("a", DOMAIN.slots), DialogueStateTracker("a", DOMAIN.slots)
    for tracker in (ours, theirs):
        conversation_of(TURNS, tracker)
    assert ours.applied_events() == theirs.applied_events()
    assert ours.past_states(DOMAIN) == theirs.past_states(DOMAIN)


def test_copy_is_equal_and_independent():
    tracker = BoundedTracker("a", DOMAIN.slots)
    conversation_of(3, tracker)
    tracker.update(SlotSet("place", "Leeds"))
    tracker.update(ActiveLoop("search_form"))
    twin = tracker.copy()
    assert twin == tracker and twin.current_state() == tracker.current_state()
    for event in (SlotSet("place", "York"), ActiveLoop(None), ActionExecuted("utter_faq_cost")):
        twin.update(event)
    assert (tracker.get_slot("place"), tracker.active_loop_name, tracker.latest_action_name) == ("Leeds", "search_form", "action_listen")
    assert len(twin.events) == len(tracker.events) + 3
