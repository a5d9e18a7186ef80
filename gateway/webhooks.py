"""The messaging services' webhooks: verify, journal, acknowledge. Safety reads each message meanwhile and waits for none of it."""
from __future__ import annotations

import asyncio
from dataclasses import replace

from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse, text

from gateway.answering import HELP
from gateway.channels.base import Acknowledgement, Channel, Incoming, Refused, Webhook
from gateway.crisis import JOURNAL_SECONDS
from gateway.errors import JournalError, Refusal, log_failure
from gateway.hygiene import TEXT_CHARACTERS, clean
from gateway.parts import Parts
from gateway.records import Accepted, Arrival
from gateway.safety import CALM

KINDS = ("text", "choice", "media")

webhooks = Blueprint("webhooks", url_prefix="/webhooks")


@webhooks.route("/<name:str>", methods=["GET", "POST"])
async def receive(request: Request, name: str) -> HTTPResponse:
    """Take a call of the messaging service `name`."""
    parts: Parts = request.app.ctx.parts
    channel = parts.channels.get(name)
    if channel is None:
        raise Refusal(404, "not_found", "There is nothing here.")
    hook = _hook(request, parts.public_url)
    try:
        handshake = channel.verify(hook)
        if handshake is not None:
            return _acknowledged(handshake)
        if request.method != "POST":
            raise Refusal(405, "method_not_allowed", "This address does not take that method.", headers={"Allow": "POST"})
        incoming = channel.parse(hook)
    except Refused as refused:
        raise Refusal(refused.status, "unverified", "The signature or token is wrong.") from None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise Refusal(400, "malformed", "The payload is not of the documented form.") from None
    await _take(parts, channel, incoming)
    parts.behind(_settle(parts, channel, hook))
    return _acknowledged(channel.acknowledge(hook))


async def _take(parts: Parts, channel: Channel, incoming: list[Incoming]) -> None:
    """Journal the messages, and have what is a crisis answered now. Raises Refusal (503): the service repeats the call."""
    words = [clean(message.text) if message.kind == "text" else "" for message in incoming]
    arrivals = [(_arrival(parts, channel, message, text), text) for message, text in zip(incoming, words)
                if message.kind in KINDS and (text or message.kind != "text")]
    arrivals = [(arrival, text) for arrival, text in arrivals if parts.first_aid.given(arrival.key) is None]
    if not arrivals:
        return
    journalling = asyncio.ensure_future(parts.journal.accept([_paced(parts, arrival) for arrival, _ in arrivals]))
    looks = [parts.behind(_look(parts, arrival, text, journalling)) for arrival, text in arrivals if text]
    try:
        accepted = await asyncio.shield(journalling)  # shielded: who hangs up has still written
    except JournalError:
        if len(looks) == len(arrivals) and all(await asyncio.gather(*looks)):
            return  # all of it was answered with support
        raise Refusal(503, "unavailable", "The message cannot be taken just now.", headers={"Retry-After": "5"}) from None
    for journalled in accepted:
        if journalled.owned:
            parts.delivery.wake(journalled.conversation)


async def _look(parts: Parts, arrival: Arrival, words: str, journalling: "asyncio.Future[list[Accepted]]") -> bool:
    """Answer `arrival` at once if it is a crisis; return whether it is. The journal is given a moment to know it for a copy.

    All of its words are read, however many; what goes on to be understood is cut.
    """
    verdict = await parts.safety.check(arrival.person, arrival.key, words)
    if verdict["level"] != "crisis":
        return False
    await asyncio.wait({journalling}, timeout=JOURNAL_SECONDS)
    known = journalling.result() if journalling.done() and journalling.exception() is None else []
    if not any(accepted.key == arrival.key and not accepted.fresh for accepted in known):
        await parts.first_aid.answer(replace(arrival, verdict=verdict))
    return True


def _arrival(parts: Parts, channel: Channel, message: Incoming, words: str) -> Arrival:
    """Return the message under pseudonyms, a text as yet without its verdict."""
    key = parts.key_of(channel.name, message.id)
    person = parts.key_of("person", channel.name, message.user)
    return Arrival(
        key=key, channel=channel.name, kind=message.kind, person=person, address=message.address,
        conversation=parts.key_of("conversation", person), text=words[:TEXT_CHARACTERS], choice=message.choice,
        payload=HELP if message.choice and message.choice == parts.tokens.make(person, HELP) else "",
        verdict={} if words else dict(CALM),
    )


def _paced(parts: Parts, arrival: Arrival) -> Arrival:
    """Return the arrival; beyond the limit a button counts as its words, and a picture as none.

    What was acknowledged is answered, however fast somebody writes: messages that are written are joined, so that all of a
    burst costs a turn every four seconds at most. The button for urgent help stays one.
    """
    if arrival.payload == HELP or parts.message_limit.wait(arrival.person, arrival.key) is None:
        return arrival
    return replace(arrival, kind="text")


async def _settle(parts: Parts, channel: Channel, hook: Webhook) -> None:
    try:
        await channel.settle(parts.sender.http, hook)
    except Exception as error:
        log_failure(f"settling a call of {channel.name}", error)


def _hook(request: Request, base: str) -> Webhook:
    query = f"?{request.query_string}" if request.query_string else ""
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Webhook(request.method, f"{base}{request.path}{query}", headers, {name: request.args.get(name) for name in request.args},
                   request.body)


def _acknowledged(answer: Acknowledgement) -> HTTPResponse:
    return text(answer.body, status=answer.status, content_type=answer.content_type)
