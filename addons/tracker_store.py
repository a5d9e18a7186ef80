"""A tracker store with a memory and an end: the last events of each conversation, in SQLite or PostgreSQL.

Rasa's own store reads and rebuilds every event of a conversation for each message, so that a long chat grows slow,
and blocks the whole server while the database hangs. This one keeps recent conversations in memory, asks the
database only whether another replica has written meanwhile, keeps a bounded history, and works in a thread.
"""
import asyncio
import json
import os
from collections import OrderedDict, deque
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Text, TypeVar

import sqlalchemy as sa
from rasa.core.agent import Agent
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event, deserialise_events
from rasa.shared.core.trackers import DialogueStateTracker

from assistant.settings import Settings

T = TypeVar("T")

# About fifteen turns: no rule, story or policy looks further back.
HISTORY = 120
# Conversations kept in memory; one takes about 100 KB.
REMEMBERED = 500
# A database that takes longer than this counts as gone; Rasa then keeps the conversation in its own memory.
SECONDS = 2.0

_TABLES = sa.MetaData()
_EVENTS = sa.Table(
    "tracker_events",
    _TABLES,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("conversation", sa.String(64), nullable=False, index=True),
    sa.Column("data", sa.Text, nullable=False),
)


class _Kept(NamedTuple):
    tracker: DialogueStateTracker
    newest: int  # id of the newest event in the database


class BoundedTrackerStore(TrackerStore):
    """Named in endpoints.yml; the address comes from ASSISTANT_TRACKER_URL (SQLite in the `var` folder where unset)."""

    def __init__(
        self,
        domain: Optional[Domain] = None,
        host: Optional[Text] = None,
        event_broker: Optional[EventBroker] = None,
        **kwargs: Any,
    ) -> None:
        """Open the database and make the table where it is missing."""
        super().__init__(domain, event_broker)
        self._engine = _engine(Settings.from_env())
        self._thread = ThreadPoolExecutor(max_workers=4, thread_name_prefix="tracker-store")
        self._kept: "OrderedDict[Text, _Kept]" = OrderedDict()
        _TABLES.create_all(self._engine)

    async def retrieve(self, sender_id: Text) -> Optional[DialogueStateTracker]:
        """Return the conversation with its last events, or None; see TrackerStore."""
        # Taken out, not copied: a turn that fails half-way leaves nothing half-done in memory.
        kept = self._kept.pop(sender_id, None)
        newest = await self._run(lambda: self._newest(sender_id))
        if kept and kept.newest == newest:
            return kept.tracker
        if not newest:
            return None
        rows = await self._run(lambda: self._read(sender_id))
        tracker = DialogueStateTracker.from_events(
            sender_id, deserialise_events(rows), self.domain.slots, max_event_history=HISTORY
        )
        tracker.stored_up_to = tracker.events[-1] if tracker.events else None
        return tracker

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Append what is new; see TrackerStore."""
        await self.stream_events(tracker)
        fresh = _after(tracker.events, getattr(tracker, "stored_up_to", None))
        rows = [{"conversation": tracker.sender_id, "data": json.dumps(event.as_dict())} for event in fresh]
        newest = await self._run(lambda: self._append(tracker.sender_id, rows))
        tracker.events = deque(tracker.events, HISTORY)
        tracker._max_event_history = HISTORY  # Rasa makes trackers without a bound; it has no setter
        tracker.stored_up_to = tracker.events[-1] if tracker.events else None
        self._kept[tracker.sender_id] = _Kept(tracker, newest)
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
        kept = self._kept.get(conversation)
        return kept.tracker if kept else None

    async def _run(self, work: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        return await asyncio.wait_for(loop.run_in_executor(self._thread, work), SECONDS)

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
    await store.delete(conversation)  # type: ignore[attr-defined]
    for memory in fallback:
        memory.store.pop(conversation, None)  # type: ignore[attr-defined]


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
    if url.startswith("sqlite"):
        settings.var.mkdir(parents=True, exist_ok=True, mode=0o700)
    # hide_parameters: what a visitor wrote must not reach a log by way of a database error.
    engine = sa.create_engine(url, hide_parameters=True, pool_pre_ping=not url.startswith("sqlite"), future=True)
    if url.startswith("sqlite"):
        sa.event.listen(engine, "connect", _tune)
    return engine


def _tune(connection: Any, record: Any) -> None:
    """Write ahead, so that readers never wait; the journal, not this store, is what must survive a power cut."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON", "busy_timeout=1500"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
