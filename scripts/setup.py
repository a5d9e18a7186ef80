"""`make setup` after the environment: the built things, each made once."""
from __future__ import annotations

import sys
from typing import Callable, Sequence, Tuple

from assistant.encoder_build import build as build_encoder
from assistant.errors import AssistantError
from assistant.settings import Settings
from scripts.build_widget import build as build_widget
from scripts.places_extract import build as build_places

STEPS: Sequence[Tuple[str, Callable[[Settings], object]]] = (
    ("sentence encoder", build_encoder),
    ("places of the United Kingdom", build_places),
    ("chat widget", build_widget),
)


def run(steps: Sequence[Tuple[str, Callable[[Settings], object]]]) -> int:
    """Run each step with a line of progress; return the exit code."""
    try:
        settings = Settings.from_env()
        for name, step in steps:
            print(f"[setup] {name}", file=sys.stderr)
            step(settings)
    except AssistantError as error:
        print(f"make setup: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(run(STEPS))
