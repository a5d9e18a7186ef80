"""The entity matcher as a Rasa component: an adapter around assistant/entities and the glossary.

It also calls a message a search that names two of place, format and concern and says nothing else.
"""
from typing import Any, Dict, List, Text

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message

from assistant.entities import Entity, Matcher
from assistant.handoff.turn import Turn, names_a_search
from assistant.settings import Settings

MOST_TERMS = 2
SEARCH = "find_therapist"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class EntityMatcher(GraphComponent):
    """Sets the entities location, session_format, concern, audience, term and style, and `meanings` of glossary terms."""

    def __init__(self) -> None:
        """Load the vocabulary and the places."""
        self._matcher = Matcher.load(Settings.from_env())

    @classmethod
    def create(
        cls, config: Dict[Text, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> "EntityMatcher":
        """See GraphComponent."""
        return cls()

    def process(self, messages: List[Message]) -> List[Message]:
        """Find the entities of each message that has a text."""
        for message in messages:
            if not message.get(TEXT):
                continue
            found = self._matcher.find(message.get(TEXT))
            entities = [dict(entity._asdict(), extractor="EntityMatcher") for entity in found]
            message.set(ENTITIES, entities, add_to_output=True)
            message.set("meanings", self._meanings(found), add_to_output=True)
            intent = message.get(INTENT) or {}
            if names_a_search(Turn(intent.get("name") or "", message.get(TEXT), entities)):
                message.set(INTENT, {**intent, "name": SEARCH}, add_to_output=True)
        return messages

    def _meanings(self, found: List[Entity]) -> List[Text]:
        """Return what the glossary says of the terms named; "attachment" itself only when it stands alone."""
        terms = list(dict.fromkeys(entity.value for entity in found if entity.entity == "term"))
        if len(terms) > 1:
            terms = [term for term in terms if term != "attachment"]
        return [self._matcher.vocabulary.meanings[term] for term in terms[:MOST_TERMS]]
