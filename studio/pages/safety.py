"""Safety: helplines with their dates, phrases, proposals for a second person, the review queue."""
from __future__ import annotations

from sanic.response import HTTPResponse

from assistant.errors import ContentError
from studio.journal import JournalUnavailable
from studio.safety_files import (
    FIELDS,
    HELPLINES,
    KINDS,
    OVERDUE_DAYS,
    PHRASES,
    SafetyError,
    difference,
    edit_helpline,
    edit_phrases,
    helplines,
    phrase_blocks,
)
from studio.web import NotFound, Pages, Visit, in_thread

pages = Pages()


@pages.get("/safety", need="person")
async def overview(visit: Visit) -> HTTPResponse:
    """Show helplines, what is due, and what waits for a second person."""
    return _overview(visit)


@pages.get("/safety/helplines/<service:str>", need="editor")
async def helpline(visit: Visit, service: str) -> HTTPResponse:
    """Show the form of one service."""
    return _helpline(visit, service)


@pages.post("/safety/helplines/<service:str>", need="editor")
async def change_helpline(visit: Visit, service: str) -> HTTPResponse:
    """Propose other values for a service."""
    fields = {name: visit.form(name) for name in FIELDS}
    try:
        status = await in_thread(
            visit.services.proposals.propose, visit.person, HELPLINES, lambda text: edit_helpline(text, service, fields),
            f"helpline {fields['name']}", visit.form("reason"),
        )
    except (SafetyError, ContentError) as error:
        return _helpline(visit, service, fields=fields, status=400, error=str(error))
    return _proposed(visit, status, f"helpline {service}")


@pages.get("/safety/phrases", need="editor")
async def phrases(visit: Visit) -> HTTPResponse:
    """Show the phrases by category."""
    return _phrases(visit)


@pages.post("/safety/phrases", need="editor")
async def change_phrases(visit: Visit) -> HTTPResponse:
    """Propose a phrase more or less."""
    category, kind, add, remove = (visit.form(name) for name in ("category", "kind", "add", "remove"))
    summary = f"phrase “{add}” added to {category}" if add else f"phrase “{remove}” taken from {category}"
    try:
        if not (add or remove):
            raise SafetyError("Write the phrase.")
        status = await in_thread(
            visit.services.proposals.propose, visit.person, PHRASES,
            lambda text: edit_phrases(text, category, kind, add, remove), summary, visit.form("reason"),
        )
    except (SafetyError, ContentError) as error:
        return _phrases(visit, status=400, error=str(error))
    return _proposed(visit, status, summary)


@pages.post("/safety/proposals/<number:int>", need="editor")
async def decide(visit: Visit, number: int) -> HTTPResponse:
    """Approve or reject another person's change."""
    approve = visit.form("deed") == "approve"
    try:
        row = await in_thread(visit.services.proposals.decide, number, visit.person, approve)
    except (SafetyError, ContentError) as error:
        return _overview(visit, status=409, error=str(error))
    visit.note("approve safety change" if approve else "reject safety change", row.summary)
    return visit.go("/safety", "Approved. It goes live when it is published." if approve else "Rejected.")


@pages.get("/safety/review", need="safety")
async def review(visit: Visit) -> HTTPResponse:
    """Show the review queue, to the safety role alone."""
    rows = await in_thread(visit.services.journal.in_review)
    visit.note("open review queue", f"{len(rows)} rows")
    return visit.render("review.html", rows=rows, labels=visit.services.topics.labels())


@pages.post("/safety/review", need="safety")
async def reviewed(visit: Visit) -> HTTPResponse:
    """Mark rows of the review queue as seen."""
    ids = [int(value) for value in visit.form_list("row") if value.isdigit()]
    await in_thread(visit.services.journal.mark, ids, "reviewed", "review")
    visit.note("mark reviewed", f"{len(ids)} rows")
    return visit.go("/safety/review", "Marked as reviewed.")


def _proposed(visit: Visit, status: str, summary: str) -> HTTPResponse:
    visit.note("propose safety change", summary)
    notice = {
        "waiting": "Proposed. Somebody else has to approve it before it is saved.",
        "alone": "Saved, and flagged until a second person has reviewed it. It goes live when it is published.",
    }[status]
    return visit.go("/safety", notice)


def _overview(visit: Visit, status: int = 200, error: str = "") -> HTTPResponse:
    try:
        services = helplines(visit.services.repository)
    except ContentError as problem:
        services, error = [], str(problem)
    try:
        waiting = len(visit.services.journal.in_review()) if visit.person.may("safety") else 0
    except JournalUnavailable as problem:
        waiting, error = 0, str(problem)
    live = visit.services.releases.current()
    open_ = [(row, difference(row)) for row in visit.services.proposals.open()]
    return visit.render("safety.html", status=status, error=error, services=services, due=sum(one.overdue for one in services),
                        days=OVERDUE_DAYS, proposals=open_, live=live, waiting=waiting)


def _helpline(visit: Visit, service: str, status: int = 200, error: str = "", **given: object) -> HTTPResponse:
    found = next((one for one in helplines(visit.services.repository) if one.id == service), None)
    if found is None:
        raise NotFound
    return visit.render("helpline.html", status=status, error=error, service=found, fields=given.get("fields") or found.fields,
                        alone=visit.services.proposals.alone(visit.person))


def _phrases(visit: Visit, status: int = 200, error: str = "") -> HTTPResponse:
    blocks = phrase_blocks(visit.services.repository.read(PHRASES) or "crisis: {}")
    return visit.render("phrases.html", status=status, error=error, blocks=blocks, kinds=KINDS, alone=visit.services.proposals.alone(visit.person))
