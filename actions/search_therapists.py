"""Searches the directory, shows up to three therapists and always the site's own search."""
import asyncio
import logging
from typing import Any, Dict, List, Optional, Text

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.services import Services, button, services
from assistant.directory import RADII, Query, Results, deep_link
from assistant.errors import AssistantError, DirectoryError
from assistant.handoff import Search, card, describe, query_of, slots_of, unapplied
from assistant.handoff.form import PAGE

logger = logging.getLogger(__name__)

# The link must be there within 2.5 s whatever the directory does; its own limit is 2 s.
LONGEST = 2.2
NUMBERS = {1: "one", 2: "two", 3: "three"}


class SearchTherapists(Action):
    """The hand-off: cards, what was searched for, what was not, the link, and buttons to change the search."""

    def __init__(self) -> None:
        """Open everything now, when the action server starts: the first visitor does not wait, a wrong setting stops it."""
        try:
            services()
        except AssistantError as error:
            raise SystemExit(f"action server: {error}") from None

    def name(self) -> Text:
        """See Action."""
        return "action_search_therapists"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Dict[Text, Any]) -> List[EventType]:
        """Reply to a search that is complete, given up or stopped."""
        tools, search = services(), Search.from_slots(tracker.slots)
        if search.outcome == "stopped":
            dispatcher.utter_message(response="utter_search_stopped", buttons=[button("Search again")])
            return _remembered(search)
        query = query_of(search, tools.gazetteer)
        results = None if search.outcome == "gave_up" else await _results(tools, query, search)
        if results is None:
            response = "utter_search_gave_up" if search.outcome == "gave_up" else "utter_search_link_only"
            dispatcher.utter_message(response=response)
        else:
            _show(dispatcher, tools, query, search, results)
        if search.wishes:
            dispatcher.utter_message(response="utter_search_wishes", wishes=unapplied(search.wishes, tools.vocabulary))
        _link(dispatcher, tools, query)
        dispatcher.utter_message(response="utter_search_change", buttons=_changes(query, search, results))
        _count(tools, query, search, results)
        return _remembered(search, results)


async def _results(tools: Services, query: Query, search: Search) -> Optional[Results]:
    """Return a page of results, or None when the directory cannot be searched."""
    try:
        return await asyncio.wait_for(tools.directory.search(query, PAGE, search.offset, search.radius), LONGEST)
    except (DirectoryError, asyncio.TimeoutError) as error:
        logger.warning("The search gives the link alone: %s", error or "the directory is slow")
        return None


def _show(dispatcher: CollectingDispatcher, tools: Services, query: Query, search: Search, results: Results) -> None:
    if results.sample and results.found and not search.offset:
        dispatcher.utter_message(response="utter_search_sample")
    cards = [card(found) for found in results.found]
    payload = {"type": "cards", "cards": cards, "sample": results.sample, "total": results.total}
    dispatcher.utter_message(
        response=_heading(search, results),
        json_message=payload if cards else {},
        what=describe(query, tools.vocabulary),
        found=_number(results.total),
        shown=_number(len(cards)),
        radius=results.radius or 0,
        nearer=search.radius,
    )


def _heading(search: Search, results: Results) -> Text:
    """Return the response that says what the results are."""
    if not results.found:
        return "utter_search_no_more" if search.offset else "utter_search_none"
    if search.offset:
        return "utter_search_more"
    if results.online_instead:
        return "utter_search_online_instead"
    more = results.total > len(results.found)
    if results.radius is None:
        return "utter_search_found_anywhere_first" if more else "utter_search_found_anywhere"
    if results.radius > search.radius:
        return "utter_search_found_wider_first" if more else "utter_search_found_wider"
    return "utter_search_found_first" if more else "utter_search_found"


def _number(count: int) -> Text:
    return NUMBERS.get(count, f"{count:,}")


def _link(dispatcher: CollectingDispatcher, tools: Services, query: Query) -> None:
    """Offer the site's search; the text claims the filters that the link carries, no others."""
    link = deep_link(query, tools.settings)
    payload = {"type": "links", "links": [{"label": "Open the search", "url": link.url}]}
    if link.carries:
        what = describe(query, tools.vocabulary, only=link.carries)
        dispatcher.utter_message(response="utter_search_link_filtered", json_message=payload, what=what)
    else:
        dispatcher.utter_message(response="utter_search_link", json_message=payload)


def _changes(query: Query, search: Search, results: Optional[Results]) -> List[Dict[Text, Any]]:
    buttons = []
    if results is not None and results.total > search.offset + len(results.found) and results.found:
        buttons.append(button("Show more", search_step="more"))
    if results is not None and results.radius and results.radius < RADII[-1]:
        buttons.append(button("Look further away", search_step="wider"))
    elif results is not None and results.radius and not results.online_instead:
        buttons.append(button("Look online", session_format="online"))
    if query.session_format != "online":
        buttons.append(button("Change place", search_step="change_location"))
    buttons.append(button("Change format", search_step="change_session_format"))
    buttons.append(button("Change concern", search_step="change_concern"))
    return buttons


def _count(tools: Services, query: Query, search: Search, results: Optional[Results]) -> None:
    if search.offset:
        return
    area = tools.gazetteer.area(query.place) if query.place else ""
    tools.count("searched")
    if results is None:
        tools.count("linked")
    elif results.found and not results.online_instead:
        tools.count("shown")
    else:
        tools.count("none", area, query.concern or "")


def _remembered(search: Search, results: Optional[Results] = None) -> List[EventType]:
    """Keep the facts for the next search; what belonged to this one alone goes."""
    radius = results.radius if results and results.radius else RADII[0]
    kept = Search(search.location, search.session_format, search.concern, search.audience, offset=search.offset, radius=radius)
    return [SlotSet(name, value) for name, value in slots_of(kept).items()]
