"""The map: boxes where they hang on a picture of the commune; an administrator puts them there."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, File, Form, HTTPException, Request, UploadFile
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from agent.translatable import tr
from station.access.audit_entry import AuditVerb
from station.boxes.plan_picture import MAX_BYTES, PlanError
from station.boxes.plans import CommunePlan
from station.web.boxes.overview import Blank, view_of
from station.web.visitor import Administrator, Officer, Turned, Visitor

router = APIRouter()
FOR_EVER = {"Cache-Control": "private, max-age=31536000, immutable"}


@router.get("/plans")
def plans(visitor: Officer) -> Response:
    """The first plan, or how to make one."""
    found = visitor.console.plans.all()
    if found:
        return RedirectResponse(f"/plans/{found[0].id}", 303)
    return visitor.page("plan.html", v=None, all=(), blank=Blank(), plan=None)


@router.get("/plans/{plan_id}")
def plan(visitor: Officer, plan_id: int) -> HTMLResponse:
    """One plan with the boxes on it."""
    found = _plan(visitor, plan_id)
    values = _values(visitor, found)
    return visitor.page("plan.html", v=values, all=visitor.console.plans.all(), blank=Blank(), plan=found)


@router.get("/live/plans/{plan_id}")
def live_plan(visitor: Officer, plan_id: int) -> JSONResponse:
    """The same, for the page that is open."""
    return JSONResponse(_values(visitor, _plan(visitor, plan_id)))


@router.get("/plans/{plan_id}/picture")
def picture(visitor: Officer, plan_id: int, v: str = "") -> Response:
    """Its picture; by its version a browser may keep it."""
    found = visitor.console.plans.image(plan_id)
    if found is None:
        raise HTTPException(404)
    return Response(found.data, media_type=found.media_type, headers=FOR_EVER if v else {})


@router.get("/plans/{plan_id}/edit")
def edit(visitor: Administrator, plan_id: int) -> HTMLResponse:
    """The same plan, to put boxes on it."""
    found = _plan(visitor, plan_id)
    places = {each.device: each for each in found.places}
    spots = [
        {**each, "x": places[each["key"]].x_permille if each["key"] in places else "",
         "y": places[each["key"]].y_permille if each["key"] in places else ""}
        for each in map(view_of(visitor).tile, visitor.console.boxes.now().boxes)
    ]  # fmt: skip
    spots.sort(key=lambda each: str(each["title"]).casefold())
    return visitor.page("plan_edit.html", plan=found, spots=spots, picture=_address(found))


@router.post("/plans")
def add(
    visitor: Administrator, name: Annotated[str, Form()], picture: Annotated[UploadFile, File()]
) -> Response:
    """A new plan."""
    try:
        made = visitor.console.plans.add(name, _read(picture))
    except PlanError as error:
        raise _turned(error) from None
    visitor.note(AuditVerb.PLAN_CHANGED, name, done="made", plan=made)
    return RedirectResponse(f"/plans/{made}/edit", 303)


@router.post("/plans/{plan_id}")
def change(
    visitor: Administrator,
    plan_id: int,
    name: Annotated[str, Form()],
    picture: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Another name, another picture."""
    data = _read(picture) if picture is not None and picture.filename else None
    try:
        visitor.console.plans.change(plan_id, name, data)
    except PlanError as error:
        raise _turned(error) from None
    visitor.note(AuditVerb.PLAN_CHANGED, name, done="changed", plan=plan_id, picture=data is not None)
    return RedirectResponse(f"/plans/{plan_id}/edit", 303)


@router.post("/plans/{plan_id}/remove")
def remove(visitor: Administrator, plan_id: int) -> Response:
    """Take it away."""
    found = _plan(visitor, plan_id)
    try:
        visitor.console.plans.remove(plan_id)
    except PlanError as error:
        raise _turned(error) from None
    visitor.note(AuditVerb.PLAN_CHANGED, found.name, done="removed", plan=plan_id)
    return RedirectResponse("/plans", 303)


@router.post("/plans/{plan_id}/places")
async def arrange(visitor: Administrator, request: Request, plan_id: int) -> Response:
    """Where the boxes hang: fields x/DEVICE and y/DEVICE in permille; a box without both is not on the plan."""
    form = await request.form()
    given = {key: str(value).strip() for key, value in form.items() if isinstance(value, str)}
    return await run_in_threadpool(_arranged, visitor, plan_id, given)


def _arranged(visitor: Visitor, plan_id: int, given: dict[str, str]) -> Response:
    places: dict[str, tuple[int, int]] = {}
    for key, x in given.items():
        y = given.get(f"y/{key[2:]}", "")
        if key.startswith("x/") and x and y:
            if not all(each.isascii() and each.isdigit() and len(each) < 6 for each in (x, y)):
                raise Turned(422, tr("a place is not on the picture"), tr("go back, and try again"))
            places[key[2:]] = int(x), int(y)
    seen = given.get("seen_ms", "")
    seen_ms = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 16 else None
    try:
        saved = visitor.console.plans.arrange(plan_id, visitor.console.config.commune, places, seen_ms)
    except PlanError as error:
        raise _turned(error) from None
    shown = {device: list(place) for device, place in places.items()}
    visitor.note(AuditVerb.PLAN_CHANGED, saved.name, done="arranged", plan=plan_id, places=shown)
    return RedirectResponse(f"/plans/{plan_id}", 303)


def _plan(visitor: Visitor, plan_id: int) -> CommunePlan:
    found = visitor.console.plans.find(plan_id) if abs(plan_id) < 2**31 else None
    if found is None:
        raise HTTPException(404)
    return found


def _address(found: CommunePlan) -> str:
    return f"/plans/{found.id}/picture?v={found.changed_ms}"


def _values(visitor: Visitor, found: CommunePlan) -> dict[str, Any]:
    """What stands on the plan, what does not, and its picture."""
    view, now = view_of(visitor), visitor.console.boxes.now()
    places = {each.device: each for each in found.places}
    on, off = [], []
    for each in now.boxes:
        tile = view.tile(each)
        place = places.get(each.standing.device)
        if place is None:
            off.append(tile)
            continue
        label = view.say(tr("{box}: {state}", box=tile["title"], state=tile["verdict_words"]))
        on.append({**tile, "x": f"{place.x_permille / 10}%", "y": f"{place.y_permille / 10}%", "label": label})
    return {
        "picture": _address(found),
        "name": found.name,
        "places": on,
        "off": off,
        "any_off": bool(off),
        "read": visitor.console.templates.clock(now.read_ms),
    }


def _read(file: UploadFile) -> bytes:
    """Of a file that somebody chose; one byte more than may be tells that there are more."""
    return file.file.read(MAX_BYTES + 1)


def _turned(error: PlanError) -> Turned:
    return Turned(422, error.what, error.hint)
