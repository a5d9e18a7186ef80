"""A studio with its live assistant: a checkout, a journal with messages, and a real Rasa that pulls its model from the studio."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, Optional

from assistant import secrets
from studio.live import Live
from tests.test_studio.journal_rows import JournalFile
from tests.test_studio.studio_helpers import Running, free_port, make_checkout, prepare, wait_for

PULL_SECONDS = 2
START_SECONDS = 240.0
QUESTIONS = (
    "can i bring my dog to the sessions",
    "is my dog allowed in the room",
    "do you mind dogs",
    "my dog calms me can he come along",
    "is there parking",
)


class Stage:
    """Starts and stops all of it; `live` asks the live assistant."""

    def __init__(self, folder: Path, model: Path) -> None:
        """Work in `folder`; `model` is the project's trained model, with which the live assistant begins."""
        checkout = make_checkout(folder / "checkout")
        self.studio: Running = prepare(checkout, folder / "var", ASSISTANT_RASA_URL=f"http://127.0.0.1:{free_port()}")
        models = folder / "var" / "models"
        models.mkdir(parents=True)
        shutil.copy(model, models / "assistant.tar.gz")
        self.live = Live(self.studio.settings, secrets.internal_token(self.studio.settings, {}))
        self.rasa_log = folder / "rasa.log"
        self._rasa: Optional["subprocess.Popen[bytes]"] = None
        self.studio.start()
        try:
            self.journal = JournalFile(self.studio.settings.var)
            for question in QUESTIONS:
                self.journal.message(question)
            self._rasa = self._start_rasa(folder)
            wait_for(self.live.serving, START_SECONDS, f"the live assistant serves the studio's model; see {self.rasa_log}")
        except BaseException:
            self.close()
            raise

    def answer(self, text: str) -> str:
        """Return what the live assistant says to `text`."""
        reply: Optional[Dict[str, Any]] = self.live.say("a-visitor", text)
        return "\n".join(message.get("text", "") for message in reply["messages"]) if reply else ""

    def close(self) -> None:
        """Stop everything."""
        if self._rasa is not None:
            self._rasa.kill()
            self._rasa.wait()
        self.studio.stop()

    def _start_rasa(self, folder: Path) -> "subprocess.Popen[bytes]":
        endpoints = folder / "endpoints.yml"
        token = secrets.internal_token(self.studio.settings, {})
        text = (self.studio.root / "endpoints.yml").read_text(encoding="utf-8").split("\nmodels:")[0]
        endpoints.write_text(
            f"{text}\nmodels:\n  url: {self.studio.url}/models/current\n  headers: {{Authorization: Bearer {token}}}\n"
            f"  wait_time_between_pulls: {PULL_SECONDS}\n", encoding="utf-8",
        )
        port = self.studio.settings.rasa_url.rsplit(":", 1)[1]
        log = open(self.rasa_log, "wb")
        return subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "scripts.rasa", "run", "--interface", "127.0.0.1", "--port", port, "--endpoints",
             str(endpoints), "--credentials", "credentials.yml", "--quiet"],
            cwd=self.studio.root, stdout=log, stderr=log,
            env={**self.studio.environment, "PYTHONPATH": str(self.studio.root), "ASSISTANT_ACTIONS_URL": "http://127.0.0.1:9"},
        )
