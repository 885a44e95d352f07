"""The wall: events as they come."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from station.web.visitor import Officer

router = APIRouter()


@router.get("/")
def wall(visitor: Officer) -> HTMLResponse:
    """The newest events, and what follows."""
    return visitor.page("wall.html")
