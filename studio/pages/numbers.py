"""The numbers page: charts and the same figures as tables."""
from __future__ import annotations

import datetime
import time
from typing import List, Tuple

from sanic.response import HTTPResponse, raw

from assistant.directory.counts import Count, Counts
from assistant.errors import DirectoryError
from studio.numbers import CHARTS, SERIES, WEEKS, Figures, chart, count, start_of
from studio.web import NotFound, Pages, Visit, in_thread
from studio.words import LONDON

pages = Pages()


@pages.get("/numbers", need="person")
async def overview(visit: Visit) -> HTTPResponse:
    """Show the figures of the last weeks."""
    figures = await in_thread(_figures, visit)
    searches, without = await in_thread(_searches, visit)
    return visit.render("numbers.html", figures=figures, series=SERIES, charts=CHARTS, labels=visit.services.topics.labels(),
                        searches=searches, without=without, weeks=WEEKS)


@pages.get("/numbers/chart/<name:str>", need="person")
async def drawing(visit: Visit, name: str) -> HTTPResponse:
    """Draw one chart. As an image it may carry its own style, which no page may."""
    if name not in CHARTS:
        raise NotFound
    title, names = CHARTS[name]
    figures = await in_thread(_figures, visit)
    drawn = chart(title, figures.weeks, {SERIES[one]: figures.series[one] for one in names})
    return raw(drawn, content_type="image/svg+xml", headers={
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    })


def _figures(visit: Visit) -> Figures:
    today = datetime.datetime.now(LONDON).date()
    first = start_of(WEEKS, today)
    start = datetime.datetime.combine(first, datetime.time(), LONDON).timestamp()
    try:
        handed_over = Counts(visit.services.settings).by_day("clicked", first)
    except DirectoryError:
        handed_over = {}
    return count(visit.services.journal.turns_since(start), handed_over, today)


def _searches(visit: Visit) -> Tuple[List[Count], List[Count]]:
    """Return the counts of searches of the last 30 days, and those without a result by area and concern."""
    since = datetime.date.fromtimestamp(time.time() - 30 * 86400)
    try:
        counts = Counts(visit.services.settings)
        return counts.totals(since), counts.without_result(since)
    except DirectoryError:
        return [], []
