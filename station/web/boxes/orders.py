"""Orders to boxes: given, asked after, and the pictures of a look while it lasts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from agent.translatable import tr
from station.access.audit_entry import AuditVerb
from station.boxes.live_look import LookState
from station.boxes.order_kinds import PAUSES_MIN, TERMS, BoxWish, OrderGiver, OrderKind, OrderProgress
from station.boxes.orders import OrderNotGiven
from station.web.boxes.overview import view_of
from station.web.visitor import Officer, Turned, Visitor, wants_page

router = APIRouter()


@router.post("/boxes/{device}/orders")
def give(
    visitor: Officer,
    request: Request,
    device: str,
    kind: Annotated[OrderKind, Form()],
    camera: Annotated[str, Form(max_length=64)] = "",
    minutes: Annotated[int, Form(ge=1, le=43_200)] = PAUSES_MIN[0],
    seconds: Annotated[int, Form(ge=1, le=60)] = 30,
    purpose: Annotated[str, Form(max_length=300)] = "",
) -> Response:
    """Give an order to a box that this station knows; it is in the audit log before it goes out."""
    if visitor.console.boxes.find(device) is None:
        raise HTTPException(404)
    if not visitor.may(TERMS[kind].role):
        raise Turned(403, tr("this is not for your role"), tr("ask your supervisor"))
    until = datetime.now(UTC) + timedelta(minutes=minutes) if kind is OrderKind.PAUSE else None
    wish = BoxWish(kind, device, camera or None, until, seconds, purpose=purpose)
    verb = AuditVerb.LOOK if kind is OrderKind.LOOK else AuditVerb.ORDER
    more: dict[str, Any] = {"purpose": purpose.strip(), "seconds": seconds} if kind is OrderKind.LOOK else {}
    if kind is OrderKind.SAMPLES:
        more["purpose"] = purpose.strip()
    if until is not None:
        more["until"] = until.isoformat(timespec="seconds")
    giver = OrderGiver(visitor.account.login, visitor.account.name, visitor.account.role)
    try:
        visitor.console.orders.judge(wish, giver)
        visitor.note(verb, f"{device}/{camera}" if camera else device, order=str(kind), **more)
        order = visitor.console.orders.give(wish, giver)
    except OrderNotGiven as error:
        raise Turned(409, error.what, error.hint) from None
    if wants_page(request):
        return RedirectResponse(f"/boxes/{device}#orders", 303)
    return JSONResponse({"id": order.id, "is_look": kind is OrderKind.LOOK}, 201)


@router.get("/live/orders/{order_id}")
def progress(visitor: Officer, order_id: str) -> JSONResponse:
    """How far an order is, and of a look whether there is a new picture; whoever asks is still looking."""
    order = _order(visitor, order_id)
    values = view_of(visitor).order(order, {})
    look = visitor.console.orders.look(order_id, visitor.account.login)
    return JSONResponse(values | {"look": None if look is None else _look(look.ask())})


@router.get("/live/orders/{order_id}/pictures/{number}")
def picture(visitor: Officer, order_id: str, number: int) -> Response:
    """A picture of a look, once, for whoever has ordered it; 204: a newer one took its place."""
    look = visitor.console.orders.look(order_id, visitor.account.login)
    if look is None:
        raise HTTPException(404)
    found = look.take(number)
    if found is None:  # on a slow link this is nothing unusual, and no fault of anybody's
        return Response(status_code=204, headers={"Cache-Control": "no-store"})
    return Response(found.data, media_type="image/jpeg", headers={"Cache-Control": "no-store"})


@router.post("/live/orders/{order_id}/end")
def end(visitor: Officer, order_id: str) -> JSONResponse:
    """Whoever looked looks no more: the box stops sending."""
    look = visitor.console.orders.look(order_id, visitor.account.login)
    if look is None:
        raise HTTPException(404)
    look.leave()
    return JSONResponse({})


def _order(visitor: Visitor, order_id: str) -> OrderProgress:
    found = visitor.console.orders.find(order_id)
    if found is None:
        raise HTTPException(404)
    return found


def _look(state: LookState) -> dict[str, Any]:
    return {
        "came": state.came,
        "waits": state.waits,
        "newest": state.newest,
        "complete": state.complete,
        "faulty": state.late + state.damaged,
    }
