"""From a service's call to what the gateway's modules are given, and from a fake to its channel."""
from __future__ import annotations

from typing import Mapping
from urllib.parse import parse_qsl

from fakes import Call, FakeService
from fakes.base import PUBLIC

from assistant.settings import Settings
from gateway.channels.base import Channel, Webhook
from gateway.channels.registry import configured


def channel_of(service: FakeService, **env: str) -> Channel:
    """Return the channel that talks to the fake."""
    given = {**service.env, **env}
    return configured(Settings.from_env(given), given)[service.name]


def hook(service: FakeService, call: Call, public: str = PUBLIC) -> Webhook:
    """Return the call as the gateway's webhook route hands it on."""
    query: Mapping[str, str] = dict(parse_qsl(call.query))
    url = f"{public}/webhooks/{service.name}" + (f"?{call.query}" if call.query else "")
    return Webhook(call.method, url, {name.lower(): value for name, value in call.headers.items()}, query, call.body)
