"""`make audit`: known vulnerabilities among requirements.lock, by pip-audit in an environment of its own.

pip-audit cannot live beside Rasa (it needs a newer `packaging`). A package that could not be looked up fails the
audit: silence is no clean bill. Exceptions are named and dated in docs/security.md.
"""
from __future__ import annotations

import datetime
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional, Set

from assistant.errors import AssistantError
from assistant.settings import ROOT

ENVIRONMENT = ROOT / ".bootstrap" / "audit"
UV = ROOT / ".bootstrap" / "bin" / "uv"
# A row of the table "Vulnerabilities accepted" in docs/security.md: ids, package, until when, why.
EXCEPTION = re.compile(r"^\|([^|]+)\|\s*([\w.-]+)\s*\|\s*(\d{4}-\d\d-\d\d)\s*\|\s*[^|\s]", re.MULTILINE)
ID = re.compile(r"\b(?:CVE|GHSA|PYSEC)-[\w-]+")


class AuditError(AssistantError):
    """The audit could not be made."""


def exceptions(document: str, today: datetime.date) -> Dict[str, Set[str]]:
    """Return, by package, the ids of the exceptions in `document` (docs/security.md) that still hold on `today`."""
    found: Dict[str, Set[str]] = {}
    for ids, package, until in EXCEPTION.findall(document):
        if datetime.date.fromisoformat(until) >= today:
            found.setdefault(package, set()).update(ID.findall(ids))
    return found


def problems(report: Dict[str, Any], accepted: Dict[str, Set[str]]) -> List[str]:
    """Return a line for each package that is vulnerable or could not be looked up, given pip-audit's JSON report."""
    lines = []
    for package in report["dependencies"]:
        if "skip_reason" in package:
            lines.append(f"{package['name']}: could not be audited")
        for flaw in package.get("vulns", []):
            if not {flaw["id"], *flaw.get("aliases", [])} & accepted.get(package["name"], set()):
                mended = ", ".join(flaw["fix_versions"]) or "no version yet"
                lines.append(f"{package['name']} {package['version']}: {flaw['id']}, mended in {mended}")
    return lines


def _prepare() -> None:
    lock = ROOT / "scripts" / "audit.lock"
    stamp = ENVIRONMENT / "installed"
    if stamp.is_file() and stamp.read_text() == lock.read_text():
        return
    print("[audit] pip-audit, in an environment of its own", file=sys.stderr)
    _run([str(UV), "venv", "--quiet", "--clear", "--python", sys.executable, str(ENVIRONMENT)])
    _run([str(UV), "pip", "sync", "--quiet", "--python", str(ENVIRONMENT / "bin" / "python"), "--require-hashes", str(lock)])
    stamp.write_text(lock.read_text())


def _run(command: List[str]) -> str:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, 1):  # pip-audit ends with 1 when it found something
        raise AuditError(f"{Path(command[0]).name} failed: {done.stderr.strip().splitlines()[-1:]}")
    return done.stdout


def main(today: Optional[datetime.date] = None) -> int:
    """Audit; return 0 only when every package was looked up and none is vulnerable beyond the exceptions."""
    try:
        _prepare()
        report = _run([
            str(ENVIRONMENT / "bin" / "pip-audit"), "-r", str(ROOT / "requirements.lock"), "--require-hashes", "--disable-pip",
            "--progress-spinner", "off", "--format", "json",
        ])
        accepted = exceptions((ROOT / "docs" / "security.md").read_text(), today or datetime.date.today())
        found = problems(json.loads(report), accepted)
    except (AssistantError, OSError, ValueError) as error:
        print(f"make audit: {error}", file=sys.stderr)
        return 1
    print("\n".join(found) or "make audit: every package was looked up; nothing is known against any.")
    if found:
        print(f"make audit: {len(found)} problems. An exception is named and dated in docs/security.md.", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
