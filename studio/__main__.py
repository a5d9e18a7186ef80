"""`python -m studio` starts the staff console on the loopback address."""
from __future__ import annotations

import logging
import sys

from assistant.errors import AssistantError
from assistant.settings import Settings
from studio.app import create_app
from studio.services import open_services


def main() -> int:
    """Serve until stopped; return the exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    try:
        settings = Settings.from_env()
        services = open_services(settings)
    except AssistantError as error:
        print(error, file=sys.stderr)
        return 1
    app = create_app(services)
    address = f"http://127.0.0.1:{settings.studio_port}"

    @app.after_server_start
    async def ready(*_: object) -> None:
        print(f"Studio ready: {address}", flush=True)

    @app.before_server_stop
    async def stop(*_: object) -> None:
        services.close()

    try:
        app.run(host="127.0.0.1", port=settings.studio_port, access_log=False, debug=False, auto_reload=False)
    except OSError as error:
        print(f"ASSISTANT_STUDIO_PORT={settings.studio_port}: {error.strerror or error}. Stop what uses it or choose another.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
