"""The demo page and its files: a fixed list, read once, so that no address can reach another file."""
from __future__ import annotations

from pathlib import Path

from sanic import Sanic
from sanic.exceptions import NotFound
from sanic.request import Request
from sanic.response import HTTPResponse, raw

FOLDER = Path(__file__).parent / "static"
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".svg": "image/svg+xml"}


def install(app: Sanic) -> None:
    """Serve static/index.html at / and the other files of static/ at /static/<name>."""
    files = {path.name: (path.read_bytes(), TYPES[path.suffix]) for path in FOLDER.iterdir() if path.suffix in TYPES}

    def served(name: str) -> HTTPResponse:
        if name not in files:
            raise NotFound("no such file")
        body, content_type = files[name]
        return raw(body, content_type=content_type, headers={"cache-control": "no-cache"})

    @app.get("/", name="page")
    async def page(request: Request) -> HTTPResponse:
        return served("index.html")

    @app.get("/static/<name:str>", name="static_file")
    async def static_file(request: Request, name: str) -> HTTPResponse:
        return served(name)
