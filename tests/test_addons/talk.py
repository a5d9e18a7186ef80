"""One conversation with a Rasa agent in this process, without a channel of the gateway."""
import asyncio
import uuid

from rasa.core.channels.channel import CollectingOutputChannel, UserMessage
from rasa.shared.core.events import ActionExecuted, UserUttered


class Talk:
    """Says things; after each, `texts`, `buttons`, `actions` and `intent` tell what came back."""

    def __init__(self, agent):
        self._agent, self.conversation = agent, uuid.uuid4().hex
        self.texts, self.buttons, self.actions, self.intent = [], {}, [], ""

    def says(self, *texts):
        """Send each text; return the actions of the last turn."""
        for text in texts:
            self._send(UserMessage(text, CollectingOutputChannel(), self.conversation))
        return self.actions

    def presses(self, title):
        """Press a button of the last reply; return the actions."""
        parsed = {"text": "", "intent": {"name": self.buttons[title].lstrip("/"), "confidence": 1.0}, "entities": []}
        self._send(UserMessage("", CollectingOutputChannel(), self.conversation, parse_data=parsed))
        return self.actions

    def _send(self, message):
        asyncio.run(self._agent.handle_message(message))
        said = message.output_channel.messages
        self.texts = [part["text"] for part in said if part.get("text")]
        self.buttons = {button["title"]: button["payload"] for part in said for button in part.get("buttons") or []}
        events = list(asyncio.run(self._agent.tracker_store.retrieve(self.conversation)).events)
        start = max(index for index, event in enumerate(events) if isinstance(event, UserUttered))
        self.intent = events[start].intent["name"]
        done = (event.action_name for event in events[start:] if isinstance(event, ActionExecuted))
        self.actions = [name for name in done if name != "action_listen"]
