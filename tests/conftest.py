"""What several test folders share."""
import logging

import pytest

from assistant.settings import Settings
from scripts.stack import Stack
from scripts.train import train


@pytest.fixture(scope="session")
def model():
    """Return the path of the project's model, trained anew when the data changed."""
    return train(Settings.from_env())


@pytest.fixture(scope="session")
def agent(model):
    """The project's model in this process, with our replies; the search form's actions are out of reach."""
    from rasa.core.agent import Agent
    from rasa.utils.endpoints import EndpointConfig
    from rasa.utils.log_utils import configure_structlog

    configure_structlog(logging.ERROR)  # without it, structlog prints every message
    nowhere = EndpointConfig("http://127.0.0.1:9/webhook")
    return Agent.load(str(model), generator=EndpointConfig(type="addons.nlg.Responses"), action_endpoint=nowhere)


@pytest.fixture(scope="session")
def stack(model):
    """The whole assistant: gateway, Rasa and action server."""
    with Stack({"ASSISTANT_RASA_TURN_SECONDS": "20"}, wait=False) as whole:
        whole.ready(300.0)
        yield whole
