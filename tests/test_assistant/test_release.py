"""What is read of a model's archive, and what is refused."""
import io
import json
import os
import tarfile

import pytest

from assistant.errors import ModelError
from assistant.release import PULLED, SAFETY, STORE, UNDERSTANDING, etag, newest, unpack
from assistant.settings import Settings

FILES = {
    "metadata.json": json.dumps({"model_id": "abc", "trained_at": "2026-11-24T08:00:00"}),
    f"components/train_{SAFETY}2/phrases.yml": "phrases: []",
    f"components/train_{UNDERSTANDING}0/topics.json": json.dumps({"intents": [], "topics": {"faq_cost": ["What does it cost?", []]}}),
    "components/train_RulePolicy3/rule_policy.json": "{}",
}


def archive(tmp_path, files):
    path = tmp_path / "model.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return path


def test_a_release_has_its_version_labels_and_safety_files(tmp_path):
    release = unpack(archive(tmp_path, FILES), tmp_path / "out")
    assert release.version == "abc" and release.labels == {"faq_cost": "What does it cost?"}
    assert (release.safety / "phrases.yml").read_text() == "phrases: []"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted([SAFETY, UNDERSTANDING])


@pytest.mark.parametrize("missing", ["metadata.json", f"components/train_{SAFETY}2/phrases.yml"])
def test_an_archive_without_a_part_is_refused_and_leaves_nothing(tmp_path, missing):
    files = {name: text for name, text in FILES.items() if name != missing}
    with pytest.raises(ModelError, match="not a model of this version"):
        unpack(archive(tmp_path, files), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_broken_archive_is_refused(tmp_path):
    path = archive(tmp_path, FILES)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ModelError):
        unpack(path, tmp_path / "out")


def test_a_member_cannot_be_written_outside(tmp_path):
    files = {**FILES, f"components/../../{SAFETY}/evil": "no", f"../components/train_{SAFETY}2/../../../evil": "no"}
    unpack(archive(tmp_path, files), tmp_path / "out")
    assert not list(tmp_path.rglob("evil"))


def test_what_came_last_to_this_machine_counts_and_a_roll_back_by_its_own_time(tmp_path):
    settings = Settings.from_env({"ASSISTANT_VAR": str(tmp_path / "var"), "ASSISTANT_MODELS": str(tmp_path / "models")})
    places = {
        "old release": settings.var / STORE / "old.tar.gz", "trained": settings.models / "assistant.tar.gz", "pulled": settings.var / PULLED,
        "current": settings.var / STORE / "current",
    }

    def put(name, second, text="bytes"):
        places[name].parent.mkdir(parents=True, exist_ok=True)
        places[name].write_text(text)
        os.utime(places[name], (second, second))

    assert newest(settings) is None
    put("old release", 1)
    put("trained", 2)
    assert newest(settings) == places["trained"]
    put("pulled", 3)
    assert newest(settings) == places["pulled"]
    put("current", 4, "old")
    assert newest(settings) == places["old release"]
    put("current", 5, "of a release that is gone")
    assert newest(settings) == places["pulled"]


def test_the_etag_is_the_sha256_of_the_archive(tmp_path):
    (tmp_path / "model").write_bytes(b"abc")
    assert etag(tmp_path / "model") == '"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"'
