"""At the province: what was asked of communes, and asking for informative events of some cameras and a span."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Form
from pydantic import ValidationError
from sqlalchemy import select
from starlette.responses import HTMLResponse, RedirectResponse, Response

from agent.errors import NgatuError
from agent.language import translated
from agent.translatable import tr
from station.access.account import ALL_COMMUNES
from station.lookup.places import BoxPlace, read_places
from station.lookup.words import spot_words
from station.province.requests.book import AskedRequest
from station.province.requests.words import KIND_WORDS, state_words, tone_of
from station.store.columns import ms
from station.store.database import StoreError
from station.store.schema import box
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
    asked = desk.requests.latest()
    of_asked = {place.device: place for place in _places(visitor, _devices(asked))}
    rows = [_row(visitor, each, of_asked) for each in asked]
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


def _places(visitor: Visitor, devices: Collection[str] | None = None) -> list[BoxPlace]:
    """Boxes and cameras that are open to him; of these boxes, or of all."""
    with visitor.console.reads.connect() as connection, connection.begin():
        ids = None if devices is None else connection.scalars(select(box.c.id).where(box.c.device.in_(devices)))
        return list(read_places(connection, ids).values())


def _parted(place: str) -> tuple[str, str]:
    """COMMUNE.BOX/CAMERA to the names of box and camera."""
    box, _, camera = place.partition(".")[2].partition("/")
    return box, camera


def _moment(typed: str, visitor: Visitor) -> int:
    """Raises ValueError if it is none."""
    return ms(datetime.fromisoformat(typed).replace(tzinfo=visitor.console.zone).astimezone(UTC))


def _spots(each: AskedRequest) -> list[tuple[str, str]]:
    """COMMUNE.BOX and camera of each that was asked for."""
    said = {} if each.kind == RequestKind.PICTURE else json.loads(each.about)
    if each.kind == RequestKind.FOOTAGE:
        return [(f"{each.commune}.{each.device}", said["camera"])]
    return [(f"{each.commune}.{it['device']}", it["camera"]) for it in said.get("cameras", ())]


def _devices(asked: Iterable[AskedRequest]) -> set[str]:
    boxes = {device for each in asked for device, _ in _spots(each)}
    return boxes | {f"{each.commune}.{each.device}" for each in asked if each.device}


def _called(device: str, camera: str, places: Mapping[str, BoxPlace]) -> str:
    """As people call it; what is not here any more by its names."""
    place = places.get(device)
    return f"{device}/{camera}" if place is None else spot_words(place, camera)


def _row(visitor: Visitor, each: AskedRequest, places: Mapping[str, BoxPlace]) -> dict[str, Any]:
    desk, say, now_ms = visitor.console, visitor.language, visitor.console.now_ms
    moment = partial(desk.templates.moment, say)
    is_picture = each.kind == RequestKind.PICTURE
    said = {} if is_picture else json.loads(each.about)
    device = f"{each.commune}.{each.device}"
    return {
        "kind": translated(KIND_WORDS.get(each.kind, each.kind), say),
        "href": f"/events/{each.commune}.{each.device}/{each.about}" if is_picture else None,
        "commune": each.commune,
        "cameras": [translated(_called(*spot, places), say) for spot in _spots(each)],
        "case": said.get("case_number"),
        "package": package_row(each),
        "device": places[device].title if device in places else each.device,
        "from_ms": said.get("from_ms"),
        "to_ms": said.get("to_ms"),
        "state": translated(state_words(each, now_ms, moment), say),
        "tone": tone_of(each, now_ms),
        "asked_ms": each.asked_ms,
        "name": each.name,
        "purpose": each.purpose,
    }
