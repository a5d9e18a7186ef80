"""Who may open what: the whole table of roles and routes, held against the running studio."""
from __future__ import annotations

import pytest
from studio_helpers import Client

from studio.app import pages

# The least that a page needs. Whoever adds a route adds it here, so that nobody opens one by accident.
TABLE = {
    "GET /login": "anyone", "POST /login": "anyone", "GET /join/<token:str>": "anyone", "POST /join/<token:str>": "anyone",
    "GET /health": "anyone",
    "GET /models/current": "machine",
    "POST /logout": "person", "GET /account": "person", "POST /account": "person",
    "GET /": "person", "GET /topics": "person", "GET /topics/<intent:str>": "person",
    "GET /topics/new": "editor", "POST /topics/new": "editor", "POST /topics/advice": "editor", "POST /topics/<intent:str>": "editor",
    "POST /topics/<intent:str>/off": "editor", "POST /topics/<intent:str>/on": "editor", "GET /topics/<intent:str>/delete": "editor",
    "POST /topics/<intent:str>/delete": "editor",
    "GET /inbox": "person", "POST /inbox/assign": "editor", "POST /inbox/<number:int>/undo": "editor",
    "GET /stories": "person", "GET /stories/<key:str>": "person", "POST /stories/<key:str>/run": "person",
    "GET /stories/new": "editor", "POST /stories/new": "editor", "GET /stories/from/<reference:str>": "editor",
    "POST /stories/<key:str>": "editor", "POST /stories/<key:str>/delete": "editor",
    "GET /try": "person", "POST /try/say": "person", "POST /try/again": "person", "POST /try/prepare": "editor",
    "GET /why": "person", "POST /why": "person", "POST /why/mend": "editor",
    "GET /publish": "person", "GET /publish/progress": "person", "GET /publish/events": "person",
    "POST /publish": "publisher", "POST /publish/cancel": "publisher", "POST /publish/accept": "publisher",
    "POST /publish/rollback/<identity:str>": "publisher",
    "GET /safety": "person", "GET /safety/helplines/<service:str>": "editor", "POST /safety/helplines/<service:str>": "editor",
    "GET /safety/phrases": "editor", "POST /safety/phrases": "editor", "POST /safety/proposals/<number:int>": "editor",
    "GET /safety/review": "safety", "POST /safety/review": "safety",
    "GET /numbers": "person", "GET /numbers/chart/<name:str>": "person",
    "GET /people": "administrator", "POST /people": "administrator", "POST /people/<number:int>/role": "administrator",
    "POST /people/<number:int>/link": "administrator", "POST /people/<number:int>/close": "administrator",
    "GET /people/audit": "administrator",
}
RANK = ["person", "editor", "publisher", "administrator"]
ROLES = ["nobody", "editor", "editor+safety", "publisher", "administrator"]
VALUES = {
    "<token:str>": "none",
    "<intent:str>": "faq_none",
    "<number:int>": "999",
    "<key:str>": "none:stories:9",
    "<reference:str>": "AAAA",
    "<identity:str>": "none",
    "<service:str>": "none",
    "<name:str>": "none",
}


def test_table_names_every_route_of_the_studio():
    assert {f"{page.method} {page.path}": page.need for page in pages()} == TABLE


@pytest.fixture(scope="module")
def visitors(studio):
    found = {role: studio.person(f"Table {role.replace('+', ' and ')}", role) for role in ROLES[1:]}
    for client in found.values():
        client.get("/account")
    return {"nobody": Client(studio.url), **found}


def allowed(role: str, need: str) -> bool:
    if need == "anyone":
        return True
    if role == "nobody" or need == "machine":
        return False
    if need == "safety":
        return role.endswith("+safety")
    return RANK.index(role.split("+")[0]) >= RANK.index(need)


# Logging out and events would end or hold the client; both are tested elsewhere.
@pytest.mark.parametrize("route", [route for route in TABLE if route not in ("POST /logout", "GET /publish/events")])
@pytest.mark.parametrize("role", ROLES)
def test_role_may_or_may_not(visitors, role, route):
    method, path = route.split(" ", 1)
    for part, value in VALUES.items():
        path = path.replace(part, value)
    answer = visitors[role].request(method, path, allow_redirects=False, data={} if method == "POST" else None)
    to_log_in = answer.status_code == 303 and answer.headers["Location"] == "/login"
    if TABLE[route] == "machine":
        assert answer.status_code == 401
    elif allowed(role, TABLE[route]):
        assert answer.status_code not in (401, 403) or path == "/login", answer.text
        assert not to_log_in or role == "nobody" or path in ("/login", "/account")
    else:
        assert to_log_in if role == "nobody" else answer.status_code == 403


def test_editor_does_not_see_the_doors_that_stay_closed(visitors):
    page = visitors["editor"].get("/safety").text
    assert "/safety/review" not in page and 'href="/people"' not in page
    assert "/safety/review" in visitors["editor+safety"].get("/safety").text
