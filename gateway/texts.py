"""The gateway's own sentences, from data/gateway.yml, with the site's names from data/site.yml."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Mapping

from assistant.content.site import load_site
from assistant.content.topics import read_yaml
from assistant.errors import ContentError

PATH = "data/gateway.yml"
FEWEST_WORDINGS = 4
SENTENCES = ("notice", "neutral", "signposting", "late", "media", "deleted", "unknown_choice")
LABELS = ("search", "contact", "help", "carry_on")
LOCK_SCREEN = 60  # characters of a message that a locked phone shows


@dataclass(frozen=True)
class Texts:
    """Approved sentences of the gateway; `unavailable` holds several wordings of one reply; `home` and `contact` are the site's."""

    home: str
    contact: str
    notice: str
    neutral: str
    unavailable: tuple[str, ...]
    signposting: str
    late: str
    media: str
    deleted: str
    unknown_choice: str
    search_label: str
    contact_label: str
    help_label: str
    carry_on_label: str


def load(root: Path, hours: int) -> Texts:
    """Return the texts of the repository at `root`; `hours` is how long a chat is kept.

    Raises ContentError when a file or a key is missing or no text.
    """
    site = load_site(root)
    try:
        values = read_yaml((root / PATH).read_text(encoding="utf-8"), PATH)
    except OSError:
        raise ContentError(f"{PATH}: the file is missing.") from None
    names = {"name": site.name, "contact": site.contact, "hours": str(hours)}
    wordings = values.get("unavailable")
    if not isinstance(wordings, list) or len(wordings) < FEWEST_WORDINGS or not all(isinstance(item, str) for item in wordings):
        raise ContentError(f"{PATH}: unavailable: give a list of at least {FEWEST_WORDINGS} wordings.")
    if len(_text(values, "neutral")) < LOCK_SCREEN:
        raise ContentError(f"{PATH}: neutral: give at least {LOCK_SCREEN} characters, so that a lock screen shows nothing else.")
    labels = values.get("labels")
    if not isinstance(labels, dict):
        raise ContentError(f"{PATH}: labels: give {', '.join(LABELS)}.")
    return Texts(
        home=site.home, contact=site.contact, unavailable=tuple(_fill(item, names) for item in wordings),
        **{key: _fill(_text(values, key), names) for key in SENTENCES},
        **{f"{key}_label": _text(labels, key) for key in LABELS},
    )


def _text(values: Mapping[str, Any], key: str) -> str:
    value = values.get(key)
    if not isinstance(value, str) or not value.strip():
        raise ContentError(f"{PATH}: {key}: give a text.")
    return value.strip()


def _fill(text: str, names: Mapping[str, str]) -> str:
    for key, value in names.items():
        text = text.replace("{" + key + "}", value)
    return text
