"""The current release for Rasa and the gateways, which pull it: `GET /models/current` with ETag and bearer token."""
from __future__ import annotations

from typing import Optional

from sanic.response import HTTPResponse, empty, file, json

from studio.web import Pages, Visit

pages = Pages()


@pages.get("/models/current", need="machine")
async def current(visit: Visit) -> HTTPResponse:
    """Answer 200 with the archive, 304 when the caller has it already, 404 before the first release."""
    release = visit.services.releases.current()
    if release is None:
        return json({"error": "There is no release yet."}, status=404)
    tag = f'"{release.checksum}"'
    if tag in _tags(visit.request.headers.get("if-none-match")):
        return empty(304, headers={"ETag": tag})
    # Rasa saves the archive under the name in the header `filename`.
    return await file(
        visit.services.releases.archive(release.id), mime_type="application/gzip",
        headers={"ETag": tag, "filename": f"{release.id}.tar.gz", "X-Model-Version": release.version},
    )


def _tags(header: Optional[str]) -> "set[str]":
    return {part.strip() for part in (header or "").split(",")}
