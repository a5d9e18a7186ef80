"""Try it: the draft beside the live assistant."""
from __future__ import annotations

import re
import uuid
from typing import Any, Dict, Optional

from sanic.response import HTTPResponse

from studio.gates import named, understood
from studio.pages.publish import job_view
from studio.processes import ProcessFailed
from studio.publisher import PublishError
from studio.web import Pages, Visit, in_thread
from studio.words import sure

pages = Pages()
LONGEST = 4000


@pages.get("/try", need="person")
async def page(visit: Visit) -> HTTPResponse:
    """Show both assistants, ready for a first message."""
    return await _page(visit)


@pages.post("/try/prepare", need="editor")
async def prepare(visit: Visit) -> HTTPResponse:
    """Train the draft so that it can be tried."""
    try:
        job = await in_thread(visit.services.publisher.prepare, visit.person.name)
    except PublishError as error:
        return await _page(visit, status=409, error=str(error))
    visit.note("prepare draft", job.commit[:10])
    return visit.go("/try")


@pages.post("/try/say", need="person")
async def say(visit: Visit) -> HTTPResponse:
    """Send a message to both and answer with their turns."""
    text, payload, conversation = visit.form("text")[:LONGEST], visit.form("payload"), visit.form("conversation")
    intent = re.split(r"[{@]", payload[1:])[0] if payload.startswith("/") else ""
    if not (text or intent) or not re.fullmatch(r"[0-9a-f]{32}", conversation):
        return visit.render("try_turn.html", asked="", draft=None, live=None)
    draft = await in_thread(_draft, visit, conversation, text, intent)
    live = await in_thread(visit.services.live.say, f"studio-{conversation}", text, intent)
    labels = visit.services.topics.labels()
    return visit.render("try_turn.html", asked=text or named(intent, labels), draft=_turn(draft, labels), live=_turn(live, labels))


@pages.post("/try/again", need="person")
async def again(visit: Visit) -> HTTPResponse:
    """Forget the tried conversation and begin another."""
    if re.fullmatch(r"[0-9a-f]{32}", visit.form("conversation")):
        await in_thread(visit.services.live.forget, f"studio-{visit.form('conversation')}")
    return visit.go("/try")


def _draft(visit: Visit, conversation: str, text: str, intent: str) -> Optional[Dict[str, Any]]:
    model = visit.services.draft_model()
    if model is None:
        return None
    asked: Dict[str, Any] = {"intent": intent} if intent else {"text": text}
    try:
        return visit.services.labs.ask(model.archive, model.checkout, do="say", conversation=conversation, **asked)
    except ProcessFailed as error:
        return {"failed": str(error)}


def _turn(reply: Optional[Dict[str, Any]], labels: Dict[str, str]) -> Optional[Dict[str, Any]]:
    """Return a turn in words: what was understood, how surely, and what was said."""
    if reply is None or "failed" in reply:
        return reply
    intent = reply["intent"].get("name") or ""
    questions = reply.get("questions") or []
    return {
        "understood": understood(",".join(questions) if questions else intent, labels), "sure": sure(reply["intent"].get("confidence")),
        "messages": reply["messages"], "crisis": intent == "crisis",
    }


async def _page(visit: Visit, status: int = 200, error: str = "") -> HTTPResponse:
    services = visit.services
    model = await in_thread(services.draft_model)
    serving = await in_thread(services.live.serving)
    release = services.releases.get(serving) if serving else None
    return visit.render(
        "try.html",
        status=status,
        error=error,
        model=model,
        serving=serving,
        release=release,
        conversation=uuid.uuid4().hex,
        seconds=round(sum(services.publisher.board.guesses[name] for name in ("check", "train"))),
        **job_view(visit),
    )
