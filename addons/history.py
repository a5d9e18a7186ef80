"""What a policy or a reply reads off a conversation; nothing here looks further back than the present visit."""
from typing import Any, Dict, Iterator, List, Sequence, Text

from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.events import ActionExecuted, ActionExecutionRejected, BotUttered, Event, SessionStarted, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from addons.names import UNDERSTOOD

# After this the visitor has left everything before it behind.
FRESH_START = "utter_start_over"


def intent(tracker: DialogueStateTracker) -> Text:
    """Return the intent of the visitor's last message, "" before the first."""
    return (tracker.latest_message.intent.get("name") or "") if tracker.latest_message else ""


def understood(tracker: DialogueStateTracker) -> Dict[Text, Any]:
    """Return what the components noted on the last message: alternatives, neighbours, questions."""
    return (tracker.latest_message.parse_data.get(UNDERSTOOD) or {}) if tracker.latest_message else {}


def done_since_message(tracker: DialogueStateTracker) -> Sequence[Event]:
    """Return the actions executed, or rejected, since the visitor's last message, oldest first."""
    done: List[Event] = []
    for event in reversed(tracker.events):
        if isinstance(event, UserUttered):
            break
        if isinstance(event, (ActionExecuted, ActionExecutionRejected)):
            done.append(event)
    return done[::-1]


def earlier(tracker: DialogueStateTracker) -> Iterator[Event]:
    """Yield the events of this visit before the visitor's last message, newest first."""
    reached = False
    for event in reversed(tracker.events):
        if isinstance(event, SessionStarted):
            return
        if reached:
            yield event
        reached = reached or isinstance(event, UserUttered)


def actions(tracker: DialogueStateTracker) -> Iterator[Text]:
    """Yield the actions before the visitor's last message back to a fresh start, newest first, without listening."""
    for event in earlier(tracker):
        if isinstance(event, ActionExecuted) and event.action_name == FRESH_START:
            return
        if isinstance(event, ActionExecuted) and event.action_name not in (None, ACTION_LISTEN_NAME):
            yield str(event.action_name)


def last_reply(tracker: DialogueStateTracker) -> List[BotUttered]:
    """Return the messages of the last reply before the visitor's message, oldest first."""
    reply: List[BotUttered] = []
    for event in earlier(tracker):
        if isinstance(event, UserUttered) and reply:
            break
        if isinstance(event, BotUttered):
            reply.append(event)
    return reply[::-1]


def buttons(said: BotUttered) -> List[Dict[Text, Text]]:
    """Return the buttons under something that was said."""
    return (said.data or {}).get("buttons") or []


def in_a_row(tracker: DialogueStateTracker, intents: Sequence[Text]) -> int:
    """Return how many of the visitor's last messages in a row, the newest included, have one of `intents`."""
    if intent(tracker) not in intents:
        return 0
    times = 1
    for event in earlier(tracker):
        if not isinstance(event, UserUttered):
            continue
        if event.intent.get("name") not in intents:
            break
        times += 1
    return times
