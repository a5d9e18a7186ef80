"""`python -m studio` starts the staff console, on the loopback address unless told otherwise."""
from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Optional

from assistant.errors import AssistantError, SettingsError
from assistant.settings import Settings
from studio.app import create_app
from studio.services import open_services


def serve(settings: Settings, root: Optional[Path] = None) -> None:
    """Serve the content below `root` (default: this checkout) until stopped. Raises AssistantError when it cannot start."""
    services = open_services(settings, root)
    app = create_app(services)

    @app.after_server_start
    async def ready(*_: object) -> None:
        print(f"Studio ready: http://{settings.studio_host}:{settings.studio_port}", flush=True)

    @app.before_server_stop
    async def stop(*_: object) -> None:
        services.close()

    services.adopt()
    services.warm_up()
    try:
        app.run(host=settings.studio_host, port=settings.studio_port, access_log=False, debug=False, auto_reload=False)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SettingsError(f"ASSISTANT_STUDIO_PORT={settings.studio_port}: {reason}. Stop what uses it or choose another.") from None


def main() -> int:
    """Serve until stopped; return the exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    try:
        serve(Settings.from_env())
    except AssistantError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
