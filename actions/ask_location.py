"""Asks where to look, or what was meant by a place that is not clear."""
from typing import Any, Dict, List, Text

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher

from actions.services import ask, button
from assistant.handoff import Search

RESPONSES = {
    "": "utter_search_ask_place",
    "abroad": "utter_search_place_abroad",
    "ambiguous": "utter_search_place_ambiguous",
    "near_me": "utter_search_place_near_me",
    "unknown": "utter_search_place_unknown",
    "wide": "utter_search_place_wide",
}


class AskLocation(Action):
    """The form's question about the place."""

    def name(self) -> Text:
        """See Action."""
        return "action_ask_search_form_location"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Dict[Text, Any]) -> List[EventType]:
        """Ask; several places of one name become a button each."""
        search = Search.from_slots(tracker.slots)
        buttons = [button(_title(label, search.choices), location=label) for label in search.choices]
        if not buttons:
            buttons = [button("Look online", session_format="online"), button("Anywhere", search_step="skip")]
        return ask(dispatcher, tracker, "location", RESPONSES[search.problem], buttons, name=search.name)


def _title(label: Text, choices: Any) -> Text:
    """Return what tells a place from its namesakes: "Isle of Wight", "Near Telford"."""
    name, _, region = label.partition(", ")
    same = all(choice.partition(", ")[0] == name for choice in choices)
    return region[:1].upper() + region[1:] if region and same else label
