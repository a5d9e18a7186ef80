"""Rasa's one input channel: what the gateway calls. Status codes instead of silence, and no text in a log.

The contract stands in docs/architecture.md, "Rasa's channel".
"""
import asyncio
import hmac
import logging
import re
import traceback
from typing import Any, Awaitable, Callable, Dict, List, Optional, Sequence, Set, Text

from rasa.core.actions import action
from rasa.core.agent import Agent
from rasa.core.channels.channel import CollectingOutputChannel, InputChannel, UserMessage
from rasa.shared.core.events import ActionExecuted, UserUttered
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse
from threadpoolctl import threadpool_limits

from addons.names import CHECKED, CRISIS
from addons.releases import follow
from addons.tracker_store import BoundedTrackerStore, StoreAway, forget, stores
from assistant.secrets import internal_token
from assistant.settings import Settings

logger = logging.getLogger(__name__)

Respond = Callable[[UserMessage], Awaitable[Any]]
# Part of each message that the gateway renders; the rest (recipient ids) stays here.
FIELDS = ("text", "buttons", "custom")
# A custom action answers within 2.5 s even when the directory hangs.
ACTION_SECONDS = 3
# What a conversation may be called: as long as the tracker store's column.
ID = re.compile(r"[\x21-\x7e]{1,64}")


class AssistantInput(InputChannel):
    """`POST messages`, `DELETE conversations/<id>` and the health call, below /webhooks/assistant."""

    def __init__(self, settings: Settings) -> None:
        """Take the time limit and the token from the settings."""
        # At this level Rasa and SQLAlchemy log what visitors write, whatever else is asked of them.
        logging.disable(logging.DEBUG)
        logging.getLogger("rasa.core.processor").addFilter(_without_details)
        # Two threads for one message's small matrices wait for each other longer than they work.
        threadpool_limits(1)
        # Rasa waits 300 s for the action server, and no setting changes it: a hung one would hold the conversation as long.
        action.DEFAULT_REQUEST_TIMEOUT = ACTION_SECONDS
        self._seconds = settings.rasa_turn_seconds
        self._token = f"Bearer {internal_token(settings)}".encode()
        follow(settings)
        self._turns: Set["asyncio.Task[Any]"] = set()  # keeps turns alive that outlast their request

    @classmethod
    def name(cls) -> Text:
        """See InputChannel."""
        return "assistant"

    @classmethod
    def from_credentials(cls, credentials: Optional[Dict[Text, Any]]) -> InputChannel:
        """See InputChannel; everything comes from the settings."""
        return cls(Settings.from_env())

    def blueprint(self, on_new_message: Respond) -> Blueprint:
        """See InputChannel."""
        blueprint = Blueprint("assistant_channel", "assistant_channel")

        @blueprint.middleware("request")
        async def authorise(request: Request) -> Optional[HTTPResponse]:
            given = request.headers.get("authorization", "").encode(errors="replace")
            return None if hmac.compare_digest(given, self._token) else _error(401, "unauthorised", "A token is needed.")

        @blueprint.get("/")
        async def health(request: Request) -> HTTPResponse:
            agent = _agent(request)
            if agent is None:
                return _error(503, "no_model", "No model is loaded.")
            return response.json({"status": "ok", "model": _model(agent)})

        @blueprint.post("/messages")
        async def message(request: Request) -> HTTPResponse:
            agent = _agent(request)
            if agent is None:
                return _error(503, "no_model", "No model is loaded.")
            user_message = _user_message(request.json)
            if user_message is None:
                return _error(400, "bad_request", "Give conversation, id, and one of text, intent, event.")
            return await self._answer(agent, user_message)

        @blueprint.delete("/conversations/<conversation:str>", ignore_body=False)
        async def delete(request: Request, conversation: Text) -> HTTPResponse:
            agent = _agent(request)
            if agent is None:
                return _error(503, "no_model", "No model is loaded.")
            # Under the lock, so that a turn in flight cannot write the conversation back.
            async with agent.lock_store.lock(conversation):
                try:
                    await forget(agent, conversation)
                except StoreAway:
                    return _error(503, "store_away", "The database does not answer; ask again.")
            return response.empty(204)

        return blueprint

    async def _answer(self, agent: Agent, message: UserMessage) -> HTTPResponse:
        """Run the turn; answer 504 when it takes too long, and let it finish all the same."""
        turn = asyncio.create_task(_turn(agent, message))
        self._turns.add(turn)
        turn.add_done_callback(self._finish)
        try:
            # Shielded: neither the time limit nor a client that hangs up ends the turn.
            result = await asyncio.wait_for(asyncio.shield(turn), self._seconds)
        except asyncio.TimeoutError:
            return _error(504, "slow", f"The turn takes longer than {self._seconds:g} s; it goes on.")
        except Exception:  # the turn's own failure, reported by _finish
            return _error(500, "failed", "The turn failed.")
        if not result["messages"]:
            return _error(500, "no_reply", "The turn ended without a reply.")
        return response.json(result)

    def _finish(self, turn: "asyncio.Task[Any]") -> None:
        self._turns.discard(turn)
        if not turn.cancelled() and turn.exception() is not None:
            # The type alone: an exception's text may hold what the visitor wrote.
            logger.error("A turn failed: %s", type(turn.exception()).__name__)


