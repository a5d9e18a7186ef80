"""One worker at a time for a conversation, in order of arrival; a client that hangs up changes nothing."""
from __future__ import annotations

import asyncio
import time
from typing import Any, Awaitable, Callable, Optional, Sequence

from gateway.answering import Answerer
from gateway.errors import ConversationGone, JournalError, LeaseLost, log_failure
from gateway.journal import LEASE_SECONDS, Journal
from gateway.records import Accepted, Answer, Reply, Waiting

POLL_SECONDS = 0.1
SWEEP_SECONDS = 1.0
RETRIES = 20


class Delivery:
    """Works off what is journalled. `remove` deletes a conversation everywhere."""

    def __init__(self, journal: Journal, answerer: Answerer, remove: Callable[[str], Awaitable[Any]]) -> None:
        self._journal, self._answerer, self._remove = journal, answerer, remove
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._outcomes: dict[str, tuple[str, asyncio.Future[Reply]]] = {}
        self._deadlines: dict[str, float] = {}
        self._background: list[asyncio.Task[None]] = []

    async def start(self, alone: bool) -> None:
        """Take up what a former process left, and go on looking for it."""
        while taken := await self._journal.take_over(50, alone=alone):
            for conversation in taken:
                self.wake(conversation)
            if len(taken) < 50:
                break
        self._background = [asyncio.ensure_future(self._every(SWEEP_SECONDS, self._sweep)),
                            asyncio.ensure_future(self._every(LEASE_SECONDS / 3, self._renew))]

    async def stop(self, seconds: float = 6.0) -> None:
        """Let the turns in hand finish."""
        for task in self._background:
            task.cancel()
        if self._workers:
            await asyncio.wait(self._workers.values(), timeout=seconds)

    @property
    def busy(self) -> int:
        """The number of conversations being worked on here."""
        return len(self._workers)

    async def outcome(self, accepted: Accepted, seconds: float) -> Optional[Reply]:
        """Return the reply to a message of the widget, or None when there is none within `seconds`.

        Raises ConversationGone when the conversation is deleted meanwhile, JournalError.
        """
        if accepted.reply is not None:
            return accepted.reply
        end = time.monotonic() + seconds
        new = (accepted.conversation, asyncio.get_running_loop().create_future())
        _, future = self._outcomes.setdefault(accepted.key, new)
        self._deadlines.setdefault(accepted.key, end)
        if accepted.owned:
            self.wake(accepted.conversation)
        try:
            while (left := end - time.monotonic()) > 0:
                # The copy of a message, or one whose conversation another gateway works on: the journal will know.
                here = accepted.conversation in self._workers
                done, _ = await asyncio.wait({future}, timeout=left if here else min(left, POLL_SECONDS))
                if done:
                    return future.result()
                if not here and (reply := await self._journal.reply_to(accepted.key)) is not None:
                    return reply
            return None
        finally:
            if future.done() or time.monotonic() >= end:
                self._outcomes.pop(accepted.key, None)
                self._deadlines.pop(accepted.key, None)

    def ended(self, conversation: str) -> None:
        """Tell those who wait for an answer in a deleted conversation that there will be none."""
        for key, (owner, future) in list(self._outcomes.items()):
            if owner == conversation and not future.done():
                future.set_exception(ConversationGone("The conversation was deleted."))

    def wake(self, conversation: str) -> None:
        """See to it that the conversation is worked on."""
        if conversation in self._workers:
            self._again.add(conversation)
            return
        self._workers[conversation] = asyncio.ensure_future(self._work(conversation))

    async def _work(self, conversation: str) -> None:
        try:
            self._again.add(conversation)
            while conversation in self._again:
                self._again.discard(conversation)
                await self._drain(conversation)
        except ConversationGone:
            self.ended(conversation)
        except (JournalError, LeaseLost) as error:
            log_failure("turn", error)  # what is journalled is taken up again by the sweep
        except Exception as error:
            log_failure("turn", error)
        finally:
            self._again.discard(conversation)
            del self._workers[conversation]

    async def _drain(self, conversation: str) -> None:
        while True:
            state, waiting = await self._journal.waiting(conversation)
            if not waiting:
                return
            batch = waiting[:1]
            answer = await self._answerer.answer(conversation, "web", state, batch, self._seconds_left(batch))
            reply = await self._finish(conversation, batch, answer)
            for message in batch:
                self._resolve(message.key, reply)

    async def _finish(self, conversation: str, batch: Sequence[Waiting], answer: Answer) -> Reply:
        """Journal the answer; a database that is away for a moment does not cost the work done."""
        if answer.ends:
            await self._remove(conversation)
            return Reply(0, answer.id, answer.reference, answer.messages, ended=True)
        for _ in range(RETRIES):
            try:
                return await self._journal.finish(conversation, batch, answer)
            except JournalError:
                await asyncio.sleep(0.5)
        return await self._journal.finish(conversation, batch, answer)

    def _seconds_left(self, batch: Sequence[Waiting]) -> Optional[float]:
        """How long Rasa may take: someone may be waiting for this answer behind others. None: nobody is."""
        deadline = self._deadlines.get(batch[0].key)
        return None if deadline is None else max(deadline - time.monotonic() - 0.3, 0.0)

    def _resolve(self, key: str, reply: Reply) -> None:
        waited = self._outcomes.get(key)
        if waited is not None and not waited[1].done():
            waited[1].set_result(reply)

    async def _sweep(self) -> None:
        for conversation in await self._journal.take_over(20):
            self.wake(conversation)

    async def _renew(self) -> None:
        if self._workers:
            await self._journal.renew(list(self._workers))

    async def _every(self, seconds: float, job: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await job()
            except JournalError:
                pass  # reported where it arose; the next round tries again
            except Exception as error:
                log_failure("delivery", error)
