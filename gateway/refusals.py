"""Every error leaves as JSON, with the help card where a visitor may need it; none tells of the inside."""
from __future__ import annotations

from sanic import Sanic
from sanic.exceptions import MethodNotSupported, SanicException
from sanic.request import Request
from sanic.response import HTTPResponse, json

from gateway.errors import Refusal, error_body, log_failure

CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 408: "too_slow", 413: "body_too_large",
         417: "bad_expectation", 503: "unavailable"}
SENTENCES = {400: "The request is malformed.", 404: "There is nothing here.", 405: "This address does not take that method.",
             408: "The request took too long to arrive.", 413: "The request is too large.", 417: "The expectation cannot be met.",
             503: "I can't answer just now. Please try again in a moment."}
WITH_HELP = (413, 500, 503)


def install(app: Sanic) -> None:
    """Answer every exception of `app`'s handlers."""
    @app.exception(Exception)
    async def refuse(request: Request, error: Exception) -> HTTPResponse:
        if isinstance(error, Refusal):
            return _answer(request, error.status, error.code, error.message, error.helplines, error.headers)
        if isinstance(error, SanicException) and error.status_code != 500:
            status = error.status_code
            headers = dict(error.headers) if isinstance(error, MethodNotSupported) else {}
            return _answer(request, status, CODES.get(status, "refused"), SENTENCES.get(status, "The request is refused."),
                           status in WITH_HELP, headers)
        log_failure("request", error)
        return _answer(request, 500, "failed", "Something went wrong here. Please try again in a moment.", True, {})


def _answer(request: Request, status: int, code: str, message: str, helplines: bool, headers: dict[str, str]) -> HTTPResponse:
    parts = getattr(request.app.ctx, "parts", None)
    card = parts.help_card() if helplines and parts is not None else None
    return json(error_body(code, message, card), status, headers=headers)
