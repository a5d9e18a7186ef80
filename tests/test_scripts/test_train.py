"""What `make train` trains from, and what it does when it cannot."""
import shutil

import pytest

from assistant.errors import ModelError
from assistant.settings import ROOT, Settings
from scripts import train


@pytest.fixture
def copy(tmp_path):
    """A copy of what a model is trained from."""
    (tmp_path / "copy").mkdir()
    for name in (*train.INPUTS, "actions"):  # the content check looks at what the actions say
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / "copy" / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, tmp_path / "copy" / name)
    return tmp_path / "copy"


def at(tmp_path):
    return Settings.from_env({"ASSISTANT_MODELS": str(tmp_path / "models")})


@pytest.mark.parametrize("changed", ["data/faq/benefits.yml", "config.yml", "domain.yml", "assistant/choices.py", "data/safety/phrases.yml"])
def test_a_change_of_any_input_is_noticed(copy, changed):
    before = train.fingerprint(copy)
    with open(copy / changed, "a") as file:
        file.write("\n# changed\n")
    assert train.fingerprint(copy) != before


def test_equal_inputs_are_not_trained_again(copy, tmp_path):
    settings = at(tmp_path)
    settings.models.mkdir()
    (settings.models / train.MODEL).write_bytes(b"a model")
    (settings.models / "trained-from").write_text(train.fingerprint(copy))
    assert train.train(settings, copy).read_bytes() == b"a model"


def test_content_with_problems_is_not_trained_and_all_are_named(copy, tmp_path):
    settings = at(tmp_path)
    (copy / "data/faq/benefits.yml").unlink()
    (copy / "data/faq/techniques.yml").unlink()
    with pytest.raises(ModelError) as caught:
        train.train(settings, copy)
    assert "faq_benefits" in str(caught.value) and "faq_techniques" in str(caught.value)
    assert not (settings.models / train.MODEL).exists()


def test_a_failed_training_leaves_the_old_model_and_nothing_half_made(copy, tmp_path):
    settings = at(tmp_path)
    settings.models.mkdir()
    (settings.models / train.MODEL).write_bytes(b"the old model")
    (copy / "config.yml").write_text("recipe: default.v1\nlanguage: en\npipeline:\n- name: addons.none.Such\npolicies: []\n")
    with pytest.raises(ModelError, match="rasa train failed"):
        train.train(settings, copy)
    assert [path.name for path in settings.models.iterdir()] == [train.MODEL]
    assert (settings.models / train.MODEL).read_bytes() == b"the old model"
