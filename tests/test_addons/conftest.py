import uuid

import pytest

from tests.test_addons.serving import Actions, Rasa
from tests.test_addons.talk import Talk


@pytest.fixture(scope="session")
def actions():
    """An action server whose calls a test may hold."""
    server = Actions()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def modelless(tmp_path_factory):
    """A Rasa whose model source does not answer, so that it runs without a model."""
    var = tmp_path_factory.mktemp("modelless")
    endpoints = var / "endpoints.yml"
    endpoints.write_text("models:\n  url: http://127.0.0.1:9/model\n  wait_time_between_pulls: 100\n")
    server = Rasa(var, endpoints=endpoints)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def rasa(model, actions, modelless, tmp_path_factory):
    """A Rasa with the project's model, started with --debug: nothing of a visitor may be logged even then."""
    server = Rasa(tmp_path_factory.mktemp("rasa"), actions.url, model, arguments=["--debug"])
    try:
        server.wait().say("warm-up", "hello")
        yield server
    finally:
        server.stop()


@pytest.fixture
def talk(agent):
    """A conversation with `agent`."""
    return Talk(agent)


@pytest.fixture
def conversation():
    return uuid.uuid4().hex
