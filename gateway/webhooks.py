"""The messaging services' webhooks: verify, check for safety, journal, acknowledge; everything else comes behind."""
from __future__ import annotations

import asyncio
from typing import Optional

from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse, text

from gateway.answering import HELP
from gateway.channels.base import Acknowledgement, Channel, Incoming, Refused, Webhook
from gateway.errors import JournalError, Refusal, log_failure
from gateway.hygiene import TEXT_CHARACTERS, clean
from gateway.parts import Parts
from gateway.records import Arrival
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
    """Answer what is a crisis now, and journal the rest. Raises Refusal (503): the service repeats the call."""
    arrivals = []
    for message in incoming:
        arrival = await _arrival(parts, channel, message)
        if arrival is None or parts.first_aid.given(arrival.key) is not None:
            continue
        if arrival.verdict["level"] == "crisis":
            await parts.first_aid.answer(arrival)
        elif parts.message_limit.wait(arrival.person, arrival.key) is None:
            arrivals.append(arrival)
    if not arrivals:
        return
    try:
        accepted = await asyncio.shield(parts.journal.accept(arrivals))
    except JournalError:
        raise Refusal(503, "unavailable", "The message cannot be taken just now.", headers={"Retry-After": "5"}) from None
    for journalled in accepted:
        if journalled.owned:
            parts.delivery.wake(journalled.conversation)


async def _arrival(parts: Parts, channel: Channel, message: Incoming) -> Optional[Arrival]:
    """Return the message with its verdict, under pseudonyms; None when it holds nothing to answer."""
    words = clean(message.text) if message.kind == "text" else ""
    if message.kind not in KINDS or (message.kind == "text" and not words):
        return None
    key = parts.key_of(channel.name, message.id)
    person = parts.key_of("person", channel.name, message.user)
    return Arrival(
        key=key, channel=channel.name, kind=message.kind, person=person, address=message.address,
        conversation=parts.key_of("conversation", person), text=words[:TEXT_CHARACTERS], choice=message.choice,
        payload=HELP if message.choice and message.choice == parts.tokens.make(person, HELP) else "",
        # The whole text is checked, however long; what goes on to be understood is cut.
        verdict=await parts.safety.check(person, key, words) if words else dict(CALM),
    )


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
