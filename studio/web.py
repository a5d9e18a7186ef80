"""What every page shares: who may open it, forms that cannot be forged, rendering and security headers."""
from __future__ import annotations

import asyncio
import hmac
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Awaitable, Callable, Dict, List, Optional, TypeVar
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sanic.request import Request
from sanic.response import HTTPResponse, html, redirect, text

from assistant.errors import AssistantError
from studio import words
from studio.sessions import Session

if TYPE_CHECKING:
    from studio.services import Services

T = TypeVar("T")
COOKIE = "studio_session"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
                               "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
NEEDS = ("anyone", "machine", "person", "editor", "publisher", "administrator", "safety")

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined,
    trim_blocks=True, lstrip_blocks=True,
)
_templates.filters.update(words.FILTERS)


class NotFound(Exception):
    """There is no such page, topic or person."""


class Refused(AssistantError):
    """Something a person asked for that cannot be done; the message is shown on the page."""


@dataclass(frozen=True)
class Visit:
    """One request of a page, with who makes it."""

    request: Request
    services: "Services"
    session: Optional[Session]

    @property
    def person(self) -> Any:
        """Who is logged in. Only pages that need someone may ask."""
        assert self.session is not None
        return self.session.person

    def form(self, name: str, default: str = "") -> str:
        """Return a field of the form that was sent, or of the address's query."""
        values = self.request.form or {}
        value = values.get(name, self.request.args.get(name, default))
        return str(value).replace("\r\n", "\n").strip()

    def form_list(self, name: str) -> List[str]:
        """Return all values of a repeated field that are not empty."""
        values: Any = self.request.form or {}
        found = values.getlist(name) if name in values else self.request.args.getlist(name, [])
        return [value.strip() for value in found if value.strip()]

    def render(self, template: str, status: int = 200, **context: Any) -> HTTPResponse:
        """Return the page made of `template`."""
        notice = self.session.notice if self.session else ""
        whole_page = not self.request.headers.get("hx-request")
        if notice and self.session and whole_page:
            self.services.sessions.notify(self.session.token, "")
        context.setdefault("error", "")
        page = _templates.get_template(template).render(
            person=self.session.person if self.session else None, csrf=self.session.csrf if self.session else "",
            notice=notice, path=self.request.path, site=self.services.site_name, **context,
        )
        return html(page, status=status)

    def go(self, address: str, notice: str = "") -> HTTPResponse:
        """Send the browser on, with a line to show there."""
        if notice and self.session:
            self.services.sessions.notify(self.session.token, notice)
        if self.request.headers.get("hx-request"):
            return text("", headers={"HX-Redirect": address})
        return redirect(address, status=303)

    def note(self, action: str, subject: str = "") -> None:
        """Write to the audit log."""
        self.services.audit.note(self.person.name, action, subject)


@dataclass(frozen=True)
class Page:
    """A route with the need that stands before it."""

    method: str
    path: str
    need: str
    handler: Callable[..., Awaitable[HTTPResponse]]


@dataclass
class Pages:
    """The routes of one module. There is no other way to add one, so none is without a need."""

    found: List[Page] = field(default_factory=list)

    def get(self, path: str, need: str) -> Callable[[T], T]:
        """Declare the handler of GET `path`."""
        return self._add("GET", path, need)

    def post(self, path: str, need: str) -> Callable[[T], T]:
        """Declare the handler of POST `path`."""
        return self._add("POST", path, need)

    def _add(self, method: str, path: str, need: str) -> Callable[[T], T]:
        assert need in NEEDS, need

        def declare(handler: T) -> T:
            self.found.append(Page(method, path, need, handler))  # type: ignore[arg-type]
            return handler

        return declare


def guarded(page: Page, services: "Services") -> Callable[..., Awaitable[HTTPResponse]]:
    """Return the page's handler behind its need and, for a POST, behind the checks against forged forms."""

    async def handle(request: Request, **arguments: Any) -> HTTPResponse:
        session = services.sessions.find(request.cookies.get(COOKIE, ""))
        visit = Visit(request, services, session)
        if page.need == "machine":
            return await page.handler(visit, **arguments) if _token_is_right(request, services) else text("", status=401)
        if page.need != "anyone" and session is None:
            return _to_log_in(visit)
        if page.method == "POST" and not _form_is_ours(request, session):
            return visit.render("message.html", status=403, title="Please try again", error="",
                                text="The form was too old, or came from elsewhere. Go back, reload the page and send it again.")
        if page.need != "anyone" and session is not None and not session.person.may(page.need):
            return visit.render("message.html", status=403, title="Not for your role", error="",
                                text=f"This needs the role {page.need}. You are {session.person.title}. An administrator can change that.")
        try:
            return await page.handler(visit, **arguments)
        except NotFound:
            return visit.render(
                "message.html", status=404, title="Not found", text="There is nothing here. It may have been renamed or deleted."
            )
        except AssistantError as error:
            return visit.render("message.html", status=409, title="That did not work", text=str(error))

    handle.__name__ = f"{page.method.lower()}_{page.handler.__module__.split('.')[-1]}_{page.handler.__name__}"
    return handle


async def in_thread(work: Callable[..., T], *arguments: Any) -> T:
    """Run `work`, which waits for git, a model or the journal, beside the server's loop."""
    return await asyncio.get_running_loop().run_in_executor(None, lambda: work(*arguments))


def _to_log_in(visit: Visit) -> HTTPResponse:
    """Ask for the log-in. A form that was sent is carried along, so that a session which ended costs nobody their text."""
    if visit.request.headers.get("hx-request"):
        return text("", status=401)  # what is typed stays on the page; saving it leads to the log-in
    fields = [(name, value) for name, values in (visit.request.form or {}).items() for value in values if name != "csrf"]
    if visit.request.method == "GET" or not fields or "password" in dict(fields) or not _form_is_ours(visit.request, None):
        return visit.go("/login")
    return visit.render("login.html", status=401, name="", kept=json.dumps(fields), back=visit.request.path,
                        error="You were logged out meanwhile. Log in; what you have just sent is kept.")


def _token_is_right(request: Request, services: "Services") -> bool:
    given = request.headers.get("authorization", "")
    return hmac.compare_digest(given.encode(), f"Bearer {services.internal_token}".encode())


def _form_is_ours(request: Request, session: Optional[Session]) -> bool:
    origin = request.headers.get("origin")
    if origin and origin != "null" and urlsplit(origin).netloc != request.headers.get("host"):
        return False
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    if session is None:
        return True  # the log-in and the one-time link: there is no session to abuse yet
    given = (request.form or {}).get("csrf") or request.headers.get("x-csrf-token") or ""
    return hmac.compare_digest(str(given).encode(), session.csrf.encode())


def headers() -> Dict[str, str]:
    """Return the security headers of every page."""
    return HEADERS
