"""A model to talk to, kept ready for a while after each question."""
from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, Dict, Optional

from assistant.settings import Settings
from studio.processes import ANSWER_SECONDS, Lab

IDLE_SECONDS = 600.0


class Labs:
    """One model to talk to at a time, in a process of its own, which ends when nobody uses it. Safe to use from threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._lock = settings, threading.Lock()
        self._lab: Optional[Lab] = None
        self._of: Optional[Path] = None
        self._timer: Optional[threading.Timer] = None

    def ask(self, archive: Path, checkout: Path, seconds: float = ANSWER_SECONDS, **request: Any) -> Dict[str, Any]:
        """Ask the model `archive`, which is started if need be. Raises ProcessFailed."""
        with self._lock:
            if self._lab is None or self._of != archive or not self._lab.alive:
                self._close()
                self._lab, self._of = Lab(checkout, self._settings), archive
                self._lab.use(archive)
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
