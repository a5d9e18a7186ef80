"""What each messaging service takes in one message, as data; gateway/channels/rendering.py keeps within it."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Callable


def units(text: str) -> int:
    """Return the length of `text` in UTF-16 units: what services count where they do not say; never less than its characters."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def slack_escaped(text: str) -> str:
    """Return `text` with the three characters escaped that Slack reads as markup (https://docs.slack.dev/messaging/formatting-message-text)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@dataclass(frozen=True)
class Limits:
    """What one message of a service may hold; 0 means that it has no such thing.

    text: length of a message; buttons, button_label, button_text: how many, the length of one, of the text above them;
    rows, row_label, row_detail, row_text: the same for a list, whose rows have a title and a line of detail;
    related: how many related questions an answer offers; reserved: words that the service itself answers when they stand alone,
    in lower case; measure: how it counts length.
    """

    text: int
    buttons: int = 0
    button_label: int = 0
    button_text: int = 0
    rows: int = 0
    row_label: int = 0
    row_detail: int = 0
    row_text: int = 0
    related: int = 2
    reserved: frozenset[str] = frozenset()
    measure: Callable[[str], int] = units


# https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages, and .../guides/send-messages (interactive messages)
WHATSAPP = Limits(text=4096, buttons=3, button_label=20, button_text=1024, rows=10, row_label=24, row_detail=72, row_text=4096)

# https://developers.facebook.com/docs/messenger-platform/send-messages/quick-replies: quick replies stand under a full text, which
# the button template's three buttons under 640 characters do not.
MESSENGER = Limits(text=2000, buttons=13, button_label=20, button_text=2000)

# https://docs.slack.dev/reference/block-kit/blocks: a section's text, an actions block's elements, a button's text; escaped text counts.
SLACK = Limits(text=3000, buttons=25, button_label=75, button_text=3000, measure=lambda text: units(slack_escaped(text)))

# https://core.telegram.org/bots/api#sendmessage. No limit is printed for the words on a button; longer ones than this are cut on a phone.
TELEGRAM = Limits(text=4096, buttons=20, button_label=40, button_text=4096)

# https://www.twilio.com/docs/messaging/api/message-resource, and the keywords of its opt-out handling. Each line of an SMS is paid for.
TWILIO = Limits(text=1600, related=1, reserved=frozenset({
    "stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "start", "yes", "unstop", "help",
    "info",
}))
