"""`python -m gateway`: serve on ASSISTANT_HOST and ASSISTANT_PORT until stopped."""
from __future__ import annotations

import os
import sys
from typing import Any

# The safety check multiplies small matrices: several threads would only wait for each other. NumPy reads this when it is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from sanic import Sanic

from assistant.errors import AssistantError
from assistant.settings import Settings
from gateway import logs
from gateway.app import make_app

# Safety and journal work in threads: a message that comes in is not to wait for Python's usual 5 ms of each of them.
SWITCH_SECONDS = 0.0005


def main() -> int:
    """Run the gateway; return the exit code."""
    logs.configure()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        settings = Settings.from_env()
        app = make_app(settings)
    except AssistantError as error:
        print(error, file=sys.stderr)
        return 1

    @app.listener("after_server_start")
    async def say(app: Sanic, loop: Any) -> None:
        print(f"gateway: ready at http://{settings.gateway_host}:{settings.gateway_port}", flush=True)

    app.run(settings.gateway_host, settings.gateway_port, access_log=False, motd=False, debug=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
