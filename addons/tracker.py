"""A conversation that costs the same at its fiftieth turn as at its first.

Rasa's own tracker replays every event for each action of a turn, and each policy builds the states of the whole
conversation. This one keeps a bounded history, copies itself without a replay, and shows the policies the last turns.
"""
import copy
from typing import Iterable, List, Optional, Text, Tuple

from rasa.shared.core.events import ActionExecuted, ActiveLoop, Event, UserUttered
from rasa.shared.core.slots import Slot
from rasa.shared.core.trackers import DialogueStateTracker

# About fifteen turns: what replies and follow-ups look back on (wordings used, the last topic).
HISTORY = 120
# Turns that rules and stories may span; config.yml's max_history and the rules under data/ stay below it.
TURNS = 3


class BoundedTracker(DialogueStateTracker):
    """Rasa's tracker with bounds, and what the tracker store needs to know of it."""

    stored_up_to: Optional[Event] = None  # the newest event that is in the database
    stored_id: int = 0  # and its id there
    _applied: Optional[Tuple[int, Optional[Event], List[Event]]] = None

    def __init__(
        self,
        sender_id: Text,
        slots: Optional[Iterable[Slot]],
        max_event_history: Optional[int] = HISTORY,
        sender_source: Optional[Text] = None,
        is_rule_tracker: bool = False,
    ) -> None:
        """See DialogueStateTracker; the bound is there by default."""
        super().__init__(sender_id, slots, max_event_history, sender_source, is_rule_tracker)

    def copy(self) -> "BoundedTracker":
        """Return a duplicate that shares the events, which nobody changes once they are logged."""
        twin = copy.copy(self)
        twin.events = self.events.copy()
        twin.slots = {name: copy.copy(slot) for name, slot in self.slots.items()}
        twin.active_loop = copy.copy(self.active_loop)
        return twin

    def applied_events(self) -> List[Event]:
        """Return the events of the last turns, with the loop that was active before them."""
        # The policies ask for them about thirty times a turn; they change with each event that is logged.
        count, newest = len(self.events), self.events[-1] if self.events else None
        if self._applied is None or self._applied[0] != count or self._applied[1] is not newest:
            self._applied = (count, newest, _last_turns(super().applied_events()))
        return list(self._applied[2])


def _last_turns(applied: List[Event]) -> List[Event]:
    begins = [index for index, event in enumerate(applied) if isinstance(event, UserUttered)]
    if len(begins) <= TURNS:
        return applied
    # A turn's state begins with the action before the message, which is listening.
    cut = next(i for i in range(begins[-TURNS], -1, -1) if i == 0 or isinstance(applied[i], ActionExecuted))
    loops = [event for event in applied[:cut] if isinstance(event, ActiveLoop)]
    return loops[-1:] + applied[cut:]
