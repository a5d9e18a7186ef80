"""What the gateway's tests stand up: a Rasa that can be told how to behave, PostgreSQL, and the gateway itself."""
from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
import warnings
from pathlib import Path
from typing import Any, AsyncIterator, Awaitable, Callable, Iterator, Mapping, Optional

import aiohttp
from aiohttp import web
from sanic import Sanic

from assistant.secrets import internal_token
from assistant.settings import Settings
from gateway import release
from gateway.app import make_app

# Sanic rewrites its own methods at the start; in its test mode it can do so once for each application.
Sanic.test_mode = True

CRISIS = "I want to kill myself"
SECONDS = 10.0


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


async def until(condition: Callable[[], Any], seconds: float = SECONDS) -> Any:
    """Wait until `condition` holds and return its value; it may be a coroutine function."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if asyncio.iscoroutine(value):
            value = await value
        if value:
            return value
        assert time.monotonic() < end, "the condition did not come true"
        await asyncio.sleep(0.02)


class FakeRasa:
    """A real HTTP server with the contract of addons/channel.py.

    `calls` holds the bodies in order of arrival; `deleted` the conversations deleted; `answer` may be replaced.
    """

    def __init__(self, settings: Settings) -> None:
        self.calls: list[dict[str, Any]] = []
        self.deleted: list[str] = []
        self.running = 0
        self.most_running: dict[str, int] = {}
        self.answer: Callable[[dict[str, Any]], Awaitable[web.StreamResponse]] = self.usual
        self._authorization = f"Bearer {internal_token(settings)}"
        self._runner: Optional[web.AppRunner] = None

    @property
    def said(self) -> list[str]:
        """The texts and intents that came, in order, without events."""
        return [call.get("text") or "/" + call["intent"] for call in self.calls if "event" not in call]

    async def usual(self, body: dict[str, Any]) -> web.StreamResponse:
        """Answer with the text itself and a button."""
        said = body.get("text") or body.get("intent") or "event"
        return self.reply({"text": f"You said {said}", "buttons": [{"title": "What does it cost?", "payload": "/faq_cost"}]})

    @staticmethod
    def reply(*messages: Mapping[str, Any], **more: Any) -> web.StreamResponse:
        """Return a turn's answer with `messages`."""
        return web.json_response({"model": "model-1", "intent": {"name": "faq_cost", "confidence": 0.9}, "alternatives": [],
                                  "actions": ["utter_faq_cost"], "messages": list(messages), **more})

    async def start(self, port: int) -> None:
        """Listen."""
        app = web.Application()
        app.router.add_post("/webhooks/assistant/messages", self._message)
        app.router.add_delete("/webhooks/assistant/conversations/{id}", self._delete)
        app.router.add_get("/webhooks/assistant/", self._health)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port, reuse_address=True).start()

    async def stop(self) -> None:
        """Hang up."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _message(self, request: web.Request) -> web.StreamResponse:
        assert request.headers["Authorization"] == self._authorization
        body = await request.json()
        if body["conversation"].startswith("canary"):
            return await self.usual(body)
        self.calls.append(body)
        self.running += 1
        self.most_running[body["conversation"]] = max(self.most_running.get(body["conversation"], 0), self.running)
        try:
            return await self.answer(body)
        finally:
            self.running -= 1

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        self.deleted.append(request.match_info["id"])
        return web.Response(status=204)

    async def _health(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"status": "ok", "model": "model-1"})


class Client:
    """A visitor's widget."""

    def __init__(self, http: aiohttp.ClientSession, base: str) -> None:
        self.http, self.base, self.token, self.conversation = http, base, "", ""

    async def start(self) -> "Client":
        """Open a session."""
        status, value, _ = await self.call("POST", "/api/session", {})
        assert status == 201, value
        self.token, self.conversation = value["token"], value["conversation"]
        return self

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, Mapping[str, str]]:
        """Return (status, JSON or None, headers)."""
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        async with self.http.request(method, self.base + path, json=body, headers=headers, allow_redirects=False) as response:
            value = await response.json() if response.content_type == "application/json" else None
            return response.status, value, response.headers

    async def say(self, text: str, identity: Optional[str] = None) -> tuple[int, Any]:
        """Send a text; return (status, JSON)."""
        status, value, _ = await self.call("POST", "/api/messages", {"id": identity or str(uuid.uuid4()), "text": text})
        return status, value

    async def choose(self, choice: str) -> tuple[int, Any]:
        """Press a button; return (status, JSON)."""
        status, value, _ = await self.call("POST", "/api/messages", {"id": str(uuid.uuid4()), "choice": choice})
        return status, value


