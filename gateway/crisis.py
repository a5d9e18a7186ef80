"""Support that leaves at once. The journal is given a moment, Rasa is told behind the reply; neither is needed."""
from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any, Optional

from gateway.answering import Answerer
from gateway.errors import ConversationGone, JournalError, UnknownChoice, log_failure
from gateway.journal import Journal
from gateway.metrics import Metrics
from gateway.outbox import Unsent
from gateway.rasa import Rasa
from gateway.records import Accepted, Answer, Arrival, Reply
from gateway.sender import Sender

JOURNAL_SECONDS = 0.1
REMEMBERED = 2_000
# A message that a messaging service's webhook had journalled must not be answered again at the next start.
RECORD_TRIES, RECORD_PAUSE = 60, 1.0


class FirstAid:
    """Answers crises, each message once, with or without a journal."""

    def __init__(self, answerer: Answerer, journal: Journal, rasa: Rasa, sender: Sender, metrics: Metrics) -> None:
        self._answerer, self._journal, self._rasa, self._sender, self._metrics = answerer, journal, rasa, sender, metrics
        self._given: OrderedDict[str, Reply] = OrderedDict()
        self._behind: set[asyncio.Task[Any]] = set()

    def given(self, key: str) -> Optional[Reply]:
        """Return the support that this message was answered with before, if it was and is remembered."""
        return self._given.get(key)

    async def answer(self, arrival: Arrival) -> Reply:
        """Return the support for `arrival` within JOURNAL_SECONDS of the call; on a channel it is on its way then."""
        given = self._given.get(arrival.key)
        if given is not None:
            return given  # its copies were checked at the same time
        answer = self._answerer.crisis(arrival.scope, arrival.channel, arrival.verdict, arrival.text)
        reply = Reply(0, answer.id, answer.reference, answer.messages)
        self._given[arrival.key] = reply
        while len(self._given) > REMEMBERED:
            self._given.popitem(last=False)
        self._metrics.answered(arrival.channel, answer)
        recording = self._keep(self._record(arrival, answer))
        done, _ = await asyncio.wait({recording}, timeout=JOURNAL_SECONDS)
        accepted = recording.result() if done else None
        if accepted is not None and not accepted.fresh:
            return accepted.reply or reply  # a copy, answered before this process knew of it
        if arrival.channel != "web":
            conversation = accepted.conversation if accepted is not None else arrival.conversation
            self._sender.urgent(Unsent(answer.id, conversation, arrival.channel, arrival.address, arrival.received_at, answer.messages,
                                       answer.turn.level, answer.turn.category, 0, 0))
        return accepted.reply or reply if accepted is not None else reply

    async def _record(self, arrival: Arrival, answer: Answer) -> Optional[Accepted]:
        accepted: Optional[Accepted] = None
        try:
            accepted = await self._journal.accept_answered(arrival, answer)
        except (ConversationGone, UnknownChoice):
            pass
        except JournalError:
            if arrival.channel != "web":
                self._keep(self._record_later(arrival, answer))
        except Exception as error:
            log_failure("journal of a crisis", error)
        self._rasa.tell_crisis(accepted.conversation if accepted is not None else arrival.conversation, arrival.key)
        return accepted

    async def _record_later(self, arrival: Arrival, answer: Answer) -> None:
        """The support is on its way without the journal: note that, once the journal is back."""
        for _ in range(RECORD_TRIES):
            await asyncio.sleep(RECORD_PAUSE)
            try:
                await self._journal.accept_answered(arrival, answer, sent=True)
                return
            except JournalError:
                pass
            except ConversationGone:
                return

    def _keep(self, work: Any) -> "asyncio.Task[Any]":
        task = asyncio.ensure_future(work)
        self._behind.add(task)
        task.add_done_callback(self._behind.discard)
        return task
