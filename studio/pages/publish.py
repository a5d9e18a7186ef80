"""Publishing: what waits, the job that runs, the releases, roll back."""
from __future__ import annotations

from typing import Any, Optional

from sanic.response import HTTPResponse

from assistant.content.topics import GROUPS
from studio.gates import named
from studio.job import Job
from studio.publisher import PublishError, waiting_changes
from studio.releases import ReleaseError
from studio.web import Pages, Visit, in_thread

pages = Pages()
BEAT_SECONDS = 1.0  # how often a progress bar that only waits moves on
CONTENT = ("data", "domain.yml", "config.yml", "addons", "assistant")


@pages.get("/publish", need="person")
async def overview(visit: Visit) -> HTTPResponse:
    """Show what waits to be published, the job and the releases."""
    return await _page(visit)


@pages.post("/publish", need="publisher")
async def publish(visit: Visit) -> HTTPResponse:
    """Begin to publish."""
    note = " ".join(visit.form("note").split())
    if not note:
        return await _page(visit, status=400, error="Say in a few words what is new: the list of releases shows it.")
    try:
        job = await in_thread(visit.services.publisher.publish, visit.person.name, note)
    except PublishError as error:
        return await _page(visit, status=409, error=str(error))
    visit.note("publish", f"{job.commit[:10]}: {note}")
    return visit.go("/publish")


@pages.post("/publish/cancel", need="publisher")
async def cancel(visit: Visit) -> HTTPResponse:
    """Cancel the job; nothing changes for visitors."""
    try:
        await in_thread(visit.services.publisher.cancel)
    except PublishError as error:
        return await _page(visit, status=409, error=str(error))
    visit.note("cancel publishing")
    return visit.go("/publish", "Cancelled. Visitors notice nothing.")


@pages.post("/publish/accept", need="publisher")
async def accept(visit: Visit) -> HTTPResponse:
    """Release all the same, with a reason for each loss."""
    publisher = visit.services.publisher
    job = publisher.board.job
    reasons = {stop["key"]: visit.form(f"reason:{number}") for number, stop in enumerate(job.stops if job else [])}
    try:
        await in_thread(publisher.accept, reasons, visit.person.name)
    except PublishError as error:
        return await _page(visit, status=409, error=str(error))
    visit.note("accept losses", "; ".join(reasons.values()))
    return visit.go("/publish")


@pages.post("/publish/rollback/<identity:str>", need="publisher")
async def roll_back(visit: Visit, identity: str) -> HTTPResponse:
    """Make a kept release the live one again."""
    try:
        release = await in_thread(visit.services.releases.activate, identity, visit.person.name)
    except ReleaseError as error:
        return await _page(visit, status=409, error=str(error))
    visit.note("roll back", f"{release.id}: {release.note}")
    return visit.go("/publish", f"Rolled back to “{release.note}”. The live assistant takes it up within a few seconds.")


@pages.get("/publish/progress", need="person")
async def progress(visit: Visit) -> HTTPResponse:
    """Show the job alone, for browsers without events."""
    return visit.render("job.html", **job_view(visit))


@pages.get("/publish/events", need="person")
async def events(visit: Visit) -> Optional[HTTPResponse]:
    """Send the job as Server-Sent Events whenever it changes, and once a second for the bar, until it ends."""
    board = visit.services.publisher.board
    response: Any = await visit.request.respond(
        content_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )
    seen = -1
    while True:
        job = board.job
        page = visit.render("job.html", **job_view(visit)).body.decode()
        lines = "".join(f"data: {line}\n" for line in page.splitlines())
        ended = job is None or job.state != "running"
        await response.send(("event: done\n" if ended else "") + lines + "\n")
        if ended:
            break
        seen = await in_thread(board.wait, seen if seen >= 0 else board.version, BEAT_SECONDS)
    await response.eof()
    return None


def job_view(visit: Visit) -> Any:
    """Return what job.html shows."""
    board, labels = visit.services.publisher.board, visit.services.topics.labels()
    job: Optional[Job] = board.job
    return {
        "job": job, "percent": job.progress(board.guesses) if job else 0, "may": visit.person.may("publisher"),
        "named": lambda intents: named(intents, labels),
    }


async def _page(visit: Visit, status: int = 200, error: str = "") -> HTTPResponse:
    services = visit.services
    live = services.releases.current()
    changes = await in_thread(waiting_changes, services.repository, live)
    unsaved = await in_thread(
        services.repository.uncommitted, *(f"data/{group}" for group in (*GROUPS, "dialogue", "safety")), "domain.yml"
    )
    serving = await in_thread(services.live.serving)
    return visit.render("publish.html", status=status, error=error, live=live, changes=changes, unsaved=unsaved, serving=serving,
                        releases=services.releases.all(), **job_view(visit))
