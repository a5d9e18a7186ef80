"""A gateway for the widget's tests: the API of gateway/web.py over a script, with faults on demand.

The real gateway takes part in tests/browser/test_real_gateway.py; here the tests decide what is said, how late, and what breaks.
"""
from __future__ import annotations

import json
import threading
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Optional
from urllib.parse import parse_qs, urlsplit

from gateway.headers import ALLOWED, POLICY
from scripts.build_widget import DIST

# The policy of widget.md: nothing but the site's own script, style and connections.
STRICT = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; require-trusted-types-for 'script'"
PAGE = """<!doctype html><html lang="en-GB"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>A page</title>{head}<script src="/widget/abt-chat.js" defer></script>
<main><h1>A page</h1><p><a href="/plain">A link of the page</a></p>{body}</main>
{element}</html>"""
ELEMENT = '<abt-chat><p><a href="https://example.org/search">Find a therapist</a></p></abt-chat>'
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".svg": "image/svg+xml", ".sri": "text/plain; charset=utf-8"}


REFERENCE = "7KQ2-M4XT"


@dataclass
class Fault:
    """What happens to the next `times` calls whose method and path fit.

    status None: the connection is cut. hold: the answer waits until the event is set. after: it is processed before it fails.
    """

    path: str
    method: str = "POST"
    status: Optional[int] = None
    body: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    hold: Optional[threading.Event] = None
    after: bool = False
    times: int = 1


class FakeGateway:
    """Serves pages, the widget and the API on a free port of this machine; `replies` maps a text or label to messages."""

    def __init__(self) -> None:
        self.replies: dict[str, list[dict[str, Any]]] = {}
        self.card: dict[str, Any] = {}
        self.pages: dict[str, tuple[str, str]] = {}
        self.lock = threading.Lock()
        self.reset()
        handler = type("Handler", (_Handler,), {"gateway": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.site = f"http://localhost:{self.server.server_address[1]}"  # The same pages under another origin.
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def reset(self) -> None:
        """Forget all conversations, faults and recorded requests."""
        with self.lock:
            for fault in getattr(self, "faults", []):
                if fault.hold:
                    fault.hold.set()
            self.faults: list[Fault] = []
            self.requests: list[tuple[str, str, Any]] = []
            self.sessions: dict[str, list[tuple[str, list[dict[str, Any]]]]] = {}
            self.deleted: list[str] = []
            self.helped: list[str] = []  # the token of each call for the card, "" for none

    def page(self, path: str, *, policy: str = STRICT, head: str = "", body: str = "", element: str = ELEMENT) -> str:
        """Serve a page with the widget at `path` and return its address."""
        self.pages[path] = (PAGE.format(head=head, body=body, element=element), policy)
        return self.url + path

    def calls(self, method: str, path: str) -> list[Any]:
        """Return the bodies of the calls seen so far."""
        with self.lock:
            return [body for seen, at, body in self.requests if seen == method and at.split("?")[0] == path]

    def fault(self, method: str, path: str) -> Optional[Fault]:
        with self.lock:
            for fault in self.faults:
                if fault.method == method and fault.path == path and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None

    def answer(self, method: str, path: str, query: dict[str, list[str]], token: str, body: Any) -> tuple[int, Any]:
        """Return status and JSON, as gateway/web.py would."""
        if (method, path) == ("GET", "/api/help"):
            with self.lock:
                self.helped.append(token)
            return 200, self.card
        if (method, path) == ("POST", "/api/session"):
            token = uuid.uuid4().hex
            with self.lock:
                self.sessions[token] = []
            return 201, {"token": token, "conversation": token, "expires_at": 4102444800}
        if token not in self.sessions:
            return 401, {"error": {"code": "session_ended", "message": "This chat was deleted or has ended."}}
        if (method, path) == ("DELETE", "/api/session"):
            with self.lock:
                self.deleted.append(token)
                del self.sessions[token]
            return 204, None
        if (method, path) == ("POST", "/api/feedback"):
            return 204, None
        if path == "/api/messages":
            return self._messages(method, query, token, body)
        return 404, {"error": {"code": "not_found", "message": "There is nothing here."}}

    def _messages(self, method: str, query: dict[str, list[str]], token: str, body: Any) -> tuple[int, Any]:
        with self.lock:
            said = self.sessions[token]
            if method == "GET":
                after = int(query.get("after", ["0"])[0])
                late = [message for _, reply in said[after:] for message in reply]
                return 200, {"messages": late, "cursor": str(len(said)), "token": token}
            for place, (known, reply) in enumerate(said):
                if known == body["id"]:
                    return 200, {"messages": reply, "cursor": str(place + 1), "ended": False, "token": token}
            text = body.get("text") or body["choice"]
            script = self.replies.get(text, [{"type": "text", "text": f"You wrote: {text}"}])
            number = uuid.uuid4().hex[:16]
            reply = [{"id": f"{number}.{place}", "from": "bot", "reference": REFERENCE, **message} for place, message in enumerate(script)]
            said.append((body["id"], reply))
            return 200, {"messages": reply, "cursor": str(len(said)), "ended": False, "token": token}


class _Handler(BaseHTTPRequestHandler):
    gateway: FakeGateway
    protocol_version = "HTTP/1.1"

    def _handle(self) -> None:
        url = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        if not url.path.startswith("/api/"):
            self._file(url.path)
            return
        if self.command == "OPTIONS":
            self._send(204, b"", "text/plain", ALLOWED if self._origin() else {})
            return
        with self.gateway.lock:
            self.gateway.requests.append((self.command, self.path, body))
        fault = self.gateway.fault(self.command, url.path)
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        answer: tuple[int, Any] = (0, None)
        if fault is None or fault.after or (fault.hold and fault.status is None):
            answer = self.gateway.answer(self.command, url.path, parse_qs(url.query), token, body)
        if fault and fault.hold:
            fault.hold.wait(30)
        if fault and fault.status is None and not fault.hold:
            self.close_connection = True
            self.connection.close()
            return
        if fault and fault.status is not None:
            self._send(fault.status, json.dumps(fault.body).encode(), "application/json", fault.headers)
            return
        status, value = answer
        self._send(status, b"" if value is None else json.dumps(value).encode(), "application/json", {})

    def _file(self, path: str) -> None:
        name = "index.html" if path == "/" else path.removeprefix("/widget/")
        if path == "/nothing":
            self._send(204, b"", "text/plain", {})
        elif path in self.gateway.pages:
            page, policy = self.gateway.pages[path]
            self._send(200, page.encode(), TYPES[".html"], {"Content-Security-Policy": policy} if policy else {})
        elif "/" not in name and (DIST / name).is_file():
            kind = TYPES[(DIST / name).suffix]
            self._send(200, (DIST / name).read_bytes(), kind, {"Content-Security-Policy": POLICY, "Access-Control-Allow-Origin": "*"})
        else:
            self._send(404, b"", "text/plain", {})

    def _origin(self) -> str:
        """Return the origin of the page that calls when it is another one that may: the same server by its other name."""
        origin = self.headers.get("Origin") or ""
        return origin if origin == self.gateway.site else ""

    def _send(self, status: int, body: bytes, kind: str, headers: dict[str, str]) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Referrer-Policy", "no-referrer")
            if self._origin() and self.path.startswith("/api/"):
                self.send_header("Access-Control-Allow-Origin", self._origin())
                self.send_header("Access-Control-Expose-Headers", ALLOWED["access-control-expose-headers"])
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the page went away

    do_GET = do_POST = do_DELETE = do_OPTIONS = _handle

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""
