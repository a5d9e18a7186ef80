"""The audit says nothing is wrong only when everything was looked at."""
import datetime

from assistant.settings import ROOT
from scripts.audit import exceptions, problems

FLAW = {"id": "CVE-2026-1", "fix_versions": ["2.0"], "aliases": ["GHSA-x"]}


def report(**package):
    return {"dependencies": [{"name": "sanic", "version": "1.0", **package}]}


def test_a_package_that_was_skipped_is_a_problem():
    found = problems({"dependencies": [{"name": "sanic", "skip_reason": "not found"}]}, {})
    assert found == ["sanic: could not be audited"]


def test_a_flaw_is_named_with_the_version_that_mends_it():
    assert problems(report(vulns=[FLAW]), {}) == ["sanic 1.0: CVE-2026-1, mended in 2.0"]


def test_an_exception_holds_by_either_name_for_its_package_alone():
    assert problems(report(vulns=[FLAW]), {"sanic": {"GHSA-x"}}) == []
    assert problems(report(vulns=[FLAW]), {"aiohttp": {"CVE-2026-1"}}) != []


def test_a_clean_report_has_no_problem():
    assert problems(report(vulns=[]), {}) == []


def test_an_exception_ends_on_its_date():
    document = "| CVE-2026-1, GHSA-a-b | sanic | 2026-12-31 | why |\n| CVE-2026-2 | sanic | 2026-01-31 | why |\n"
    assert exceptions(document, datetime.date(2026, 12, 31)) == {"sanic": {"CVE-2026-1", "GHSA-a-b"}}


def test_an_exception_without_a_date_or_a_reason_is_none():
    assert exceptions("| CVE-2026-1 | sanic | soon | why |\n| CVE-2026-2 | sanic | 2026-12-31 | |\n", datetime.date(2026, 1, 1)) == {}


def test_the_exceptions_of_this_project_are_of_packages_in_the_lock():
    lock = (ROOT / "requirements.lock").read_text()
    accepted = exceptions((ROOT / "docs" / "security.md").read_text(), datetime.date.min)
    assert accepted and all(f"\n{package}==" in lock and ids for package, ids in accepted.items())
