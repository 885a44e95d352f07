"""Static files, and the pictures of events by their hash."""

from __future__ import annotations

import re
from typing import Final

from fastapi import APIRouter, HTTPException
from starlette.responses import FileResponse, Response

from station.web.render import STATIC
from station.web.visitor import Officer

router = APIRouter()
TYPES: Final = {
    ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}  # fmt: skip
FOR_EVER: Final = {"Cache-Control": "private, max-age=31536000, immutable"}
_SHA256: Final = re.compile("[0-9a-f]{64}")


@router.get("/static/{name}")
def static(name: str, v: str = "") -> Response:
    """One file of the console's own; by its version it may be kept for ever."""
    known = {path.name: path for path in STATIC.iterdir()}
    if name not in known:
        raise HTTPException(404)
    path = known[name]
    headers = FOR_EVER if v else {}
    return FileResponse(path, media_type=TYPES.get(path.suffix, "application/octet-stream"), headers=headers)


@router.get("/pictures/{sha256}")
def picture(visitor: Officer, sha256: str) -> Response:
    """A picture that a box sent: the station has looked at each, and keeps whole JPEGs only."""
    if not _SHA256.fullmatch(sha256):
        raise HTTPException(404)
    data = visitor.console.pictures.read(sha256)
    if data is None:
        raise HTTPException(404)
    return Response(data, media_type="image/jpeg", headers=FOR_EVER)
