"""The wall of boxes, and one box: how it stands, what stands behind that, its day."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from fastapi import APIRouter, HTTPException
from starlette.responses import HTMLResponse, JSONResponse

from station.access.audit_entry import AuditVerb
from station.access.roles import Role
from station.boxes.history import changes_since
from station.boxes.order_kinds import PAUSES_MIN, TERMS, OrderKind
from station.boxes.standing import newest_pictures
from station.web.boxes.box_view import BoxView
from station.web.visitor import Officer, Visitor

router = APIRouter()


class Blank(dict[str, Any]):
    """Values of a template that the browser fills: whatever is asked for is empty."""

    def __missing__(self, name: str) -> str:
        return ""


def view_of(visitor: Visitor) -> BoxView:
    """In the visitor's language, now."""
    return BoxView(visitor.console.templates, visitor.language, round(time.time() * 1000))


@router.get("/boxes")
def boxes(visitor: Officer) -> HTMLResponse:
    """All boxes, what is wrong first."""
    values = view_of(visitor).wall(visitor.console.boxes.now())
    return visitor.page("boxes.html", v=values, blank=Blank())


@router.get("/live/boxes")
def live_boxes(visitor: Officer) -> JSONResponse:
    """The same, for the page that is open."""
    return JSONResponse(view_of(visitor).wall(visitor.console.boxes.now()))


@router.get("/boxes/{device}")
def box(visitor: Officer, device: str) -> HTMLResponse:
    """One box."""
    values = _box(visitor, device)
    if pictured := [each["key"] for each in values["cameras_list"] if each["picture"]]:
        visitor.note(AuditVerb.VIEW_PICTURE, device, cameras=pictured)
    return visitor.page(
        "box.html",
        v=values,
        blank=Blank(),
        device=device,
        names={str(kind): terms.name for kind, terms in TERMS.items()},
        may={str(kind): visitor.may(terms.role) for kind, terms in TERMS.items()},
        pauses=PAUSES_MIN,
        supervises=visitor.may(Role.SUPERVISOR),
        restart=str(OrderKind.RESTART),
    )


@router.get("/live/boxes/{device}")
def live_box(visitor: Officer, device: str) -> JSONResponse:
    """The same, for the page that is open."""
    return JSONResponse(_box(visitor, device))


def _box(visitor: Visitor, device: str) -> dict[str, Any]:
    desk = visitor.console
    found = desk.boxes.find(device)
    if found is None:
        raise HTTPException(404)
    standing = found.standing
    pictures = newest_pictures(desk.reads, standing.id, tuple(each.name for each in standing.cameras))
    midnight = datetime.now(desk.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    changes = changes_since(desk.reads, standing.id, round(midnight.timestamp() * 1000))
    return view_of(visitor).box(found, pictures, changes, desk.orders.of_box(device))
