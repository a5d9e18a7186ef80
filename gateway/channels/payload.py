"""Reading what a service sent without trusting its form: what is missing or of another type counts as empty."""
from __future__ import annotations

import hmac
import json
from typing import Any, Mapping

from gateway.channels.base import Webhook

NOTHING: Mapping[str, Any] = {}


def json_object(body: str | bytes) -> Mapping[str, Any]:
    """Return the JSON object in `body`. Raises ValueError when it is none."""
    value = json.loads(body)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


def objects(value: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """Return the objects in the list `name` of `value`; what is no object is left out."""
    found = value.get(name)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def inner(value: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """Return the object at `path` in `value`, or an empty one."""
    for name in path:
        found = value.get(name)
        value = found if isinstance(found, dict) else NOTHING
    return value


def string(value: Mapping[str, Any], *path: str) -> str:
    """Return the text or whole number at `path` in `value` as a text, or ""."""
    found = inner(value, *path[:-1]).get(path[-1])
    return str(found) if isinstance(found, (str, int)) and not isinstance(found, bool) else ""


def same(given: str, secret: str) -> bool:
    """Return whether the two are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode("utf-8", "replace"))


def is_form(hook: Webhook) -> bool:
    """Return whether the call's body is a form rather than JSON."""
    return hook.headers.get("content-type", "").split(";")[0].strip().lower() == "application/x-www-form-urlencoded"
