"""Why?: what a release made of a sentence or of yesterday's turn, and mending it there."""
from __future__ import annotations

from typing import Any, Optional

from rapidfuzz import fuzz
from sanic.response import HTTPResponse

from assistant.content.project import read_project
from assistant.content.wording import fold
from assistant.errors import ModelError
from studio.gates import named, understood
from studio.inbox import COPIED
from studio.topics import TopicError
from studio.web import Pages, Refused, Visit, in_thread
from studio.why import Explanation, explain, rules_of

pages = Pages()
LONGEST = 4000


@pages.get("/why", need="person")
async def ask(visit: Visit) -> HTTPResponse:
    """Show the form; with a reference code, that turn."""
    return await _page(visit, reference=visit.form("reference"))


@pages.post("/why", need="person")
async def answer(visit: Visit) -> HTTPResponse:
    """Explain a sentence. It comes by POST, so that it stands in no address and no log."""
    return await _page(visit, text=visit.form("text")[:LONGEST], reference=visit.form("reference"))


@pages.post("/why/mend", need="editor")
async def mend(visit: Visit) -> HTTPResponse:
    """Teach a topic the sentence in the staff's words, with a test."""
    intent, phrasing, test, pasted = (visit.form(name) for name in ("intent", "phrasing", "test", "text"))
    try:
        if not intent or not phrasing:
            raise TopicError("Choose the topic that should answer, and write the question in your own words.")
        if visit.form("own") != "yes":
            _refuse_copy(pasted, phrasing, test)
        extra = visit.services.inbox.add_test(test or phrasing, intent)
        await in_thread(visit.services.topics.add_examples, intent, [phrasing], visit.person.name, extra)
    except (TopicError, Refused) as error:
        return await _page(visit, text=pasted, reference=visit.form("reference"), status=400, error=str(error))
    visit.note("mend", intent)
    return visit.go(
        "/why", f"Taught to “{visit.services.topics.labels().get(intent, intent)}”, with a test. It goes live when it is published."
    )


def _refuse_copy(pasted: str, *texts: str) -> None:
    if pasted and any(text and fuzz.ratio(fold(text), fold(pasted)) >= COPIED for text in texts):
        raise Refused(
            "Please put it in your own words, or tick that the sentence is your own: a visitor’s sentence must not enter the files."
        )


async def _page(visit: Visit, text: str = "", reference: str = "", status: int = 200, error: str = "") -> HTTPResponse:
    services, turn = visit.services, None
    if reference:
        turn = await in_thread(services.journal.turn, reference)
        if turn is None:
            error = error or f"{reference}: no such turn. Codes are kept for 30 days, and go when a visitor deletes the conversation."
    chosen = visit.form("release") or (turn.release if turn else "")
    explanation: Optional[Explanation] = None
    if text:
        try:
            explanation = await in_thread(_explain, visit, text, chosen)
        except ModelError as problem:
            error = error or str(problem)
    labels = services.topics.labels()
    rules = rules_of(turn.intent, (await in_thread(read_project, services.root)).flows, labels) if turn else []
    return visit.render(
        "why.html", status=status, error=error, text=text, reference=reference, turn=turn, rules=rules, explanation=explanation,
        releases=services.releases.all(), live=services.releases.current(), chosen=chosen, labels=labels,
        release=services.releases.get(turn.release) if turn else None, named=lambda names: named(names, labels),
        understood=lambda names: understood(names, labels),
        draft=await in_thread(services.draft_model), editable=visit.person.may("editor"),
    )


def _explain(visit: Visit, text: str, chosen: str) -> Explanation:
    model: Any = visit.services.model_of(chosen)
    if model is None:
        raise ModelError("There is no such release any more. The last ten are kept; choose one of them.")
    return explain(text, visit.services.open_models.open(model.archive), model.checkout, visit.services.meaning)
