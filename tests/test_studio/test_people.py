"""Accounts, one-time links, log-in, sessions and throttling."""
from __future__ import annotations

import hashlib
import re
import time

import pytest
from journal_rows import JournalFile
from studio_helpers import PASSWORD, Client, form_of

from assistant.settings import ROOT
from studio import schema
from studio.people import People, PeopleError, parse_role
from studio.schema import open_database
from studio.sessions import FAILURES_A_NAME, IDLE_SECONDS, LONGEST_SECONDS, WINDOW_SECONDS, Sessions
from studio.staff_user import main as staff_user


class Clock:
    def __init__(self) -> None:
        self.time = 1_000_000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def people(tmp_path, clock):
    return People(open_database(tmp_path / "studio.db"), clock)


@pytest.fixture
def sessions(people, clock):
    return Sessions(people._engine, people, b"k" * 32, clock)


def joined(people, name="Ada Editor", role="editor"):
    return people.join(people.invite(name, role), PASSWORD)


def test_link_works_once(people):
    token = people.invite("Ada", "editor")
    assert people.invited(token).name == "Ada"
    assert people.join(token, PASSWORD).name == "Ada"
    assert people.invited(token) is None
    with pytest.raises(PeopleError, match="used already"):
        people.join(token, PASSWORD)


def test_link_expires_after_a_week(people, clock):
    token = people.invite("Ada", "editor")
    clock.time += 7 * 86400 + 1
    assert people.invited(token) is None


def test_new_link_keeps_the_person_and_ends_the_old_link(people):
    old = people.invite("Ada", "editor")
    new = people.invite("ada", "publisher+safety")
    assert people.invited(old) is None
    assert (people.invited(new).role, people.invited(new).safety, len(people.all())) == ("publisher", True, 1)


@pytest.mark.parametrize("password, complaint", [("short", "at least 12"), ("ada editor 2024", "your name")])
def test_weak_password_is_refused_with_the_remedy(people, password, complaint):
    with pytest.raises(PeopleError, match=complaint):
        people.join(people.invite("Ada Editor", "editor"), password)


def test_passwords_are_argon2_and_right_ones_alone_verify(people, tmp_path):
    joined(people)
    assert people.verified("ada  EDITOR", PASSWORD).name == "Ada Editor"
    assert people.verified("Ada Editor", PASSWORD + "!") is None
    assert people.verified("Nobody", PASSWORD) is None
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("studio.db*"))
    assert b"$argon2id$" in stored and PASSWORD.encode() not in stored


def test_closed_account_cannot_log_in_and_its_sessions_end(people, sessions):
    joined(people, "Root", "administrator")
    person = joined(people)
    token = sessions.open(person)
    people.disable(person)
    assert people.verified("Ada Editor", PASSWORD) is None and sessions.find(token) is None


def test_last_administrator_stays(people):
    root = joined(people, "Root", "administrator")
    with pytest.raises(PeopleError, match="only administrator"):
        people.change_role(root, "editor")
    with pytest.raises(PeopleError, match="only administrator"):
        people.disable(root)


@pytest.mark.parametrize("text, expected", [
    ("editor", ("editor", False)), ("Publisher", ("publisher", False)), ("safety", ("editor", True)),
    ("administrator+safety", ("administrator", True)),
])
def test_roles_are_read(text, expected):
    assert parse_role(text) == expected


@pytest.mark.parametrize("text", ["", "boss", "editor+publisher"])
def test_unknown_role_is_refused(text):
    with pytest.raises(PeopleError, match="ROLE="):
        parse_role(text)


@pytest.mark.parametrize("pause, stays", [(IDLE_SECONDS - 60, True), (IDLE_SECONDS + 60, False)])
def test_idle_session_expires(people, sessions, clock, pause, stays):
    token = sessions.open(joined(people))
    clock.time += pause
    assert (sessions.find(token) is not None) is stays


