"""Every setting of the project, read once from the environment into a frozen dataclass.

A malformed or unknown `ASSISTANT_…` variable stops the start with its name, its value and the remedy.
"""
from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Callable, Mapping, Optional, TypeVar

from assistant.errors import SettingsError

ROOT = Path(__file__).resolve().parent.parent

SEARCH_FILTERS = ("location", "session_format", "concern", "audience")

T = TypeVar("T")


def _integer(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        number = int(value)
        if not low <= number <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return number

    parse.__doc__ = f"a whole number from {low} to {high}"
    return parse


def _seconds(value: str) -> float:
    """a number of seconds, more than 0"""
    number = float(value)
    if not number > 0:
        raise ValueError
    return number


def _text(value: str) -> str:
    """a text that is not empty"""
    if not value.strip():
        raise ValueError
    return value.strip()


def _url(value: str) -> str:
    """an address that begins with http:// or https://"""
    if not value.startswith(("http://", "https://")):
        raise ValueError
    return value.rstrip("/")


def _optional_url(value: str) -> str:
    """an address that begins with http:// or https://, or nothing"""
    return _url(value) if value else ""


def _origins(value: str) -> tuple[str, ...]:
    """origins such as https://example.org, separated by commas, without a wildcard"""
    found = tuple(part.strip() for part in value.split(",") if part.strip())
    if any(not origin.startswith(("http://", "https://")) or "*" in origin or origin.count("/") != 2 for origin in found):
        raise ValueError
    return found


def _pairs(value: str) -> tuple[tuple[str, str], ...]:
    """pairs such as online=video,in_person=face-to-face, separated by commas, each name once"""
    pairs = [part.partition("=") for part in value.split(",") if part.strip()]
    found = {name.strip(): target.strip() for name, _, target in pairs}
    if len(found) < len(pairs) or not all(found) or not all(found.values()):
        raise ValueError
    return tuple(found.items())


def _search_url(value: str) -> str:
    """an address whose query may have {location}, {session_format}, {concern} and {audience}, or nothing"""
    if value and (not value.startswith(("http://", "https://")) or set(re.findall(r"{(.*?)}", value)) - set(SEARCH_FILTERS)):
        raise ValueError
    return value


def _path(value: str) -> Path:
    """a path, absolute or from the repository's root"""
    return ROOT / _text(value)


def _one_of(*allowed: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in allowed:
            raise ValueError
        return value

    parse.__doc__ = "one of " + ", ".join(allowed)
    return parse


def _setting(variable: str, default: str, parse: Callable[[str], T], meaning: str) -> T:
    """A dataclass field that `Settings.from_env` fills; `default` is written as in the environment."""
    return field(metadata={"variable": variable, "default": default, "parse": parse, "meaning": meaning})  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Settings:
    """All settings; the metadata of each field holds its variable, default, parser and meaning."""

    mode: str = _setting("ASSISTANT_MODE", "full", _one_of("full", "signposting"),
                         "`signposting` switches the answers off: search link, contact and helplines only")
    gateway_host: str = _setting("ASSISTANT_HOST", "127.0.0.1", _text, "address on which the gateway listens")
    gateway_port: int = _setting("ASSISTANT_PORT", "8080", _integer(1, 65535), "the gateway's port")
    studio_host: str = _setting("ASSISTANT_STUDIO_HOST", "127.0.0.1", _text,
                                "address on which the studio listens; another only for a private network, or behind a proxy with TLS")
    studio_port: int = _setting("ASSISTANT_STUDIO_PORT", "8090", _integer(1, 65535), "the studio's port")
    rasa_port: int = _setting("ASSISTANT_RASA_PORT", "5005", _integer(1, 65535), "Rasa's port, loopback only")
    actions_port: int = _setting("ASSISTANT_ACTIONS_PORT", "5055", _integer(1, 65535), "the action server's port, loopback only")
    rasa_url: str = _setting("ASSISTANT_RASA_URL", "http://127.0.0.1:5005", _url, "where the gateway finds Rasa")
    actions_url: str = _setting("ASSISTANT_ACTIONS_URL", "http://127.0.0.1:5055", _url, "where Rasa finds the action server (endpoints.yml)")
    redis_host: str = _setting("ASSISTANT_REDIS_HOST", "127.0.0.1", _text, "Redis for Rasa's lock, with several Rasa servers (deploy/endpoints.yml)")
    redis_port: int = _setting("ASSISTANT_REDIS_PORT", "6379", _integer(1, 65535), "the port of that Redis")
    models_url: str = _setting("ASSISTANT_MODELS_URL", "http://127.0.0.1:8090/models/current", _url,
                               "where Rasa and the gateways get the released model: the studio's release store")
    rasa_turn_seconds: float = _setting("ASSISTANT_RASA_TURN_SECONDS", "4", _seconds,
                                        "how long a turn in Rasa may take before the visitor gets the fallback reply")
    public_url: str = _setting("ASSISTANT_PUBLIC_URL", "", _optional_url,
                               "the address under which visitors and messaging services reach the gateway; nothing: its own host and port")
    origins: tuple[str, ...] = _setting("ASSISTANT_ORIGINS", "", _origins,
                                        "web sites whose pages may use the widget, such as https://www.example.org, separated by commas")
    trusted_proxies: int = _setting("ASSISTANT_TRUSTED_PROXIES", "0", _integer(0, 5),
                                    "how many proxies stand before the gateway and add to X-Forwarded-For")
    session_minutes: int = _setting("ASSISTANT_SESSION_MINUTES", "40", _integer(5, 1440),
                                    "how long a widget session lasts without use")
    messages_per_minute: int = _setting("ASSISTANT_MESSAGES_PER_MINUTE", "20", _integer(1, 100_000),
                                        "messages of one visitor in a minute; never applied to a message from someone at risk")
    sessions_per_second: int = _setting("ASSISTANT_SESSIONS_PER_SECOND", "1", _integer(1, 100_000),
                                        "new sessions of one visitor in a second")
    text_hours: int = _setting("ASSISTANT_TEXT_HOURS", "24", _integer(1, 168), "how long message text and a conversation are kept")
    turn_days: int = _setting("ASSISTANT_TURN_DAYS", "30", _integer(1, 365),
                              "how long it is kept, without text, what each turn was understood as")
    inbox_days: int = _setting("ASSISTANT_INBOX_DAYS", "30", _integer(1, 365), "how long redacted rows stay in the studio's inbox")
    coalesce_seconds: float = _setting("ASSISTANT_COALESCE_SECONDS", "4", _seconds,
                                       "on messaging services, messages this close together are understood as one")
    coalesce_longest_seconds: float = _setting("ASSISTANT_COALESCE_LONGEST_SECONDS", "12", _seconds,
                                               "how long a messaging service's visitor waits at most for the messages to be joined")
    whatsapp_url: str = _setting("ASSISTANT_WHATSAPP_URL", "https://graph.facebook.com/v24.0", _url, "Meta's Graph API for WhatsApp")
    messenger_url: str = _setting("ASSISTANT_MESSENGER_URL", "https://graph.facebook.com/v24.0", _url, "Meta's Graph API for Messenger")
    slack_url: str = _setting("ASSISTANT_SLACK_URL", "https://slack.com/api", _url, "Slack's Web API")
    telegram_url: str = _setting("ASSISTANT_TELEGRAM_URL", "https://api.telegram.org", _url, "Telegram's Bot API")
    twilio_url: str = _setting("ASSISTANT_TWILIO_URL", "https://api.twilio.com", _url, "Twilio's API")
    search_url_template: str = _setting("ASSISTANT_SEARCH_URL_TEMPLATE", "", _search_url,
                                        "the site's search with the names of its parameters, such as "
                                        "https://example.org/search?near={location}&how={session_format}; nothing: the site's home page")
    search_values: tuple[tuple[str, str], ...] = _setting("ASSISTANT_SEARCH_VALUES", "", _pairs,
                                                "our values and the site's, such as online=video,low_self_esteem=self-esteem")
    directory_backend: str = _setting("ASSISTANT_DIRECTORY_BACKEND", "sqlite", _one_of("sqlite", "http"),
                                      "`sqlite`: the imported directory; `http`: the site's own search at ASSISTANT_DIRECTORY_URL")
    directory_url: str = _setting("ASSISTANT_DIRECTORY_URL", "", str,
                                  "the site's JSON search with {location}, {latitude}, {longitude}, {radius}, {session_format}, {concern}, "
                                  "{audience}, {limit}")
    directory_fields: tuple[tuple[str, str], ...] = _setting("ASSISTANT_DIRECTORY_FIELDS", "", _pairs,
                                                   "where the JSON has our columns, such as results=data.items,name=full_name; docs/search.md")
    counts_url: str = _setting("ASSISTANT_COUNTS_URL", "", str,
                               "SQLAlchemy address of the counts of searches and hand-offs; empty: SQLite in the `var` folder")
    models: Path = _setting("ASSISTANT_MODELS", "models", _path, "folder with the trained model")
    cache: Path = _setting("ASSISTANT_CACHE", ".cache", _path, "folder for the encoder and other built things")
    var: Path = _setting("ASSISTANT_VAR", "var", _path, "folder for databases and generated secrets")

    @classmethod
    def from_env(cls, env: Optional[Mapping[str, str]] = None) -> "Settings":
        """Read the settings from `env` (default: the process's environment).

        Raises SettingsError for a value that does not parse and for an unknown ASSISTANT_ variable.
        """
        env = os.environ if env is None else env
        known = {item.metadata["variable"] for item in fields(cls)} | SECRET_VARIABLES
        for name in env:
            if name.startswith("ASSISTANT_") and name not in known:
                raise SettingsError(f"{name}: there is no such setting. docs/operations.md lists them all.")
        return cls(**{item.name: _read(item.metadata, env) for item in fields(cls)})


# Secrets are read where they are used (assistant/secrets.py), so that no dataclass that is printed holds one.
SECRET_VARIABLES = frozenset({
    "ASSISTANT_SECRET", "ASSISTANT_JOURNAL_URL", "ASSISTANT_TRACKER_URL", "ASSISTANT_METRICS_TOKEN",
    "ASSISTANT_WHATSAPP_APP_SECRET", "ASSISTANT_WHATSAPP_VERIFY_TOKEN", "ASSISTANT_WHATSAPP_ACCESS_TOKEN", "ASSISTANT_WHATSAPP_NUMBER_ID",
    "ASSISTANT_MESSENGER_APP_SECRET", "ASSISTANT_MESSENGER_VERIFY_TOKEN", "ASSISTANT_MESSENGER_PAGE_TOKEN",
    "ASSISTANT_SLACK_SIGNING_SECRET", "ASSISTANT_SLACK_BOT_TOKEN",
    "ASSISTANT_TELEGRAM_BOT_TOKEN", "ASSISTANT_TELEGRAM_SECRET_TOKEN",
    "ASSISTANT_TWILIO_ACCOUNT_SID", "ASSISTANT_TWILIO_AUTH_TOKEN",
})


def _read(metadata: Mapping[str, Any], env: Mapping[str, str]) -> Any:
    variable, parse = metadata["variable"], metadata["parse"]
    value = env.get(variable) or metadata["default"]
    try:
        return parse(value)
    except ValueError:
        raise SettingsError(f"{variable}={value!r}: give {parse.__doc__}.") from None
