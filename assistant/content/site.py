"""data/site.yml: the names of the site that the assistant speaks for."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Optional

from assistant.content.topics import read_yaml
from assistant.errors import ContentError

PATH = "data/site.yml"
_KEYS = ("name", "therapy", "home", "contact", "company_number", "hours")


@dataclass(frozen=True)
class Site:
    """The site's names, as in data/site.yml."""

    name: str
    therapy: str
    home: str
    contact: str
    company_number: Optional[str] = None
    hours: Optional[str] = None


def load_site(root: Path) -> Site:
    """Return what data/site.yml says; raises ContentError when it is missing or malformed."""
    problems = list(site_problems(root))
    if problems:
        raise ContentError("\n".join(f"{PATH}: {text}" for text in problems))
    return Site(**read_yaml((root / PATH).read_text(encoding="utf-8"), PATH))


def site_problems(root: Path) -> Iterator[str]:
    """Yield what is wrong with data/site.yml."""
    if not (root / PATH).is_file():
        yield "is missing. It names the site, the therapy, the home page and the contact address."
        return
    try:
        site = read_yaml((root / PATH).read_text(encoding="utf-8"), PATH)
    except ContentError as error:
        yield str(error).split(": ", 1)[1]
        return
    for key in sorted(set(site) - set(_KEYS)):
        yield f"has an unknown line `{key}:`. It may hold {', '.join(_KEYS)}."
    for key in _KEYS:
        value = site.get(key)
        if key not in site or (value is None and key not in ("company_number", "hours")):
            yield f"`{key}:` is missing."
        elif value is not None and not isinstance(value, str):
            yield f"{key}: {value} is no text. Put it in quotation marks."
    if isinstance(site.get("home"), str) and not site["home"].startswith("https://"):
        yield f"home: {site['home']} is no address that begins with https://."
    if isinstance(site.get("contact"), str) and "@" not in site["contact"]:
        yield f"contact: {site['contact']} is no e-mail address."
