"""Fills what a response template cannot: buttons that depend on the message, wordings not yet used, repetition."""
import copy
from typing import Any, Dict, Iterator, List, Optional, Text

from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import EndpointConfig

from addons.history import buttons, last_reply, understood
from addons.names import NONE_OF_THESE

Response = Dict[Text, Any]

MOST_BUTTONS = 2


class Responses(TemplatedNaturalLanguageGenerator):
    """Rasa's templated responses, with the few that look at the conversation."""

    def __init__(self, endpoint_config: EndpointConfig, domain: Domain) -> None:
        """Take the responses from the domain; named in endpoints.yml."""
        super().__init__(domain.responses)
        self._special = {
            "utter_did_you_mean": self._did_you_mean,
            "utter_repeat": self._repeat,
            "utter_choose_which": self._offer_again,
            "utter_crisis_support": self._crisis,
            "utter_faq_glossary": self._glossary,
        }

    async def generate(
        self, utter_action: Text, tracker: DialogueStateTracker, output_channel: Text, **kwargs: Any
    ) -> Optional[Response]:
        """Return the response for `utter_action` in this conversation; see NaturalLanguageGenerator."""
        response = self._unused(utter_action, tracker)
        if response is None:
            return None
        response = self._fill_response(response, tracker.current_slot_values(), **kwargs)
        special = self._special.get(utter_action, self._with_neighbours)
        return special(response, tracker)

    def _unused(self, utter_action: Text, tracker: DialogueStateTracker) -> Optional[Response]:
        """Return the variation that was used the longest ago, if at all: none repeats before all had their turn."""
        variations = self.responses.get(utter_action)
        if not variations:
            return None
        said = [event.text for event in _newest_first(tracker, BotUttered)]
        age = {text: index for index, text in reversed(list(enumerate(said)))}
        oldest = max(variations, key=lambda variation: age.get(variation.get("text"), len(said)))
        return copy.deepcopy(oldest)

    @staticmethod
    def _did_you_mean(response: Response, tracker: DialogueStateTracker) -> Response:
        return {**response, "buttons": [*_buttons(understood(tracker).get("alternatives")), NONE_OF_THESE]}

    @staticmethod
    def _with_neighbours(response: Response, tracker: DialogueStateTracker) -> Response:
        """Add the near topics that the message may have meant, before the related ones."""
        near = _buttons(understood(tracker).get("neighbours"))
        if near:
            related = {button["payload"]: button for button in [*near, *(response.get("buttons") or [])]}
            response["buttons"] = list(related.values())[:MOST_BUTTONS]
        return response

    @staticmethod
    def _repeat(response: Response, tracker: DialogueStateTracker) -> Response:
        """Return the whole last reply, if there was one."""
        reply = last_reply(tracker)
        texts = [said.text for said in reply if said.text]
        if not texts:
            return response
        again = {key: (said.data or {}).get(key) for said in reply for key in ("buttons", "custom") if (said.data or {}).get(key)}
        return {"text": "\n\n".join(texts), **again}

    @staticmethod
    def _offer_again(response: Response, tracker: DialogueStateTracker) -> Response:
        return {**response, "buttons": [button for said in last_reply(tracker) for button in buttons(said)]}

    @staticmethod
    def _crisis(response: Response, tracker: DialogueStateTracker) -> Response:
        text = (_parse_data(tracker).get("crisis") or {}).get("text")
        return {**response, "text": text} if text else response

    @staticmethod
    def _glossary(response: Response, tracker: DialogueStateTracker) -> Response:
        meanings = _parse_data(tracker).get("meanings")
        return {**response, "text": "\n\n".join(meanings)} if meanings else response


def _buttons(topics: Optional[List[Dict[Text, Text]]]) -> List[Dict[Text, Text]]:
    return [{"title": topic["label"], "payload": f"/{topic['intent']}"} for topic in topics or []]


def _newest_first(tracker: DialogueStateTracker, kind: type) -> Iterator[Any]:
    return (event for event in reversed(tracker.events) if isinstance(event, kind))


def _parse_data(tracker: DialogueStateTracker) -> Dict[Text, Any]:
    return tracker.latest_message.parse_data if tracker.latest_message else {}
