"""Trained models opened to look into, without Rasa: what was understood and why."""
from __future__ import annotations

import tempfile
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Tuple

from assistant.encoder import Encoder
from assistant.release import unpack
from assistant.safety import SafetyCheck
from assistant.settings import Settings
from assistant.understanding.reader import Reader

KEPT = 2  # models in memory


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
                    self._kept[key] = Opened(
                        release.version, Reader.load(release.understanding, encoder), SafetyCheck.load(release.safety, encoder)
                    )
            self._kept.move_to_end(key)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return self._kept[key]
