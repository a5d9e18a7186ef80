"""The last step of `make setup`: fit the safety check, when data/safety or the code that learns from it changed."""
from __future__ import annotations

import sys

from assistant.encoder import Encoder
from assistant.errors import AssistantError
from assistant.safety import SafetyCheck
from assistant.safety.training import fitted
from assistant.settings import ROOT, Settings

DATA = ROOT / "data" / "safety"


def main() -> int:
    """Fit when need be; return the exit code."""
    try:
        settings = Settings.from_env()
        if not (fitted(DATA, settings.cache) / "model.json").is_file():
            print("[setup] safety check, since data/safety changed (about three minutes)", file=sys.stderr)
            SafetyCheck.fit(DATA, Encoder.load(settings), settings.cache)
    except AssistantError as error:
        print(f"make setup: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
