"""The release store: atomic, checked, the last ten kept; what Rasa and the gateways get from it."""
from __future__ import annotations

import json
import time

import pytest
import requests
from studio_helpers import Running

from assistant import secrets
from studio.releases import KEPT, Release, ReleaseError, Releases


def make(store, tmp_path, number, activate=True):
    archive = tmp_path / f"model{number}.tar.gz"
    archive.write_bytes(b"model %d" % number)
    release = store.add(
        archive, Release(f"r{number:02d}", f"v{number}", "c" * 40, "Ada", f"note {number}", float(number), ""), {"phrasings": {}}
    )
    return store.activate(release.id, "Ada") if activate else release


@pytest.fixture
def store(tmp_path):
    return Releases(tmp_path / "releases")


def test_added_release_is_current_only_once_it_is_activated(store, tmp_path):
    assert store.current() is None
    first = make(store, tmp_path, 1)
    make(store, tmp_path, 2, activate=False)
    assert store.current().id == first.id
    assert store.activate("r02", "Bea").activated_by == "Bea" and store.current().id == "r02"
    assert store.archive("r02").read_bytes() == b"model 2" and store.results("r02") == {"phrasings": {}}


def test_last_ten_are_kept_and_the_current_one_whatever_its_age(store, tmp_path):
    for number in range(1, 4):
        make(store, tmp_path, number)
    store.activate("r01", "Ada")
    for number in range(4, 15):
        make(store, tmp_path, number, activate=False)
    store.activate("r01", "Ada")
    assert [release.id for release in store.all()] == [f"r{n:02d}" for n in range(14, 14 - KEPT, -1)] + ["r01"]
    assert store.archive("r01").is_file() and not store.archive("r02").exists()


def test_release_is_activated_by_its_version_too(store, tmp_path):
    make(store, tmp_path, 1)
    make(store, tmp_path, 2)
    assert store.activate("v1", "Ada").id == store.current().id == "r01"


def test_damaged_release_is_refused_and_the_current_one_stays(store, tmp_path):
    make(store, tmp_path, 1)
    make(store, tmp_path, 2)
    store.archive("r01").write_bytes(b"broken")
    with pytest.raises(ReleaseError, match="damaged"):
        store.activate("r01", "Ada")
    assert store.current().id == "r02"


@pytest.mark.parametrize("identity", ["nothing", "../current", "", "r01/../r01"])
def test_unknown_release_is_refused(store, tmp_path, identity):
    make(store, tmp_path, 1)
    with pytest.raises(ReleaseError, match="not kept any more"):
        store.activate(identity, "Ada")


def test_crash_between_archive_and_description_leaves_nothing_half_released(store, tmp_path):
    make(store, tmp_path, 1)
    (store.folder / "r09.tar.gz").write_bytes(b"half")  # the description was never written
    (store.folder / ".r10.tar.gz.part").write_bytes(b"ha")
    assert [release.id for release in store.all()] == ["r01"] and store.current().id == "r01"


def test_model_of_the_command_line_is_taken_up_once(store, tmp_path):
    archive = tmp_path / "assistant.tar.gz"
    archive.write_bytes(b"trained")
    assert store.adopt(archive, "v", "c" * 40).author == "command line"
    assert store.adopt(archive, "v", "c" * 40) is None
    make(store, tmp_path, 5)
    archive.write_bytes(b"trained again")
    assert store.adopt(archive, "v2", "c" * 40).version == "v2" and store.current().version == "v2"


@pytest.fixture
def served(own_studio, tmp_path):
    studio = own_studio()
    store = Releases(studio.settings.var / "releases")
    return studio, store


def get(studio: Running, **headers: str):
    token = secrets.internal_token(studio.settings, {})
    return requests.get(studio.url + "/models/current", headers={"Authorization": f"Bearer {token}", **headers}, timeout=20)


def test_model_is_served_with_an_etag_to_who_has_the_token(served, tmp_path):
    studio, store = served
    assert get(studio).status_code == 404
    make(store, tmp_path, 1)
    answer = get(studio)
    assert (answer.status_code, answer.content, answer.headers["filename"]) == (200, b"model 1", "r01.tar.gz")
    assert get(studio, **{"If-None-Match": answer.headers["ETag"]}).status_code == 304
    make(store, tmp_path, 2)
    assert get(studio, **{"If-None-Match": answer.headers["ETag"]}).content == b"model 2"
    assert requests.get(studio.url + "/models/current", timeout=20).status_code == 401
    assert get(studio, Authorization="Bearer wrong").status_code == 401


def test_roll_back_is_one_button_and_at_once(served, tmp_path):
    studio, store = served
    for number in (1, 2):
        make(store, tmp_path, number)
    pub = studio.person("Pia Publisher", "publisher")
    page = pub.get("/publish").text
    assert page.count("Roll back") == 1
    start = time.monotonic()
    answer = pub.post("/publish/rollback/r01")
    assert "Rolled back to “note 1”" in answer.text and get(studio).content == b"model 1"
    assert time.monotonic() - start < 10
    assert json.loads((store.folder / "r01.json").read_text())["activated_by"] == "Pia Publisher"
