"""The widget API: sessions, messages, feedback, help, deletion. Shapes of requests and answers: gateway/openapi.py."""
from __future__ import annotations

import asyncio
import math

from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse, empty, json

from gateway import hygiene
from gateway.answering import HELP
from gateway.errors import ConversationGone, JournalError, Refusal, UnknownChoice
from gateway.parts import Parts
from gateway.records import Arrival, Reply
from gateway.safety import CALM

# Rasa gets 4 s; the honest line is there within 5.5 s, whatever stands before this message in the queue.
ANSWER_SECONDS = 5.2

api = Blueprint("api", url_prefix="/api")


@api.post("/session")
async def start_session(request: Request) -> HTTPResponse:
    """Start a conversation; needs no store, so that it works while none does."""
    parts = _parts(request)
    if _body(request):
        raise Refusal(400, "unknown_field", "Send an empty object: {}.")
    session = parts.sessions.start()
    wait = parts.session_limit.wait(parts.pseudonym(request.remote_addr or request.ip), session.conversation)
    if wait is not None:
        parts.metrics.rate_limited.inc()
        raise _too_many(wait, "Wait a second before you start another session.")
    return json({"token": session.token, "conversation": session.conversation, "expires_at": session.expires_at}, 201)


@api.post("/messages")
async def send_message(request: Request) -> HTTPResponse:
    """Answer one message of the visitor. Safety comes first: nothing that can hang stands before it."""
    parts, conversation = _parts(request), _conversation(request)
    message = hygiene.client_message(_body(request))
    key = parts.key_of("web", conversation, message.id)
    given = parts.first_aid.given(key)
    if given is not None:
        return _replied(parts, conversation, given)
    verdict = await parts.safety.check(conversation, key, message.text) if message.text else dict(CALM)
    arrival = Arrival(
        key=key, channel="web", kind="text" if message.choice is None else "choice", verdict=verdict, conversation=conversation,
        client_id=message.id, text=message.text or "", choice=message.choice or "",
        payload=HELP if message.choice == parts.tokens.make(conversation, HELP) else "",
    )
    if verdict["level"] == "crisis":
        return _replied(parts, conversation, await parts.first_aid.answer(arrival))
    if message.damaged:
        raise Refusal(400, "damaged_text", "`text` holds a NUL or half a character.", helplines=True)
    wait = parts.message_limit.wait(conversation, key)
    if wait is not None:
        parts.metrics.rate_limited.inc()
        raise _too_many(wait, "You are writing very fast. Please wait a moment.")
    return _replied(parts, conversation, await _answer(parts, arrival))


@api.get("/messages")
async def list_messages(request: Request) -> HTTPResponse:
    """Return what was said after a cursor, the visitor's own messages included."""
    parts, conversation = _parts(request), _conversation(request)
    after = hygiene.cursor(request.args.get("after"))
    try:
        messages, cursor = await parts.history.after(conversation, after)
    except ConversationGone:
        raise _ended() from None
    except JournalError:
        raise _unavailable() from None
    return json({"messages": messages, "cursor": str(cursor), **_session(parts, conversation)})


@api.post("/feedback")
async def give_feedback(request: Request) -> HTTPResponse:
    """Note whether an answer helped."""
    parts, conversation = _parts(request), _conversation(request)
    message, helpful = hygiene.feedback(_body(request))
    try:
        known = await parts.history.feedback(conversation, message, helpful)
    except ConversationGone:
        raise _ended() from None
    except JournalError:
        raise _unavailable() from None
    if not known:
        raise Refusal(404, "unknown_message", "This chat has no such message.")
    return empty(204)


@api.get("/help")
async def urgent_help(request: Request) -> HTTPResponse:
    """Return the urgent-help card; needs no token and no store. A token that is shown is used to learn of misses."""
    parts = _parts(request)
    if "authorization" in request.headers:
        try:
            parts.behind(_help_opened(parts, _conversation(request)))
        except Refusal:
            pass  # an old token keeps nobody from help
    return json(parts.help_card())


@api.delete("/session")
async def delete_session(request: Request) -> HTTPResponse:
    """Delete the conversation everywhere: 204, or 202 when Rasa is away and its part follows by itself."""
    parts, conversation = _parts(request), _conversation(request)
    try:
        gone = await asyncio.shield(parts.deletion.delete(conversation))
    except JournalError:
        raise _unavailable() from None
    parts.delivery.ended(conversation)
    if gone:
        return empty(204)
    return json({"status": "pending"}, 202)


async def _help_opened(parts: Parts, conversation: str) -> None:
    try:
        await parts.history.help_opened(conversation)
    except JournalError:
        pass  # reported where it arose


async def _answer(parts: Parts, arrival: Arrival) -> Reply:
    try:
        # Shielded: a visitor who hangs up has still written.
        accepted = (await asyncio.shield(parts.journal.accept([arrival])))[0]
        reply = await parts.delivery.outcome(accepted, ANSWER_SECONDS)
    except ConversationGone:
        raise _ended() from None
    except UnknownChoice:
        raise Refusal(404, "unknown_choice", "This chat has no such choice.") from None
    except JournalError:
        raise _unavailable() from None
    if reply is None:
        raise _unavailable()
    return reply


def _replied(parts: Parts, conversation: str, reply: Reply) -> HTTPResponse:
    session = {} if reply.ended else _session(parts, conversation)
    return json({"messages": reply.messages, "cursor": str(reply.seq), "ended": reply.ended, **session})


def _session(parts: Parts, conversation: str) -> dict[str, object]:
    """The token made anew: each use prolongs the session."""
    session = parts.sessions.renew(conversation)
    return {"token": session.token, "expires_at": session.expires_at}


def _parts(request: Request) -> Parts:
    parts: Parts = request.app.ctx.parts
    return parts


def _body(request: Request) -> dict[str, object]:
    return dict(hygiene.json_object(request.body, request.headers.getone("content-type", "")))


def _conversation(request: Request) -> str:
    return _parts(request).sessions.conversation(request.headers.getone("authorization", ""))


def _ended() -> Refusal:
    return Refusal(401, "session_ended", "This chat was deleted or has ended. Start a new session.", headers={"WWW-Authenticate": "Bearer"})


def _too_many(seconds: float, message: str) -> Refusal:
    return Refusal(429, "too_many", message, helplines=True, headers={"Retry-After": str(max(1, math.ceil(seconds)))})


def _unavailable() -> Refusal:
    return Refusal(503, "unavailable", "I can't answer just now. Please send your message again in a moment.", helplines=True,
                   headers={"Retry-After": "3"})
