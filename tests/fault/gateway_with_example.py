"""The gateway as `python -m gateway` runs it, with the tests' messaging service as its only channel."""
import sys

from service import ExampleChannel

from assistant.settings import Settings
from gateway import logs
from gateway.app import make_app

if __name__ == "__main__":
    logs.configure()
    settings = Settings.from_env()
    app = make_app(settings, channels={"example": ExampleChannel(sys.argv[1])})

    @app.listener("after_server_start")
    async def say(app, loop):
        print("gateway: ready", flush=True)

    app.run(settings.gateway_host, settings.gateway_port, access_log=False, motd=False, debug=False)
