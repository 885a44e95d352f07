"""All of the interface under one root, and what describes it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.responses import JSONResponse

from station.web.api import audit, boxes, counts, events, footage, reviews
from station.web.api.asker import ApiRates, OfficerAsks
from station.web.api.shapes import ApiTrouble

ROOT: Final = "/api/v1"
VERSION: Final = "1.0"
"""Of the interface: a new minor version only adds, a new major version gets another root."""
TROUBLES: Final[dict[int | str, dict[str, Any]]] = {
    401: {"model": ApiTrouble, "description": "Neither a token nor a session that counts."},
    403: {"model": ApiTrouble, "description": "Not for this role."},
    404: {"model": ApiTrouble, "description": "There is no such thing."},
    422: {"model": ApiTrouble, "description": "It cannot be read, or is not possible."},
    429: {"model": ApiTrouble, "description": "Too often."},
}

router = APIRouter(prefix=ROOT, responses=TROUBLES)
for part in (events, reviews, boxes, counts, footage, audit):
    router.include_router(part.router)


@router.get("/openapi.json", include_in_schema=False)
def openapi(_asker: OfficerAsks) -> JSONResponse:
    """What this interface takes and gives, as OpenAPI 3.1."""
    return JSONResponse(described())


@lru_cache(maxsize=1)
def described() -> dict[str, Any]:
    """The OpenAPI document."""
    return get_openapi(
        title="ngatu duty room",
        version=VERSION,
        summary="Events, reviews, boxes, counts and requests for footage of one commune's station.",
        routes=router.routes,
    )


def serve_api(app: FastAPI, rates: ApiRates | None = None) -> None:
    """Put the interface into the application."""
    app.state.rates = rates or ApiRates()
    app.include_router(router)
