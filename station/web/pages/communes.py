"""What only the console of the province has: which commune is shown; and its way in."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from agent.translatable import tr
from station.access.audit_entry import AuditVerb
from station.web.pages.entry import inside
from station.web.scope import CHOICE, is_open
from station.web.visitor import Officer, Turned, own_name

router = APIRouter()


@router.get("/")
def begin(_visitor: Officer) -> Response:
    """Whoever comes in begins with look-ups: a wall is for whoever is on duty in a commune."""
    return RedirectResponse("/lookup", 303)


@router.get("/standing")
def standing(_visitor: Officer) -> dict[str, str]:
    """As at a station; whether the workers keep what comes is theirs to say."""
    return {"unkept": ""}


@router.get("/commune")
def choose(visitor: Officer, request: Request, name: str = "") -> Response:
    """From now on this browser shows one commune, or all that are open; back to where it was asked."""
    if name and not is_open(visitor.account.communes, name):
        visitor.note(AuditVerb.REFUSED, visitor.path, commune=name[:40])
        raise Turned(403, tr("this commune is not open to you"), tr("ask an administrator of the province"))
    path = request.headers.get("referer", "/").partition(request.headers.get("host", "?"))[2]
    answer = RedirectResponse(inside(path or "/"), 303)
    cookie = own_name(CHOICE, visitor.console)
    if name:
        secure = visitor.console.web.public_url is not None
        answer.set_cookie(cookie, name, httponly=True, samesite="lax", secure=secure)
    else:
        answer.delete_cookie(cookie)
    return answer