def test_session_expires_at_last_however_busy(people, sessions, clock):
    token = sessions.open(joined(people))
    for _ in range(int(LONGEST_SECONDS // 3600)):
        clock.time += 3599
        assert sessions.find(token) is not None
    clock.time += 3600
    assert sessions.find(token) is None


def test_failed_log_ins_have_to_wait_and_only_for_a_while(sessions, clock):
    for _ in range(FAILURES_A_NAME):
        assert sessions.wait("Ada", "10.0.0.1") == 0
        sessions.failed("Ada", "10.0.0.1")
    assert 0 < sessions.wait("ada", "10.0.0.2") <= WINDOW_SECONDS
    assert sessions.wait("Bea", "10.0.0.1") == 0
    clock.time += WINDOW_SECONDS + 1
    assert sessions.wait("Ada", "10.0.0.1") == 0


def test_one_address_that_tries_many_names_has_to_wait(sessions):
    for number in range(20):
        sessions.failed(f"name {number}", "10.0.0.1")
    assert sessions.wait("another", "10.0.0.1") > 0 and sessions.wait("another", "10.0.0.2") == 0


def test_command_prints_a_link_that_works(studio, capsys, monkeypatch):
    for name, value in studio.environment.items():
        monkeypatch.setenv(name, value)
    assert staff_user(["Carl", "Commandline", "publisher"]) == 0
    link = capsys.readouterr().out.strip()
    assert link.startswith(studio.url + "/join/")
    page = Client(studio.url).get(link)
    assert page.status_code == 200 and "Welcome, Carl Commandline" in page.text


def test_command_with_a_wrong_role_says_so(studio, capsys, monkeypatch):
    for name, value in studio.environment.items():
        monkeypatch.setenv(name, value)
    assert staff_user(["Carl", "king"]) == 1
    assert "ROLE='king'" in capsys.readouterr().err


def test_log_in_sets_a_cookie_that_scripts_cannot_read(studio):
    studio.person("Cookie Reader", "editor")
    answer = Client(studio.url).post("/login", data={"name": "Cookie Reader", "password": PASSWORD}, allow_redirects=False)
    assert answer.status_code == 303
    assert re.search(r"studio_session=\S+;.*HttpOnly.*SameSite=Lax|SameSite=Lax.*HttpOnly", answer.headers["Set-Cookie"])


def test_wrong_password_tells_no_more_than_that(studio):
    studio.person("Known Person", "editor")
    known = Client(studio.url).post("/login", data={"name": "Known Person", "password": "wrong"})
    unknown = Client(studio.url).post("/login", data={"name": "Unknown Person", "password": "wrong"})
    assert known.status_code == unknown.status_code == 401
    assert "Name or password is not right" in known.text and "Name or password is not right" in unknown.text


def test_guessing_is_slowed_down_even_for_the_right_password(studio):
    studio.person("Guessed Person", "editor")
    client = Client(studio.url)
    for _ in range(FAILURES_A_NAME):
        assert client.post("/login", data={"name": "Guessed Person", "password": "wrong"}).status_code == 401
    answer = client.post("/login", data={"name": "Guessed Person", "password": PASSWORD})
    assert answer.status_code == 429 and int(answer.headers["Retry-After"]) > 0


def test_logging_out_ends_the_session(studio):
    client = studio.person("Leaving Person", "editor")
    cookie = client.cookies["studio_session"]
    assert client.get("/topics").status_code == 200
    client.post("/logout")
    fresh = Client(studio.url)
    fresh.cookies["studio_session"] = cookie
    assert fresh.get("/topics", allow_redirects=False).headers["Location"] == "/login"


def expire(studio, name):
    """Make the person's sessions as old as one may be without use."""
    engine = open_database(studio.settings.var / "studio.db")
    person = next(one for one in People(engine).all() if one.name == name)
    with engine.begin() as connection:
        connection.execute(schema.sessions.update().where(schema.sessions.c.person == person.id).values(seen_at=time.time() - IDLE_SECONDS - 1))


def test_expired_session_leads_to_the_log_in(studio):
    client = studio.person("Idle Person", "editor")
    expire(studio, "Idle Person")
    assert client.get("/topics", allow_redirects=False).headers["Location"] == "/login"


def test_form_that_is_sent_after_the_session_expired_is_kept_for_after_the_log_in(own_studio):
    studio = own_studio()
    client = studio.person("Lunch Break", "editor")
    form = form_of(client.get("/topics/faq_cost").text)
    form["examples"] += "\nwhat's the <damage> then"
    expire(studio, "Lunch Break")
    assert client.post("/topics/advice", data=form, headers={"HX-Request": "true"}, allow_redirects=False).status_code == 401
    page = client.post("/topics/faq_cost", data=form)
    assert page.status_code == 401 and "what you have just sent is kept" in page.text
    wrong = client.post("/login", data={**form_of(page.text, "/login"), "name": "Lunch Break", "password": "wrong"})
    assert wrong.status_code == 401
    page = client.post("/login", data={**form_of(wrong.text, "/login"), "name": "Lunch Break", "password": PASSWORD})
    assert "has not been saved yet" in page.text
    assert client.post("/topics/faq_cost", data=form_of(page.text, "/topics/faq_cost")).status_code == 200
    assert "what's the <damage> then" in (studio.root / "data/practical/cost.yml").read_text()


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_form_from_elsewhere_is_not_kept_for_after_the_log_in(studio, headers):
    page = Client(studio.url).post("/topics/faq_cost", data={"label": "Forged"}, headers=headers)
    assert page.url.endswith("/login") and "Forged" not in page.text


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/", "javascript:x", "/topics?x=1"])
def test_log_in_leads_to_no_other_place(studio, back):
    name = f"Redirected {len(back)}"
    studio.person(name, "editor")
    page = Client(studio.url).post("/login", data={"name": name, "password": PASSWORD, "kept": "[]", "back": back})
    assert page.url.endswith("/topics")


def test_changing_the_password_needs_the_old_one(studio):
    client = studio.person("Changing Person", "editor")
    client.get("/account")
    assert client.post("/account", data={"old": "wrong", "password": "another good long one"}).status_code == 400
    assert client.post("/account", data={"old": PASSWORD, "password": "another good long one"}).url.endswith("/login")
    assert Client(studio.url).post("/login", data={"name": "Changing Person", "password": "another good long one"}).url.endswith("/topics")


@pytest.mark.parametrize("headers, csrf", [
    ({}, ""), ({}, "0" * 64), ({"Origin": "https://evil.example"}, None), ({"Sec-Fetch-Site": "cross-site"}, None),
])
def test_forged_form_is_refused(studio, headers, csrf):
    client = studio.person("Forged Person", "administrator")
    client.get("/account")
    token = client.csrf if csrf is None else csrf
    client.csrf = ""
    answer = client.post("/account", data={"csrf": token, "old": PASSWORD, "password": "another good long one"}, headers=headers)
    assert answer.status_code == 403
    assert Client(studio.url).post("/login", data={"name": "Forged Person", "password": PASSWORD}).ok


def test_audit_log_says_who_did_what(studio):
    client = studio.person("Audited Admin", "administrator")
    client.get("/people")
    assert "One-time link for Newly Invited" in client.post("/people", data={"name": "Newly Invited", "role": "editor"}).text
    page = client.get("/people/audit").text
    assert "Audited Admin" in page and "Newly Invited as editor" in page


def test_every_deed_is_in_the_audit_log_and_no_visitors_words_are(own_studio):
    studio = own_studio()
    journal = JournalFile(studio.settings.var)
    journal.message("words of a visitor about the moon")
    ada, bea = studio.person("Ada Admin", "administrator+safety"), studio.person("Bea", "editor")
    (item,) = re.findall(r'name="item" value="(\w+)"', ada.get("/inbox").text)
    story = {"kind": "story", "name": "a new story", "turn:0": "visitor:faq_cost", "turn:1": "assistant:utter_faq_cost"}
    page = ada.post("/inbox/assign", data={"item": item, "deed": "ignore"})
    ada.post(re.search(r'action="(/inbox/\d+/undo)"', page.text).group(1))
    ada.post("/topics/faq_cost", data={**form_of(ada.get("/topics/faq_cost").text), "label": "Its price?"})
    ada.post("/topics/faq_self_help/off")
    ada.post("/topics/faq_self_help/on")
    ada.post("/topics/faq_self_help/delete")
    ada.post("/why/mend", data={"intent": "faq_nhs", "phrasing": "does the health service pay", "text": ""})
    saved = ada.post("/stories/new", data=story)
    ada.post(saved.url, data={**form_of(saved.text, saved.url.removeprefix(studio.url)), "name": "its new name"})
    ada.post(f"{saved.url}/delete", data=form_of(ada.get(saved.url).text, saved.url.removeprefix(studio.url) + "/delete"))
    ada.post("/safety/phrases", data={"category": "suicide", "kind": "coded", "add": "tired of the whole show"})
    bea.get("/safety")
    bea.post("/safety/proposals/1", data={"deed": "reject"})
    ada.get("/safety/review")
    ada.post("/safety/review", data={"row": "1"})
    ada.post("/people/2/role", data={"role": "publisher"})
    ada.post("/people/2/link")
    ada.post("/people/2/close")
    log = ada.get("/people/audit").text
    for deed in ("choose a password", "inbox: ignore", "inbox: undo", "save topic", "switch topic off", "switch topic on", "delete topic", "mend",
                 "create story", "save story", "delete story", "propose safety change", "reject safety change", "open review queue",
                 "mark reviewed", "change role", "invite", "close account"):
        assert f"<td>{deed}</td>" in log, deed
    assert "moon" not in log


def test_htmx_is_the_pinned_file():
    folder = ROOT / "studio" / "static"
    checksum = hashlib.sha256((folder / "htmx.min.js").read_bytes()).hexdigest()
    assert checksum in (folder / "README.md").read_text()


def test_security_headers_are_on_every_page(studio):
    for path in ("/login", "/static/studio.css", "/nothing"):
        answer = Client(studio.url).get(path)
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff" and answer.headers["X-Frame-Options"] == "DENY"
