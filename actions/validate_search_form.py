"""Takes the visitor's answer into the search and decides what is asked next."""
from typing import Any, Dict, List, Text

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.services import answered_already, services, turn_of
from assistant.handoff import Search, is_answer, next_question, slots_of, take

REQUESTED_SLOT = "requested_slot"


class ValidateSearchForm(Action):
    """Rasa calls it when the form begins, at each answer, and when the form goes on after a question.

    The slots are filled here and nowhere else: what a visitor writes is never stored as a slot, only what it names,
    so that neither a street's postcode nor words of distress become a "place".
    """

    def name(self) -> Text:
        """See Action."""
        return "validate_search_form"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Dict[Text, Any]) -> List[EventType]:
        """Return the slots, and which is asked next; none at all makes the form reject the turn to the rules."""
        search, turn = Search.from_slots(tracker.slots), turn_of(tracker)
        if answered_already(tracker) or (turn.requested and turn.intent != "multi_question" and not is_answer(turn)):
            return [SlotSet(REQUESTED_SLOT, next_question(search))]
        search = take(search, turn, services().gazetteer)
        slots = slots_of(search)
        return [*(SlotSet(name, value) for name, value in slots.items()), SlotSet(REQUESTED_SLOT, next_question(search))]
