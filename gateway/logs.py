"""What the gateway logs: its own lines alone. Libraries quote addresses, SQL parameters and exceptions, which hold visitors' words."""
from __future__ import annotations

import logging
import sys
import warnings

# At any level of the root logger these stay silent: what fails in them is reported by gateway/errors.py without its text.
SILENT = ("sanic.root", "sanic.error", "sanic.access", "asyncpg", "sqlalchemy", "aiohttp", "asyncio")


def configure(level: int = logging.INFO) -> None:
    """Log the gateway's own lines to standard error."""
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    for name in SILENT:
        logger = logging.getLogger(name)
        logger.setLevel(logging.CRITICAL + 1)
        logger.propagate = False
    warnings.simplefilter("ignore", DeprecationWarning)
