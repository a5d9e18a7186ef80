"""A tracker store with a memory and an end: the last events of each conversation, in SQLite or PostgreSQL.

Rasa's own store reads and rebuilds every event of a conversation for each message, so that a long chat grows slow,
and blocks the whole server while the database hangs. This one keeps recent conversations in memory, asks the
database only whether another replica has written meanwhile, keeps a bounded history, and works in threads. While the
database is away, conversations go on in memory; what it missed is written when it is back.
"""
import asyncio
import json
import logging
import os
from collections import OrderedDict, deque
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Dict, Iterable, List, Optional, Text, TypeVar

import sqlalchemy as sa
from rasa.core.agent import Agent
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event, deserialise_events
from rasa.shared.core.trackers import DialogueStateTracker

from addons.tracker import HISTORY, BoundedTracker
from assistant.directory.breaker import Breaker
from assistant.settings import Settings

logger = logging.getLogger(__name__)

T = TypeVar("T")

# Conversations kept in memory; one takes about 100 KB.
REMEMBERED = 500
# A database that takes longer than this counts as away, and is then not asked for a while. A turn asks it twice, and
# must be done within ASSISTANT_RASA_TURN_SECONDS.
SECONDS = 1.0
REST_SECONDS = 5.0
# Any number will do, as long as all servers wait for the same one.
_CREATION_LOCK = 72617
_TABLES = sa.MetaData()
_EVENTS = sa.Table(
    "tracker_events",
    _TABLES,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("conversation", sa.String(64), nullable=False, index=True),
    sa.Column("data", sa.Text, nullable=False),
)


class StoreAway(Exception):
    """The database does not answer."""


class BoundedTrackerStore(TrackerStore):
    """Named in endpoints.yml; the address comes from ASSISTANT_TRACKER_URL (SQLite in the `var` folder where unset)."""

    def __init__(
        self,
        domain: Optional[Domain] = None,
        host: Optional[Text] = None,
        event_broker: Optional[EventBroker] = None,
        **kwargs: Any,
    ) -> None:
        """Take the database's address; it need not be there yet."""
        super().__init__(domain, event_broker)
        self._engine = _engine(Settings.from_env())
        self._ready = False  # the table may be missing: at the first start, or when the file was taken away
        self._threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="tracker-store")
        self._breaker = Breaker(failures=1, rest=REST_SECONDS)
        self._kept: "OrderedDict[Text, BoundedTracker]" = OrderedDict()

    async def retrieve(self, sender_id: Text) -> Optional[DialogueStateTracker]:
        """Return the conversation with its last events, or None; see TrackerStore."""
        # Taken out, not copied: a turn that fails half-way leaves nothing half-done in memory.
        kept = self._kept.pop(sender_id, None)
        try:
            newest = await self._run(lambda: self._newest(sender_id))
            if kept and kept.stored_id == newest:
                return kept
            return await self._restored(sender_id, newest) if newest else None
        except StoreAway:
            return kept

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Append what is new; see TrackerStore."""
        await self.stream_events(tracker)
        own = self._bounded(tracker)
        fresh = _after(own.events, own.stored_up_to)
        rows = [{"conversation": own.sender_id, "data": json.dumps(event.as_dict())} for event in fresh]
        try:
            own.stored_id = await self._run(lambda: self._append(own.sender_id, rows))
            own.stored_up_to = own.events[-1] if own.events else None
        except StoreAway as reason:
            logger.warning("The tracker store is away (%s); the conversation goes on in memory.", reason)
        self._kept[own.sender_id] = own
        while len(self._kept) > REMEMBERED:
            self._kept.popitem(last=False)

    async def keys(self) -> Iterable[Text]:
        """Return the ids of all conversations; see TrackerStore."""
        return await self._run(self._conversations)

    async def delete(self, conversation: Text) -> None:
        """Remove a conversation from memory and database; the caller holds its lock."""
        self._kept.pop(conversation, None)
        await self._run(lambda: self._remove(conversation))

    def recent(self, conversation: Text) -> Optional[DialogueStateTracker]:
        """Return the conversation as this process last saved it, for reading only."""
        return self._kept.get(conversation)

    def _bounded(self, tracker: DialogueStateTracker) -> BoundedTracker:
        """Return `tracker`; a new conversation's, which Rasa makes itself and saves twice, with bounds."""
        if isinstance(tracker, BoundedTracker):
            return tracker
        own = BoundedTracker.from_events(tracker.sender_id, list(tracker.events), self.domain.slots, HISTORY)
        before = self._kept.get(tracker.sender_id)
        if before is not None:
            own.stored_id, own.stored_up_to = before.stored_id, before.stored_up_to
        return own

    async def _restored(self, conversation: Text, newest: int) -> BoundedTracker:
        rows = await self._run(lambda: self._read(conversation))
        tracker = BoundedTracker.from_events(conversation, deserialise_events(rows), self.domain.slots, HISTORY)
        tracker.stored_id, tracker.stored_up_to = newest, tracker.events[-1] if tracker.events else None
        return tracker

    async def _run(self, work: Callable[[], T]) -> T:
        """Return what `work` returns, done in a thread; raises StoreAway when the database fails, hangs or rests."""
        if not self._breaker.allows():
            raise StoreAway("resting")
        loop = asyncio.get_running_loop()
        try:
            result = await asyncio.wait_for(loop.run_in_executor(self._threads, self._prepared, work), SECONDS)
        except (sa.exc.SQLAlchemyError, asyncio.TimeoutError) as error:
            self._breaker.failed()
            self._ready = False
            # The type alone: an error's text may hold what the visitor wrote.
            raise StoreAway(type(error).__name__) from None
        self._breaker.succeeded()
        return result

    def _prepared(self, work: Callable[[], T]) -> T:
        if not self._ready:
            with self._engine.begin() as connection:
                if connection.dialect.name == "postgresql":  # servers that start together take turns
                    connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({_CREATION_LOCK})"))
                _TABLES.create_all(connection)
            self._ready = True
        return work()

    def _newest(self, conversation: Text) -> int:
        query = sa.select(sa.func.max(_EVENTS.c.id)).where(_EVENTS.c.conversation == conversation)
        with self._engine.connect() as connection:
            return connection.execute(query).scalar() or 0

    def _read(self, conversation: Text) -> List[Dict[Text, Any]]:
        query = sa.select(_EVENTS.c.data).where(_EVENTS.c.conversation == conversation)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(_EVENTS.c.id.desc()).limit(HISTORY)).scalars().all()
        return [json.loads(row) for row in reversed(rows)]

    def _append(self, conversation: Text, rows: List[Dict[Text, Any]]) -> int:
        with self._engine.begin() as connection:
            if rows:
                connection.execute(_EVENTS.insert(), rows)
            newest = sa.select(sa.func.max(_EVENTS.c.id)).where(_EVENTS.c.conversation == conversation)
            return connection.execute(newest).scalar() or 0

    def _remove(self, conversation: Text) -> None:
        with self._engine.begin() as connection:
            connection.execute(_EVENTS.delete().where(_EVENTS.c.conversation == conversation))

    def _conversations(self) -> List[Text]:
        with self._engine.connect() as connection:
            return list(connection.execute(sa.select(_EVENTS.c.conversation).distinct()).scalars())


