"""At the province: what was asked of communes, and asking for informative events of some cameras and a span."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Form
from pydantic import ValidationError
from starlette.responses import HTMLResponse, RedirectResponse, Response

from agent.errors import NgatuError
from agent.language import translated
from agent.translatable import tr
from station.access.account import ALL_COMMUNES
from station.lookup.places import BoxPlace, read_places
from station.province.requests.book import AskedRequest
from station.province.requests.words import KIND_WORDS, state_words, tone_of
from station.store.columns import ms
from station.store.database import StoreError
from station.uplink.requests.order import MAX_WORDS, MOST_CAMERAS, CameraOf, EventsArgs, RequestKind
from station.web.asking.footage import package_row
from station.web.visitor import Officer, Turned, Visitor

router = APIRouter()
Words = Annotated[str, Form(max_length=MAX_WORDS)]
Places = Annotated[list[str], Form(max_length=MOST_CAMERAS)]


@router.get("/asked")
def asked_page(visitor: Officer) -> HTMLResponse:
    """Everything that was asked, the newest first, and a form where one commune is shown."""
    desk = visitor.console
    one = "" if visitor.communes == ALL_COMMUNES or " " in visitor.communes else visitor.communes
    places = _places(visitor) if one else []
    rows = [_row(visitor, each) for each in desk.requests.latest()]
    return visitor.page(
        "asked.html",
        rows=rows,
        places=[each for each in places if each.device.startswith(f"{one}.")],
        can_ask=desk.requests.can_ask,
        most=MAX_WORDS,
    )


@router.post("/asked")
def ask_for_events(
    visitor: Officer, place: Places, since: Words = "", until: Words = "", purpose: Words = ""
) -> Response:
    """Put the request down, sign it and leave it to the worker."""
    desk = visitor.console
    known = {f"{box.device}/{camera.name}" for box in _places(visitor) for camera in box.cameras}
    communes = {each.partition(".")[0] for each in place}
    if not place or not known.issuperset(place) or len(communes) != 1:
        raise Turned(422, tr("no such camera is known here"), tr("choose one of the list"))
    cameras = [CameraOf(device=box, camera=camera) for box, camera in map(_parted, place)]
    try:
        span = {"from_ms": _moment(since, visitor), "to_ms": _moment(until, visitor)}
        args = EventsArgs(purpose=purpose, cameras=tuple(cameras), **span)
    except (ValidationError, ValueError):
        what = tr("a span of 31 days at most, its end after its beginning, and what it is for")
        raise Turned(422, what, tr("go back and mend them")) from None
    try:
        desk.requests.ask_events(visitor.actor, communes.pop(), args, desk.now_ms)
    except StoreError:
        raise
    except NgatuError as error:
        raise Turned(409, error.what, error.hint or "") from None
    return RedirectResponse("/asked", 303)


def _places(visitor: Visitor) -> list[BoxPlace]:
    """Boxes and cameras that are open to him."""
    with visitor.console.reads.connect() as connection, connection.begin():
        return list(read_places(connection).values())


def _parted(place: str) -> tuple[str, str]:
    """COMMUNE.BOX/CAMERA to the names of box and camera."""
    box, _, camera = place.partition(".")[2].partition("/")
    return box, camera


def _moment(typed: str, visitor: Visitor) -> int:
    """Raises ValueError if it is none."""
    return ms(datetime.fromisoformat(typed).replace(tzinfo=visitor.console.zone).astimezone(UTC))


def _cameras(each: AskedRequest, said: dict[str, Any]) -> list[str]:
    if each.kind == RequestKind.FOOTAGE:
        return [f"{each.device}/{said['camera']}"]
    return [f"{camera['device']}/{camera['camera']}" for camera in said.get("cameras", ())]


def _row(visitor: Visitor, each: AskedRequest) -> dict[str, Any]:
    desk, say, now_ms = visitor.console, visitor.language, visitor.console.now_ms
    moment = partial(desk.templates.moment, say)
    is_picture = each.kind == RequestKind.PICTURE
    said = {} if is_picture else json.loads(each.about)
    return {
        "kind": translated(KIND_WORDS.get(each.kind, each.kind), say),
        "href": f"/events/{each.commune}.{each.device}/{each.about}" if is_picture else None,
        "commune": each.commune,
        "cameras": _cameras(each, said),
        "case": said.get("case_number"),
        "package": package_row(each),
        "device": each.device,
        "from_ms": said.get("from_ms"),
        "to_ms": said.get("to_ms"),
        "state": translated(state_words(each, now_ms, moment), say),
        "tone": tone_of(each, now_ms),
        "asked_ms": each.asked_ms,
        "name": each.name,
        "purpose": each.purpose,
    }
