"""Settings and secrets: defaults, and one clear line for what is wrong."""
import os
import stat
from dataclasses import fields

import pytest

from assistant.errors import SettingsError
from assistant.secrets import internal_token, key
from assistant.settings import Settings


def test_every_setting_has_a_default_that_parses_and_a_meaning():
    Settings.from_env({})
    assert all(item.metadata["meaning"] and item.metadata["variable"].startswith("ASSISTANT_") for item in fields(Settings))


def test_an_unknown_setting_is_named():
    with pytest.raises(SettingsError, match="ASSISTANT_PROT: there is no such setting"):
        Settings.from_env({"ASSISTANT_PROT": "8080"})


@pytest.mark.parametrize("variable, value", [
    ("ASSISTANT_PORT", "0"), ("ASSISTANT_PORT", "many"), ("ASSISTANT_MODE", "off"), ("ASSISTANT_RASA_URL", "localhost"),
    ("ASSISTANT_ORIGINS", "https://*.example.org"), ("ASSISTANT_RASA_TURN_SECONDS", "-1"),
])
def test_a_malformed_setting_is_named_with_its_value_and_the_remedy(variable, value):
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({variable: value})
    assert str(caught.value).startswith(f"{variable}={value!r}: give ")


def at(tmp_path):
    return Settings.from_env({"ASSISTANT_VAR": str(tmp_path / "var")})


def test_a_secret_is_made_once_and_readable_by_its_owner_alone(tmp_path):
    first = key("session", at(tmp_path), {})
    assert key("session", at(tmp_path), {}) == first
    assert stat.S_IMODE(os.stat(tmp_path / "var" / "secret").st_mode) == 0o600


def test_keys_of_different_purposes_differ(tmp_path):
    assert key("session", at(tmp_path), {}) != key("choice", at(tmp_path), {})
    assert internal_token(at(tmp_path), {}) == key("internal", at(tmp_path), {}).hex()


def test_a_short_secret_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="ASSISTANT_SECRET has 5 characters: give at least 32"):
        key("session", at(tmp_path), {"ASSISTANT_SECRET": "short"})
