"""Logging in and out, the one-time link, one's own password."""
from __future__ import annotations

import json
import re
from dataclasses import replace
from math import ceil
from typing import List, Tuple

from sanic.response import HTTPResponse, text

from studio.people import PeopleError
from studio.web import COOKIE, Pages, Visit, in_thread

pages = Pages()


@pages.get("/login", need="anyone")
async def form(visit: Visit) -> HTTPResponse:
    """Show the log-in."""
    return visit.go("/") if visit.session else visit.render("login.html", name="", kept="", back="")


@pages.post("/login", need="anyone")
async def log_in(visit: Visit) -> HTTPResponse:
    """Check name and password, slowly for who guesses."""
    sessions, name = visit.services.sessions, visit.form("name")
    address = visit.request.remote_addr or visit.request.ip
    wait = sessions.wait(name, address)
    given = {"name": name, "kept": visit.form("kept"), "back": visit.form("back")}
    if wait:
        minutes = ceil(wait / 60)
        response = visit.render("login.html", status=429, **given,
                                error=f"Too many attempts. Please wait {minutes} minute{'s' if minutes > 1 else ''} and try again.")
        response.headers["Retry-After"] = str(ceil(wait))
        return response
    person = await in_thread(visit.services.people.verified, name, _password(visit, "password"))
    if person is None:
        sessions.failed(name, address)
        visit.services.audit.note("somebody", "failed log-in")
        return visit.render("login.html", status=401, **given, error="Name or password is not right.")
    sessions.succeeded(name, address)
    visit.services.audit.note(person.name, "log in")
    return _welcome(visit, sessions.open(person), given["kept"], given["back"])


@pages.post("/logout", need="person")
async def log_out(visit: Visit) -> HTTPResponse:
    """End the session."""
    visit.note("log out")
    visit.services.sessions.close(visit.session.token)  # type: ignore[union-attr]
    response = visit.go("/login")
    del response.cookies[COOKIE]
    return response


@pages.get("/join/<token:str>", need="anyone")
async def invited(visit: Visit, token: str) -> HTTPResponse:
    """Show whose one-time link this is."""
    joining = visit.services.people.invited(token)
    if joining is None:
        return visit.render("message.html", status=404, title="This link does not work",
                            text="It was used already or has expired. Ask an administrator for a new one.")
    return visit.render("join.html", joining=joining)


@pages.post("/join/<token:str>", need="anyone")
async def join(visit: Visit, token: str) -> HTTPResponse:
    """Set the first password and log in."""
    joining = visit.services.people.invited(token)
    if joining is None:
        return await invited(visit, token)
    password = _password(visit, "password")
    try:
        if password != _password(visit, "again"):
            raise PeopleError("The two passwords differ.")
        person = await in_thread(visit.services.people.join, token, password)
    except PeopleError as error:
        return visit.render("join.html", status=400, joining=joining, error=str(error))
    visit.services.audit.note(person.name, "choose a password")
    return _welcome(visit, visit.services.sessions.open(person))


@pages.get("/account", need="person")
async def account(visit: Visit) -> HTTPResponse:
    """Show one's own account."""
    return visit.render("account.html")


@pages.post("/account", need="person")
async def change_password(visit: Visit) -> HTTPResponse:
    """Change one's own password."""
    try:
        await in_thread(visit.services.people.change_password, visit.person, _password(visit, "old"), _password(visit, "password"))
    except PeopleError as error:
        return visit.render("account.html", status=400, error=str(error))
    visit.note("change password")
    return visit.go("/login")


@pages.get("/health", need="anyone")
async def health(visit: Visit) -> HTTPResponse:
    """Say that the studio is up."""
    return text("ok")


def _welcome(visit: Visit, token: str, kept: str = "", back: str = "") -> HTTPResponse:
    """Begin the session, with the first page or with the form that waited for it."""
    response = visit.go("/")
    if re.fullmatch(r"(/[\w.:~-]+)+", back):
        begun = replace(visit, session=visit.services.sessions.find(token))
        response = begun.render("resume.html", back=back, fields=_fields(kept))
    response.cookies[COOKIE] = token
    response.cookies[COOKIE]["httponly"] = True
    response.cookies[COOKIE]["samesite"] = "Lax"
    response.cookies[COOKIE]["path"] = "/"
    if visit.request.headers.get("x-forwarded-proto", visit.request.scheme) == "https":
        response.cookies[COOKIE]["secure"] = True
    return response


def _fields(kept: str) -> List[Tuple[str, str]]:
    """Return the fields that the log-in page carried along."""
    try:
        return [(str(name), str(value)) for name, value in json.loads(kept)]
    except (TypeError, ValueError):
        return []


def _password(visit: Visit, name: str) -> str:
    return str((visit.request.form or {}).get(name, ""))  # spaces at the ends are part of a password
