"""Topics: the list, the form with its preview and warnings, creating, switching off, deleting."""
from __future__ import annotations

from typing import Any, Dict, List, Optional

from sanic.response import HTTPResponse

from assistant.content import Topic
from assistant.content.topics import GROUPS
from studio.advice import ADVISED_PHRASINGS, Advice, advise
from studio.draft import Draft
from studio.inbox import InboxError
from studio.journal import JournalUnavailable, month_ago
from studio.topic_form import SOURCES, choices, empty_draft, read_form, shown
from studio.topics import NEW_GROUPS, Conflicted, TopicError
from studio.web import NotFound, Pages, Visit, in_thread

pages = Pages()


@pages.get("/", need="person")
async def start(visit: Visit) -> HTTPResponse:
    """Begin with the topics."""
    return visit.go("/topics")


@pages.get("/topics", need="person")
async def listed(visit: Visit) -> HTTPResponse:
    """List the topics with what visitors did with them."""
    wanted = visit.form("find").casefold()
    topics, problems = await in_thread(visit.services.topics.readable)
    try:
        asked = await in_thread(visit.services.journal.asked, month_ago())
        unhelpful = await in_thread(visit.services.journal.unhelpful, month_ago())
        waiting = await in_thread(visit.services.inbox.count)
    except JournalUnavailable as error:
        asked, unhelpful, waiting, problems = {}, {}, 0, [*problems, str(error)]
    found = [topic for topic in topics if wanted in f"{topic.label} {topic.answer} {' '.join(topic.examples)}".casefold()]
    groups = [(group, [topic for topic in found if topic.group == group]) for group in GROUPS]
    template = "topic_table.html" if visit.request.headers.get("hx-request") else "topics.html"
    return visit.render(template, groups=groups, asked=asked, unhelpful=unhelpful, waiting=waiting, problems=problems, find=visit.form("find"),
                        off=await in_thread(visit.services.topics.off), count=len(found))


@pages.get("/topics/new", need="editor")
async def new(visit: Visit) -> HTTPResponse:
    """Show the form of a new topic, with phrasings that the inbox passed on."""
    return _form(visit, None, empty_draft(examples=visit.form("examples").splitlines()), group=visit.form("group") or "practical",
                 inbox=visit.form("inbox"), test=visit.form("test"))


@pages.post("/topics/new", need="editor")
async def create(visit: Visit) -> HTTPResponse:
    """Create the topic, its intent, its rule and its test in one commit."""
    draft, group, keys = read_form(visit, empty_draft()), visit.form("group"), visit.form("inbox")
    topics, test, missing = visit.services.topics, " ".join(visit.form("test").split()), _missing(draft)
    try:
        if missing:
            raise TopicError(missing)
        if keys:
            await in_thread(visit.services.inbox.check_own_words, keys.split(","), [*draft.examples, test])
        tests = visit.services.inbox.add_test(test, topics.name_for(draft.label)) if test else {}
        intent = await in_thread(topics.create, group, draft, visit.person.name, tests)
    except (TopicError, InboxError) as error:
        return _form(visit, None, draft, group=group, inbox=keys, test=test, error=str(error), status=400)
    if keys:
        await in_thread(visit.services.inbox.became_topic, keys.split(","), intent, visit.person.name)
    visit.note("create topic", intent)
    return visit.go(f"/topics/{intent}", f"“{draft.label}” is saved. It goes live when it is published; try it first.")


@pages.post("/topics/advice", need="editor")
async def advice(visit: Visit) -> HTTPResponse:
    """Answer with the preview, the warnings and each sentence's source, while somebody types."""
    intent = visit.form("intent")
    topic = visit.services.topics.get(intent) if intent else None
    base = Draft.of(topic) if topic else empty_draft()
    draft = read_form(visit, base)
    return visit.render(
        "topic_side.html", **(await _side(visit, topic, draft)), wordings=shown(draft, topic), sources=SOURCES, fragment=True
    )


@pages.get("/topics/<intent:str>", need="person")
async def opened(visit: Visit, intent: str) -> HTTPResponse:
    """Show a topic's form."""
    found = await in_thread(visit.services.topics.open, intent)
    if found is None:
        raise NotFound
    return _form(visit, found.topic, found.draft, base=found.base, history=visit.services.repository.log(
        "--", visit.services.topics.path(found.topic), count=5))


