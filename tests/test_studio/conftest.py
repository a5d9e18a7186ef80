"""One studio for the tests of this folder; tests that change content or accounts take one of their own."""
from __future__ import annotations

from typing import Any, Callable, Iterator

import pytest
from studio_helpers import Running, make_checkout, prepare


@pytest.fixture(scope="session")
def studio(tmp_path_factory: Any) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("studio")
    running = prepare(make_checkout(folder / "checkout"), folder / "var").start()
    yield running
    running.stop()


@pytest.fixture
def own_studio(tmp_path: Any) -> Iterator[Callable[..., Running]]:
    started = []

    def start(**variables: str) -> Running:
        running = prepare(make_checkout(tmp_path / "checkout"), tmp_path / "var", **variables).start()
        started.append(running)
        return running

    yield start
    for running in started:
        running.stop()
