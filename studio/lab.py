"""`python -m studio.lab`: a trained model in a process of its own, which answers one JSON line for each it reads.

    {"do": "load", "archive": "models/assistant.tar.gz"}     -> {"ready": true}; what follows is asked of this model
    {"do": "say", "conversation": "a", "text": "hello"}      or "intent" instead of "text"
    {"do": "stories", "files": ["tests/test_stories.yml"]}   -> {"stories": [{"name", "right", "turn", "expected", "found"}]}

It stands in the folder that the model was trained from and touches no store, no journal and no action server. Rasa is
imported before anything is asked, so that this is done by the time a model is trained.
"""
from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import sys
from contextlib import redirect_stdout
from typing import Any, Dict, List, Optional, TextIO

NOBODY = "http://127.0.0.1:9"  # the discard port: no service answers there


async def answer(agent: Any, request: Dict[str, Any]) -> Dict[str, Any]:
    """Do what one line asks of the loaded model."""
    if request["do"] == "say":
        return await say(agent, request["conversation"], request.get("text", ""), request.get("intent"))
    if request["do"] == "stories":
        return {"stories": [line for path in request["files"] for line in await stories(agent, path)]}
    raise ValueError(f"do: {request['do']}")


async def say(agent: Any, conversation: str, text: str, intent: Optional[str]) -> Dict[str, Any]:
    """Return the assistant's turn: what it understood, its actions and its messages."""
    from rasa.core.channels.channel import CollectingOutputChannel, UserMessage
    from rasa.shared.core.events import ActionExecuted, UserUttered

    parsed = {"text": "", "intent": {"name": intent, "confidence": 1.0}, "entities": []} if intent else None
    channel = CollectingOutputChannel()
    await agent.processor.handle_message(
        UserMessage("" if intent else text.lstrip("/ "), channel, conversation, parse_data=parsed, input_channel="assistant")
    )
    tracker = await agent.tracker_store.retrieve(conversation)
    events = list(tracker.events)
    last = max(index for index, event in enumerate(events) if isinstance(event, UserUttered))
    data = events[last].parse_data
    return {
        "intent": data.get("intent") or {},
        "ranking": (data.get("intent_ranking") or [])[:5],
        "questions": data.get("questions") or [],
        "entities": [{"entity": item.get("entity"), "value": item.get("value")} for item in data.get("entities") or []],
        "actions": [
            event.action_name for event in events[last:] if isinstance(event, ActionExecuted) and event.action_name != "action_listen"
        ],
        "policy": next((event.policy for event in events[last:] if isinstance(event, ActionExecuted) and event.policy), ""),
        "messages": channel.messages,
    }


async def stories(agent: Any, path: str) -> List[Dict[str, Any]]:
    """Run each story of a file and return the first turn that differs, as `rasa test` predicts it."""
    from rasa.core.test import _collect_story_predictions, _create_data_generator

    with redirect_stdout(sys.stderr), open(os.devnull, "w") as nowhere:
        sys.stderr, kept = nowhere, sys.stderr  # the progress bar
        try:
            generator = _create_data_generator(path, agent, None, True)
            trackers = generator.generate_story_trackers()
            found = []
            for tracker in trackers:
                evaluation, *_ = await _collect_story_predictions([tracker], agent, use_e2e=True)
                failed = evaluation.failed_stories
                found.append({"name": tracker.sender_id, "file": path, **(_first_difference(failed[0]) if failed else {"right": True})})
        finally:
            sys.stderr = kept
    return found


def _first_difference(tracker: Any) -> Dict[str, Any]:
    from rasa.core.test import WronglyClassifiedUserUtterance, WronglyPredictedAction
    from rasa.shared.core.events import UserUttered

    turn, said = 0, ""
    for event in tracker.events:
        if isinstance(event, UserUttered):
            turn, said = turn + 1, event.text or f"/{event.intent.get('name')}"
        if isinstance(event, WronglyClassifiedUserUtterance):
            return {
                "right": False,
                "turn": turn,
                "said": said,
                "kind": "intent",
                "expected": event.intent.get("name"),
                "found": event.predicted_intent,
            }
        if isinstance(event, WronglyPredictedAction):
            return {"right": False, "turn": turn, "said": said, "kind": "action", "expected": event.action_name or event.action_text,
                    "found": event.action_name_prediction}
    return {"right": False, "turn": turn, "said": said, "kind": "entity", "expected": "", "found": ""}


def load(archive: str) -> Any:
    """Return the agent with the model; its replies are made as endpoints.yml says, everything else stays in memory."""
    from rasa.core.agent import Agent
    from rasa.core.tracker_store import InMemoryTrackerStore
    from rasa.shared.core.domain import Domain

    nlg = _nlg("endpoints.yml") if os.path.isfile("endpoints.yml") else None
    agent = Agent(generator=nlg, tracker_store=InMemoryTrackerStore(Domain.empty()))
    agent.load_model(archive)
    if agent.processor is None:
        raise RuntimeError("the model cannot be loaded")
    return agent


def _nlg(path: str) -> Any:
    """Return how replies are made; Rasa wants every variable of the file to be set, though only this part is read."""
    from rasa.utils.endpoints import read_endpoint_config

    with open(path, encoding="utf-8") as file:
        for name in re.findall(r"\$\{(\w+)\}", file.read()):
            os.environ.setdefault(name, NOBODY)
    return read_endpoint_config(path, "nlg")


def reloaded(archive: str) -> Any:
    """Return the agent with the model `archive`. Raises RuntimeError with one line, whatever a broken archive raises."""
    try:
        return load(archive)
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise RuntimeError(f"The model cannot be loaded: {reason}") from error


async def main(out: TextIO) -> int:
    """Answer until the input ends."""
    import rasa.core.test  # noqa: F401  what takes longest: it brings all of Rasa
    from rasa.utils.log_utils import configure_structlog

    configure_structlog(logging.CRITICAL)  # without it each step of a conversation is written out, with its words

    agent: Any = None
    reply: Dict[str, Any]
    loop = asyncio.get_running_loop()
    while True:
        line = await loop.run_in_executor(None, sys.stdin.readline)
        if not line:
            return 0
        request = json.loads(line)
        try:
            if request["do"] == "load":
                agent, reply = reloaded(request["archive"]), {"ready": True}
            else:
                reply = await answer(agent, request)
        except RuntimeError as error:
            reply = {"error": str(error)}
        except Exception as error:  # one bad line must not end the model
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply, ensure_ascii=False), file=out, flush=True)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    # Only JSON lines may reach the parent: whatever else is printed goes to standard error.
    lines = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.exit(asyncio.run(main(lines)))
