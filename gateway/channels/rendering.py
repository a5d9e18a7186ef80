"""From a reply of the API to parts that a messaging service takes: buttons, else a list, else numbered text.

No payload is ever shown: a part holds labels, and tokens that only the gateway can read.
"""
from __future__ import annotations

import re
from bisect import bisect_right
from typing import Any, Mapping, Optional, Sequence

from gateway.channels.base import Option, Part
from gateway.channels.limits import Limits

CHOOSE = "You can choose:"
BY_NUMBER = "Reply with a number, or in your own words."
# The full stop of a title, an abbreviation or a choice's number ends no sentence.
_SHORT = (r"\bMr\.", r"\bMs\.", r"\bMrs\.", r"\bDr\.", r"\bSt\.", r"e\.g\.", r"i\.e\.", r"\n\d\.", r"\n\d\d\.")
_NO_END = "".join(f"(?<!{short})" for short in _SHORT)
_SENTENCE_END = re.compile(rf"(?<=[.!?]){_NO_END}\s+|\n+")

# The exit button is the widget's: what is said of it is left out.
_EXIT_BUTTON = re.compile(r"[^.!?\n]*\bexit button\b[^.!?\n]*[.!?]\s*", re.IGNORECASE)


def render(messages: Sequence[Mapping[str, Any]], limits: Limits, lead: str = "") -> list[Part]:
    """Return the parts of a reply, in order, each within `limits`, and no more of them than need be: each makes a phone ring.

    `lead` begins each part (it is what a lock screen shows). The choices of all messages stand under the last part, since a later
    message would take Messenger's off the screen.
    """
    options = _options(messages, limits)
    style = _style(options, limits)
    paragraphs = [_paragraph(message, options if style == "plain" else {}) for message in messages]
    if options and style == "plain":
        paragraphs.append(BY_NUMBER)
    text = "\n\n".join(paragraph for paragraph in paragraphs if paragraph).strip()
    if not text and not options:
        return []
    above = {"plain": limits.text, "buttons": limits.button_text, "list": limits.row_text}[style]
    lead = f"{lead}\n\n" if lead else ""
    *before, last = _pieces(text or CHOOSE, above - limits.measure(lead), limits.text - limits.measure(lead), limits)
    return [*(Part(lead + piece) for piece in before), Part(lead + last, tuple(_fitted(options, style, limits)), style)]


def split(text: str, most: int, limits: Limits) -> list[str]:
    """Return `text` in pieces of at most `most`, cut at ends of sentences or lines where there are any, else at spaces."""
    pieces = []
    rest = text.strip()
    while limits.measure(rest) > most:
        room = _room(rest, most, limits)
        ends = [found.start() for found in _SENTENCE_END.finditer(rest, 0, room + 1) if 0 < found.start() <= room]
        cut = ends[-1] if ends else max(rest.rfind(" ", 0, room + 1), 0) or room
        pieces.append(rest[:cut].strip())
        rest = rest[cut:].strip()
    return [*pieces, rest] if rest else pieces


def _pieces(text: str, above: int, most: int, limits: Limits) -> list[str]:
    """Pieces of at most `most`, of which the last has at most `above`: there is less room above buttons than in a message without."""
    *before, last = split(text, most, limits)
    return [*before, *split(last, above, limits)]


def _room(text: str, most: int, limits: Limits) -> int:
    """How many characters of `text` measure at most `most`; at least one, so that there is an end."""
    return max(bisect_right(range(1, len(text) + 1), most, key=lambda count: limits.measure(text[:count])), 1)


def _options(messages: Sequence[Mapping[str, Any]], limits: Limits) -> dict[str, str]:
    """Token -> label of all choices, each once, in the order in which the gateway counts them when a visitor writes a number."""
    options: dict[str, str] = {}
    for message in messages:
        for choice in message.get("choices") or []:
            label = str(choice["label"])
            options.setdefault(str(choice["choice"]), f"{label} please" if label.strip().casefold() in limits.reserved else label)
    return options


def _style(options: Mapping[str, str], limits: Limits) -> str:
    """The first of buttons, list and numbered text into which every label goes whole and apart from the others."""
    longest = max(map(limits.measure, options.values()), default=0)
    distinct = len({label.casefold() for label in options.values()}) == len(options)
    if options and distinct and len(options) <= limits.buttons and longest <= limits.button_label:
        return "buttons"
    if options and distinct and len(options) <= limits.rows and longest <= max(limits.row_label, limits.row_detail):
        return "list"
    return "plain"


def _fitted(options: Mapping[str, str], style: str, limits: Limits) -> list[Option]:
    """The options as the service takes them: in a list a long label is cut, and stands whole in the line below."""
    if style == "plain":
        return []
    if style == "buttons":
        return [Option(label, token) for token, label in options.items()]
    fitted: list[Option] = []
    for token, label in options.items():
        if limits.measure(label) <= limits.row_label:
            fitted.append(Option(label, token))
        else:
            fitted.append(Option(_cut(label, {option.label for option in fitted}, limits), token, label))
    return fitted


def _cut(label: str, taken: set[str], limits: Limits) -> str:
    """The beginning of `label`, told apart from those that begin alike."""
    for count in range(1, limits.rows + 1):
        mark = "…" if count == 1 else f"… ({count})"
        short = label[: _room(label, limits.row_label - len(mark), limits)].rstrip() + mark
        if short not in taken:
            return short
    raise AssertionError("no more labels than rows")


def _paragraph(message: Mapping[str, Any], numbered: Mapping[str, str]) -> str:
    """A message as plain text; with `numbered`, its choices are lines with the numbers that they have in the whole reply."""
    numbers = {token: number for number, token in enumerate(numbered, start=1)}
    choices = [str(choice["choice"]) for choice in message.get("choices") or []]
    parts: list[Optional[str]] = [
        _EXIT_BUTTON.sub("", str(message.get("text") or "")).strip(),
        "\n".join(f"{link['label']}: {str(link['url']).removeprefix('mailto:')}" for link in message.get("links") or []),
        "\n\n".join(_card(card) for card in message.get("cards") or []),
        "\n".join(_service(service) for service in message.get("services") or []),
        "\n".join(f"{numbers[token]}. {numbered[token]}" for token in dict.fromkeys(choices) if token in numbers),
    ]
    return "\n".join(part for part in parts if part)


def _card(card: Mapping[str, Any]) -> str:
    formats = card.get("formats")
    ways = ", ".join(formats) if isinstance(formats, (list, tuple)) else formats
    about = [card.get("title"), card.get("town"), card.get("distance"), ways, card.get("fee"), card.get("register"), card.get("accepting")]
    return f"{card['name']} ({'; '.join(str(item) for item in about if item)})\n{card['url']}"


def _service(service: Mapping[str, Any]) -> str:
    """One line: telephone numbers stand bare, so that a phone makes them links."""
    ways = []
    if service.get("call"):
        ways.append(f"call {service['call']}")
    if service.get("sms"):
        ways.append(f"text {service['sms_body']} to {service['sms']}" if service.get("sms_body") else f"text {service['sms']}")
    ways += [str(service[way]) for way in ("email", "web") if service.get(way)]
    hours = f" ({service['hours']})" if service.get("hours") else ""
    return f"{service['name']}: {', '.join(ways)}{hours}" if ways else str(service["name"])
