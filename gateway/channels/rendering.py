"""From a reply of the API to parts that a messaging service takes: buttons, else a list, else numbered text.

No payload is ever shown: a part holds labels, and tokens that only the gateway can read.
"""
from __future__ import annotations

import re
from typing import Any, Mapping, Sequence

from gateway.channels.base import Limits, Part

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")


def render(messages: Sequence[Mapping[str, Any]], limits: Limits) -> list[Part]:
    """Return the parts of a reply, in order, each within `limits`."""
    parts: list[Part] = []
    number = 1
    for message in messages:
        text = _plain(message)
        choices = [(choice["label"], choice["choice"]) for choice in message.get("choices") or []]
        if not choices:
            parts += [Part(piece) for piece in split(text, limits.text)]
        else:
            parts += _with_choices(text, choices, number, limits)
        number += len(choices)
    return _joined(parts, limits)


def split(text: str, most: int) -> list[str]:
    """Return `text` in pieces of at most `most` characters, cut at sentence ends where there are any, else at spaces."""
    pieces = []
    rest = text.strip()
    while len(rest) > most:
        ends = [found.start() for found in _SENTENCE_END.finditer(rest, 0, most + 1) if found.start() > 0]
        cut = ends[-1] if ends else max(rest.rfind(" ", 0, most + 1), 0) or most
        pieces.append(rest[:cut].strip())
        rest = rest[cut:].strip()
    return [*pieces, rest] if rest else pieces


def _with_choices(text: str, choices: Sequence[tuple[str, str]], number: int, limits: Limits) -> list[Part]:
    if len(choices) <= limits.buttons:
        return _above(text, _fitting(choices, limits.button_label), "buttons", limits.button_text, limits)
    if len(choices) <= limits.rows:
        return _above(text, _fitting(choices, limits.row_label), "list", limits.row_text, limits)
    lines = [f"{number + index}. {label}" for index, (label, _) in enumerate(choices[: limits.numbered])]
    return [Part(piece) for piece in split("\n".join([text, *lines] if text else lines), limits.text)]


def _above(text: str, choices: Sequence[tuple[str, str]], style: str, most: int, limits: Limits) -> list[Part]:
    """The choices stand under the last piece of the text; what does not fit above them goes before."""
    pieces = split(text, most) if len(text) <= most else [*split(text, limits.text)]
    if pieces and len(pieces[-1]) > most:
        pieces[-1:] = split(pieces[-1], most)
    # Services want words above buttons.
    last = pieces.pop() if pieces else "You can choose:"
    return [*(Part(piece) for piece in pieces), Part(last, tuple(choices), style)]


def _fitting(choices: Sequence[tuple[str, str]], most: int) -> list[tuple[str, str]]:
    """Labels cut to `most` characters and still different from each other."""
    fitted: list[tuple[str, str]] = []
    for label, token in choices:
        short = label if len(label) <= most else label[: most - 1].rstrip() + "…"
        taken = {other for other, _ in fitted}
        for count in range(2, len(choices) + 2):
            if short not in taken:
                break
            mark = f" ({count})"
            short = label[: most - len(mark)].rstrip() + mark
        fitted.append((short, token))
    return fitted


def _joined(parts: Sequence[Part], limits: Limits) -> list[Part]:
    """Short plain parts become one message: each message makes a phone ring."""
    joined: list[Part] = []
    for part in parts:
        before = joined[-1] if joined else None
        most = {"plain": limits.text, "buttons": limits.button_text, "list": limits.row_text}[part.style]
        if before is not None and before.style == "plain" and len(before.text) + 2 + len(part.text) <= most:
            joined[-1] = Part(f"{before.text}\n\n{part.text}", part.choices, part.style)
        elif part.text or part.choices:
            joined.append(part)
    return joined


def _plain(message: Mapping[str, Any]) -> str:
    lines = [str(message.get("text") or "")]
    lines += [f"{link['label']}: {link['url'].removeprefix('mailto:')}" for link in message.get("links") or []]
    lines += [_card(card) for card in message.get("cards") or []]
    lines += [_service(service) for service in message.get("services") or []]
    return "\n".join(line for line in lines if line)


def _card(card: Mapping[str, Any]) -> str:
    formats = card.get("formats")
    about = [card.get("town"), ", ".join(formats) if isinstance(formats, (list, tuple)) else formats, card.get("fee"), card.get("register")]
    return f"{card['name']} ({'; '.join(str(item) for item in about if item)})\n{card['url']}"


def _service(service: Mapping[str, Any]) -> str:
    ways = []
    if service.get("call"):
        ways.append(f"call {service['call']}")
    if service.get("sms"):
        ways.append(f"text {service['sms_body']} to {service['sms']}" if service.get("sms_body") else f"text {service['sms']}")
    if service.get("web"):
        ways.append(str(service["web"]))
    hours = f" ({service['hours']})" if service.get("hours") else ""
    return f"{service['name']}: {', '.join(ways)}{hours}"
