"""Policies that plan a whole turn from what was understood; they stand above RulePolicy and need no training.

Each plan is a list of actions for this turn. What a plan depends on is in the tracker: nothing is remembered here.
"""
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Text

from rasa.core.constants import RULE_POLICY_PRIORITY
from rasa.core.policies.policy import Policy, PolicyPrediction
from rasa.engine.graph import ExecutionContext
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.core.constants import ACTION_LISTEN_NAME, REQUESTED_SLOT
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActiveLoop, BotUttered, Event, SlotSet, UserUttered
from rasa.shared.core.generator import TrackerWithCachedStates
from rasa.shared.core.trackers import DialogueStateTracker

from addons.names import CRISIS
from assistant.handoff.turn import Turn, continues_search, during_search
from assistant.language import is_english

SEARCH_FORM = "search_form"
# "Yes" to one of these chooses nothing.
CHOICES = ("utter_did_you_mean", "utter_choose_option")
# A visitor who is not understood is asked, asked again with a line on urgent help, and then shown to people.
MISUNDERSTOOD = ("nlu_fallback", "out_of_scope")
PATIENCE = 3
# Said alone, these may mean anything, the worst included.
CALLS_FOR_HELP = ("help", "help me", "please help", "help please", "pls help", "i need help", "sos")


class Plan(NamedTuple):
    """What to do in this turn: actions in order, and events that come before the first."""

    actions: Sequence[Text]
    events: Sequence[Event] = ()


class PlanningPolicy(Policy):
    """Base: predicts the actions of `plan` one after the other, then listens."""

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        """See Policy."""
        return {"priority": RULE_POLICY_PRIORITY + 1}

    def __init__(
        self,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> None:
        """See Policy; there is no featurizer, since no state is featurized."""
        super().__init__(config, model_storage, resource, execution_context, **kwargs)

    def _create_featurizer(self) -> None:
        return None

    def train(self, training_trackers: List[TrackerWithCachedStates], domain: Domain, **kwargs: Any) -> Resource:
        """Return at once: there is nothing to learn."""
        return self._resource

    @classmethod
    def load(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> "PlanningPolicy":
        """See Policy."""
        return cls(config, model_storage, resource, execution_context)

    def plan(self, tracker: DialogueStateTracker, domain: Domain) -> Optional[Plan]:
        """Return the plan for the visitor's last message, or None when it is not this policy's to answer."""
        raise NotImplementedError

    def predict_action_probabilities(
        self,
        tracker: DialogueStateTracker,
        domain: Domain,
        rule_only_data: Optional[Dict[Text, Any]] = None,
        **kwargs: Any,
    ) -> PolicyPrediction:
        """Predict the plan's next action with certainty, over rules and forms (`is_no_user_prediction`)."""
        done = _actions_since_message(tracker)
        # What follows the search form (its next question, or the search itself) is for the rules in search.yml.
        plan = None if SEARCH_FORM in done else self.plan(tracker, domain)
        if plan is None:
            return self._prediction(self._default_predictions(domain))
        action = plan.actions[len(done)] if len(done) < len(plan.actions) else ACTION_LISTEN_NAME
        probabilities = self._default_predictions(domain)
        probabilities[domain.index_for_action(action)] = 1.0
        events = list(plan.events) if not done else []
        return self._prediction(probabilities, events=events, is_no_user_prediction=True)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT, is_trainable=True)
class SafetyPolicy(PlanningPolicy):
    """Answers the intent `crisis` with support and pauses a search in progress; its slots stay."""

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        """See Policy."""
        return {"priority": RULE_POLICY_PRIORITY + 3}

    def plan(self, tracker: DialogueStateTracker, domain: Domain) -> Optional[Plan]:
        """See PlanningPolicy."""
        if _intent(tracker) != CRISIS:
            return None
        return Plan(["utter_crisis_support"], [ActiveLoop(None), SlotSet(REQUESTED_SLOT, None)])


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT, is_trainable=True)
class SeveralQuestionsPolicy(PlanningPolicy):
    """Answers each of several questions in one message; a search comes last, since it asks back."""

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        """See Policy."""
        return {"priority": RULE_POLICY_PRIORITY + 2}

    def plan(self, tracker: DialogueStateTracker, domain: Domain) -> Optional[Plan]:
        """See PlanningPolicy."""
        if _intent(tracker) != "multi_question" or tracker.latest_message is None:
            return None
        questions = tracker.latest_message.parse_data.get("questions") or []
        search = SEARCH_FORM if "find_therapist" in questions else tracker.active_loop_name
        actions = [f"utter_{name}" for name in questions if name != "find_therapist"]
        return Plan([*actions, search] if search else actions)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT, is_trainable=True)
