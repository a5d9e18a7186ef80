"""`make channel-check NAME=whatsapp`: are the settings of a channel right, at the service and at our own public address?"""
from __future__ import annotations

import asyncio
import os
import sys
from typing import Mapping, Sequence

import aiohttp

from assistant.errors import AssistantError, SettingsError
from assistant.settings import Settings
from gateway.channels.base import Channel, Finding
from gateway.channels.calls import call
from gateway.channels.registry import MODULES, configured

SECONDS = 10.0


def one(name: str, settings: Settings, env: Mapping[str, str]) -> Channel:
    """Return the channel `name`. Raises SettingsError when there is no such channel, or a setting of it is missing or malformed."""
    modules = [module for module in MODULES if module.NAME == name]
    if not modules:
        raise SettingsError(f"NAME={name}: give one of {', '.join(module.NAME for module in MODULES)}.")
    channels = configured(settings, env, modules)
    if not channels:
        raise SettingsError(f"{name} is off: set {', '.join(modules[0].VARIABLES)} (docs/channels.md says where each is found).")
    return channels[name]


async def findings(channel: Channel, settings: Settings) -> list[Finding]:
    """Return all that can be found out about a channel."""
    webhook = f"{settings.public_url}/webhooks/{channel.name}"
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS)) as http:
        try:
            found = await channel.check(http, webhook)
        except (aiohttp.ClientError, asyncio.TimeoutError) as error:
            found = [Finding(False, f"{channel.name} cannot be reached ({type(error).__name__}): see that this machine may call it")]
        if not settings.public_url.startswith("https://"):
            found.append(Finding(False, "ASSISTANT_PUBLIC_URL: set the gateway's public address, https://…: the services call no other"))
        return [*found, *([await _refusal(http, webhook)] if settings.public_url else [])]


async def _refusal(http: aiohttp.ClientSession, webhook: str) -> Finding:
    """Our own side: a call without a signature must be refused, by a gateway that has the channel on."""
    try:
        answer = await call(http, "POST", webhook, data=b"{}", headers={"Content-Type": "application/json"})
    except (aiohttp.ClientError, asyncio.TimeoutError) as error:
        return Finding(False, f"{webhook} does not answer ({type(error).__name__}): start the gateway; see to DNS, proxy, certificate")
    if answer.status == 404:
        return Finding(False, f"{webhook} has this channel off: start the gateway there with the same settings")
    if answer.status not in (401, 403):
        return Finding(False, f"{webhook} answered {answer.status} to a call without a signature: it does not reach the gateway")
    return Finding(True, f"{webhook} answers, and refuses a call without a signature")


def report(found: Sequence[Finding]) -> str:
    """Return one line for each finding."""
    return "\n".join(f"{'ok   ' if finding.right else 'WRONG'}  {finding.sentence}" for finding in found)


def main(arguments: Sequence[str]) -> int:
    """Print what is right and wrong; return 1 when anything is wrong."""
    try:
        settings = Settings.from_env()
        channel = one(arguments[0] if arguments else "", settings, os.environ)
    except AssistantError as error:
        print(f"channel-check: {error}", file=sys.stderr)
        return 1
    found = asyncio.run(findings(channel, settings))
    print(report(found))
    return 0 if all(finding.right for finding in found) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
