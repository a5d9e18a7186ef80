"""The Sanic application: which routes there are, and what is started and stopped with it."""
from __future__ import annotations

import time
from typing import Any, Mapping, Optional

from sanic import Sanic
from sanic.request import Request
from sanic.response import HTTPResponse, redirect

from assistant.errors import AssistantError
from assistant.settings import ROOT, Settings
from gateway import headers, metrics, openapi, pages, parts, refusals, release, texts
from gateway.channels.base import Channel
from gateway.channels.registry import configured
from gateway.errors import Refusal
from gateway.health import Readiness, health
from gateway.strict import StrictRequest
from gateway.web import api
from gateway.webhooks import webhooks

# A larger body is not even read; what is larger than gateway/hygiene.py allows is read and refused with the helplines.
# Meta's webhooks send up to 3 MB (https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks).
LARGEST_BODY = 3 * 1024 * 1024


def make_app(settings: Settings, view: Optional[release.View] = None, channels: Optional[Mapping[str, Channel]] = None) -> Sanic:
    """Return the application for `settings`; `view` and `channels` replace the released model and the configured channels.

    Raises AssistantError when content, model or settings cannot be used.
    """
    words = texts.load(ROOT, settings.text_hours)
    services = configured(settings) if channels is None else channels
    in_force = release.Release(settings, view)
    app = Sanic("gateway", register=False, configure_logging=False, env_prefix="GATEWAY_SANIC_",
                request_class=StrictRequest)
    app.config.update(
        ACCESS_LOG=False, MOTD=False, REQUEST_MAX_SIZE=LARGEST_BODY, REQUEST_TIMEOUT=20, RESPONSE_TIMEOUT=20, KEEP_ALIVE_TIMEOUT=30,
        GRACEFUL_SHUTDOWN_TIMEOUT=7.0, PROXIES_COUNT=settings.trusted_proxies or None, FALLBACK_ERROR_FORMAT="json",
    )
    refusals.install(app)
    headers.install(app, settings.origins, settings.public_url.startswith("https://"))
    app.blueprint([api.copy("api"), health.copy("health"), webhooks.copy("webhooks")])
    pages.install(app)
    app.add_route(follow, "/r/<token:str>", name="follow")
    app.add_route(metrics.show, "/metrics", name="metrics")
    app.add_route(openapi.show, "/api/openapi.json", name="openapi")

    @app.middleware("request")
    async def begin(request: Request) -> None:
        request.ctx.started = time.monotonic()

    @app.middleware("response")
    async def count(request: Request, response: HTTPResponse) -> None:
        parts = getattr(app.ctx, "parts", None)
        if parts is not None:
            route = request.route.path if request.route else "none"
            parts.metrics.requests.labels(route, response.status).inc()
            parts.metrics.request_seconds.labels(route).observe(time.monotonic() - getattr(request.ctx, "started", time.monotonic()))

    @app.listener("before_server_start")
    async def start(app: Sanic, loop: Any) -> None:
        app.ctx.parts = parts.make(settings, words, services, in_force)
        try:
            await app.ctx.parts.start()
        except AssistantError as error:
            await app.ctx.parts.stop()
            raise SystemExit(str(error)) from None
        app.ctx.readiness = Readiness(app.ctx.parts)

    @app.listener("after_server_stop")
    async def stop(app: Sanic, loop: Any) -> None:
        await app.ctx.parts.stop()

    return app


async def follow(request: Request, token: str) -> HTTPResponse:
    """Count a click on a therapist or the search, and send the visitor there."""
    found = request.app.ctx.parts.handoff.resolve(token)
    if found is None:
        raise Refusal(404, "unknown_link", "This link is not one of ours.")
    kind, address = found
    request.app.ctx.parts.metrics.clicks.labels(kind).inc()
    request.app.ctx.parts.clicks.count()
    return redirect(address, status=302, headers={"referrer-policy": "no-referrer"})
