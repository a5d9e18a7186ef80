"""The gateway's own sentences, from data/gateway.yml, with the site's names from data/site.yml."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Mapping

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from assistant.errors import ContentError


@dataclass(frozen=True)
class Texts:
    """Approved sentences of the gateway; `unavailable` holds several wordings of one reply."""

    name: str
    home: str
    contact: str
    notice: str
    unavailable: tuple[str, ...]
    signposting: str
    late: str
    media: str
    deleted: str
    unknown_choice: str
    search_label: str
    contact_label: str
    help_label: str


def load(data: Path, hours: int) -> Texts:
    """Return the texts of the folder `data`; `hours` is how long a chat is kept.

    Raises ContentError when a file or a key is missing or no text.
    """
    site, own = _read(data / "site.yml"), _read(data / "gateway.yml")
    names = {key: _text(site, key, data / "site.yml") for key in ("name", "home", "contact")}
    where = data / "gateway.yml"

    def filled(key: str) -> str:
        return _fill(_text(own, key, where), names, hours)

    wordings = own.get("unavailable")
    if not isinstance(wordings, list) or len(wordings) < 4 or not all(isinstance(item, str) for item in wordings):
        raise ContentError(f"{where}: unavailable: give a list of at least four wordings.")
    labels = own.get("labels")
    if not isinstance(labels, dict):
        raise ContentError(f"{where}: labels: give search, contact and help.")
    return Texts(
        **names,
        unavailable=tuple(_fill(item, names, hours) for item in wordings),
        **{key: filled(key) for key in ("notice", "signposting", "late", "media", "deleted", "unknown_choice")},
        **{f"{key}_label": _text(labels, key, where) for key in ("search", "contact", "help")},
    )


def _read(path: Path) -> Mapping[str, Any]:
    try:
        value = YAML(typ="safe").load(path)
    except FileNotFoundError:
        raise ContentError(f"{path}: the file is missing.") from None
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark else ""
        raise ContentError(f"{path}: not well-formed YAML{line}.") from None
    if not isinstance(value, dict):
        raise ContentError(f"{path}: give keys and values.")
    return value


def _text(values: Mapping[str, Any], key: str, path: Path) -> str:
    value = values.get(key)
    if not isinstance(value, str) or not value.strip():
        raise ContentError(f"{path}: {key}: give a text.")
    return value.strip()


def _fill(text: str, names: Mapping[str, str], hours: int) -> str:
    for key, value in {**names, "hours": str(hours)}.items():
        text = text.replace("{" + key + "}", value)
    return text
