"""What several test folders share."""
import pytest

from assistant.settings import Settings
from scripts.train import train


@pytest.fixture(scope="session")
def model():
    """Return the path of the project's model, trained anew when the data changed."""
    return train(Settings.from_env())