def texts(value: Mapping[str, Any]) -> list[str]:
    """Return the texts of a reply."""
    return [message["text"] for message in value["messages"]]


class Gateway:
    """A gateway inside the test's own event loop."""

    def __init__(self, settings: Settings, view: release.View, rasa: FakeRasa, channels: Mapping[str, Any]) -> None:
        self.settings, self.rasa, self.channels, self._view = settings, rasa, dict(channels), view
        self.base = f"http://127.0.0.1:{settings.gateway_port}"
        self.http: aiohttp.ClientSession
        self.app: Any = None
        self._server: Any = None

    @property
    def parts(self) -> Any:
        """The gateway's parts."""
        return self.app.ctx.parts

    async def start(self) -> None:
        """Serve."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            self.app = make_app(self.settings, self._view, self.channels)
            self._server = await self.app.create_server("127.0.0.1", self.settings.gateway_port, access_log=False,
                                                        return_asyncio_server=True)
        await self._server.startup()
        await self._server.before_start()

    async def stop(self) -> None:
        """Stop as on SIGTERM."""
        self._server.close()
        await self._server.wait_closed()
        for connection in list(self._server.connections):
            connection.close()
        await self._server.after_stop()

    async def visitor(self) -> Client:
        """Return a widget with a session."""
        return await Client(self.http, self.base).start()

    def stranger(self) -> Client:
        """Return a client without a session."""
        return Client(self.http, self.base)


def settings_for(folder: Path, **env: str) -> Settings:
    """Return settings for a gateway of its own below `folder`; limits are wide unless given."""
    rasa = free_port()
    given = {
        "ASSISTANT_VAR": str(folder / "var"), "ASSISTANT_PORT": str(free_port()), "ASSISTANT_RASA_URL": f"http://127.0.0.1:{rasa}",
        "ASSISTANT_RASA_PORT": str(rasa), "ASSISTANT_MESSAGES_PER_MINUTE": "1000", "ASSISTANT_SESSIONS_PER_SECOND": "1000", **env,
    }
    return Settings.from_env(given)


@contextlib.asynccontextmanager
async def gateway_at(settings: Settings, view: release.View, channels: Mapping[str, Any] = {}) -> AsyncIterator[Gateway]:
    """Run a gateway and the Rasa that it asks."""
    rasa = FakeRasa(settings)
    await rasa.start(settings.rasa_port)
    gateway = Gateway(settings, view, rasa, channels)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as gateway.http:
        await gateway.start()
        try:
            yield gateway
        finally:
            await gateway.stop()
            await rasa.stop()


class Postgres:
    """A PostgreSQL of the test's own, as an ordinary user: initdb refuses root."""

    def __init__(self) -> None:
        memory = Path("/dev/shm")  # where there is one, the tests do not wait for the disk
        self._folder = Path(tempfile.mkdtemp(prefix="assistant-pg-", dir=memory if memory.is_dir() else None))
        self._bin = _postgres_binaries()
        self._as = ["runuser", "-u", "nobody", "--"] if os.geteuid() == 0 else []
        if self._as:
            shutil.chown(self._folder, "nobody")
        self.port = free_port()
        self._run("initdb", "-D", str(self._folder / "data"), "-A", "trust", "-U", "assistant", "--no-sync")
        self.start()

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._folder} -c fsync=off"
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-o", options, "-w", "-l", str(self._folder / "log"), "start")

    def crash(self) -> None:
        """End the server without a farewell to its clients."""
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "-w", "stop")

    def database(self) -> str:
        """Make a database and return its URL."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "assistant", name)
        return f"postgresql://assistant@127.0.0.1:{self.port}/{name}"

    @property
    def pids(self) -> list[int]:
        """The processes of this server."""
        main = int((self._folder / "data" / "postmaster.pid").read_text().splitlines()[0])
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(main)], capture_output=True, text=True).stdout.split()
        return [main, *map(int, children)]

    def stop(self) -> None:
        """Stop the server and take its files away."""
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, command: str, *arguments: str) -> None:
        subprocess.run([*self._as, str(self._bin / command), *arguments], check=True, capture_output=True, cwd="/")


def _postgres_binaries() -> Path:
    places = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), Path("/usr/local/bin"), Path("/usr/bin")]
    for place in places:
        if (place / "initdb").exists():
            return place
    raise FileNotFoundError("initdb")


def postgres() -> Iterator[Optional[Postgres]]:
    """Yield a PostgreSQL server, or None with a loud line where there is none."""
    try:
        server = Postgres()
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        warnings.warn(f"NO POSTGRESQL HERE ({error}): the journal's tests run on SQLite alone. Install postgresql to run them all.",
                      stacklevel=2)
        yield None
        return
    yield server
    server.stop()
