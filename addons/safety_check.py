"""The safety check as the last word in the trained model: what the gateway does first, Rasa does again."""
import hashlib
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, Text

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from addons.encoder import shared_encoder
from addons.names import CHECKED, CRISIS
from assistant.safety import Replies
from assistant.safety import SafetyCheck as Check
from assistant.settings import ROOT, Settings

DATA, CODE = ROOT / "data" / "safety", ROOT / "assistant" / "safety"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class SafetyCheck(GraphComponent):
    """Sets the intent `crisis` on a message of a person at risk, whatever was understood before."""

    def __init__(self, model_storage: ModelStorage, resource: Resource) -> None:
        """Create an untrained component."""
        self._model_storage, self._resource = model_storage, resource
        self._check: Check
        self._replies: Replies

    @classmethod
    def create(
        cls, config: Dict[Text, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> "SafetyCheck":
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
    ) -> "SafetyCheck":
        """See GraphComponent."""
        component = cls(model_storage, resource)
        with model_storage.read_from(resource) as path:
            component._check = Check.load(Path(path), shared_encoder())
            component._replies = Replies.load(Path(path))
        return component

    @classmethod
    def fingerprint_addon(cls, config: Dict[Text, Any]) -> Text:
        """Return a hash of the files that this component trains on and of the code that does it, which Rasa does not look into."""
        digest = hashlib.sha256()
        for path in (*sorted(DATA.glob("*.yml")), *sorted(CODE.glob("*.py"))):
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def train(self, training_data: TrainingData) -> Resource:
        """Fit the check on data/safety and store it; the gateway reads it from the released model."""
        self._check = Check.fit(DATA, shared_encoder(), Settings.from_env().cache)
        with self._model_storage.write_to(self._resource) as path:
            self._check.save(Path(path))
        return self._resource

    def process(self, messages: List[Message]) -> List[Message]:
        """Set the intent `crisis`, and the verdict, where somebody may be at risk."""
        for message in messages:
            if not message.get(TEXT) or (message.get("metadata") or {}).get(CHECKED):
                continue
            verdict = self._check.check(message.get(TEXT))
            if verdict.level == CRISIS:
                message.set(INTENT, {"name": CRISIS, "confidence": 1.0}, add_to_output=True)
                support = {"category": verdict.category, "text": _plain(self._replies.answer(verdict).messages)}
                message.set(CRISIS, support, add_to_output=True)
        return messages


def _plain(messages: Iterable[Mapping[Text, Any]]) -> Text:
    """Return a safety reply as plain text, a line for each service; the gateway shows the same with links."""
    parts: List[Text] = []
    for message in messages:
        parts.append(message["text"])
        parts += [_line(service) for service in message.get("services", ())]
    return "\n".join(parts)


def _line(service: Mapping[Text, Any]) -> Text:
    text_to = f"text {service['sms_body']} to {service['sms']}" if service["sms_body"] else f"text {service['sms']}"
    ways = [
        f"call {service['call']}" if service["call"] else "",
        text_to if service["sms"] else "",
        service["email"] or "",
        service["web"] or "",
    ]
    return f"{service['name']}: " + ", ".join(way for way in ways if way) + (f" ({service['hours']})" if service["hours"] else "")
