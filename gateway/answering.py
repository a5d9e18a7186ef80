"""What is said to a message: by the safety replies, by the gateway itself, or by Rasa. It decides; it stores and sends nothing."""
from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Callable, Mapping, Optional, Sequence

from assistant import choices
from assistant.privacy import redact
from assistant.settings import Settings
from gateway.channels.base import Channel
from gateway.hygiene import TEXT_CHARACTERS, for_rasa
from gateway.rasa import Rasa, RasaDown, RasaTurn
from gateway.records import Answer, Turn, Waiting, Work, reference, reply_id
from gateway.rendering import Renderer
from gateway.safety import Safety, worse
from gateway.state import State, Tokens
from gateway.texts import Texts

HELP, DELETE, REST, FIND = "gateway:help", "gateway:delete", "gateway:answer", "/find_therapist"
SEARCH_FORM = "search_form"
DID_YOU_MEAN = "utter_did_you_mean"
# After a disclosure of abuse nothing about couples, and no search, is offered of itself: the phone may be looked at.
UNWANTED_AFTER_ABUSE = ("/faq_relationship_issues", FIND, "/faq_children_and_families")


@dataclass
class Draft:
    """A reply in the making."""

    renderer: Renderer
    id: str
    turn: Turn
    started: float = field(default_factory=time.monotonic)
    queue: list[tuple[str, str, str]] = field(default_factory=list)
    used: str = ""
    wording: Optional[int] = None
    form: bool = False
    urgent: bool = False
    ends: bool = False

    def done(self) -> Answer:
        """Return the finished answer."""
        self.turn.milliseconds = round((time.monotonic() - self.started) * 1000)
        code = reference()
        messages = [{**message, "reference": code} for message in self.renderer.messages]
        return Answer(self.id, code, messages, self.turn, self.renderer.offered, self.used, self.form, self.wording, self.queue,
                      self.urgent, self.ends)


