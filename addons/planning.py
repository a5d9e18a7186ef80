"""Base of the policies that plan a whole turn from what was understood; they stand above RulePolicy and learn nothing.

A plan is made once, when the visitor's message comes, and travels with its first action: what the actions of the
turn change in the conversation cannot change the plan half-way.
"""
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Text

from rasa.core.constants import RULE_POLICY_PRIORITY
from rasa.core.policies.policy import Policy, PolicyPrediction
from rasa.engine.graph import ExecutionContext
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, Event
from rasa.shared.core.generator import TrackerWithCachedStates
from rasa.shared.core.trackers import DialogueStateTracker

from addons.history import done_since_message
from addons.names import SEARCH_FORM

_PLAN = "plan"  # in the metadata of a plan's first action


class Plan(NamedTuple):
    """What to do in this turn: actions in order, and events that come before the first."""

    actions: Sequence[Text]
    events: Sequence[Event] = ()


class PlanningPolicy(Policy):
    """Predicts the actions of `plan` one after the other, then listens."""

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        """See Policy."""
        return {"priority": RULE_POLICY_PRIORITY + 1}

    def _create_featurizer(self) -> None:
        return None  # no state is featurized

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
        done = done_since_message(tracker)
        if not done:
            plan = self.plan(tracker, domain)
            if plan is None:
                return self._abstain(domain)
            return self._predict(plan.actions[0], domain, list(plan.events), {_PLAN: list(plan.actions)})
        actions = self._planned(done)
        if actions is None:
            return self._abstain(domain)
        return self._predict(actions[len(done)] if len(done) < len(actions) else ACTION_LISTEN_NAME, domain)

    def _planned(self, done: Sequence[Event]) -> Optional[List[Text]]:
        """Return this policy's plan of the turn, or None when the turn is another policy's."""
        first = done[0]
        if not isinstance(first, ActionExecuted) or first.policy != type(self).__name__:
            return None
        # What follows the search form, its next question or the search itself, is for the rules in search.yml.
        if any(getattr(event, "action_name", None) == SEARCH_FORM for event in done):
            return None
        return list((first.metadata or {})[_PLAN])

    def _abstain(self, domain: Domain) -> PolicyPrediction:
        return self._prediction(self._default_predictions(domain))

    def _predict(
        self, action: Text, domain: Domain, events: Optional[List[Event]] = None, metadata: Optional[Dict[Text, Any]] = None
    ) -> PolicyPrediction:
        probabilities = self._default_predictions(domain)
        probabilities[domain.index_for_action(action)] = 1.0
        return self._prediction(probabilities, events=events or [], is_no_user_prediction=True, action_metadata=metadata)
