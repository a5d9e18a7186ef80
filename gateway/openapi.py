"""The description of the widget API at /api/openapi.json; the fuzz test checks the gateway against it."""
from __future__ import annotations

from typing import Any

from sanic.request import Request
from sanic.response import HTTPResponse, json

from gateway.hygiene import BODY_BYTES, CHOICE_CHARACTERS, TEXT_CHARACTERS

_TEXT = {"type": "string"}
_NULLABLE = {"type": "string", "nullable": True}


def _object(properties: dict[str, Any], required: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required or properties), **more}


def _array(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _json(schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


_CHOICE = _object({"label": _TEXT, "choice": {"type": "string", "maxLength": CHOICE_CHARACTERS}})
_SERVICE = _object({
    **{name: _NULLABLE for name in ("id", "name", "call", "sms", "sms_body", "email", "web", "hours", "for")},
    "open": {"type": "boolean", "nullable": True},
})
_CARD = _object({"name": _TEXT, "town": _NULLABLE, "url": _TEXT,
                 **{name: {"nullable": True} for name in (
                     "title", "distance", "formats", "audiences", "languages", "fee", "register", "accepting")}})
_SESSION = {"token": _TEXT, "expires_at": {"type": "integer", "description": "seconds since 1970, UTC"}}
_SCHEMAS = {
    "Message": _object({
        "id": _TEXT, "from": {"enum": ["bot", "visitor"]}, "type": {"enum": ["text", "choices", "links", "cards", "helplines"]},
        "text": _TEXT, "reference": {"type": "string", "description": "the turn's code, such as 7KQ2-M4XT"},
        "choices": _array(_CHOICE), "links": _array(_object({"label": _TEXT, "url": _TEXT})), "cards": _array(_CARD),
        "services": _array(_SERVICE),
    }, ("id", "from", "type", "text")),
    "Error": _object({"error": _object({"code": _TEXT, "message": _TEXT}), "help": _ref("Message")}, ("error",)),
}
_ERRORS = {
    400: "malformed", 401: "no valid session", 404: "no such thing in this chat",
    413: f"over {TEXT_CHARACTERS} characters or {BODY_BYTES} bytes",
    415: "not JSON", 429: "too many; Retry-After says when", 503: "the journal or the answer is not available; send again with the same id",
}


def _errors(*statuses: int) -> dict[str, Any]:
    described = {str(status): _json(_ref("Error"), _ERRORS[status]) for status in statuses}
    for status in ("429", "503"):
        if status in described:
            described[status]["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
    return described


_SAID = {"messages": _array(_ref("Message")), "cursor": _TEXT, **_SESSION}
_SECURED: list[dict[str, list[str]]] = [{"session": []}]
_UUID = {"type": "string", "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"}

DESCRIPTION: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Assistant: widget API", "version": "1"},
    "paths": {
        "/api/session": {
            "post": {
                "summary": "Start a conversation", "requestBody": _body({"type": "object", "additionalProperties": False}),
                "responses": {"201": _json(_object({**_SESSION, "conversation": _TEXT}), "started"), **_errors(400, 413, 415, 429)},
            },
            "delete": {
                "summary": "Delete the conversation everywhere", "security": _SECURED,
                "responses": {"204": {"description": "gone"}, "202": _json(_object({"status": {"enum": ["pending"]}}),
                              "gone here; the rest follows by itself"), **_errors(401, 503)},
            },
        },
        "/api/messages": {
            "post": {
                "summary": "Send a message; the same id again returns the same reply", "security": _SECURED,
                "requestBody": _body({"oneOf": [
                    _object({"id": _UUID, "text": {"type": "string", "minLength": 1, "maxLength": TEXT_CHARACTERS}},
                            additionalProperties=False),
                    _object({"id": _UUID, "choice": {"type": "string", "pattern": f"^[A-Za-z0-9_-]{{1,{CHOICE_CHARACTERS}}}$"}},
                            additionalProperties=False),
                ]}),
                "responses": {"200": _json(_object({**_SAID, "ended": {"type": "boolean"}}, ("messages", "cursor", "ended")),
                              "the reply; without a token when the visitor had the chat deleted"),
                              **_errors(400, 401, 404, 413, 415, 429, 503)},
            },
            "get": {
                "summary": "What was said after a cursor", "security": _SECURED,
                "parameters": [{"name": "after", "in": "query", "required": False,
                                "schema": {"type": "string", "pattern": "^[0-9]{0,18}$"}}],
                "responses": {"200": _json(_object(_SAID), "messages of both sides"), **_errors(400, 401, 503)},
            },
        },
        "/api/feedback": {
            "post": {
                "summary": "Say whether an answer helped", "security": _SECURED,
                "requestBody": _body(_object({"message": {"type": "string", "pattern": "^[0-9a-f]{16}[.][0-9]{1,3}$"},
                                              "helpful": {"type": "boolean"}}, additionalProperties=False)),
                "responses": {"204": {"description": "noted"}, **_errors(400, 401, 404, 413, 415, 503)},
            },
        },
        "/api/help": {"get": {"summary": "The urgent-help card", "responses": {"200": _json(_ref("Message"), "the card")}}},
    },
    "components": {"schemas": _SCHEMAS, "securitySchemes": {"session": {"type": "http", "scheme": "bearer"}}},
}


async def show(request: Request) -> HTTPResponse:
    """`GET /api/openapi.json`."""
    return json(DESCRIPTION)
