"""Accounts, for administrators, and the audit log."""
from __future__ import annotations

from sanic.response import HTTPResponse

from studio.people import PeopleError, Person
from studio.web import NotFound, Pages, Visit

pages = Pages()
ROLES = ("editor", "editor+safety", "publisher", "publisher+safety", "administrator", "administrator+safety")
AUDIT_PAGE = 100


@pages.get("/people", need="administrator")
async def everyone(visit: Visit) -> HTTPResponse:
    """List the accounts."""
    return _page(visit)


@pages.post("/people", need="administrator")
async def add(visit: Visit) -> HTTPResponse:
    """Make an account and show its one-time link."""
    name = visit.form("name")
    if any(one.name.lower() == name.lower() for one in visit.services.people.all()):
        return _page(visit, status=409, error=f"{name} has an account already. Use “New link” beside the name.")
    return _linked(visit, name, visit.form("role"))


@pages.post("/people/<number:int>/role", need="administrator")
async def change_role(visit: Visit, number: int) -> HTTPResponse:
    """Give somebody another role."""
    person = _person(visit, number)
    try:
        visit.services.people.change_role(person, visit.form("role"))
    except PeopleError as error:
        return _page(visit, status=409, error=str(error))
    visit.note("change role", f"{person.name}: {visit.form('role')}")
    return visit.go("/people", f"{person.name} is now {visit.form('role').replace('+', ' and ')}.")


@pages.post("/people/<number:int>/link", need="administrator")
async def new_link(visit: Visit, number: int) -> HTTPResponse:
    """Make a new one-time link; the old password works until it is used."""
    person = _person(visit, number)
    return _linked(visit, person.name, person.role + ("+safety" if person.safety else ""))


@pages.post("/people/<number:int>/close", need="administrator")
async def close(visit: Visit, number: int) -> HTTPResponse:
    """Close an account; its name stays in the history."""
    person = _person(visit, number)
    if person.id == visit.person.id:
        return _page(visit, status=409, error="You cannot close your own account. Another administrator can.")
    try:
        visit.services.people.disable(person)
    except PeopleError as error:
        return _page(visit, status=409, error=str(error))
    visit.note("close account", person.name)
    return visit.go("/people", f"The account of {person.name} is closed.")


@pages.get("/people/audit", need="administrator")
async def audit(visit: Visit) -> HTTPResponse:
    """Show who did what."""
    before = visit.form("before")
    entries = visit.services.audit.latest(AUDIT_PAGE, int(before) if before.isdigit() else None)
    return visit.render("audit.html", entries=entries, older=entries[-1].id if len(entries) == AUDIT_PAGE else None)


def _linked(visit: Visit, name: str, role: str) -> HTTPResponse:
    try:
        token = visit.services.people.invite(name, role)
    except PeopleError as error:
        return _page(visit, status=400, error=str(error))
    visit.note("invite", f"{name} as {role}")
    return _page(visit, link=f"{visit.request.scheme}://{visit.request.host}/join/{token}", linked=name)


def _page(visit: Visit, status: int = 200, error: str = "", link: str = "", linked: str = "") -> HTTPResponse:
    return visit.render("people.html", status=status, error=error, everyone=visit.services.people.all(), roles=ROLES,
                        link=link, linked=linked)


def _person(visit: Visit, number: int) -> Person:
    person = visit.services.people.get(number)
    if person is None:
        raise NotFound
    return person
