"""Runs a studio on another checkout: `serve.py ROOT`; the settings come from the environment."""
import logging
import sys
from pathlib import Path

from assistant.settings import Settings
from studio.__main__ import serve

if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    serve(Settings.from_env(), Path(sys.argv[1]))
