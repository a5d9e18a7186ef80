"""Policies that answer what one rule cannot: a person at risk, several questions, and what hangs on the turns before."""
from typing import Any, Dict, List, Optional, Text

from rasa.core.constants import RULE_POLICY_PRIORITY
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.shared.core.constants import REQUESTED_SLOT
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActiveLoop, AllSlotsReset, BotUttered, Event, SlotSet
from rasa.shared.core.trackers import DialogueStateTracker

from addons.history import FRESH_START, actions, buttons, in_a_row, intent, last_reply, understood
from addons.names import CRISIS, NONE_OF_THESE, SEARCH_FORM, SEVERAL
from addons.planning import Plan, PlanningPolicy
from assistant.handoff.turn import Turn, continues_search, during_search, is_answer
from assistant.language import is_english

# A visitor who is not understood is asked, asked again with a line on urgent help, and then shown to people.
MISUNDERSTOOD = ("nlu_fallback", "out_of_scope")
PATIENCE = 3
# Said alone, these may mean anything, the worst included.
CALLS_FOR_HELP = ("help", "help me", "please help", "please help me", "help please", "pls help", "i need help", "sos")

_POLICY = DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT


@DefaultV1Recipe.register(_POLICY, is_trainable=True)
class SafetyPolicy(PlanningPolicy):
    """Answers the intent `crisis` with support and pauses a search in progress; its slots stay."""

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        """See Policy."""
        return {"priority": RULE_POLICY_PRIORITY + 3}

    def plan(self, tracker: DialogueStateTracker, domain: Domain) -> Optional[Plan]:
        """See PlanningPolicy."""
        return Plan(["utter_crisis_support"], _leave_search()) if intent(tracker) == CRISIS else None


@DefaultV1Recipe.register(_POLICY, is_trainable=True)
class SeveralQuestionsPolicy(PlanningPolicy):
    """Answers each of several questions in one message; a search comes last, since it asks back."""

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        """See Policy."""
        return {"priority": RULE_POLICY_PRIORITY + 2}

    def plan(self, tracker: DialogueStateTracker, domain: Domain) -> Optional[Plan]:
        """See PlanningPolicy."""
        if intent(tracker) != SEVERAL:
            return None
        questions = understood(tracker).get("questions") or []
        answers = [f"utter_{name}" for name in questions if name != "find_therapist"]
        search = SEARCH_FORM if "find_therapist" in questions else tracker.active_loop_name
        return Plan([*answers, search] if search else answers)


@DefaultV1Recipe.register(_POLICY, is_trainable=True)
class FollowUpPolicy(PlanningPolicy):
    """Answers what hangs on the turns before: "tell me more", "yes", a search in progress, misunderstandings in a row."""

    def plan(self, tracker: DialogueStateTracker, domain: Domain) -> Optional[Plan]:
        """See PlanningPolicy."""
        if tracker.latest_message is None:
            return None
        name, text = intent(tracker), tracker.latest_message.text or ""
        turn = Turn(name, text, tracker.latest_message.entities, tracker.get_slot(REQUESTED_SLOT))
        if tracker.active_loop_name and is_answer(turn):
            return None
        if continues_search(turn, next(actions(tracker), "")):
            return Plan([SEARCH_FORM])
        if name == "tell_me_more":
            resume = [tracker.active_loop_name] if tracker.active_loop_name else []
            return Plan([_more(tracker, domain), *resume])
        if tracker.active_loop_name:
            return _during_search(turn, domain)
        if text.lower().strip(" .!?") in CALLS_FOR_HELP:
            return Plan(["utter_ask_capabilities", "utter_urgent_line"])
        if name == "start_over":
            return Plan([FRESH_START], [AllSlotsReset()])
        if name in ("affirm", "choose_option"):
            return _choose(tracker, name)
        if name == "share_feelings" and in_a_row(tracker, ("share_feelings",)) >= PATIENCE:
            return Plan(["utter_share_feelings_people"])
        return _misunderstood(tracker, text) if name in MISUNDERSTOOD else None


def _leave_search() -> List[Event]:
    return [ActiveLoop(None), SlotSet(REQUESTED_SLOT, None)]


def _during_search(turn: Turn, domain: Domain) -> Optional[Plan]:
    """Return how to answer a question in the middle of a search; None when the message answers the search itself."""
    question = during_search(turn, domain.action_names_or_texts)
    if question is None:
        return None
    return Plan([question.action, SEARCH_FORM]) if question.goes_on else Plan([question.action], _leave_search())


def _more(tracker: DialogueStateTracker, domain: Domain) -> Text:
    """Return the answer to "tell me more": on the last topic, once."""
    answers = [name for name in actions(tracker) if name.startswith("utter_faq_")]
    last = next((name for name in answers if not name.endswith("_more")), None)
    more = f"{last}_more"
    if more not in domain.action_names_or_texts:
        return "utter_tell_me_more"
    return "utter_no_more" if answers[0] == more else more


def _choose(tracker: DialogueStateTracker, name: Text) -> Optional[Plan]:
    """Return what "yes" or an unclear choice means, given what the last reply offered.

    "Yes" takes the first offer of a reply that ended with a question. A list of things to choose from is shown again.
    """
    offers = [button.get("payload", "") for said in last_reply(tracker) for button in buttons(said)]
    if not offers or (name == "affirm" and not _asks(last_reply(tracker)[-1])):
        return None
    is_list = name == "choose_option" or "{" in offers[0] or NONE_OF_THESE["payload"] in offers
    if is_list or not offers[0].startswith("/"):
        return Plan(["utter_choose_which"])
    offered = offers[0].strip("/")
    return Plan([SEARCH_FORM if offered == "find_therapist" else f"utter_{offered}"])


def _asks(said: BotUttered) -> bool:
    return (said.text or "").rstrip().endswith("?")


def _misunderstood(tracker: DialogueStateTracker, text: Text) -> Plan:
    if not is_english(text):
        return Plan(["utter_language"])
    times = in_a_row(tracker, MISUNDERSTOOD)
    if times >= PATIENCE:
        return Plan(["utter_contact_offer"])
    if intent(tracker) == "out_of_scope":
        first = "utter_out_of_scope"
    elif understood(tracker).get("alternatives"):
        first = "utter_did_you_mean"
    else:
        return Plan(["utter_not_understood_help" if times == 2 else "utter_not_understood"])
    return Plan([first, "utter_urgent_line"] if times == 2 else [first])
