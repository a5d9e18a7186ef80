"""Asks what the visitor would like help with."""
from typing import Any, Dict, List, Text

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher

from actions.services import ask, button, services

# The commonest, as buttons; every other can be written.
OFFERED = ("anxiety", "depression", "relationships", "trauma")


class AskConcern(Action):
    """The form's question about the concern."""

    def name(self) -> Text:
        """See Action."""
        return "action_ask_search_form_concern"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Dict[Text, Any]) -> List[EventType]:
        """Ask, with a few common answers and a way to leave it open."""
        vocabulary = services().vocabulary
        buttons = [button(vocabulary.label("concern", value).capitalize(), concern=value) for value in OFFERED]
        buttons.append(button("Skip this", search_step="skip"))
        return ask(dispatcher, tracker, "concern", "utter_search_ask_concern", buttons)
