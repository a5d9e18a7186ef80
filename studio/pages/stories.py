"""Stories, rules and conversation tests."""
from __future__ import annotations

import uuid
from typing import Any, Dict, List, Optional, Sequence, Tuple

from sanic.response import HTTPResponse

from assistant.content.project import read_project
from studio.gates import named
from studio.processes import ProcessFailed
from studio.stories import Step, Story, StoryError, from_turns, run
from studio.web import NotFound, Pages, Visit, in_thread

pages = Pages()
SPARE = 4  # empty rows at the end of the form


@pages.get("/stories", need="person")
async def listed(visit: Visit) -> HTTPResponse:
    """List the stories, rules and tests."""
    stories = await in_thread(visit.services.stories.all)
    return visit.render("stories.html", stories=stories, say=_words(visit))


@pages.get("/stories/new", need="editor")
async def new(visit: Visit) -> HTTPResponse:
    """Show the form of a new story or test."""
    return _form(visit, None, visit.form("kind") or "story", "", [])


@pages.get("/stories/from/<reference:str>", need="editor")
async def from_conversation(visit: Visit, reference: str) -> HTTPResponse:
    """Show the form of a story or test made of a conversation, by labels only."""
    turn = await in_thread(visit.services.journal.turn, reference)
    if turn is None:
        raise NotFound
    steps = from_turns(await in_thread(visit.services.journal.conversation, turn.conversation))
    return _form(visit, None, visit.form("kind") or "story", f"Conversation {reference}", steps)


@pages.post("/stories/new", need="editor")
async def create(visit: Visit) -> HTTPResponse:
    """Save a new story or test."""
    kind, name, steps = "test" if visit.form("kind") == "test" else "story", " ".join(visit.form("name").split()), _steps(visit)
    try:
        story = await in_thread(visit.services.stories.create, kind, name, steps, visit.person.name)
    except StoryError as error:
        return _form(visit, None, kind, name, steps, status=400, error=str(error))
    visit.note(f"create {kind}", name)
    return visit.go(f"/stories/{story.key}", "Saved.")


@pages.get("/stories/<key:str>", need="person")
async def opened(visit: Visit, key: str) -> HTTPResponse:
    """Show a story as a conversation, with its form."""
    story = _story(visit, key)
    return _form(visit, story, story.kind, story.name, story.steps)


@pages.post("/stories/<key:str>", need="editor")
async def save(visit: Visit, key: str) -> HTTPResponse:
    """Save a story's form, unless somebody else changed the story since it was opened: then show both."""
    stories, name, steps = visit.services.stories, " ".join(visit.form("name").split()), _steps(visit)
    story = await in_thread(stories.as_opened, key, visit.form("stamp"))
    if story is None:
        return _conflict(visit, key, name, steps)
    try:
        await in_thread(stories.save, story, name, steps, visit.person.name)
    except StoryError as error:
        return _form(visit, story, story.kind, name, steps, status=400, error=str(error))
    visit.note(f"save {story.kind}", name)
    return visit.go(f"/stories/{story.key}", "Saved. It goes live when it is published.")


@pages.post("/stories/<key:str>/delete", need="editor")
async def delete(visit: Visit, key: str) -> HTTPResponse:
    """Delete a story."""
    story = await in_thread(visit.services.stories.as_opened, key, visit.form("stamp"))
    if story is None:
        now = _story(visit, key)
        return _form(visit, now, now.kind, now.name, now.steps, status=409, error="Somebody else changed this meanwhile. Look again.")
    await in_thread(visit.services.stories.delete, story, visit.person.name)
    visit.note(f"delete {story.kind}", story.name)
    return visit.go("/stories", f"“{story.name}” is deleted.")


@pages.post("/stories/<key:str>/run", need="person")
async def play(visit: Visit, key: str) -> HTTPResponse:
    """Play a story with the draft's model, or the live one, and show the first turn that differs."""
    story = _story(visit, key)
    model = await in_thread(visit.services.model_to_try)
    if model is None:
        return _form(
            visit, story, story.kind, story.name, story.steps, status=409, error="There is no model yet. Prepare the draft under Try it."
        )
    conversation = uuid.uuid4().hex

    def say(text: str, intent: str) -> Dict[str, Any]:
        asked: Dict[str, Any] = {"intent": intent} if intent else {"text": text}
        return visit.services.labs.ask(model.archive, model.checkout, do="say", conversation=conversation, **asked)

    try:
        result = await in_thread(run, story.steps, say)
    except ProcessFailed as error:
        return _form(visit, story, story.kind, story.name, story.steps, status=502, error=str(error))
    return _form(visit, story, story.kind, story.name, story.steps, result=result, tried=model.name)


def _steps(visit: Visit) -> List[Step]:
    values = visit.request.form or {}
    steps, number = [], 0
    while f"turn:{number}" in values:
        who, _, value = visit.form(f"turn:{number}").partition(":")
        if value:
            text = " ".join(visit.form(f"text:{number}").split()) if who == "visitor" else ""
            steps.append(Step(who, value, text))
        number += 1
    return steps


def _story(visit: Visit, key: str) -> Story:
    story = visit.services.stories.get(key)
    if story is None:
        raise NotFound
    return story


def _words(visit: Visit) -> Any:
    labels = visit.services.topics.labels()
    return lambda value: named(value, labels)


def _choices(visit: Visit) -> Tuple[List[Tuple[str, str]], List[Tuple[str, str]]]:
    """Return what a visitor may say and what the assistant may do, as (value, words)."""
    project, labels = read_project(visit.services.root), visit.services.topics.labels()
    said = [(f"visitor:{intent}", labels.get(intent, intent)) for intent in project.intents]
    done = [(f"assistant:{name}", named(name, labels)) for name in [*sorted(project.responses), *sorted(project.actions)]]
    return said, done


def _conflict(visit: Visit, key: str, name: str, steps: List[Step]) -> HTTPResponse:
    """Show what somebody else made of the story beside the form, which keeps what was typed; saved again, it counts."""
    theirs = visit.services.stories.named(key, visit.form("before"))
    if theirs is None:
        return _form(visit, None, visit.form("kind"), name, steps, status=409,
                     error="Somebody else deleted or renamed this meanwhile. Your turns are below; save them as a new one if they are wanted.")
    return _form(visit, theirs, theirs.kind, name, steps, status=409, theirs=theirs.steps,
                 error="Somebody else changed this while you were writing. Theirs is shown below; the form holds yours. Take over what you "
                       "want to keep of theirs, then save.")


def _form(visit: Visit, story: Optional[Story], kind: str, name: str, steps: Any, status: int = 200, error: str = "",
          result: Any = None, tried: str = "", theirs: Sequence[Step] = ()) -> HTTPResponse:
    said, done = _choices(visit)
    return visit.render(
        "story.html", status=status, error=error, story=story, kind=kind, name=name, steps=steps, said=said, done=done, spare=SPARE,
        result=result, tried=tried, theirs=theirs, say=_words(visit), editable=visit.person.may("editor") and (story is None or story.plain),
    )
