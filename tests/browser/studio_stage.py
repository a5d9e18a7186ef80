"""A studio with its live assistant: a checkout, a journal with messages, and a real Rasa that pulls its model from the studio."""

from __future__ import annotations

import datetime
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict, Optional

from assistant import secrets
from assistant.directory.counts import Counts
from studio.live import Live
from tests.test_studio.journal_rows import JournalFile
from tests.test_studio.studio_helpers import Running, free_port, make_checkout, prepare, wait_for

START_SECONDS = 240.0
QUESTIONS = (
    "can i bring my dog to the sessions",
    "is my dog allowed in the room",
    "do you mind dogs",
    "my dog calms me can he come along",
    "is there parking",
)

# The topic that answers the first of them, as a member of staff would write it.
PHRASINGS = (
    "can i bring a pet",
    "are pets ok in therapy",
    "may my cat come too",
    "animals allowed at appointments?",
    "is it alright to bring an animal",
    "therapy with my puppy beside me",
    "do therapists allow pets in their room",
    "pet friendly therapist",
    "could i take my hound along",
    "would they let me have a pet with me",
)
ANSWER = (
    "It depends on the therapist. Some are glad to have a calm animal in the room, and others cannot, because of allergies or the rules of the "
    "building. Ask before the first appointment."
)
MORE = (
    "If an animal helps you to feel safe, say so when you get in touch, and ask what the therapist thinks of it. Online sessions are another "
    "way: at home, your pet can be there all the time. An assistance dog is welcome by law in most places."
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
            self._rasa = self._start_rasa()
            wait_for(self.live.serving, START_SECONDS, f"the live assistant serves the studio's model; see {self.rasa_log}")
        except BaseException:
            self.close()
            raise

    def answer(self, text: str) -> str:
        """Return what the live assistant says to `text`."""
        reply: Optional[Dict[str, Any]] = self.live.say("a-visitor", text)
        return "\n".join(message.get("text", "") for message in reply["messages"]) if reply else ""

    def weeks_of_use(self) -> None:
        """Write what several weeks of use leave behind, for the page of numbers."""
        asked = ("faq_cost", "faq_nhs", "faq_session_length", "faq_cost", "nlu_fallback", "find_therapist", "faq_definition")
        counts = Counts(self.studio.settings)
        for number in range(150):
            at, reference, intent = time.time() - number * 37 % 53 * 86400, f"N{number:03d}-USED", asked[number % len(asked)]
            crisis = {"level": "crisis", "outcome": "crisis"} if number % 41 == 0 else {}
            self.journal.turn(reference, intent, [f"utter_{intent}"], conversation=f"n{number}", at=at, **crisis)
            if number % 6 == 0:
                self.journal.feedback(reference, helpful=number % 24 != 0)
            if number % 5 == 0:
                day = datetime.date.fromtimestamp(at)
                counts.add("searched", day=day)
                counts.add(("shown", "clicked", "none")[number // 5 % 3], area="LS", concern="anxiety", day=day)

    def close(self) -> None:
        """Stop everything."""
        if self._rasa is not None:
            self._rasa.kill()
            self._rasa.wait()
        self.studio.stop()

    def _start_rasa(self) -> "subprocess.Popen[bytes]":
        port = self.studio.settings.rasa_url.rsplit(":", 1)[1]
        log = open(self.rasa_log, "wb")
        return subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "scripts.rasa", "run", "--interface", "127.0.0.1", "--port", port, "--endpoints",
             "endpoints.yml", "--credentials", "credentials.yml", "--quiet"],
            cwd=self.studio.root, stdout=log, stderr=log,
            env={**self.studio.environment, "PYTHONPATH": str(self.studio.root), "ASSISTANT_ACTIONS_URL": "http://127.0.0.1:9",
                 "ASSISTANT_MODELS_URL": f"{self.studio.url}/models/current"},
        )
