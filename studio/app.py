"""The studio's Sanic app."""
from __future__ import annotations

import logging
import traceback
from itertools import count
from pathlib import Path
from typing import List

from sanic import Sanic
from sanic.exceptions import SanicException
from sanic.request import Request
from sanic.response import HTTPResponse

from studio.pages import ALL
from studio.services import Services
from studio.web import COOKIE, HEADERS, Page, Visit, guarded

LOG = logging.getLogger("studio")
LARGEST_BODY = 512 * 1024  # a topic with its phrasings takes 20 KB
LINES = {
    404: ("Not found", "There is no such page."),
    405: ("Not possible", "That is not possible here."),
    413: ("Too long", "That is too long. Shorten it and send it again."),
    500: ("That did not work", "Something went wrong here. It has been logged; please tell a developer."),
}
_numbers = count()


def create_app(services: Services) -> Sanic:
    """Return the app with all its pages."""
    number = next(_numbers)
    app = Sanic(f"studio{number or ''}", configure_logging=False)
    app.config.update(
        REQUEST_MAX_SIZE=LARGEST_BODY, KEEP_ALIVE_TIMEOUT=15, RESPONSE_TIMEOUT=120, FALLBACK_ERROR_FORMAT="text",
        MOTD=False, GRACEFUL_SHUTDOWN_TIMEOUT=3.0,
    )
    app.ctx.services = services
    for page in pages():
        handler = guarded(page, services)
        app.add_route(handler, page.path, methods=[page.method], name=handler.__name__)
    app.static("/static", str(Path(__file__).parent / "static"), name="static")
    app.register_middleware(_secure, "response")
    app.error_handler.add(Exception, _failed)
    return app


def pages() -> List[Page]:
    """Return every page of the studio."""
    return [page for module in ALL for page in module.pages.found]


async def _secure(request: Request, response: HTTPResponse) -> None:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.path.startswith("/static/"):
        response.headers["Cache-Control"] = "max-age=3600"


def _failed(request: Request, error: Exception) -> HTTPResponse:
    """Answer an error without a trace, and log its kind without any text that a person typed."""
    status = error.status_code if isinstance(error, SanicException) else 500
    if status >= 500:
        trace = "".join(traceback.format_tb(error.__traceback__))
        LOG.error("%s %s failed: %s\n%s", request.method, request.path, type(error).__name__, trace)
    title, text = LINES.get(status, LINES[500])
    services: Services = request.app.ctx.services
    visit = Visit(request, services, services.sessions.find(request.cookies.get(COOKIE, "")))
    return visit.render("message.html", status=status, title=title, text=text)
