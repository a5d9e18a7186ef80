"""Releases while visitors write: the studio's store, a real Rasa and a real gateway. `make release-test` measures the same at length."""
from __future__ import annotations

import asyncio
import tarfile
import time
import uuid

import aiohttp
import pytest
import pytest_asyncio
from patience import within
from support import Client, until

from benchmarks.release_load import Store, run
from scripts.stack import Stack
from studio.releases import Release

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def store(model):
    """The release store of a running assistant, with two models."""
    with Stack(parts=("rasa", "actions", "gateway", "studio")) as stack:
        yield Store(stack)


@pytest_asyncio.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


def offer(store, archive):
    """Make a file the current release, as a studio with other ideas of a model would."""
    store.releases.add(archive, Release(uuid.uuid4().hex, "bad", "", "test", "a bad one", time.time(), ""))
    store.releases.activate(store.releases.all()[0].id, "test")


async def in_force(store, http):
    async with http.get(f"{store.stack.base}/health/ready") as response:
        assert response.status == 200, await response.text()
        return (await response.json())["release"]


async def test_a_release_and_a_roll_back_under_load_lose_nothing(store):
    figures = await run(store, visitors=5, think=0.5, changes=2)
    assert figures["errors"] == {} and figures["put_off"] == 0 and figures["changes"] == 2
    assert figures["slowest_change_seconds"] < within(10)


@pytest.mark.parametrize("kind", ["torn", "without_safety"])
async def test_a_bad_archive_is_refused_once_and_the_one_in_force_serves_on(store, http, tmp_path, kind):
    before = await in_force(store, http)
    good, bad = store.releases.archive(store.releases.current().id), tmp_path / "bad.tar.gz"
    if kind == "torn":
        bad.write_bytes(good.read_bytes()[:100_000])
    else:
        with tarfile.open(good) as old, tarfile.open(bad, "w:gz", compresslevel=1) as new:
            for member in old.getmembers():
                if "SafetyCheck" not in member.name:
                    new.addfile(member, old.extractfile(member) if member.isfile() else None)
    read = len(store.stack.log.read_text())
    offer(store, bad)

    def refusals():
        said = store.stack.log.read_text()[read:]
        return said.count("The released model is refused"), said.count("The release in force stays.")

    await until(lambda: all(refusals()), within(15))
    await asyncio.sleep(5)  # more than two looks at the store
    assert refusals() == (1, 1) and await in_force(store, http) == before
    status, value = await (await Client(http, store.stack.base).start()).say("hello")
    assert status == 200 and value["messages"]
    await store.change(http, 0)


async def test_what_starts_without_the_store_serves_the_release_that_was_current(store, http):
    for name in ("studio", "rasa", "gateway"):
        store.stack.stop(name)
    version = store.releases.current().version
    for name in ("rasa", "gateway"):
        store.stack.start(name)
    await asyncio.get_running_loop().run_in_executor(None, store.stack.ready)
    assert await in_force(store, http) == {"wanted": version, "served": version}
