"""The gateway's parts, made once at the start and handed to the handlers by `request.app.ctx.parts`."""
from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Any, Coroutine, Mapping, TypeVar

from assistant.directory import Query, deep_link
from assistant.journal import journal_url
from assistant.places import Gazetteer
from assistant.secrets import internal_token, key
from assistant.settings import Settings
from gateway import release, texts
from gateway.answering import Answerer
from gateway.channels.base import Channel
from gateway.clicks import Clicks
from gateway.crisis import FirstAid
from gateway.database import Database
from gateway.deletion import Deletion
from gateway.delivery import Delivery
from gateway.handoff import Handoff
from gateway.history import History
from gateway.journal import Journal
from gateway.limits import Pseudonym, Window
from gateway.metrics import Metrics
from gateway.outbox import Outbox
from gateway.rasa import Rasa
from gateway.rendering import Renderer
from gateway.repeat import Repeating
from gateway.retention import Retention
from gateway.safety import Safety
from gateway.sender import Sender
from gateway.sessions import Sessions
from gateway.state import Tokens

# How soon a new release is noticed.
RELEASE_SECONDS = 2.0

T = TypeVar("T")


@dataclass
class Parts:
    """Everything that the handlers use."""

    settings: Settings
    texts: texts.Texts
    sessions: Sessions
    safety: Safety
    tokens: Tokens
    handoff: Handoff
    database: Database
    journal: Journal
    deletion: Deletion
    rasa: Rasa
    answerer: Answerer
    delivery: Delivery
    sender: Sender
    channels: Mapping[str, Channel]
    message_limit: Window
    session_limit: Window
    pseudonym: Pseudonym
    history: History
    clicks: Clicks
    first_aid: FirstAid
    metrics: Metrics
    retention: Retention
    following: Repeating
    message_key: bytes
    public_url: str
    view: release.Release
    tasks: set["asyncio.Task[Any]"] = field(default_factory=set)

    def behind(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Run `work` behind the answer to a request."""
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    def key_of(self, *of: str) -> str:
        """Return the unique key of a message: an HMAC, since services' message ids hold telephone numbers."""
        return hmac.new(self.message_key, "\0".join(of).encode(), hashlib.sha256).hexdigest()[:32]

    def help_card(self) -> dict[str, Any]:
        """Return the urgent-help card as a message of the API, without buttons: it needs no conversation."""
        renderer = Renderer(self.tokens, self.handoff.track, "", "help")
        renderer.add_safety({**self.safety.card(), "choices": []}, {})
        return renderer.messages[0]

    async def start(self) -> None:
        """Open the journal and take up what waits."""
        await self.database.start()
        await self.delivery.start(alone=self.database.sqlite)
        self.retention.start()
        self.following.start()

    async def stop(self) -> None:
        """Finish what is in hand and close."""
        await self.following.stop()
        await self.retention.stop()
        await self.delivery.stop()
        await self.sender.stop()
        await self.rasa.stop()
        await self.database.stop()
        self.safety.stop()
        self.clicks.stop()


def make(settings: Settings, words: texts.Texts, channels: Mapping[str, Channel], in_force: release.Release) -> Parts:
    """Return the parts for `settings`; must run inside the event loop."""
    base = settings.public_url or f"http://{settings.gateway_host}:{settings.gateway_port}"
    search = deep_link(Query(), settings).url
    me = secrets.token_hex(8)
    metrics = Metrics()
    database = Database(journal_url(settings), on_failure=metrics.journal_failures.inc)
    journal = Journal(database, me, settings.text_hours * 3600.0)
    safety = Safety(in_force, Gazetteer.load(settings), on_failure=metrics.safety_failures.inc)
    rasa = Rasa(settings.rasa_url, internal_token(settings), settings.rasa_turn_seconds)
    tokens = Tokens(key("choice", settings))
    handoff = Handoff(key("handoff", settings), base, search)
    deletion = Deletion(database, rasa, safety, me)
    history = History(database)
    sender = Sender(Outbox(database, me), channels, words, metrics)
    answerer = Answerer(settings, words, safety, rasa, tokens, handoff.track, search, lambda: in_force().version, channels)
    first_aid = FirstAid(answerer, journal, rasa, sender, metrics)
    return Parts(
        settings=settings, texts=words, sessions=Sessions(key("session", settings), settings.session_minutes), safety=safety,
        tokens=tokens, handoff=handoff, database=database, journal=journal, deletion=deletion, rasa=rasa, answerer=answerer,
        delivery=Delivery(journal, answerer, safety, first_aid, deletion, sender, history, settings.coalesce_seconds,
                          settings.coalesce_longest_seconds, metrics),
        sender=sender, channels=channels, message_limit=Window(settings.messages_per_minute, 60.0),
        session_limit=Window(settings.sessions_per_second, 1.0), pseudonym=Pseudonym(), history=history, clicks=Clicks(settings),
        first_aid=first_aid, following=Repeating("release", RELEASE_SECONDS, in_force.follow),
        message_key=key("message", settings), metrics=metrics, public_url=base, view=in_force,
        retention=Retention(database, deletion, settings.turn_days, settings.inbox_days, settings.session_minutes * 60.0, metrics),
    )
