"""Keys for signing and for the parts to recognise each other, all derived from one secret.

`ASSISTANT_SECRET` gives it; where it is unset (local use) one is made on first use below the `var` folder,
readable by its owner alone.
"""
from __future__ import annotations

import hashlib
import hmac
import os
import secrets as random
from pathlib import Path
from typing import Mapping, Optional

from assistant.errors import SettingsError
from assistant.settings import Settings

SHORTEST = 32


def key(purpose: str, settings: Settings, env: Optional[Mapping[str, str]] = None) -> bytes:
    """Return 32 bytes for `purpose` ("session", "choice", "address" …), the same on every start.

    Keys of different purposes tell nothing of each other (HMAC-SHA256 of the purpose, RFC 2104).
    Raises SettingsError when ASSISTANT_SECRET is shorter than 32 characters.
    """
    root = _root(settings, os.environ if env is None else env)
    return hmac.new(root.encode(), purpose.encode(), hashlib.sha256).digest()


def internal_token(settings: Settings, env: Optional[Mapping[str, str]] = None) -> str:
    """Return the bearer token that the gateway, Rasa and the studio show each other."""
    return key("internal", settings, env).hex()


def _root(settings: Settings, env: Mapping[str, str]) -> str:
    given = env.get("ASSISTANT_SECRET", "")
    if given:
        if len(given) < SHORTEST:
            raise SettingsError(
                f"ASSISTANT_SECRET has {len(given)} characters: give at least {SHORTEST}, such as from `openssl rand -hex 32`."
            )
        return given
    return _made(settings.var / "secret")


def _made(path: Path) -> str:
    """Return the secret in `path`, made there first if need be; two processes that start at once agree."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(random.token_hex(32))
    try:
        os.link(draft, path)  # fails when another process was first
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text()
