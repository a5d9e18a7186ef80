"""The widget and the demo page: a fixed list of files, read once, so that no address can reach another file."""
from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Coroutine

from sanic import Sanic
from sanic.request import Request
from sanic.response import HTTPResponse, empty, raw

from assistant.errors import SettingsError
from assistant.settings import ROOT

FOLDER = ROOT / "widget" / "dist"
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".svg": "image/svg+xml", ".sri": "text/plain; charset=utf-8"}
# Any site may load the widget (the API has its own list of origins); integrity= needs the cross-origin headers.
PUBLIC = {"access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin",
          "cache-control": "public, max-age=600, stale-while-revalidate=86400"}


@dataclass(frozen=True)
class File:
    """A file as it is served: its bytes, the same compressed, its type, its ETag, further headers."""

    body: bytes
    packed: bytes
    content_type: str
    etag: str
    headers: dict[str, str]


def install(app: Sanic) -> None:
    """Serve the demo page at / and the files of widget/dist/ at /widget/<name>.

    Raises SettingsError when the widget has not been built.
    """
    if not (FOLDER / "abt-chat.js").exists():
        raise SettingsError(f"{FOLDER.relative_to(ROOT)}/abt-chat.js: the widget has not been built. Run `make widget`.")
    files = {f"/widget/{path.name}": _file(path) for path in FOLDER.iterdir() if path.suffix in TYPES}
    files["/"] = files.pop("/widget/index.html")
    for number, (address, file) in enumerate(sorted(files.items())):
        app.add_route(_handler(file), address, methods=["GET", "HEAD"], name=f"file_{number}")


def _file(path: Path) -> File:
    body = path.read_bytes()
    headers = PUBLIC if path.name.startswith("abt-chat") else {"cache-control": "no-cache"}
    etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
    return File(body, gzip.compress(body, 9, mtime=0), TYPES[path.suffix], etag, {**headers, "etag": etag, "vary": "Accept-Encoding"})


def _handler(file: File) -> Callable[[Request], Coroutine[Any, Any, HTTPResponse]]:
    async def serve(request: Request) -> HTTPResponse:
        if file.etag in request.headers.getone("if-none-match", ""):
            return empty(304, headers=file.headers)
        if "gzip" in request.headers.getone("accept-encoding", ""):
            return raw(file.packed, content_type=file.content_type, headers={**file.headers, "content-encoding": "gzip"})
        return raw(file.body, content_type=file.content_type, headers=file.headers)

    return serve
