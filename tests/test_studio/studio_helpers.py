"""A studio on a checkout of its own, and a person who uses it over HTTP."""
from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Mapping

import requests

from assistant.settings import ROOT, Settings
from studio.people import People
from studio.repository import Repository
from studio.schema import open_database

PASSWORD = "correct horse battery"
CONTENT = ("data", "domain.yml", "config.yml", "endpoints.yml", "credentials.yml", "addons", "assistant", "actions", "scripts",
           "requirements.lock", "pyproject.toml", "tests/test_stories.yml", "tests/heldback", "studio")


def make_checkout(folder: Path) -> Path:
    """Copy what a studio works on into a repository of its own."""
    for name in CONTENT:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.is_file():
            shutil.copy(source, target)
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "-c", "user.name=A Developer", "-c", "user.email=dev@example.org", "commit", "-qm", "Start")
    return folder


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def committed(root: Path, files: Mapping[str, str]) -> Repository:
    """Return the repository `root` with `files` (text by path) as its one commit."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "-c", "user.name=d", "-c", "user.email=d@e.org", "commit", "-qm", "s")
    return Repository(root)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Running:
    """A studio process."""

    root: Path
    settings: Settings
    environment: Dict[str, str]
    process: Any = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.studio_port}"

    def start(self) -> "Running":
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(Path(__file__).with_name("serve.py")), str(self.root)], cwd=ROOT,
            env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for line in self.process.stdout:
            if line.startswith("Studio ready:"):
                return self
        raise AssertionError("the studio ended before it was ready")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.process.stdout.close()

    def link(self, name: str, role: str) -> str:
        return f"{self.url}/join/{People(open_database(self.settings.var / 'studio.db')).invite(name, role)}"

    def person(self, name: str, role: str) -> "Client":
        """Return somebody who has used the one-time link."""
        client = Client(self.url)
        page = client.post(self.link(name, role), data={"password": PASSWORD, "again": PASSWORD})
        assert page.ok, page.text
        return client


def prepare(root: Path, var: Path, **variables: str) -> Running:
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "ASSISTANT_VAR": str(var), "ASSISTANT_STUDIO_PORT": str(free_port()),
        "ASSISTANT_CACHE": str(Settings.from_env().cache), "ASSISTANT_MODELS": str(var / "models"),
        "ASSISTANT_RASA_URL": "http://127.0.0.1:9", "PYTHONUNBUFFERED": "1", **variables,
    }
    environment.pop("ASSISTANT_JOURNAL_URL", None)
    return Running(root, Settings.from_env(environment), environment)


class Client(requests.Session):
    """A browser without scripts: it keeps cookies and sends the token of the form that it saw last."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.base, self.csrf = url, ""

    def request(self, method: Any, url: Any, **options: Any) -> requests.Response:  # type: ignore[override]
        address = url if str(url).startswith("http") else self.base + url
        if method.upper() == "POST" and self.csrf:
            data = options.get("data") or {}
            if isinstance(data, list):
                options["data"] = [("csrf", self.csrf), *data]
            else:
                options["data"] = {"csrf": self.csrf, **data}
        response = super().request(method, address, timeout=options.pop("timeout", 60), **options)
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', response.text)
        self.csrf = found.group(1) if found else self.csrf
        return response


def form_of(page: str, action: str = "") -> Dict[str, Any]:
    """Return the fields of the form with id topic-form or with `action`, as a browser would send them."""
    from html.parser import HTMLParser

    class Reader(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.inside = False
            self.fields: "list[list[Any]]" = []
            self.area: Any = None
            self.select: Any = None

        def handle_starttag(self, tag: str, attributes: Any) -> None:
            a = dict(attributes)
            if tag == "form":
                self.inside = a.get("id") == "topic-form" if not action else a.get("action") == action
            if not self.inside:
                return
            if tag == "input" and a.get("name") and a.get("type") not in ("checkbox", "radio"):
                self.fields.append([a["name"], a.get("value", "")])
            elif tag == "input" and a.get("name") and "checked" in a:
                self.fields.append([a["name"], a.get("value", "on")])
            elif tag == "textarea":
                self.area = [a["name"], ""]
            elif tag == "select":
                self.select = [a["name"], None]
            elif tag == "option" and self.select is not None and ("selected" in a or self.select[1] is None):
                self.select[1] = a.get("value", "")

        def handle_data(self, data: str) -> None:
            if self.area is not None:
                self.area[1] += data

        def handle_endtag(self, tag: str) -> None:
            if tag == "form":
                self.inside = False
            if tag == "textarea" and self.area is not None:
                self.fields.append(self.area)
                self.area = None
            if tag == "select" and self.select is not None:
                self.fields.append(self.select)
                self.select = None

    reader = Reader()
    reader.feed(page)
    found: Dict[str, Any] = {}
    for name, value in reader.fields:
        found.setdefault(name, []).append(value)
    return {name: values if len(values) > 1 else values[0] for name, values in found.items()}


def wait_for(condition: Any, seconds: float, what: str) -> Any:
    """Return what `condition` returns as soon as it is true."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {what}")
