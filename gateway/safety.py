"""Safety before anything else: a check that waits for nothing but the processor, and what it needs to remember.

The memory is small, bounded and in this process; the journal holds the same for longer, but is never waited for here.
"""
from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Callable, Mapping, Sequence

from assistant.places import Gazetteer, says_only_where
from assistant.safety import Verdict
from gateway.errors import log_failure
from gateway.release import View
from gateway.state import State

CONVERSATIONS = 10_000
# A disclosure split over two messages comes within minutes; words are not held longer than they serve.
SPLIT_SECONDS = 600.0
# A check takes milliseconds and can only wait for the processor: on a machine that is overloaded a late verdict is better than none.
LIMIT_SECONDS = 8.0
# The name of a town can look like a word of risk: what is nothing but an answer to "Where should I look?" is judged as this one.
ELSEWHERE = "a therapist in York"
LEVELS = ("none", "concern", "crisis")
# The verdict on what needs no check, such as a button.
CALM: dict[str, Any] = {
    "level": "none", "category": "", "topic": "", "detector": "", "score": 0.0, "explicit": False, "child": False, "denial": False,
    "near": False, "rest": "",
}


@dataclass
class Memory:
    """What is remembered of one conversation: its latest words, the safety replies that it had, an open search form."""

    previous: str = ""
    at: float = 0.0
    used: list[str] = field(default_factory=list)
    form: bool = False
    noticed: bool = False


class Safety:
    """Checks messages and words the replies; `view` gives the release in force, `places` knows what is nothing but a place.

    A `scope` is the conversation in the widget and the person on a channel.
    """

    def __init__(self, view: Callable[[], View], places: Gazetteer, clock: Callable[[], float] = time.monotonic,
                 on_failure: Callable[[], None] = lambda: None) -> None:
        self._view, self._places, self._clock, self._on_failure = view, places, clock, on_failure
        # Two threads: one long story does not hold up the next visitor.
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="safety")
        self._memory: OrderedDict[str, Memory] = OrderedDict()
        self._checks: dict[str, asyncio.Future[dict[str, Any]]] = {}

    def stop(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False)

    async def check(self, scope: str, key: str, text: str) -> dict[str, Any]:
        """Return the verdict on the message `key`, in the light of what the same person wrote just before.

        A check that fails or takes too long counts as `concern`: support is shown, and nothing is held up. All who ask about
        the same message share one check.
        """
        if key not in self._checks:
            self._checks[key] = asyncio.ensure_future(self._check(scope, text))
            asyncio.get_running_loop().call_later(SPLIT_SECONDS, self._checks.pop, key, None)
        return await asyncio.shield(self._checks[key])

    async def _check(self, scope: str, text: str) -> dict[str, Any]:
        memory = self._recall(scope)
        previous = memory.previous if self._clock() - memory.at <= SPLIT_SECONDS else ""
        memory.previous, memory.at = text, self._clock()
        verdict = await self.verdict(text, previous)
        if verdict["level"] == "crisis":
            memory.previous = ""
        return verdict

    async def verdict(self, text: str, previous: str = "") -> dict[str, Any]:
        """Return the verdict on `text` alone, or behind `previous`."""
        loop = asyncio.get_running_loop()
        try:
            found = await asyncio.wait_for(loop.run_in_executor(self._threads, self._judge, text, previous), LIMIT_SECONDS)
        except Exception as error:
            self._on_failure()
            log_failure("safety check", error)
            return {**CALM, "level": "concern", "detector": "failed"}
        return asdict(found)

    def _judge(self, text: str, previous: str) -> Verdict:
        check = self._view().safety.check
        verdict = check(text, previous)
        if verdict.level != "none" and says_only_where(text, self._places):
            return replace(check(ELSEWHERE, previous), rest="")
        return verdict

    def note(self, scope: str, form: bool, noticed: bool) -> None:
        """Remember how the conversation stands, for a crisis that comes while the journal is away."""
        memory = self._recall(scope)
        memory.form, memory.noticed = form, noticed

    def remembered(self, scope: str) -> State:
        """Return what is remembered of the conversation as a state."""
        memory = self._memory.get(scope) or Memory()
        return State(used=list(memory.used), form=memory.form, noticed=memory.noticed)

    def answer(self, scope: str, verdict: Mapping[str, Any], used: Sequence[str] = (), form: bool = False) -> Any:
        """Return the Reply for a verdict of crisis or concern."""
        return self._reply(scope, verdict, used, lambda v, u: self._view().replies.answer(v, used=u, form=form))

    def denial(self, scope: str, verdict: Mapping[str, Any], used: Sequence[str] = ()) -> Any:
        """Return the Reply to "I'm fine" after a crisis."""
        return self._reply(scope, verdict, used, lambda v, u: self._view().replies.denial(v, used=u))

    def card(self) -> dict[str, Any]:
        """Return the urgent-help card as of now."""
        return dict(self._view().replies.card())

    def forget(self, scope: str) -> None:
        """Drop what is remembered of `scope`."""
        self._memory.pop(scope, None)

    def _reply(self, scope: str, verdict: Mapping[str, Any], used: Sequence[str], worded: Callable[[Any, Sequence[str]], Any]) -> Any:
        memory = self._recall(scope)
        reply = worded(Verdict(**verdict), [*used, *(item for item in memory.used if item not in used)])
        memory.used = [*memory.used, reply.id][-20:]
        return reply

    def _recall(self, scope: str) -> Memory:
        memory = self._memory.setdefault(scope, Memory())
        self._memory.move_to_end(scope)
        while len(self._memory) > CONVERSATIONS:
            self._memory.popitem(last=False)
        return memory


def worse(one: Mapping[str, Any], other: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the verdict of the higher level."""
    return other if LEVELS.index(other["level"]) > LEVELS.index(one["level"]) else one
