"""Trained models opened to look into: what was understood and why, and a model to talk to."""
from __future__ import annotations

import json
import tempfile
import threading
import urllib.error
import urllib.request
import uuid
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Optional, Tuple

from assistant.encoder import Encoder
from assistant.release import unpack
from assistant.safety import SafetyCheck
from assistant.settings import Settings
from assistant.understanding.reader import Reader
from studio.processes import Lab

KEPT = 2  # models in memory
IDLE_SECONDS = 600.0
LIVE_SECONDS = 8.0


@dataclass(frozen=True)
class Opened:
    """A model's understanding, without Rasa."""

    version: str
    reader: Reader
    safety: SafetyCheck


class OpenModels:
    """Understanding and safety check of trained models, the last few kept. Safe to use from threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._lock = settings, threading.Lock()
        self._kept: "OrderedDict[Tuple[str, int], Opened]" = OrderedDict()

    def open(self, archive: Path) -> Opened:
        """Return what `archive` understands. Raises ModelError, EncoderError."""
        key = (str(archive), archive.stat().st_mtime_ns) if archive.is_file() else (str(archive), 0)
        with self._lock:
            if key not in self._kept:
                encoder = Encoder.load(self._settings)
                with tempfile.TemporaryDirectory() as folder:
                    release = unpack(archive, Path(folder) / "model")
                    self._kept[key] = Opened(release.version, Reader.load(release.understanding, encoder), SafetyCheck.load(release.safety, encoder))
            self._kept.move_to_end(key)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return self._kept[key]


class Labs:
    """One model to talk to at a time, in a process of its own, which ends when nobody uses it. Safe to use from threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._lock = settings, threading.Lock()
        self._lab: Optional[Lab] = None
        self._of: Optional[Path] = None
        self._timer: Optional[threading.Timer] = None

    def ask(self, archive: Path, checkout: Path, seconds: float = 30.0, **request: Any) -> Dict[str, Any]:
        """Ask the model `archive`, which is started if need be. Raises ProcessFailed."""
        with self._lock:
            if self._lab is None or self._of != archive or not self._lab.alive:
                self._close()
                self._lab, self._of = Lab(archive, checkout, self._settings), archive
            lab = self._lab
            self._restart_timer()
        return lab.ask(seconds, **request)

    def close(self) -> None:
        """End the model's process."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._lab is not None:
            self._lab.close()
            self._lab = self._of = None

    def _restart_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = threading.Timer(IDLE_SECONDS, self.close)
        self._timer.daemon = True
        self._timer.start()


class Live:
    """The live assistant, spoken to by Rasa's channel: nothing of it reaches the journal."""

    def __init__(self, settings: Settings, token: str) -> None:
        self._url, self._token = f"{settings.rasa_url}/webhooks/assistant", token

    def serving(self) -> Optional[str]:
        """Return the version of the model that it serves, or None when it does not answer."""
        found = self._call("GET", "/", None, 2.0)
        return str(found["model"]) if found and "model" in found else None

    def say(self, conversation: str, text: str, intent: str = "") -> Optional[Dict[str, Any]]:
        """Return the live assistant's turn as its channel describes it, or None when it does not answer."""
        body: Dict[str, Any] = {"conversation": conversation, "id": str(uuid.uuid4())}
        body.update({"intent": intent, "entities": []} if intent else {"text": text})
        return self._call("POST", "/messages", body, LIVE_SECONDS)

    def forget(self, conversation: str) -> None:
        """Delete a tried conversation."""
        self._call("DELETE", f"/conversations/{conversation}", None, LIVE_SECONDS)

    def _call(self, method: str, path: str, body: Optional[Dict[str, Any]], seconds: float) -> Optional[Dict[str, Any]]:
        request = urllib.request.Request(
            self._url + path, method=method, data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=seconds) as reply:
                text = reply.read()
                return json.loads(text) if text else {}
        except (urllib.error.URLError, OSError, ValueError):
            return None
