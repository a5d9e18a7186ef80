"""Where the gateway's journal is; the studio reads the same one."""
from __future__ import annotations

import os
from typing import Mapping, Optional

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from assistant.errors import SettingsError
from assistant.settings import Settings


def journal_url(settings: Settings, env: Optional[Mapping[str, str]] = None) -> str:
    """Return the database's URL: ASSISTANT_JOURNAL_URL, else SQLite in the `var` folder.

    Raises SettingsError for anything but sqlite:/// and postgresql://. The value is never shown: it may hold a password.
    """
    given = (os.environ if env is None else env).get("ASSISTANT_JOURNAL_URL", "")
    if not given:
        return f"sqlite:///{settings.var / 'journal.db'}"
    try:
        kind = make_url(given).get_backend_name()
    except (ArgumentError, ValueError):
        kind = ""
    if kind not in ("sqlite", "postgresql"):
        raise SettingsError("ASSISTANT_JOURNAL_URL: give sqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE.")
    return given
