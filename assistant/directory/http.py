"""The directory behind the site's own JSON search: asked within two seconds or left alone.

The answer is not trusted: it is read up to a limit, and each entry passes the same checks as a row of an import.
"""
from __future__ import annotations

import asyncio
import datetime
import json
import logging
import re
import zlib
from typing import Any, List, Mapping, Optional, Tuple
from urllib.parse import quote

import aiohttp

from assistant.directory.breaker import Breaker
from assistant.directory.link import site_value
from assistant.directory.model import RADII, Found, Query, Results, Therapist
from assistant.directory.rows import COLUMNS, read_row
from assistant.directory.store import STEP, WHEEL
from assistant.errors import DirectoryError, SettingsError
from assistant.places import Gazetteer, distance
from assistant.settings import SEARCH_FILTERS, Settings

logger = logging.getLogger(__name__)

BUDGET = 2.0  # seconds for a search, a second attempt included
MOST_BYTES = 1_000_000
MOST_ENTRIES = 200
ATTEMPTS = 2
PLACEHOLDERS = (*SEARCH_FILTERS, "latitude", "longitude", "radius", "limit")
LISTS = ("formats", "audiences", "concerns", "languages")


class HTTPDirectory:
    """Searches by the site's API; see docs/search.md for the template and the field map."""

    def __init__(self, settings: Settings, gazetteer: Gazetteer, breaker: Optional[Breaker] = None) -> None:
        """Raises SettingsError when the address or the field map is missing or names an unknown column."""
        if not settings.directory_url.startswith(("http://", "https://")):
            raise SettingsError(f"ASSISTANT_DIRECTORY_URL={settings.directory_url!r}: give the address of the site's JSON search.")
        strange = set(re.findall(r"{(.*?)}", settings.directory_url)) - set(PLACEHOLDERS)
        if strange:
            raise SettingsError(f"ASSISTANT_DIRECTORY_URL has {{{sorted(strange)[0]}}}: give {', '.join(PLACEHOLDERS)}.")
        self._fields = dict(settings.directory_fields)
        unknown = set(self._fields) - set(COLUMNS) - {"results"}
        if unknown:
            raise SettingsError(f"ASSISTANT_DIRECTORY_FIELDS has {sorted(unknown)[0]!r}: give results, {', '.join(COLUMNS)}.")
        self._settings, self._gazetteer = settings, gazetteer
        self._breaker = breaker or Breaker()
        self._ours = {theirs: ours for ours, theirs in settings.search_values}

    async def search(self, query: Query, limit: int, offset: int = 0, radius: int = RADII[0]) -> Results:
        """See Directory."""
        if not self._breaker.allows():
            raise DirectoryError("The directory failed repeatedly and is left alone for a while.")
        try:
            entries = await asyncio.wait_for(self._entries(query), BUDGET)
        except (aiohttp.ClientError, asyncio.TimeoutError, ValueError, RecursionError) as error:
            self._breaker.failed()
            raise DirectoryError(f"The directory did not answer as it should: {type(error).__name__}.") from error
        self._breaker.succeeded()
        therapists = [therapist for therapist in map(self._therapist, entries) if therapist is not None]
        if len(therapists) < len(entries):
            logger.warning("The directory gave %d entries that do not pass the checks.", len(entries) - len(therapists))
        return _page(therapists, query, limit, offset, radius)

    async def _entries(self, query: Query) -> List[Any]:
        """Return the raw entries; a connection that fails is tried once more while time remains."""
        async with aiohttp.ClientSession() as session:
            for attempt in range(ATTEMPTS):
                try:
                    return await self._fetch(session, query)
                except aiohttp.ClientError:
                    if attempt == ATTEMPTS - 1:
                        raise
        raise AssertionError("unreachable")

    async def _fetch(self, session: aiohttp.ClientSession, query: Query) -> List[Any]:
        async with session.get(self._url(query), allow_redirects=False, raise_for_status=True) as answer:
            if answer.status != 200:
                raise ValueError(f"status {answer.status}")
            body = await answer.content.read(MOST_BYTES + 1)
            while len(body) <= MOST_BYTES and not answer.content.at_eof():
                body += await answer.content.read(MOST_BYTES + 1 - len(body))
        if len(body) > MOST_BYTES:
            raise ValueError("too long")
        found = _at(json.loads(body), self._fields.get("results", ""))
        if not isinstance(found, list):
            raise ValueError("no list of results")
        return found[:MOST_ENTRIES]

    def _url(self, query: Query) -> str:
        place = query.place
        values = {name: site_value(query, name, self._settings) for name in SEARCH_FILTERS}
        values["latitude"], values["longitude"] = (str(place.latitude), str(place.longitude)) if place else (None, None)
        values["radius"], values["limit"] = str(RADII[-1]), str(MOST_ENTRIES)
        url = self._settings.directory_url
        for name, value in values.items():
            url = url.replace("{" + name + "}", quote(value or "", safe=""))
        return url

    def _therapist(self, entry: Any) -> Optional[Therapist]:
        if not isinstance(entry, Mapping):
            return None
        row = {column: _text(_at(entry, self._fields.get(column, column))) for column in COLUMNS}
        for column in LISTS:
            row[column] = ";".join(self._ours.get(value.strip(), value.strip()) for value in row[column].split(";"))
        return read_row(row, self._gazetteer)[0]


def _page(therapists: List[Therapist], query: Query, limit: int, offset: int, radius: int) -> Results:
    """Return one page in the order of the directory in SQLite, filtered whatever the site filtered."""
    near = query.place is not None and query.session_format != "online"
    fitting = [_found(therapist, query if near else Query()) for therapist in therapists if _fits(therapist, query)]
    for miles in [step for step in RADII if step >= radius] if near else []:
        within = [found for found in fitting if found.miles is not None and found.miles <= miles]
        if within:
            return Results(_ordered(within)[offset:offset + limit], len(within), radius=miles)
    if not near:
        return Results(_ordered(fitting)[offset:offset + limit], len(fitting))
    online = Query(session_format="online", concern=query.concern, audience=query.audience)
    others = _ordered([Found(therapist) for therapist in therapists if _fits(therapist, online)])
    return Results(others[offset:offset + limit], len(others), radius=RADII[-1], online_instead=True)


def _fits(therapist: Therapist, query: Query) -> bool:
    return (
        (query.session_format is None or query.session_format in therapist.formats)
        and (query.concern is None or query.concern in therapist.concerns)
        and (query.audience is None or query.audience in therapist.audiences)
    )


def _found(therapist: Therapist, query: Query) -> Found:
    if query.place is None:
        return Found(therapist)
    here = (query.place.latitude, query.place.longitude)
    miles = distance(here, (therapist.latitude, therapist.longitude))
    return Found(therapist, miles, about=therapist.by_area or not query.place.exact)


def _ordered(found: List[Found]) -> List[Found]:
    turn = datetime.date.today().toordinal() * STEP % WHEEL

    def place_in_line(one: Found) -> Tuple[bool, int, int]:
        wheel = zlib.crc32(f"{one.therapist.register} {one.therapist.register_number}".encode()) % WHEEL
        return not one.therapist.accepting, int(one.miles or 0), (wheel + turn) % WHEEL

    return sorted(found, key=place_in_line)


def _at(value: Any, path: str) -> Any:
    """Return what stands at a path such as "data.items", or None."""
    for name in path.split(".") if path else []:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _text(value: Any) -> str:
    """Return a JSON value as a CSV cell would have it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ";".join(_text(part) for part in value)
    return "" if value is None or isinstance(value, Mapping) else str(value)
