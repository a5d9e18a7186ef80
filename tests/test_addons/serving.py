"""A real Rasa server in a process of its own, and an action server that does what a test tells it."""
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from assistant.secrets import internal_token
from assistant.settings import ROOT, Settings

STARTS_WITHIN = 120.0  # seconds, on a busy machine
BASE = "/webhooks/assistant"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, seconds, what, every=0.05):
    """Return the first true result of `condition`, asked `every` so many seconds; fail with `what` after `seconds`."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        result = condition()
        if result:
            return result
        time.sleep(every)
    raise AssertionError(f"not within {seconds:g} s: {what}")


class Actions:
    """An action server on loopback: answers at once, or holds each call until it is released."""

    def __init__(self):
        self.arrived, self.released = threading.Event(), threading.Event()
        self.released.set()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                call = json.loads(self.rfile.read(int(self.headers["content-length"])))
                owner.arrived.set()
                owner.released.wait(30)
                body = json.dumps(owner.answer(call)).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, call):
        """The search form asks for a place, and says so."""
        if call["next_action"] != "validate_search_form":
            return {"events": [], "responses": []}
        events = [{"event": "slot", "name": "requested_slot", "value": "location"}]
        return {"events": events, "responses": [{"text": "The slow action is done."}]}

    def hold(self):
        self.arrived.clear()
        self.released.clear()

    def release(self):
        self.released.set()

    def stop(self):
        self.release()
        self._server.shutdown()


class Rasa:
    """`rasa run` with our channel; `var` holds its secret and its database."""

    def __init__(self, var, actions_url="http://127.0.0.1:9", model=None, endpoints="endpoints.yml", arguments=(), **env):
        self.var, self.port, self.log_path = var, free_port(), var / "rasa.log"
        self.env = {**os.environ, "ASSISTANT_VAR": str(var), "ASSISTANT_ACTIONS_URL": actions_url, "PYTHONPATH": str(ROOT),
                    "ASSISTANT_RASA_TURN_SECONDS": "2", "ASSISTANT_MODELS": str(model.parent if model else var),
                    "ASSISTANT_MODELS_URL": "http://127.0.0.1:9/models/current", **env}
        command = [sys.executable, "-W", "ignore", "-m", "scripts.rasa", "run", "--interface", "127.0.0.1", "--port", str(self.port),
                   "--endpoints", str(endpoints), "--credentials", "credentials.yml", *arguments]
        self._log = self.log_path.open("w")
        self.process = subprocess.Popen(command, cwd=ROOT, env=self.env, stdout=self._log, stderr=subprocess.STDOUT)
        settings = Settings.from_env({key: value for key, value in self.env.items() if key.startswith("ASSISTANT_")})
        self.token = internal_token(settings, self.env)

    def wait(self, status=200):
        """Wait until the health call answers `status`."""
        def answers():
            assert self.process.poll() is None and "Could not load model" not in self.log, self.log[-3000:]
            try:
                return self.call("GET", "/")[0] == status
            except OSError:
                return False

        wait_until(answers, STARTS_WITHIN, f"Rasa's health call answers {status}")
        return self

    @property
    def log(self):
        return self.log_path.read_text(errors="replace")

    def call(self, method, path, body=None, token=None):
        """Return (status, parsed body) of one call; a body of type bytes is sent as it is."""
        connection = self.send(method, path, body, token)
        try:
            answer = connection.getresponse()
            raw = answer.read()
            return answer.status, json.loads(raw) if raw.startswith(b"{") else None
        finally:
            connection.close()

    def send(self, method, path, body=None, token=None):
        """Send a call and return its connection without reading the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        token = self.token if token is None else token
        headers = {"authorization": f"Bearer {token}"} if token else {}
        connection.request(method, BASE + path, raw, {**headers, "content-type": "application/json"})
        return connection

    def say(self, conversation, text):
        """Return the turn that answers `text`."""
        status, turn = self.call("POST", "/messages", message(conversation, text=text))
        assert status == 200, (status, turn)
        return turn

    def press(self, conversation, intent):
        """Return the turn that answers a button."""
        status, turn = self.call("POST", "/messages", message(conversation, intent=intent))
        assert status == 200, (status, turn)
        return turn

    def stop(self):
        self.process.kill()
        self.process.wait(10)
        self._log.close()


def message(conversation, **content):
    return {"conversation": conversation, "id": uuid.uuid4().hex, **content}


def texts(turn):
    return "\n".join(part["text"] for part in turn["messages"] if part.get("text"))


def buttons(turn):
    return {button["title"]: button["payload"] for part in turn["messages"] for button in part.get("buttons", [])}
