"""The last step of `make setup`: fit the safety check, when data/safety or the code that learns from it changed."""
from __future__ import annotations

import sys

from assistant.encoder import Encoder
from assistant.safety import SafetyCheck
from assistant.safety.training import fitted
from assistant.settings import ROOT, Settings
from scripts.setup import run

DATA = ROOT / "data" / "safety"


def fit(settings: Settings) -> None:
    """Fit the check into the folder of built things, unless it lies there."""
    if not (fitted(DATA, settings.cache) / "model.json").is_file():
        SafetyCheck.fit(DATA, Encoder.load(settings), settings.cache)


def main() -> int:
    """Fit when need be; return the exit code."""
    return run([("safety check (about three minutes when data/safety changed)", fit)])


if __name__ == "__main__":
    sys.exit(main())
