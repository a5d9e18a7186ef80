"""Security headers on every answer, and cross-origin access for exactly the origins in the settings."""
from __future__ import annotations

from typing import Optional, Sequence

from sanic import Sanic
from sanic.request import Request
from sanic.response import HTTPResponse, empty

POLICY = "; ".join((
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self'", "base-uri 'none'",
    "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
))
ALWAYS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
ALLOWED = {
    "access-control-allow-methods": "GET, POST, DELETE",
    "access-control-allow-headers": "Authorization, Content-Type",
    "access-control-expose-headers": "Retry-After",
    "access-control-max-age": "600",
}


def install(app: Sanic, origins: Sequence[str], https: bool) -> None:
    """Put the headers on every answer of `app`; `https`: visitors come by TLS, so tell browsers to insist on it."""
    @app.middleware("response")
    async def secure(request: Request, response: HTTPResponse) -> None:
        for name, value in ALWAYS.items():
            response.headers.setdefault(name, value)
        if https:
            response.headers.setdefault("strict-transport-security", "max-age=31536000")
        if request.path.startswith("/api/"):
            response.headers["vary"] = "Origin"
            origin = request.headers.getone("origin", "")
            if origin in origins:
                response.headers["access-control-allow-origin"] = origin
                response.headers["cross-origin-resource-policy"] = "cross-origin"
                response.headers.update({name: value for name, value in ALLOWED.items() if name.endswith("expose-headers")})

    @app.middleware("request")
    async def preflight(request: Request) -> Optional[HTTPResponse]:
        if request.method != "OPTIONS" or not request.path.startswith("/api/"):
            return None
        return empty(204, headers=ALLOWED if request.headers.getone("origin", "") in origins else {})