async def _turn(agent: Agent, message: UserMessage) -> Dict[Text, Any]:
    async with agent.lock_store.lock(message.sender_id):
        await agent.processor.handle_message(message)
        tracker = await _saved(agent, message.sender_id)
    parse_data = tracker.latest_message.parse_data if tracker and tracker.latest_message else {}
    return {
        "model": _model(agent),
        "intent": parse_data.get("intent") or {},
        "alternatives": (parse_data.get("intent_ranking") or [])[:3],
        "questions": parse_data.get("questions") or [],
        "actions": _actions(tracker),
        "messages": [{key: part[key] for key in FIELDS if part.get(key)} for part in message.output_channel.messages],
    }


async def _saved(agent: Agent, conversation: Text) -> Any:
    """Return the conversation as just saved, without a second reading where the store remembers it."""
    store, *fallback = stores(agent)
    tracker = store.recent(conversation) if isinstance(store, BoundedTrackerStore) else await store.retrieve(conversation)
    for memory in fallback if tracker is None else []:
        tracker = await memory.retrieve(conversation)
    return tracker


def _actions(tracker: Any) -> List[Text]:
    actions: List[Text] = []
    for event in reversed(tracker.events if tracker else []):
        if isinstance(event, UserUttered):
            break
        if isinstance(event, ActionExecuted) and event.action_name != "action_listen":
            actions.append(event.action_name)
    return actions[::-1]


def _agent(request: Request) -> Optional[Agent]:
    agent = getattr(request.app.ctx, "agent", None)
    return agent if agent is not None and agent.is_ready() else None


def _model(agent: Agent) -> Optional[Text]:
    return agent.processor.model_metadata.model_id if agent.processor else None


def _user_message(body: Any) -> Optional[UserMessage]:
    """Return the message that the gateway sent, or None when it is not of the contract's form."""
    if not isinstance(body, dict) or not _is_id(body.get("conversation")) or not isinstance(body.get("id"), str):
        return None
    intent, text, entities = body.get("intent"), body.get("text"), body.get("entities") or []
    if body.get("event") == CRISIS:
        parse_data: Optional[Dict[Text, Any]] = _parsed(CRISIS)
    elif isinstance(intent, str) and _are_entities(entities):
        parse_data = _parsed(intent, entities)
    elif isinstance(text, str):
        text = _plain(text)
        parse_data = None if text else _parsed("nlu_fallback")
    else:
        return None
    return UserMessage(
        text=text if parse_data is None else "",
        output_channel=CollectingOutputChannel(),
        sender_id=body["conversation"],
        parse_data=parse_data,
        input_channel=AssistantInput.name(),
        message_id=body["id"],
        metadata={CHECKED: True},
    )


def _plain(text: Text) -> Text:
    """Return `text` without half characters, which no encoder takes, and without what Rasa would read as a command."""
    return re.sub(r"^[\s/]+", "", text.encode(errors="replace").decode())


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and ID.fullmatch(value) is not None


def _are_entities(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, dict) and isinstance(item.get("entity"), str) and isinstance(item.get("value"), str) for item in value
    )


def _parsed(intent: Text, entities: Sequence[Dict[Text, Text]] = ()) -> Dict[Text, Any]:
    """Return what understanding a pressed button amounts to."""
    found = [{"entity": item["entity"], "value": item["value"], "start": 0, "end": 0} for item in entities]
    return {"text": "", "intent": {"name": intent, "confidence": 1.0}, "entities": found}


def _without_details(record: logging.LogRecord) -> bool:
    """Take the text out of an exception that Rasa logs: it may hold what the visitor wrote. Type and place remain."""
    if record.exc_info and record.exc_info[0]:
        place = traceback.extract_tb(record.exc_info[2])[-1]
        record.msg, record.args = f"{record.getMessage()} {record.exc_info[0].__name__} at {place.filename}:{place.lineno}", ()
        record.exc_info = record.exc_text = None
    return True


def _error(status: int, code: Text, message: Text) -> HTTPResponse:
    return response.json({"error": {"code": code, "message": message}}, status=status)