@pages.post("/topics/<intent:str>", need="editor")
async def save(visit: Visit, intent: str) -> HTTPResponse:
    """Save the form, merged with what others changed since it was opened."""
    topics, base = visit.services.topics, visit.form("base")
    found = await in_thread(topics.open, intent)
    if found is None:
        raise NotFound
    before = await in_thread(topics.draft_of, base, found.topic)
    draft = read_form(visit, before)
    missing = _missing(draft) if found.topic.responses else ""
    if missing:
        return _form(visit, found.topic, draft, base=base, error=missing, status=400)
    try:
        commit = await in_thread(topics.save, intent, base, draft, visit.person.name)
    except Conflicted as conflict:
        return _form(visit, found.topic, conflict.draft, base=conflict.base, conflicts=conflict.conflicts, status=409,
                     error="Somebody else changed this topic while you were writing. Nothing is lost: their other changes are in "
                           "the form already; where you both changed the same thing, choose below and save again.")
    visit.note("save topic", f"{intent} {commit[:10]}")
    return visit.go(f"/topics/{intent}", "Saved. What visitors see changes when it is published.")


@pages.post("/topics/<intent:str>/off", need="editor")
async def switch_off(visit: Visit, intent: str) -> HTTPResponse:
    """Switch a topic off; its text stays."""
    await in_thread(visit.services.topics.switch_off, intent, visit.person.name)
    visit.note("switch topic off", intent)
    return visit.go("/topics", "The topic is off. Visitors lose it at the next release; you find it at the end of this page.")


@pages.post("/topics/<intent:str>/on", need="editor")
async def switch_on(visit: Visit, intent: str) -> HTTPResponse:
    """Switch a topic on again."""
    await in_thread(visit.services.topics.switch_on, intent, visit.person.name)
    visit.note("switch topic on", intent)
    return visit.go(f"/topics/{intent}", "The topic is on again. It goes live when it is published.")


@pages.get("/topics/<intent:str>/delete", need="editor")
async def ask_delete(visit: Visit, intent: str) -> HTTPResponse:
    """Ask before a topic is deleted, and say what that means."""
    topic = visit.services.topics.get(intent)
    if topic is None:
        raise NotFound
    return visit.render("topic_delete.html", topic=topic, uses=visit.services.topics.uses(intent))


@pages.post("/topics/<intent:str>/delete", need="editor")
async def delete(visit: Visit, intent: str) -> HTTPResponse:
    """Delete a topic; its phrasings go to the inbox."""
    topic = await in_thread(visit.services.topics.delete, intent, visit.person.name)
    visit.services.inbox.take_in(topic.examples, topic.label)
    visit.note("delete topic", intent)
    return visit.go("/topics", f"“{topic.label}” is deleted. Its {len(topic.examples)} phrasings are in the inbox.")


def _missing(draft: Draft) -> str:
    """Return what keeps the draft from being saved, or ""."""
    empty = [name for name, wordings in draft.replies.items() if not wordings or not wordings[0].text]
    if not draft.label:
        return "Give the topic a label: the few words on its button."
    if empty:
        return "Write the answer and what is said when the visitor asks for more."
    if not draft.examples:
        return "Write some phrasings: how visitors ask this, one a line."
    return ""


async def _side(visit: Visit, topic: Optional[Topic], draft: Draft) -> Dict[str, Any]:
    """Return what stands beside the form: warnings and the preview."""
    topics = visit.services.topics.readable()[0]
    meaning = visit.services.meaning if visit.services.meaning_is_ready() else None
    found: List[Advice] = await in_thread(advise, topic.intent if topic else None, draft, topics, meaning)
    return {"advice": found, "preview": shown(draft, None), "titles": {payload: title for payload, title in _choices(visit)},
            "comparing": meaning is None}


def _choices(visit: Visit) -> Any:
    return choices(visit.services.topics.labels(), visit.services.topics.special_buttons())


def _form(visit: Visit, topic: Optional[Topic], draft: Draft, status: int = 200, **more: Any) -> HTTPResponse:
    context = {"base": "", "group": "", "conflicts": (), "history": (), "inbox": "", "test": "", **more}
    labels = visit.services.topics.labels()
    return visit.render(
        "topic.html", status=status, topic=topic, draft=draft, wordings=shown(draft, topic), choices=_choices(visit), labels=labels,
        sources=SOURCES, groups=NEW_GROUPS, advised=ADVISED_PHRASINGS, editable=visit.person.may("editor"), preview=shown(draft, None),
        titles={payload: title for payload, title in _choices(visit)}, advice=(), comparing=False, fragment=False, **context,
    )
