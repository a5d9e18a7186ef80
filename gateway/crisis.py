"""Support that leaves at once. The journal is given a moment, Rasa is told behind the reply; neither is needed."""
from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any, Optional

from gateway.answering import Answerer
from gateway.errors import ConversationGone, JournalError, UnknownChoice, log_failure
from gateway.journal import Journal
from gateway.rasa import Rasa, RasaDown
from gateway.records import Accepted, Answer, Arrival, Reply

JOURNAL_SECONDS = 0.1
REMEMBERED = 2_000


class FirstAid:
    """Answers crises, each message once, with or without a journal."""

    def __init__(self, answerer: Answerer, journal: Journal, rasa: Rasa) -> None:
        self._answerer, self._journal, self._rasa = answerer, journal, rasa
        self._given: OrderedDict[str, Answer] = OrderedDict()
        self._behind: set[asyncio.Task[Any]] = set()

    def given(self, key: str) -> Optional[Reply]:
        """Return the support that this message was answered with before, if it was and is remembered."""
        answer = self._given.get(key)
        return None if answer is None else _reply(answer)

    async def answer(self, arrival: Arrival) -> Reply:
        """Return the support for `arrival`, within JOURNAL_SECONDS of the call."""
        answer = self._answerer.crisis(arrival.conversation, arrival.channel, arrival.verdict)
        self._given[arrival.key] = answer
        while len(self._given) > REMEMBERED:
            self._given.popitem(last=False)
        recording = self._keep(self._record(arrival, answer))
        self._keep(self._tell_rasa(arrival))
        done, _ = await asyncio.wait({recording}, timeout=JOURNAL_SECONDS)
        accepted = recording.result() if done else None
        return accepted.reply if accepted is not None and accepted.reply is not None else _reply(answer)

    async def _record(self, arrival: Arrival, answer: Answer) -> Optional[Accepted]:
        try:
            return await self._journal.accept_answered(arrival, answer)
        except (JournalError, ConversationGone, UnknownChoice):
            return None
        except Exception as error:
            log_failure("journal of a crisis", error)
            return None

    async def _tell_rasa(self, arrival: Arrival) -> None:
        try:
            await self._rasa.crisis(arrival.conversation, arrival.key)
        except RasaDown:
            pass

    def _keep(self, work: Any) -> "asyncio.Task[Any]":
        task = asyncio.ensure_future(work)
        self._behind.add(task)
        task.add_done_callback(self._behind.discard)
        return task


def _reply(answer: Answer) -> Reply:
    return Reply(0, answer.id, answer.reference, answer.messages)
