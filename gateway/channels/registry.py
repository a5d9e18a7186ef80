"""Which messaging services are on: those whose secrets are all set. Half a set stops the start."""
from __future__ import annotations

import os
from types import ModuleType
from typing import Mapping, Optional, Sequence

from assistant.errors import SettingsError
from assistant.settings import Settings
from gateway.channels import messenger, slack, telegram, twilio, whatsapp
from gateway.channels.base import Channel

# Each module offers NAME, VARIABLES (its secrets) and make(settings, secrets) -> Channel.
MODULES: Sequence[ModuleType] = (whatsapp, messenger, slack, telegram, twilio)


def configured(settings: Settings, env: Optional[Mapping[str, str]] = None, modules: Sequence[ModuleType] = MODULES) -> dict[str, Channel]:
    """Return the channels that are on, by name. Raises SettingsError when a channel has some of its secrets and not all."""
    env = os.environ if env is None else env
    channels: dict[str, Channel] = {}
    for module in modules:
        missing = [name for name in module.VARIABLES if not env.get(name)]
        if missing and len(missing) < len(module.VARIABLES):
            raise SettingsError(f"{', '.join(missing)}: {module.NAME} needs this too. Set all of {', '.join(module.VARIABLES)}, or none.")
        if not missing:
            channels[module.NAME] = module.make(settings, {name: env[name] for name in module.VARIABLES})
    return channels
