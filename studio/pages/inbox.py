"""The inbox: groups of messages, and what is done with them."""
from __future__ import annotations

import json
from typing import List
from urllib.parse import urlencode

from sanic.response import HTTPResponse

from studio.inbox import InboxError
from studio.web import Pages, Visit, in_thread

pages = Pages()


@pages.get("/inbox", need="person")
async def listed(visit: Visit) -> HTTPResponse:
    """Show what waits, grouped by meaning."""
    return await _page(visit)


@pages.post("/inbox/assign", need="editor")
async def assign(visit: Visit) -> HTTPResponse:
    """Deal with a group, or with the chosen messages of it, as the pressed button says."""
    inbox, keys, phrasing, test = visit.services.inbox, visit.form_list("item"), visit.form("phrasing"), visit.form("test")
    intent, deed, name = visit.form("intent"), visit.form("deed"), visit.person.name
    try:
        if not keys:
            raise InboxError("Tick at least one message.")
        if deed == "create":
            await in_thread(inbox.check_own_words, keys, [phrasing, test])
            return visit.go("/topics/new?" + urlencode({"examples": phrasing, "test": test, "inbox": ",".join(keys)}))
        if deed == "assign":
            if not intent:
                raise InboxError("Choose the topic that should answer.")
            await in_thread(inbox.assign, keys, intent, phrasing, test, name)
            done = f"Taught to “{visit.services.topics.labels().get(intent, intent)}”, with a test. It goes live when it is published."
        elif deed == "out_of_scope":
            await in_thread(inbox.out_of_scope, keys, phrasing, test, name)
            done = "Marked as out of scope."
        elif deed == "ignore":
            await in_thread(inbox.ignore, keys, name)
            done = "Put aside."
        else:
            raise InboxError("Choose what to do with it.")
    except InboxError as error:
        return await _page(visit, status=400, error=str(error))
    visit.note(f"inbox: {deed}", f"{len(keys)} messages {intent}".strip())
    return visit.go("/inbox", done)


@pages.post("/inbox/<number:int>/undo", need="editor")
async def undo(visit: Visit, number: int) -> HTTPResponse:
    """Take a decision back."""
    await in_thread(visit.services.inbox.undo, number, visit.person.name)
    visit.note("inbox: undo", str(number))
    return visit.go("/inbox", "Undone.")


async def _page(visit: Visit, status: int = 200, error: str = "") -> HTTPResponse:
    groups = await in_thread(visit.services.inbox.groups)
    decided = [(row, _count(row), visit.services.topics.labels().get(row.intent, row.intent)) for row in visit.services.inbox.decided()]
    topics = [topic for topic in visit.services.topics.readable()[0] if topic.intent != "out_of_scope"]
    return visit.render(
        "inbox.html",
        status=status,
        error=error,
        groups=groups[:50],
        more=max(0, len(groups) - 50),
        count=sum(len(group.items) for group in groups),
        topics=topics,
        decided=decided,
        editable=visit.person.may("editor"),
    )


def _count(row: object) -> int:
    keys: List[str] = json.loads(row["items"])  # type: ignore[index]
    return len(keys)
