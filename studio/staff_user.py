"""`python -m studio.staff_user NAME ROLE` prints a one-time link with which a person chooses a password."""
from __future__ import annotations

import sys
from typing import Optional, Sequence

from assistant.errors import AssistantError
from assistant.settings import Settings
from studio.audit import Audit
from studio.people import People
from studio.schema import open_database

USAGE = "Usage: python -m studio.staff_user NAME ROLE, where ROLE is editor, publisher, administrator or safety."


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Create or renew the account and print its link; return the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if len(arguments) < 2:
        print(USAGE, file=sys.stderr)
        return 2
    name, role = " ".join(arguments[:-1]), arguments[-1]
    try:
        settings = Settings.from_env()
        engine = open_database(settings.var / "studio.db")
        token = People(engine).invite(name, role)
    except AssistantError as error:
        print(error, file=sys.stderr)
        return 1
    Audit(engine).note("command line", "invite", f"{name} as {role}")
    print(f"http://127.0.0.1:{settings.studio_port}/join/{token}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