class Answerer:
    """Answers one message, or several of one person that are understood as one."""

    def __init__(self, settings: Settings, texts: Texts, safety: Safety, rasa: Rasa, tokens: Tokens,
                 track: Callable[[str, str], str], search_url: str, version: Callable[[], str], channels: Mapping[str, Channel]) -> None:
        self._related = {name: channel.limits.related for name, channel in channels.items()}
        self._signposting = settings.mode == "signposting"
        self._texts, self._safety, self._rasa, self._tokens = texts, safety, rasa, tokens
        self._track, self._search_url, self._version = track, search_url, version

    def crisis(self, scope: str, channel: str, verdict: Mapping[str, Any], text: str, state: Optional[State] = None,
               urgent: bool = True) -> Answer:
        """Return the support that answers a crisis; it waits for nothing. Without a state, what this process remembers serves.

        `urgent`: on a channel it is sent beside what its conversation is waiting for.
        """
        draft = self._draft(scope, "crisis", verdict)
        state = state or self._safety.remembered(scope)
        reply = self._safety.answer(scope, verdict, state.used, form=state.form)
        self._say(draft, reply.messages, verdict)
        draft.used, draft.form, draft.urgent = reply.id, state.form, urgent
        if verdict["near"]:
            draft.queue.append(("review", "near", redact(text)))
        self._notice(draft, channel, state)
        return draft.done()

    async def answer(self, work: Work, batch: Sequence[Waiting], seconds: Optional[float] = None) -> Answer:
        """Return the answer to `batch` (one message, or several joined) within about `seconds`."""
        state = work.state
        verdict, text, payload = await self._understood(state, batch)
        if verdict["level"] == "crisis":
            self._rasa.tell_crisis(work.conversation, batch[0].key)
            return self.crisis(work.scope, work.channel, verdict, text, state, urgent=False)
        draft = self._draft(work.scope, "rasa", verdict)
        draft.form = state.form
        if verdict["denial"] and state.crisis_at:
            reply = self._safety.denial(work.scope, verdict, state.used)
            self._say(draft, reply.messages, verdict)
            draft.turn.outcome, draft.used = "denial", reply.id
            draft.queue.append(("review", "denial", redact(text)))
        elif payload == HELP or self._asks_for_help(text):
            self._help(draft, state)
        elif payload == DELETE:
            draft.turn.outcome, draft.ends = "deleted", True
            draft.renderer.add_text(self._texts.deleted)
        elif batch[-1].kind == "choice" and not payload and not text:
            draft.turn.outcome = "unknown_choice"
            draft.renderer.add_text(self._texts.unknown_choice)
        elif not payload and not text:
            draft.turn.outcome = "media"
            draft.renderer.add_choices([self._help_button()], self._texts.media)
        elif self._signposting:
            self._signpost(draft)
        else:
            await self._ask_rasa(draft, work, verdict, batch[0].key, text, payload, seconds)
        if draft.turn.outcome != "deleted":
            self._notice(draft, work.channel, state)
        self._safety.note(work.scope, draft.form, state.noticed or work.channel != "web")
        return draft.done()

    def failed(self, work: Work, batch: Sequence[Waiting]) -> Answer:
        """Return what is said when working out the answer failed: a message is never left without one."""
        draft = self._draft(work.scope, "rasa", batch[0].verdict)
        self._unavailable(draft, work.state)
        return draft.done()

    async def _understood(self, state: State, batch: Sequence[Waiting]) -> tuple[Mapping[str, Any], str, str]:
        """Return the verdict on the whole, the text, and the payload when a button is meant."""
        verdict: Mapping[str, Any] = batch[0].verdict
        for waiting in batch[1:]:
            verdict = worse(verdict, waiting.verdict)
        written = [waiting.text for waiting in batch if waiting.kind == "text" and waiting.text]
        if len(written) > 1:
            verdict = worse(verdict, await self._safety.verdict("\n".join(written)))
        if batch[-1].kind == "choice":
            payload, text = batch[-1].payload, ""
        else:
            text = "\n".join(written)
            payload = _meant(text, state)
        if payload.startswith(REST + " "):
            return verdict, payload[len(REST) + 1:], ""
        return verdict, text, payload

    async def _ask_rasa(self, draft: Draft, work: Work, verdict: Mapping[str, Any], key: str, text: str, payload: str,
                        seconds: Optional[float]) -> None:
        state = work.state
        reply = self._safety.answer(work.scope, verdict, state.used) if verdict["level"] == "concern" else None
        if reply is not None:
            self._say(draft, reply.messages, verdict)
            draft.used = reply.id
        try:
            if payload:
                turn = await self._rasa.press(work.conversation, key, payload, seconds)
            else:
                turn = await self._rasa.say(work.conversation, key, for_rasa(text[:TEXT_CHARACTERS]), seconds)
        except RasaDown as error:
            draft.turn.actions = [f"rasa:{error.reason}"]
            self._unavailable(draft, state)
        else:
            self._render(draft, work, turn)
            self._queue(draft, verdict, turn, text)
        if reply is not None:
            self._say(draft, reply.after, verdict)
        if state.crisis_at and not any(message["type"] == "helplines" for message in draft.renderer.messages):
            draft.renderer.add_choices([self._help_button()])

    def _render(self, draft: Draft, work: Work, turn: RasaTurn) -> None:
        before = len(draft.renderer.messages)
        draft.form = bool(turn.actions) and turn.actions[-1] == SEARCH_FORM
        # What was asked back ("Did you mean …?") is offered whole. Of related questions a service has room for some, and a
        # question of the search, which stands below the answer, for none.
        room = None if DID_YOU_MEAN in turn.actions else 0 if draft.form else self._related.get(work.channel)
        for message in turn.messages:
            draft.renderer.add_rasa(_with_room(_without_unwanted(message, work.state), room), {})
        draft.turn.intent, draft.turn.confidence = turn.intent, turn.confidence
        draft.turn.alternatives, draft.turn.actions, draft.turn.release = turn.alternatives, turn.actions, turn.model
        if len(draft.renderer.messages) == before:
            self._unavailable(draft, work.state)

    def _queue(self, draft: Draft, verdict: Mapping[str, Any], turn: RasaTurn, text: str) -> None:
        """Note for the staff what was not understood; for the safety role what was nearly a crisis."""
        if verdict["near"] and text:
            draft.queue.append(("review", "near", redact(text)))
        elif text and DID_YOU_MEAN in turn.actions:
            draft.queue.append(("inbox", "close", redact(text)))
        elif text and turn.intent == "nlu_fallback":
            draft.queue.append(("inbox", "not_understood", redact(text)))

    def _unavailable(self, draft: Draft, state: State) -> None:
        wording = (state.unavailable + 1) % len(self._texts.unavailable)
        draft.turn.outcome, draft.wording = "unavailable", wording
        draft.renderer.add_links(self._links(), self._texts.unavailable[wording])

    def _signpost(self, draft: Draft) -> None:
        draft.turn.outcome = "signposting"
        draft.renderer.add_links(self._links(), self._texts.signposting)
        draft.renderer.add_safety(self._safety.card(), {})

    def _help(self, draft: Draft, state: State) -> None:
        draft.turn.outcome = "help"
        going_on = state.form and state.category != "abuse_violence"
        choices = [{"label": self._texts.carry_on_label, "payload": FIND}] if going_on else []
        draft.renderer.add_safety({**self._safety.card(), "choices": choices}, {})

    def _links(self) -> list[dict[str, str]]:
        return [{"label": self._texts.search_label, "url": self._search_url},
                {"label": self._texts.contact_label, "url": f"mailto:{self._texts.contact}"}]

    def _asks_for_help(self, text: str) -> bool:
        """Whether `text` is the label of the help button, or as much of it as one would type."""
        label = self._texts.help_label.casefold()
        return text.casefold().strip(" .!") in (label, label.removeprefix("get "))

    def _help_button(self) -> dict[str, str]:
        return {"label": self._texts.help_label, "payload": HELP}

    def _say(self, draft: Draft, messages: Sequence[Mapping[str, Any]], verdict: Mapping[str, Any]) -> None:
        for message in messages:
            draft.renderer.add_safety(message, {REST: f"{REST} {verdict['rest']}"})

    def _notice(self, draft: Draft, channel: str, state: State) -> None:
        """The first reply on a channel says what this is; the widget shows the same above the first message."""
        if channel != "web" and not state.noticed:
            draft.renderer.add_text(self._texts.notice)

    def _draft(self, scope: str, outcome: str, verdict: Mapping[str, Any]) -> Draft:
        identity = reply_id()
        turn = Turn(outcome, level=verdict["level"], category=verdict["category"], detector=verdict["detector"],
                    score=verdict["score"], release=self._version())
        return Draft(Renderer(self._tokens, self._track, scope, identity), identity, turn)


def _meant(text: str, state: State) -> str:
    """Return the payload of the button that `text` names ("2", "the second one", its label), or ""."""
    offered = [state.choices[token] for token in state.last if token in state.choices]
    chosen = choices.resolve(text, [label for label, _ in offered]) if offered else None
    return "" if chosen is None else offered[chosen][1]


def _without_unwanted(message: Mapping[str, Any], state: State) -> Mapping[str, Any]:
    if state.category != "abuse_violence" or not message.get("buttons"):
        return message
    kept = [b for b in message["buttons"] if not str(b.get("payload", "")).startswith(UNWANTED_AFTER_ABUSE)]
    return {**message, "buttons": kept}


def _with_room(message: Mapping[str, Any], room: Optional[int]) -> Mapping[str, Any]:
    """Return `message` with at most `room` of its related questions; None: all."""
    buttons = message.get("buttons") or ()
    related = [button for button in buttons if str(button.get("payload", "")).startswith("/faq_") or button.get("payload") == FIND]
    if room is None or len(related) <= room:
        return message
    return {**message, "buttons": [button for button in buttons if button not in related[room:]]}
