"""Figures in words, for people: times, shares, sureness."""
from __future__ import annotations

import datetime
import time
from typing import Any, Callable, Dict, Optional
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def day(seconds: Optional[float]) -> str:
    """Return a moment as "3 May 2025, 14:05" in UK time, or a dash."""
    if seconds is None:
        return "–"
    moment = datetime.datetime.fromtimestamp(seconds, LONDON)
    return f"{moment.day} {moment:%B %Y, %H:%M}"


def ago(seconds: Optional[float]) -> str:
    """Return how long ago a moment was, in one unit."""
    if seconds is None:
        return "never"
    passed = max(0.0, time.time() - seconds)
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        count = int(passed // length)
        if count:
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


def share(value: Optional[float]) -> str:
    """Return a share from 0 to 1 as "95.2%", or a dash."""
    return "–" if value is None else f"{100 * value:.1f}%"


def sure(value: Optional[float]) -> str:
    """Return in words how surely something was understood."""
    if value is None:
        return "not known"
    for limit, words in ((0.9, "very sure"), (0.75, "sure"), (0.5, "fairly sure"), (0.3, "unsure")):
        if value >= limit:
            return words
    return "guessing"


def plural(count: int, one: str, many: str = "") -> str:
    """Return "1 topic", "2 topics"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


REASONS = {
    "not_understood": "not understood", "close": "between two topics", "unhelpful": "marked unhelpful",
    "deleted_topic": "from a deleted topic", "help_after_none": "help was opened soon after",
    "denial": "“you misunderstood” after a crisis reply", "near": "score near the threshold",
}
GROUPS = {"faq": "The therapy", "practical": "Practical questions", "site": "This site", "conversation": "Conversation"}

FILTERS: Dict[str, Callable[..., Any]] = {
    "day": day, "ago": ago, "share": share, "sure": sure, "plural": plural,
    "reason": lambda name: REASONS.get(name, name), "group": lambda name: GROUPS.get(name, name),
}
