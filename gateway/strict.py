"""A request whose framing is beyond doubt: what two servers could read in two ways is refused before its body is read."""
from __future__ import annotations

from typing import Any

from sanic.exceptions import InvalidUsage
from sanic.request import Request


class StrictRequest(Request):
    """Refuses lengths that are no plain number, two lengths, a length beside chunks, and unknown encodings (RFC 9112, 6.3)."""

    def __init__(self, url_bytes: bytes, headers: Any, *arguments: Any, **named: Any) -> None:
        super().__init__(url_bytes, headers, *arguments, **named)
        lengths, encodings = headers.getall("content-length", []), headers.getall("transfer-encoding", [])
        if len(lengths) > 1 or (lengths and encodings) or any(not (value.isascii() and value.isdigit()) for value in lengths):
            raise InvalidUsage("ambiguous length")
        if encodings and encodings != ["chunked"]:
            raise InvalidUsage("unknown transfer encoding")
