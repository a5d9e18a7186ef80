"""What the actions share: opened once, when the action server starts."""
from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from functools import lru_cache
from typing import Any, Dict, List, Optional, Set, Text

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from assistant.directory import open_directory
from assistant.directory.counts import Counts
from assistant.errors import DirectoryError
from assistant.handoff import Search, Turn, noted, slots_of
from assistant.places import Gazetteer
from assistant.settings import Settings
from assistant.vocabulary import load_vocabulary

logger = logging.getLogger(__name__)


class Services:
    """Places, words, directory and counts of this installation."""

    def __init__(self, settings: Settings) -> None:
        """Open everything; a malformed setting stops the start."""
        self.settings = settings
        self.gazetteer = Gazetteer.load(settings)
        self.vocabulary = load_vocabulary()
        self.directory = open_directory(settings)
        self._counts: Optional[Counts] = None
        self._counting: Set["asyncio.Task[None]"] = set()  # keeps the tasks alive

    def count(self, event: str, area: str = "", concern: str = "") -> None:
        """Count an event in the background; a count that fails is logged and costs the visitor nothing."""
        task = asyncio.create_task(self._count(event, area, concern))
        self._counting.add(task)
        task.add_done_callback(self._counting.discard)

    async def _count(self, event: str, area: str, concern: str) -> None:
        try:
            await asyncio.to_thread(self._add, event, area, concern)
        except DirectoryError as error:
            logger.warning("%s", error)

    def _add(self, event: str, area: str, concern: str) -> None:
        if self._counts is None:
            self._counts = Counts(self.settings)
        self._counts.add(event, area, concern)


@lru_cache(maxsize=1)
def services() -> Services:
    """Return the services of this process."""
    return Services(Settings.from_env())


def turn_of(tracker: Tracker) -> Turn:
    """Return the visitor's last message as the search reads it."""
    message = tracker.latest_message
    return Turn(
        intent=(message.get("intent") or {}).get("name") or "",
        text=message.get("text") or "",
        entities=tuple(entity for entity in message.get("entities") or () if entity.get("value") is not None),
        requested=tracker.get_slot("requested_slot"),
    )


def answered_already(tracker: Tracker) -> bool:
    """Whether the visitor's last message was answered by something else, and the search only goes on."""
    questions = tracker.latest_message.get("questions") or []
    for event in reversed(tracker.events):
        if event.get("event") == "user":
            return False
        if event.get("event") == "action" and str(event.get("name")).startswith("utter_"):
            return "find_therapist" not in questions
    return False


def ask(dispatcher: CollectingDispatcher, tracker: Tracker, slot: Text, response: Text, buttons: List[Dict[Text, Any]],
        **values: Any) -> List[EventType]:
    """Ask for `slot`, behind what the last turn brought or that it was not understood; return the events.

    A question that comes again, behind an answer to another, and one about a place that is not clear stand alone.
    """
    search = Search.from_slots(tracker.slots)
    plain = bool(search.problem) or answered_already(tracker)
    if search.noted and not plain:
        dispatcher.utter_message(response="utter_search_noted", what=noted(search, services().vocabulary))
    elif slot in dict(search.tries) and not plain:
        dispatcher.utter_message(response="utter_search_again")
    dispatcher.utter_message(response=response, buttons=buttons, **values)
    return [SlotSet("search_memory", slots_of(replace(search, noted=()))["search_memory"])]


def button(title: Text, **entities: Text) -> Dict[Text, Any]:
    """Return a button that sends `find_therapist` with these entities."""
    pairs = ", ".join(f'"{name}": "{value}"' for name, value in entities.items())
    return {"title": title, "payload": f"/find_therapist{{{pairs}}}"}


