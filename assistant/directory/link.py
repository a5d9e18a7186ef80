"""The deep link: the site's own search, opened with the filters that the visitor named."""
from __future__ import annotations

import re
from typing import FrozenSet, NamedTuple, Optional
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from assistant.content.site import load_site
from assistant.directory.model import Query
from assistant.settings import ROOT, SEARCH_FILTERS, Settings

_HOLE = re.compile(r"^{(.*)}$")


class DeepLink(NamedTuple):
    """An address, and the filters that it carries: only these may a text claim for it."""

    url: str
    carries: FrozenSet[str]


def deep_link(query: Query, settings: Settings) -> DeepLink:
    """Return the site's search for `query`.

    A parameter of the template whose filter is open is left out; every value is URL-encoded (RFC 3986).
    """
    template = settings.search_url_template or load_site(ROOT).home
    parts = urlsplit(template)
    pairs, carries = [], set()
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        hole = _HOLE.match(value)
        if hole is None:
            pairs.append((name, value))
            continue
        wanted = site_value(query, hole.group(1), settings)
        if wanted is not None:
            pairs.append((name, wanted))
            carries.add(hole.group(1))
    return DeepLink(urlunsplit(parts._replace(query=urlencode(pairs))), frozenset(carries))


def site_value(query: Query, name: str, settings: Settings) -> Optional[str]:
    """Return the site's word for one filter of `query`, or None when the filter is open."""
    if name == "location":
        # "near Telford" tells two towns apart in a talk, not in a search box.
        return query.place.label.partition(", near ")[0] if query.place else None
    assert name in SEARCH_FILTERS
    value = getattr(query, name)
    return dict(settings.search_values).get(value, value) if value else None
