"""The two assistants that benchmarks/speed.py compares: how each is trained, started and talked to."""
from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple

from assistant.encoder import folder
from assistant.errors import ModelError
from assistant.secrets import internal_token
from assistant.settings import ROOT, Settings
from scripts.local_services import free_port
from scripts.train import MODEL, OPTIONS, rasa_train

STARTS_WITHIN = 300.0  # seconds
# The folders under data/ that Rasa reads.
CONTENT = ("conversation", "dialogue", "faq", "practical", "site")
STOCK = Path(__file__).with_name("stock")


class Contender:
    """An assistant below `root`; what it needs and makes stands in a folder of its own."""

    name = ""
    options: Tuple[str, ...] = ()

    def __init__(self, root: Path, home: Path) -> None:
        """Take the files to train from and the folder to work in."""
        self.root, self.home, self.port = root, home, free_port()
        self._process: Optional["subprocess.Popen[bytes]"] = None
        self.env: Dict[str, str] = {
            **os.environ, "PYTHONPATH": str(ROOT), "ASSISTANT_VAR": str(home / "var"), "ASSISTANT_CACHE": str(home / "cache"),
            "RASA_CACHE_DIRECTORY": str(home / "rasa-cache"),
            "ASSISTANT_MODELS": str(home), "ASSISTANT_MODELS_URL": f"http://127.0.0.1:{free_port()}",  # nobody answers: this model stays
            "ASSISTANT_ACTIONS_URL": f"http://127.0.0.1:{free_port()}",  # nor here: the search is not measured
        }

    def train(self) -> float:
        """Train a model; return the seconds."""
        start = time.perf_counter()
        rasa_train(self.root, self.home, self.options, self.env)
        return time.perf_counter() - start

    def start(self) -> float:
        """Start the server; return the seconds until it has answered a message."""
        start = time.perf_counter()
        command = [
            sys.executable, "-W", "ignore", "-m", "scripts.rasa", "run", "--interface", "127.0.0.1", "--port", str(self.port),
            "--model", str(self.home / MODEL), "--endpoints", str(self.endpoints), "--credentials", str(self.credentials), "--quiet",
        ]
        with open(self.home / "rasa.log", "wb") as log:
            self._process = subprocess.Popen(command, cwd=self.root, env=self.env, stdout=log, stderr=subprocess.STDOUT)
        while time.perf_counter() - start < STARTS_WITHIN and self._process.poll() is None:
            try:
                self.connect().say(uuid.uuid4().hex, "hello")
                return time.perf_counter() - start
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
        raise ModelError(f"{self.name}: Rasa did not start. Its log: {self.home / 'rasa.log'}")

    def stop(self) -> None:
        """End the server."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def memory(self) -> float:
        """Return the memory of the Rasa process that is in use now, in MB (VmRSS)."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1024

    def connect(self) -> "Visitor":
        """Return a visitor with a connection of their own."""
        return Visitor(self)

    @property
    def endpoints(self) -> Path:
        """Return the file with Rasa's endpoints."""
        raise NotImplementedError

    @property
    def credentials(self) -> Path:
        """Return the file with Rasa's channels."""
        raise NotImplementedError

    def request(self, conversation: str, text: str) -> Tuple[str, Mapping[str, Any], Mapping[str, str]]:
        """Return path, body and headers of one message."""
        raise NotImplementedError


class Ours(Contender):
    """This project, as `make train` and `make run` use it."""

    name = "ours"
    options = OPTIONS

    def __init__(self, home: Path) -> None:
        """Make a cache that holds what `make setup` makes, the fitted safety check too, and nothing learnt from topics."""
        super().__init__(ROOT, home)
        settings = Settings.from_env()
        built, cache = folder(settings), home / "cache"
        (cache / "encoder").mkdir(parents=True)
        (cache / "encoder" / built.name).symlink_to(built)
        (cache / "safety").symlink_to(settings.cache / "safety")
        for places in settings.cache.glob("places-*.json"):
            shutil.copy(places, cache)
        ours = Settings.from_env({key: value for key, value in self.env.items() if key.startswith("ASSISTANT_")})
        self._headers = {"authorization": f"Bearer {internal_token(ours, self.env)}"}

    @property
    def endpoints(self) -> Path:
        """See Contender."""
        return ROOT / "endpoints.yml"

    @property
    def credentials(self) -> Path:
        """See Contender."""
        return ROOT / "credentials.yml"

    def request(self, conversation: str, text: str) -> Tuple[str, Mapping[str, Any], Mapping[str, str]]:
        """See Contender."""
        return "/webhooks/assistant/messages", {"conversation": conversation, "id": uuid.uuid4().hex, "text": text}, self._headers


class Stock(Contender):
    """Rasa as it comes, on the same phrasings, answers, rules and stories."""

    name = "stock"

    def __init__(self, home: Path) -> None:
        """Copy what Rasa reads of the project into a folder of its own."""
        root = home / "project"
        for content in CONTENT:
            shutil.copytree(ROOT / "data" / content, root / "data" / content)
        shutil.copy(ROOT / "domain.yml", root)
        shutil.copy(STOCK / "config.yml", root)
        super().__init__(root, home)

    @property
    def endpoints(self) -> Path:
        """See Contender."""
        return STOCK / "endpoints.yml"

    @property
    def credentials(self) -> Path:
        """See Contender."""
        return STOCK / "credentials.yml"

    def request(self, conversation: str, text: str) -> Tuple[str, Mapping[str, Any], Mapping[str, str]]:
        """See Contender."""
        return "/webhooks/rest/webhook", {"sender": conversation, "message": text}, {}


class Visitor:
    """One keep-alive connection to a contender."""

    def __init__(self, contender: Contender) -> None:
        """Take the contender; the connection opens with the first message."""
        self._contender = contender
        self._http = http.client.HTTPConnection("127.0.0.1", contender.port, timeout=60)

    def say(self, conversation: str, text: str) -> Tuple[float, bool]:
        """Send a message; return the seconds to the whole answer, and whether something was answered."""
        path, body, headers = self._contender.request(conversation, text)
        raw = json.dumps(body).encode()
        start = time.perf_counter()
        self._http.request("POST", path, raw, {**headers, "content-type": "application/json"})
        response = self._http.getresponse()
        answer = response.read()
        return time.perf_counter() - start, response.status == 200 and _messages(answer) != []


def _messages(answer: bytes) -> List[Any]:
    content = json.loads(answer)
    return content if isinstance(content, list) else content.get("messages", [])
