"""Programs: which may ask the interface, for administrators; and how far the webhooks are."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.responses import HTMLResponse, RedirectResponse, Response

from agent.translatable import tr
from station.access.roles import ROLES, Role
from station.outward.progress import HookBook
from station.web.api.tokens import ApiTokens, TokenError
from station.web.visitor import Administrator, Visitor

page_router = APIRouter(prefix="/programs", include_in_schema=False)
Word = Annotated[str, Form(max_length=200)]


@page_router.get("")
def programs(visitor: Administrator) -> HTMLResponse:
    """All tokens, a form for another one, and the webhooks of the configuration."""
    return _list(visitor)


@page_router.post("")
def let_in(visitor: Administrator, name: Word = "", role: Word = "") -> HTMLResponse:
    """One more; the token is on this answer and nowhere else."""
    name = name.strip().lower()
    given = {"name": name, "role": role}
    if role not in tuple(Role):
        return _list(visitor, 422, given=given, what=tr("there is no such role"))
    try:
        made, secret = _tokens(visitor).make(name, Role(role), visitor.actor)
    except TokenError as error:
        return _list(visitor, 422, given=given, what=error.what, hint=error.hint)
    return visitor.page("program_new.html", program=made, secret=secret, url=visitor.console.web.address)


@page_router.post("/{token_id}/revoke")
def shut_out(visitor: Administrator, token_id: int) -> Response:
    """It counts no more, from this moment on."""
    if not 0 < token_id < 2**31:
        return _list(visitor, 404, what=tr("there is no such token any more"))
    try:
        _tokens(visitor).revoke(token_id, visitor.actor)
    except TokenError as error:
        return _list(visitor, 404, what=error.what)
    return RedirectResponse("/programs", 303)


def _tokens(visitor: Visitor) -> ApiTokens:
    return ApiTokens(visitor.console.writes, visitor.console.audit, visitor.console.reads)


def _list(visitor: Visitor, status: int = 200, **more: Any) -> HTMLResponse:
    configured = visitor.console.config.outward.webhooks
    progress = {each.name: each for each in HookBook(visitor.console.reads).every()}
    values = {
        "programs": _tokens(visitor).list(),
        "hooks": [(each.name, progress.get(each.name)) for each in configured],
        "roles": ROLES,
        "given": {"name": "", "role": Role.OFFICER},
        "what": "",
        "hint": "",
        **more,
    }
    return visitor.page("programs.html", status, **values)
