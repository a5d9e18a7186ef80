"""The NLU components as Rasa trains, fingerprints and loads them."""
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.importers.rasa import RasaFileImporter
from rasa.shared.nlu.training_data.message import Message

from addons import safety_check
from addons.entity_matcher import EntityMatcher
from addons.names import CHECKED, CRISIS, UNDERSTOOD
from addons.safety_check import SafetyCheck
from addons.understanding import Understanding
from assistant.encoder import folder
from assistant.settings import ROOT, Settings

TOPICS = ("conversation/greet", "conversation/out_of_scope", "practical/cost", "practical/nhs", "faq/number_of_sessions",
          "practical/session_length")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A cache that holds the encoder and nothing that was fitted."""
    cache = tmp_path_factory.mktemp("cache")
    built = folder(Settings.from_env())
    (cache / "encoder").mkdir()
    (cache / "encoder" / built.name).symlink_to(built)
    return cache


@pytest.fixture
def settings(cache, monkeypatch):
    monkeypatch.setenv("ASSISTANT_CACHE", str(cache))
    return Settings.from_env()


@pytest.fixture(scope="module")
def storage(tmp_path_factory):
    return LocalModelStorage(tmp_path_factory.mktemp("storage"))


@pytest.fixture
def context():
    return ExecutionContext(GraphSchema({}))


@pytest.fixture(scope="module")
def topics(tmp_path_factory):
    """A few topics in a folder of the test's own."""
    root = tmp_path_factory.mktemp("data")
    for name in TOPICS:
        (root / f"{Path(name).name}.yml").write_text((ROOT / "data" / f"{name}.yml").read_text())
    return root


def training_data(root):
    return RasaFileImporter(training_data_paths=[str(root)]).get_nlu_data()


def trained(storage, context, topics):
    component = Understanding.create({}, storage, Resource("understanding"), context)
    component.train(training_data(topics))
    return Understanding.load({}, storage, Resource("understanding"), context)


def read(component, text, **data):
    message = Message({"text": text, **data})
    return component.process([message])[0]


@pytest.fixture(scope="module")
def understanding(cache, storage, topics):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSISTANT_CACHE", str(cache))
        return trained(storage, ExecutionContext(GraphSchema({})), topics)


def test_loaded_component_understands_as_trained(understanding):
    message = read(understanding, "how much is it")
    assert message.get("intent")["name"] == "faq_cost"
    ranking = message.get("intent_ranking")
    assert ranking[0]["name"] == "faq_cost" and sum(item["confidence"] for item in ranking) == pytest.approx(1, abs=0.01)


def test_neighbours_and_questions_are_handed_on_in_labels(understanding):
    message = read(understanding, "What does it cost? And is it on the NHS?")
    assert message.get("intent")["name"] == "multi_question"
    assert message.get("questions") == message.get(UNDERSTOOD)["questions"] == ["faq_cost", "faq_nhs"]
    near = read(understanding, "how long is it").get(UNDERSTOOD)["neighbours"]
    assert all(set(item) == {"intent", "label"} for item in near)


def test_model_holds_arrays_and_json_and_no_pickle(storage, understanding):
    with storage.read_from(Resource("understanding")) as path:
        files = sorted(file.name for file in Path(path).iterdir())
        assert files == ["classifier.npz", "topics.json"]
        with np.load(Path(path) / "classifier.npz", allow_pickle=False) as arrays:
            assert len(arrays.files) > 3


def test_changed_answer_does_not_fit_again(settings, storage, context, topics, understanding):
    fitted = sorted((settings.cache / "classifier").iterdir())
    path = topics / "cost.yml"
    before = training_data(topics).fingerprint()
    path.write_text(path.read_text().replace("There is no set fee", "There is no fixed fee"))
    assert training_data(topics).fingerprint() != before  # Rasa trains the component again for it
    started = time.process_time()
    again = trained(storage, context, topics)
    seconds = time.process_time() - started
    assert sorted((settings.cache / "classifier").iterdir()) == fitted
    assert read(again, "how much is it").get("intent")["name"] == "faq_cost"
    assert seconds < 2


