"""Checks on the registry: malformed or doubled numbers, rows not confirmed, and numbers that stand elsewhere."""
from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Iterator, List, Set

from assistant.safety.helplines import Helplines

DUE_DAYS = 90

_EMERGENCY = frozenset({"999", "111"})
_NUMBER = re.compile(r"0\d{9,10}|0800\d{4}|116\d{3}")  # UK numbers with their digits run together (Ofcom's plan)
_SHORT_CODE = re.compile(r"\d{5}")
_TELEPHONE = re.compile(r"(?<![\w.+/-])(?:\+44[ ]?\(?0?\)?[ ]?|0)\d(?:[ -]?\d){8,9}(?![\w-])")
# Numbers that Ofcom keeps free for fiction: tests and examples may use them.
_FICTION = re.compile(r"07700900\d{3}|02079460\d{3}|01632960\d{3}|08081570\d{3}|011[3-8]4960\d{3}|01[2-9]1496\d{4}")
_TEXT_FILES = (".css", ".csv", ".html", ".js", ".json", ".jsonl", ".md", ".mjs", ".py", ".toml", ".tsv", ".txt", ".yml", ".yaml")
_VISITORS = ("data/", "widget/", "gateway/", "actions/", "addons/", "assistant/", "docs/", "README.md")


@dataclass(frozen=True)
class Problem:
    """What is wrong, path first; a warning does not fail the check."""

    text: str
    warning: bool = False


def check(folder: Path, today: date) -> List[Problem]:
    """Return the problems of helplines.yml in `folder`; raises ContentError when it cannot be read at all."""
    problems: List[Problem] = []
    seen: Set[str] = set()
    for one in Helplines.load(folder).services.values():
        where = f"data/safety/helplines.yml: {one.id}"
        if one.call and one.call not in _EMERGENCY and not _NUMBER.fullmatch(_digits(one.call)):
            problems.append(Problem(f"{where}: call {one.call!r} is no UK telephone number. Correct it, or leave it out."))
        if one.sms and not _SHORT_CODE.fullmatch(_digits(one.sms)) and not _NUMBER.fullmatch(_digits(one.sms)):
            problems.append(Problem(f"{where}: sms {one.sms!r} is no number for texts. Correct it, or leave it out."))
        for number in filter(None, (one.call, one.sms)):
            if _digits(number) in seen and number not in _EMERGENCY:
                problems.append(Problem(f"{where}: {number!r} belongs to another service already. One of the two is wrong."))
            seen.add(_digits(number))
        if not (one.call or one.sms or one.web or one.email):
            problems.append(Problem(f"{where}: has no way in. Give call, sms, email or web."))
        if one.web and not one.web.startswith("https://"):
            problems.append(Problem(f"{where}: web {one.web!r} does not begin with https://. Correct it."))
        if one.verified_on is None:
            problems.append(Problem(f"{where}: not confirmed yet. Confirm it with the service and date it in verified_on.", True))
        elif (today - one.verified_on).days > DUE_DAYS:
            problems.append(Problem(f"{where}: confirmed on {one.verified_on}, over {DUE_DAYS} days ago. Confirm it again.", True))
    return problems


def number_elsewhere(root: Path) -> List[Problem]:
    """Return the telephone numbers that stand in another file of the project below `root`.

    A number of the registry may stand nowhere else at all; any other telephone number not where visitors read.
    """
    registry = root / "data" / "safety" / "helplines.yml"
    known = {_digits(number) for one in Helplines.load(registry.parent).services.values()
             for number in (one.call, one.sms) if number and number not in _EMERGENCY}
    spellings = {number: re.compile(r"(?<!\d)" + r"[ -]?".join(number) + r"(?!\d)") for number in known}
    problems: List[Problem] = []
    for path in _files(root):
        name = path.relative_to(root).as_posix()
        if path == registry or not name.endswith(_TEXT_FILES):
            continue
        for line, text in enumerate(path.read_text(encoding="utf-8", errors="ignore").splitlines(), 1):
            if not re.search(r"\d{3}", text):
                continue
            found = {number for number, pattern in spellings.items() if pattern.search(text)}
            if name.startswith(_VISITORS):
                found |= {digits for digits in map(_digits, _TELEPHONE.findall(text)) if not _FICTION.fullmatch(digits)}
            problems.extend(Problem(f"{name}:{line}: telephone number {number}. Keep it in data/safety/helplines.yml alone.")
                            for number in sorted(found))
    return problems


def _files(root: Path) -> Iterator[Path]:
    """Yield the project's own files: those that git follows or would, so that nothing built or installed is read."""
    listed = subprocess.run(["git", "-C", str(root), "ls-files", "-co", "--exclude-standard", "-z"],
                            capture_output=True, check=False)
    known = listed.returncode == 0 and listed.stdout
    names = listed.stdout.decode().split("\0") if known else [str(one.relative_to(root)) for one in root.rglob("*")]
    yield from (path for path in (root / name for name in sorted(filter(None, names))) if path.is_file())


def _digits(number: str) -> str:
    digits = re.sub(r"\D", "", number)
    return "0" + digits[2:].lstrip("0") if number.strip().startswith("+44") else digits
