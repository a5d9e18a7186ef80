"""One worker at a time for a conversation, in order of arrival; a client that hangs up changes nothing."""
from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Optional, Sequence

from gateway.answering import Answerer
from gateway.crisis import FirstAid
from gateway.deletion import Deletion
from gateway.errors import ConversationGone, JournalError, LeaseLost, log_failure
from gateway.history import History
from gateway.journal import LEASE_SECONDS, Journal
from gateway.metrics import Metrics
from gateway.records import Accepted, Answer, Arrival, Reply, Waiting, Work
from gateway.repeat import Repeating
from gateway.safety import Safety
from gateway.sender import Sender

POLL_SECONDS = 0.1
SWEEP_SECONDS = 1.0
TAKEN_AT_ONCE = 50
# How long an answer is held when the journal is away, before it is dropped and its message waits for the sweep.
FINISH_TRIES, FINISH_PAUSE = 20, 0.5
# What is left of a visitor's patience for everything but Rasa.
RESERVE_SECONDS = 0.3


class Delivery:
    """Works off what is journalled.

    gap, longest: on channels, messages within `gap` seconds of each other are understood as one, and none waits beyond `longest`.
    """

    def __init__(self, journal: Journal, answerer: Answerer, safety: Safety, first_aid: FirstAid, deletion: Deletion, sender: Sender,
                 history: History, gap: float, longest: float, metrics: Metrics) -> None:
        self._journal, self._answerer, self._deletion, self._sender = journal, answerer, deletion, sender
        self._safety, self._first_aid = safety, first_aid
        self._history, self._gap, self._longest, self._metrics = history, gap, longest, metrics
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._outcomes: dict[str, tuple[str, asyncio.Future[Reply]]] = {}
        self._deadlines: dict[str, float] = {}
        self._ahead: set[asyncio.Task[None]] = set()
        self._jobs = (Repeating("taking over", SWEEP_SECONDS, self._take_over), Repeating("renewal", LEASE_SECONDS / 3, self._renew))

    async def start(self, alone: bool) -> None:
        """Take up what a former process left, and go on looking for it. `alone`: no other gateway uses this journal."""
        await self._take_over(alone)
        for job in self._jobs:
            job.start()

    async def stop(self, seconds: float = 6.0) -> None:
        """Let the turns in hand finish; what waits stays journalled."""
        for job in self._jobs:
            await job.stop()
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
        waiter = (accepted.conversation, asyncio.get_running_loop().create_future())
        _, future = self._outcomes.setdefault(accepted.key, waiter)
        if accepted.owned:
            self.wake(accepted.conversation)
        if accepted.conversation in self._workers:
            # What is taken over later, from a gateway that died, may take its time: the visitor's widget asks again.
            self._deadlines.setdefault(accepted.key, end)
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
        for owner, future in list(self._outcomes.values()):
            if owner == conversation and not future.done():
                future.set_exception(ConversationGone("The conversation was deleted."))
                future.exception()  # seen, whether anyone still waits or not

    def wake(self, conversation: str) -> None:
        """See to it that the conversation is worked on."""
        self._again.add(conversation)
        if conversation not in self._workers:
            self._workers[conversation] = asyncio.ensure_future(self._worker(conversation))

    async def _worker(self, conversation: str) -> None:
        try:
            while conversation in self._again:
                self._again.discard(conversation)
                while await self._turn(conversation):
                    pass
        except ConversationGone:
            self.ended(conversation)
        except (JournalError, LeaseLost) as error:
            log_failure("turn", error)  # what is journalled is taken up again by the sweep
        except Exception as error:
            log_failure("turn", error)
        finally:
            self._again.discard(conversation)
            del self._workers[conversation]

    async def _turn(self, conversation: str) -> bool:
        """Send what is to be sent, then answer what waits; return whether there was anything to answer."""
        work = await self._journal.waiting(conversation)
        if work is not None and work.channel != "web":
            await self._sender.drain(conversation)
            work = await self._whole(work)
        if work is None or not work.waiting:
            return False
        batch = work.waiting[:1] if work.channel == "web" else await self._judged(work)
        if not batch:
            return True  # all of it was a crisis
        try:
            answer = await self._answerer.answer(work, batch, self._seconds_left(batch))
        except Exception as error:
            log_failure("answering", error)
            answer = self._answerer.failed(work, batch)
        reply = await self._finish(work, batch, answer)
        self._metrics.answered(work.channel, answer)
        for message in batch:
            self._resolve(message.key, reply)
        if answer.turn.outcome == "help":
            await self._history.help_opened(work.conversation)
        return not (answer.ends or reply.idle)

    async def _judged(self, work: Work) -> list[Waiting]:
        """Return what is to be answered now, with the verdicts that no webhook waits for; safety reads what waits behind it meanwhile.

        Behind it: a gateway that starts with a thousand messages must get on with the first, and yet see a crisis among the last.
        """
        batch = self._together(work.waiting)
        if behind := work.waiting[len(batch):]:
            task = asyncio.ensure_future(self._look_ahead(work, batch, behind))
            self._ahead.add(task)
            task.add_done_callback(self._ahead.discard)
        return [message for message in [await self._read(work, message) for message in batch] if message is not None]

    async def _look_ahead(self, work: Work, batch: Sequence[Waiting], behind: Sequence[Waiting]) -> None:
        try:
            for message in [*batch, *behind]:  # in the order in which they were written: a disclosure may be split over two
                await self._read(work, message)
        except Exception as error:
            log_failure("looking ahead", error)

    async def _read(self, work: Work, message: Waiting) -> Optional[Waiting]:
        """Return the message with its verdict, or None when it is a crisis: first aid answers that, now."""
        verdict = message.verdict or await self._safety.check(work.scope, message.key, message.text)
        if verdict["level"] != "crisis":
            return replace(message, verdict=verdict)
        await self._first_aid.answer(Arrival(
            key=message.key, channel=work.channel, kind=message.kind, verdict=verdict, received_at=message.received_at,
            conversation=work.conversation, person=work.scope, address=work.address, text=message.text))
        return None

    async def _whole(self, work: Work) -> Optional[Work]:
        """Wait until the person has probably finished writing."""
        current: Optional[Work] = work
        while current is not None and (pause := self._pause(current.waiting)) > 0:
            await asyncio.sleep(pause)
            current = await self._journal.waiting(work.conversation)
        return current

    def _pause(self, waiting: Sequence[Waiting]) -> float:
        batch = self._together(waiting)
        if not batch or batch[-1].kind == "choice" or len(batch) < len(waiting):
            return 0.0  # nothing, or a button, or something of another kind behind it: what came before is complete
        return min(batch[-1].received_at + self._gap, batch[0].received_at + self._longest) - time.time()

    def _together(self, waiting: Sequence[Waiting]) -> list[Waiting]:
        """Return the leading messages that are understood as one, if close together: written ones, an album's pictures, or one button."""
        batch = list(waiting[:1])
        for before, message in zip(waiting, waiting[1:]):
            apart = message.received_at - before.received_at > self._gap or message.received_at - batch[0].received_at > self._longest
            if apart or message.kind == "choice" or message.kind != batch[0].kind:
                break
            batch.append(message)
        return batch

    async def _finish(self, work: Work, batch: Sequence[Waiting], answer: Answer) -> Reply:
        """Journal the answer; a database that is away for a moment does not cost the work done."""
        if answer.ends:
            farewell = await self._deletion.delete_with_farewell(work, answer)
            if farewell is not None:
                self._sender.urgent(farewell)
            return Reply(0, answer.id, answer.reference, answer.messages, ended=True)
        for _ in range(FINISH_TRIES):
            try:
                return await self._journal.finish(work.conversation, batch, answer)
            except JournalError:
                await asyncio.sleep(FINISH_PAUSE)
        return await self._journal.finish(work.conversation, batch, answer)

    def _seconds_left(self, batch: Sequence[Waiting]) -> Optional[float]:
        """How long Rasa may take: someone may be waiting for this answer behind others. None: nobody is."""
        deadline = self._deadlines.get(batch[0].key)
        return None if deadline is None else max(deadline - time.monotonic() - RESERVE_SECONDS, 0.0)

    def _resolve(self, key: str, reply: Reply) -> None:
        waited = self._outcomes.get(key)
        if waited is not None and not waited[1].done():
            waited[1].set_result(reply)

    async def _take_over(self, alone: bool = False) -> None:
        await self._sender.take_over(alone)
        for conversation in await self._journal.take_over(TAKEN_AT_ONCE, alone):
            self.wake(conversation)

    async def _renew(self) -> None:
        await self._sender.renew()
        if self._workers:
            await self._journal.renew(list(self._workers))
