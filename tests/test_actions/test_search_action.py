"""The reply of the search action: its link, its honesty about a directory that is away, and its start."""
import asyncio
import os
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
from patience import within
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

import actions.search_therapists as module
from actions.search_therapists import SearchTherapists
from actions.services import Services
from assistant.directory.counts import Counts
from assistant.errors import DirectoryError
from assistant.settings import ROOT, Settings
from scripts.places_extract import build

LIMIT = 2.5  # seconds
SLOTS = {"location": "Leeds", "session_format": "in_person", "concern": "anxiety", "audience": None, "search_memory": {}}


@pytest.fixture
def reply(tmp_path, monkeypatch):
    """Run the action with these settings and this directory; return its messages."""

    def run(directory=None, slots=SLOTS, **env):
        settings = Settings.from_env({"ASSISTANT_VAR": str(tmp_path), **env})
        build(settings)
        tools = Services(settings)
        tools.directory = directory or tools.directory
        monkeypatch.setattr(module, "services", lambda: tools)
        dispatcher = CollectingDispatcher()

        async def turn():
            events = await SearchTherapists().run(dispatcher, Tracker("x", dict(slots), {}, [], False, None, {}, None), {})
            await asyncio.gather(*tools._counting)
            return events

        run.events = asyncio.run(turn())
        run.settings = settings
        return {message["response"]: message for message in dispatcher.messages}

    return run


async def _away(*_):
    raise DirectoryError("away")


async def _hangs(*_):
    await asyncio.sleep(60)


@pytest.mark.parametrize("search", [_away, _hangs])
def test_without_the_directory_the_link_has_the_filters_in_time(search, reply):
    start = time.monotonic()
    messages = reply(
        SimpleNamespace(search=search), ASSISTANT_SEARCH_URL_TEMPLATE="https://example.org/?near={location}&for={concern}",
    )
    assert time.monotonic() - start < within(LIMIT + 1)  # building the services counts here, not in the server
    assert "utter_search_link_only" in messages
    link = messages["utter_search_link_filtered"]
    assert link["custom"]["links"][0]["url"] == "https://example.org/?near=Leeds&for=anxiety"
    assert link["what"] == "therapists near Leeds who work with anxiety"


def test_a_link_without_filters_claims_none(reply):
    messages = reply()
    assert "utter_search_link" in messages and "utter_search_link_filtered" not in messages


def test_samples_are_not_shown_to_the_world(reply):
    messages = reply(ASSISTANT_HOST="0.0.0.0")
    assert "utter_search_link_only" in messages and not any((m.get("custom") or {}).get("cards") for m in messages.values())


def test_searches_are_counted_without_anything_personal(reply):
    import datetime
    nobody = {**SLOTS, "location": "Lerwick", "concern": "intimacy"}
    for _ in range(5):
        reply(slots=nobody)
    counts = Counts(reply.settings)
    assert {count.event: count.number for count in counts.totals(datetime.date.today())} == {"searched": 5, "none": 5}
    assert [(count.area, count.concern, count.number) for count in counts.without_result(datetime.date.today())] == [("ZE", "intimacy", 5)]


def test_counts_that_cannot_be_written_cost_nothing(reply):
    assert "utter_search_found" in " ".join(reply(ASSISTANT_COUNTS_URL="sqlite:////nowhere/counts.db"))


def test_after_the_reply_the_facts_stay_and_the_rest_goes(reply):
    reply(slots={**SLOTS, "search_memory": {"wishes": ["price"], "tries": [["location", 1]]}})
    slots = {event["name"]: event["value"] for event in reply.events}
    assert slots["location"] == "Leeds" and slots["search_memory"]["wishes"] == [] and slots["search_memory"]["tries"] == []


def test_a_stopped_search_searches_nothing(reply):
    assert set(reply(slots={**SLOTS, "search_memory": {"outcome": "stopped"}})) == {"utter_search_stopped"}


def test_the_action_server_starts_alone_and_fast(action_server):
    assert action_server.seconds < 15  # 3 s on a quiet machine


def test_a_wrong_setting_stops_the_start_with_one_line(tmp_path):
    env = {**os.environ, "ASSISTANT_VAR": str(tmp_path), "ASSISTANT_DIRECTORY_BACKEND": "http", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "ignore", "-m", "rasa_sdk", "--actions", "actions", "--port", "0"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "action server: ASSISTANT_DIRECTORY_URL='': give the address of the site's JSON search."