def stores(agent: Agent) -> List[TrackerStore]:
    """Return the agent's store and, where Rasa has put one beside it for failures, that one."""
    outer = agent.tracker_store
    inner = getattr(outer, "_tracker_store", outer)
    fallback = getattr(outer, "_fallback_tracker_store", None)
    return [inner, fallback] if fallback else [inner]


async def forget(agent: Agent, conversation: Text) -> None:
    """Remove a conversation from every store of `agent`; the caller holds its lock."""
    store, *fallback = stores(agent)
    await store.delete(conversation)
    for memory in fallback:
        memory.store.pop(conversation, None)


def _after(events: "deque[Event]", last: Optional[Event]) -> List[Event]:
    """Return the events after `last`, the newest that is stored; all of them when it is not among them."""
    fresh: List[Event] = []
    for event in reversed(events):
        if event is last:
            break
        fresh.append(event)
    return fresh[::-1]


def _engine(settings: Settings) -> sa.engine.Engine:
    url = os.environ.get("ASSISTANT_TRACKER_URL") or f"sqlite:///{settings.var / 'tracker.sqlite'}"
    # hide_parameters: what a visitor wrote must not reach a log by way of a database error.
    if url.startswith("sqlite"):
        settings.var.mkdir(parents=True, exist_ok=True, mode=0o700)
        engine = sa.create_engine(url, hide_parameters=True, future=True)
        sa.event.listen(engine, "connect", _tune)
        return engine
    milliseconds = round(SECONDS * 1000)
    limits = {"connect_timeout": 2, "options": f"-c statement_timeout={milliseconds} -c lock_timeout={milliseconds}"}
    return sa.create_engine(url, hide_parameters=True, future=True, pool_pre_ping=True, connect_args=limits)


def _tune(connection: Any, record: Any) -> None:
    """Write ahead, so that readers never wait; the journal, not this store, is what must survive a power cut."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON", "busy_timeout=700"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