def test_changed_phrasing_fits_again(settings, storage, context, topics, understanding):
    fitted = len(list((settings.cache / "classifier").iterdir()))
    path = topics / "cost.yml"
    path.write_text(path.read_text().replace("  examples: |\n", "  examples: |\n    - what is the tariff for a sitting\n"))
    assert read(trained(storage, context, topics), "what is the tariff for a sitting").get("intent")["name"] == "faq_cost"
    assert len(list((settings.cache / "classifier").iterdir())) == fitted + 1


def test_changed_label_reaches_the_model_without_a_fit(settings, storage, context, topics, understanding):
    fitted = len(list((settings.cache / "classifier").iterdir()))
    path = topics / "nhs.yml"
    text = path.read_text()
    label = next(line for line in text.splitlines() if "label:" in line)
    path.write_text(text.replace(label, '    label: "NHS or not?"'))
    again = trained(storage, context, topics)
    assert again._reader.topics["faq_nhs"].label == "NHS or not?"
    assert len(list((settings.cache / "classifier").iterdir())) == fitted


def test_message_without_a_text_is_left_alone(understanding, context):
    for component in (understanding, EntityMatcher.create({}, None, Resource("m"), context)):
        message = Message({"intent": {"name": "faq_cost"}})
        assert component.process([message])[0].get("intent") == {"name": "faq_cost"}


def test_matcher_finds_places_and_what_words_mean(context):
    matcher = EntityMatcher.create({}, None, Resource("matcher"), context)
    message = read(matcher, "online in Leeds for anxiety, and what does attunement mean?")
    found = {item["entity"]: item["value"] for item in message.get("entities")}
    assert found["location"] == "Leeds" and found["session_format"] == "online" and found["concern"] == "anxiety"
    assert found["term"] == "attunement" and "attun" in message.get("meanings")[0].lower()
    assert all(message.get("text")[item["start"]:item["end"]] for item in message.get("entities"))


@pytest.fixture(scope="module")
def safety(model):
    """The check as the project's model holds it."""
    from rasa.core.agent import Agent

    graph = Agent.load(str(model)).processor.graph_runner
    return next(node._component for name, node in graph._instantiated_nodes.items() if "SafetyCheck" in name)


def test_person_at_risk_overrules_what_was_understood(safety):
    message = read(safety, "I want to kill myself", intent={"name": "faq_cost", "confidence": 0.99})
    assert message.get("intent")["name"] == CRISIS
    assert message.get(CRISIS)["category"] == "suicide" and "\n" in message.get(CRISIS)["text"]


def test_what_the_gateway_has_checked_is_not_checked_again(safety):
    checked = read(safety, "I want to kill myself", intent={"name": "faq_cost"}, metadata={CHECKED: True})
    assert checked.get("intent") == {"name": "faq_cost"}


def test_harmless_message_stays_as_it_was_understood(safety):
    message = read(safety, "how much does it cost", intent={"name": "faq_cost", "confidence": 0.9})
    assert message.get("intent") == {"name": "faq_cost", "confidence": 0.9}


def test_changed_safety_data_changes_the_fingerprint(tmp_path, monkeypatch):
    from addons import safety_check

    before = SafetyCheck.fingerprint_addon({})
    for file in safety_check.DATA.glob("*.yml"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(safety_check, "DATA", tmp_path)
    assert SafetyCheck.fingerprint_addon({}) == before
    with (tmp_path / "phrases.yml").open("a") as phrases:
        phrases.write("# another line\n")
    assert SafetyCheck.fingerprint_addon({}) != before


@pytest.mark.parametrize("folder, name", [("DATA", "phrases.yml"), ("CODE", "meaning.py")])
def test_a_change_of_the_safety_checks_data_or_code_trains_it_anew(folder, name, tmp_path, monkeypatch):
    known = SafetyCheck.fingerprint_addon({})
    copy = shutil.copytree(getattr(safety_check, folder), tmp_path / folder)
    monkeypatch.setattr(safety_check, folder, copy)
    assert SafetyCheck.fingerprint_addon({}) == known
    (copy / name).write_text("changed")
    assert SafetyCheck.fingerprint_addon({}) != known
