"""The intent classifier as a Rasa component: an adapter around assistant/understanding."""
from typing import Any, Dict, List, Text

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from addons.encoder import shared_encoder
from addons.names import UNDERSTOOD
from assistant.settings import Settings
from assistant.understanding.fitting import code, fit
from assistant.understanding.reader import Reader, Reading, Topic

# The ranking travels with every stored event; the tail serves nobody.
RANKED = 10


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class Understanding(GraphComponent):
    """Sets `intent`, `intent_ranking`, `questions`, and what it understood else, on each message."""

    def __init__(self, model_storage: ModelStorage, resource: Resource) -> None:
        """Create an untrained component."""
        self._model_storage, self._resource = model_storage, resource
        self._reader: Reader

    @classmethod
    def create(
        cls, config: Dict[Text, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> "Understanding":
        """See GraphComponent."""
        return cls(model_storage, resource)

    @classmethod
    def load(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> "Understanding":
        """See GraphComponent."""
        component = cls(model_storage, resource)
        with model_storage.read_from(resource) as path:
            component._reader = Reader.load(path, shared_encoder())
        return component

    @classmethod
    def fingerprint_addon(cls, config: Dict[Text, Any]) -> Text:
        """Return a hash of the code that is trained, which Rasa does not look into."""
        return code()

    def train(self, training_data: TrainingData) -> Resource:
        """Fit the classifier, or take it from the cache when the examples are as they were."""
        examples = [example for example in training_data.intent_examples if example.get(TEXT)]
        texts = [example.get(TEXT) for example in examples]
        intents = [example.get(INTENT) for example in examples]
        topics = {example.get(INTENT): _topic(example) for example in examples}
        self._reader = fit(texts, intents, topics, shared_encoder(), Settings.from_env().cache)
        with self._model_storage.write_to(self._resource) as path:
            self._reader.save(path)
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Return `training_data` as it is: nothing after this component needs its predictions."""
        return training_data

    def process(self, messages: List[Message]) -> List[Message]:
        """Read each message that has a text."""
        for message in messages:
            if message.get(TEXT):
                self._note(message, self._reader.read(message.get(TEXT)))
        return messages

    def _note(self, message: Message, reading: Reading) -> None:
        ranking = [{"name": name, "confidence": round(value, 4)} for name, value in reading.ranking[:RANKED]]
        message.set(INTENT, {"name": reading.intent, "confidence": round(reading.confidence, 4)}, add_to_output=True)
        message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)
        message.set("questions", reading.questions, add_to_output=True)
        understood = {
            "alternatives": self._labelled(reading.alternatives),
            "neighbours": self._labelled(reading.neighbours),
            "questions": reading.questions,
        }
        message.set(UNDERSTOOD, understood, add_to_output=True)

    def _labelled(self, intents: List[Text]) -> List[Dict[Text, Text]]:
        return [{"intent": name, "label": self._reader.topics[name].label} for name in intents]


def _topic(example: Message) -> Topic:
    metadata = example.get("metadata", {}).get("intent") or {}
    return Topic(metadata.get("label") or example.get(INTENT), tuple(metadata.get("neighbours") or ()))

