"""Fixtures of the tests that stop, kill and take away real processes and databases."""
from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "test_gateway")]

import support  # noqa: E402


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server, or None."""
    yield from support.postgres()