class FollowUpPolicy(PlanningPolicy):
    """Answers what depends on the turns before: more on the last topic, and messages not understood in a row."""

    def plan(self, tracker: DialogueStateTracker, domain: Domain) -> Optional[Plan]:
        """See PlanningPolicy."""
        intent = _intent(tracker)
        resume = [tracker.active_loop_name] if tracker.active_loop_name else []
        if tracker.latest_message and continues_search(_turn(tracker.latest_message, tracker), _last_action(tracker)):
            return Plan([SEARCH_FORM])
        if intent == "tell_me_more":
            return Plan([self._more(tracker, domain), *resume])
        if tracker.active_loop_name:
            return _during_search(tracker, domain)
        if intent == "affirm":
            return _accept_offer(tracker)
        if intent == "share_feelings" and _in_a_row(tracker, ("share_feelings",)) >= PATIENCE:
            return Plan(["utter_share_feelings_people"])
        if intent in MISUNDERSTOOD and tracker.latest_message:
            return self._misunderstood(tracker, intent, tracker.latest_message)
        return None

    @staticmethod
    def _more(tracker: DialogueStateTracker, domain: Domain) -> Text:
        """Return the answer to "tell me more": on the last topic, once."""
        last = next((name for name in _answers(tracker) if not name.endswith("_more")), None)
        more = f"{last}_more"
        if more not in domain.action_names_or_texts:
            return "utter_tell_me_more"
        return "utter_no_more" if _answers(tracker)[0] == more else more

    @staticmethod
    def _misunderstood(tracker: DialogueStateTracker, intent: Text, message: UserUttered) -> Plan:
        text = message.text or ""
        if not is_english(text):
            return Plan(["utter_language"])
        if text.lower().strip(" .!?") in CALLS_FOR_HELP:
            return Plan(["utter_not_understood_help"])
        times = _in_a_row(tracker, MISUNDERSTOOD)
        if times >= PATIENCE:
            return Plan(["utter_contact_offer"])
        if intent == "out_of_scope":
            first = "utter_out_of_scope"
        elif message.parse_data.get("alternatives"):
            first = "utter_did_you_mean"
        else:
            return Plan(["utter_not_understood_help" if times == 2 else "utter_not_understood"])
        return Plan([first, "utter_urgent_line"] if times == 2 else [first])


def _during_search(tracker: DialogueStateTracker, domain: Domain) -> Optional[Plan]:
    """Return how to answer a question in the middle of a search; None when the message answers the search itself."""
    if tracker.latest_message is None:
        return None
    question = during_search(_turn(tracker.latest_message, tracker), domain.action_names_or_texts)
    if question is None:
        return None
    if question.goes_on:
        return Plan([question.action, SEARCH_FORM])
    return Plan([question.action], [ActiveLoop(None), SlotSet(REQUESTED_SLOT, None)])


def _turn(message: UserUttered, tracker: DialogueStateTracker) -> Turn:
    return Turn(message.intent.get("name") or "", message.text or "", message.entities, tracker.get_slot(REQUESTED_SLOT))


def _last_action(tracker: DialogueStateTracker) -> Text:
    """Return the last action before the visitor's message."""
    names = (event.action_name for event in reversed(tracker.events) if isinstance(event, ActionExecuted))
    return next((name for name in names if name and name != ACTION_LISTEN_NAME), "")


def _intent(tracker: DialogueStateTracker) -> Optional[Text]:
    return tracker.latest_message.intent.get("name") if tracker.latest_message else None


def _actions_since_message(tracker: DialogueStateTracker) -> List[Text]:
    """Return the actions executed since the visitor's last message, oldest first."""
    done: List[Text] = []
    for event in reversed(tracker.events):
        if isinstance(event, UserUttered):
            break
        if isinstance(event, ActionExecuted) and event.action_name:
            done.append(event.action_name)
    return done[::-1]


def _answers(tracker: DialogueStateTracker) -> List[Text]:
    """Return the answers about a topic that were given, newest first."""
    return [
        event.action_name
        for event in reversed(tracker.events)
        if isinstance(event, ActionExecuted) and event.action_name and event.action_name.startswith("utter_faq_")
    ]


def _in_a_row(tracker: DialogueStateTracker, intents: Sequence[Text]) -> int:
    """Return how many of the visitor's last messages in a row have one of `intents`."""
    times = 0
    for event in reversed(tracker.events):
        if not isinstance(event, UserUttered):
            continue
        if event.intent.get("name") not in intents:
            break
        times += 1
    return times


def _accept_offer(tracker: DialogueStateTracker) -> Optional[Plan]:
    """Return what "yes" accepts: the first thing that the last reply offered, if it ended with a question."""
    said = next((event for event in reversed(tracker.events) if isinstance(event, BotUttered)), None)
    if said is None or not (said.text or "").rstrip().endswith("?") or said.metadata.get("utter_action") in CHOICES:
        return None
    payloads = [button.get("payload", "") for button in (said.data or {}).get("buttons") or []]
    if not payloads or not payloads[0].startswith("/"):
        return None
    intent = payloads[0].strip("/")
    return Plan([SEARCH_FORM if intent == "find_therapist" else f"utter_{intent}"])
