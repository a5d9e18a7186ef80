"""Fixtures of the gateway's tests."""
from __future__ import annotations

import sys
from pathlib import Path

import pytest
import pytest_asyncio

sys.path.insert(0, str(Path(__file__).parent))

import support  # noqa: E402

from assistant.settings import Settings  # noqa: E402
from gateway import release  # noqa: E402


@pytest.fixture(scope="session")
def view():
    """The safety data of the trained model, or of this checkout."""
    return release.Release(Settings.from_env({}))()


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server, or None."""
    yield from support.postgres()


@pytest.fixture(params=["sqlite", "postgresql"])
def journal_url(request, monkeypatch):
    """Run the test on both databases."""
    if request.param == "sqlite":
        monkeypatch.delenv("ASSISTANT_JOURNAL_URL", raising=False)
        return "sqlite"
    server = request.getfixturevalue("postgres")
    if server is None:
        pytest.skip("NO POSTGRESQL HERE")
    url = server.database()
    monkeypatch.setenv("ASSISTANT_JOURNAL_URL", url)
    return url


@pytest_asyncio.fixture
async def gateway(tmp_path, view, journal_url):
    """A running gateway with a Rasa behind it, on each database."""
    async with support.gateway_at(support.settings_for(tmp_path), view) as running:
        yield running


@pytest_asyncio.fixture
async def light(tmp_path, view, monkeypatch):
    """A running gateway on SQLite: for what has nothing to do with the database."""
    monkeypatch.delenv("ASSISTANT_JOURNAL_URL", raising=False)
    async with support.gateway_at(support.settings_for(tmp_path), view) as running:
        yield running
