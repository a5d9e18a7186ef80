"""Asks whether to meet online or in person."""
from typing import Any, Dict, List, Text

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher

from actions.services import ask, button


class AskSessionFormat(Action):
    """The form's question about the format."""

    def name(self) -> Text:
        """See Action."""
        return "action_ask_search_form_session_format"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Dict[Text, Any]) -> List[EventType]:
        """Ask, with a button for each answer."""
        buttons = [
            button("Online", session_format="online"),
            button("In person", session_format="in_person"),
            button("Either is fine", search_step="skip"),
        ]
        return ask(dispatcher, tracker, "session_format", "utter_search_ask_format", buttons)
