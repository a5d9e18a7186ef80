"""Changes of helplines and phrases: a second person approves; whoever is alone gives a reason and stays flagged."""
from __future__ import annotations

import datetime
import re

import pytest
from studio_helpers import git

from assistant.safety.helplines import Helplines
from assistant.settings import ROOT
from studio.repository import Repository
from studio.safety_files import HELPLINES, PHRASES, SafetyError, edit_helpline, edit_phrases, helplines, phrase_blocks

TODAY = datetime.date.today().isoformat()
REGISTRY = (ROOT / HELPLINES).read_text(encoding="utf-8")


def change(client, service="samaritans", **fields):
    page = client.get(f"/safety/helplines/{service}").text
    fragment = page[page.index("<form method=\"post\" class=\"stack card narrow\">"):]
    form = dict(re.findall(r'<input id="\w+" name="(\w+)"[^>]*? value="([^"]*)"', fragment))
    return client.post(f"/safety/helplines/{service}", data={**{k: v.replace("&#39;", "'") for k, v in form.items()}, **fields})


def date_of(root, service="samaritans"):
    return Helplines.load(root / "data/safety").services[service].verified_on


def test_second_person_approves_and_then_it_is_saved(own_studio):
    studio = own_studio()
    ada, bea = studio.person("Ada", "editor"), studio.person("Bea", "editor")
    page = change(ada, verified_on=TODAY)
    assert "Somebody else has to approve it" in page.text and date_of(studio.root) is None
    number = re.search(r"<h3 id=\"p-(\d+)\"", page.text).group(1)
    assert "/safety/proposals/" not in page.text  # nobody approves their own
    own = ada.post(f"/safety/proposals/{number}", data={"deed": "approve"})
    assert own.status_code == 409 and "somebody else" in own.text and date_of(studio.root) is None
    bea.get("/safety")
    assert "Approved" in bea.post(f"/safety/proposals/{number}", data={"deed": "approve"}).text
    assert date_of(studio.root).isoformat() == TODAY
    assert git(studio.root, "log", "-1", "--format=%an|%s") == "Ada|Safety: helpline Samaritans (approved)"


def test_rejected_change_is_never_saved(own_studio):
    studio = own_studio()
    ada, bea = studio.person("Ada", "editor"), studio.person("Bea", "editor")
    before = git(studio.root, "rev-parse", "HEAD")
    number = re.search(r"<h3 id=\"p-(\d+)\"", change(ada, hours_text="never").text).group(1)
    bea.get("/safety")
    bea.post(f"/safety/proposals/{number}", data={"deed": "reject"})
    assert git(studio.root, "rev-parse", "HEAD") == before and "Waiting for a second person" not in bea.get("/safety").text


def test_only_account_gives_a_reason_and_the_change_stays_flagged_until_reviewed(own_studio):
    studio = own_studio()
    ada = studio.person("Ada", "administrator")
    page = change(ada, verified_on=TODAY)
    assert page.status_code == 400 and "Type the reason" in page.text and date_of(studio.root) is None
    page = change(ada, verified_on=TODAY, reason="Confirmed by telephone this morning")
    assert "flagged until a second person" in page.text and date_of(studio.root).isoformat() == TODAY
    assert "saved without approval" in ada.get("/safety").text
    bea = studio.person("Bea", "editor")
    number = re.search(r"/safety/proposals/(\d+)", bea.get("/safety").text).group(1)
    bea.post(f"/safety/proposals/{number}", data={"deed": "reject"})
    assert date_of(studio.root) is None and "saved without approval" not in bea.get("/safety").text


@pytest.mark.parametrize("fields, complaint", [
    ({"call": "0800 CALL"}, "digits and spaces only"), ({"verified_on": "31/1/2025"}, "write the date as"),
    ({"name": ""}, "cannot be empty"), ({}, "Nothing was changed"),
])
def test_malformed_change_is_refused_with_the_remedy(studio, fields, complaint):
    client = studio.person(f"Malformed {complaint[:9]}", "editor")
    page = change(client, **fields)
    assert page.status_code == 400 and complaint in page.text


def test_phrase_is_proposed_checked_and_added(own_studio):
    studio = own_studio()
    ada, bea = studio.person("Ada", "editor"), studio.person("Bea", "editor")
    ada.get("/safety/phrases")
    broken = ada.post("/safety/phrases", data={"category": "suicide", "kind": "coded", "add": "tired of (living"})
    assert broken.status_code == 400
    page = ada.post("/safety/phrases", data={"category": "suicide", "kind": "coded", "add": "Tired of  the whole show"})
    number = re.search(r"<h3 id=\"p-(\d+)\"", page.text).group(1)
    bea.get("/safety")
    bea.post(f"/safety/proposals/{number}", data={"deed": "approve"})
    assert "tired of the whole show" in phrase_blocks((studio.root / PHRASES).read_text())["suicide"]["coded"]


def test_one_changed_field_changes_one_line():
    fields = helplines(Repository(ROOT))[3].fields
    written = edit_helpline(REGISTRY, "samaritans", {**fields, "verified_on": "2025-01-31"})
    changed = [line for line in written.splitlines() if line not in REGISTRY.splitlines()]
    assert changed == ["    verified_on: 2025-01-31"] and len(written.splitlines()) == len(REGISTRY.splitlines())
    assert edit_helpline(written, "samaritans", fields) == REGISTRY


def test_field_is_added_and_taken_away(tmp_path):
    fields = helplines(Repository(ROOT))[3].fields
    written = edit_helpline(REGISTRY, "samaritans", {**fields, "sms": "70007", "email": ""})
    (tmp_path / "helplines.yml").write_text(written, encoding="utf-8")
    service = Helplines.load(tmp_path).services["samaritans"]
    assert (service.sms, service.email) == ("70007", None)


def test_phrase_that_is_there_already_and_one_that_is_not_are_told():
    text = (ROOT / PHRASES).read_text(encoding="utf-8")
    present = phrase_blocks(text)["suicide"]["explicit"][0]
    with pytest.raises(SafetyError, match="already"):
        edit_phrases(text, "suicide", "explicit", add=present)
    with pytest.raises(SafetyError, match="not in the list"):
        edit_phrases(text, "suicide", "explicit", remove="no such phrase")
    with pytest.raises(SafetyError, match="no such list"):
        edit_phrases(text, "suicide", "nonsense", add="x")
    assert edit_phrases(edit_phrases(text, "suicide", "explicit", remove=present), "suicide", "explicit", add=present).count(
        present
    ) == text.count(present)


def test_dates_that_are_due_are_shown(studio):
    page = studio.person("Date Reader", "editor").get("/safety").text
    assert re.search(r"\d+ helplines due", page) and "never confirmed" in page
