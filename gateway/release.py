"""The released model as the gateway sees it: safety check, helplines, replies, version."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assistant.encoder import Encoder
from assistant.safety import Helplines, Replies, SafetyCheck
from assistant.settings import ROOT, Settings


@dataclass(frozen=True)
class View:
    """What of one release the gateway uses; replaced as a whole, never in part."""

    version: str
    safety: SafetyCheck
    helplines: Helplines
    replies: Replies


def load(settings: Settings, data: Path = ROOT / "data") -> View:
    """Return the safety data of this checkout, fitted once and kept in the cache folder.

    Raises ContentError, EncoderError.
    """
    folder = data / "safety"
    check = SafetyCheck.fit(folder, Encoder.load(settings), cache=settings.cache)
    return View("unreleased", check, Helplines.load(folder), Replies.load(folder))
