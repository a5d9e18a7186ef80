"""Fixtures of the channels' tests."""
from __future__ import annotations

import sys
from pathlib import Path

import pytest
import pytest_asyncio

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "test_gateway")]

from fakes import SERVICES  # noqa: E402

from assistant.settings import Settings  # noqa: E402
from gateway import release  # noqa: E402


@pytest.fixture(scope="session")
def view():
    """The safety data of this checkout."""
    return release.checkout(Settings.from_env({}))


@pytest_asyncio.fixture(params=SERVICES)
async def service(request):
    """A fake of each messaging service in turn; what the gateway sends must break none of its rules."""
    fake = await SERVICES[request.param]().start()
    yield fake
    await fake.stop()
    assert fake.wrong == []
