"""The page to log in, the way out, and the language of whoever looks."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from agent.translatable import tr
from station.access.audit_log import AuditActor, AuditVerb
from station.web.visitor import COOKIE, LANGUAGE, Desk, Officer, address_of, language_of

router = APIRouter()


def inside(path: str) -> str:
    """Where somebody goes after the log-in: a path of ours, whatever the address said."""
    ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if ours else "/"


@router.get("/login")
def login_page(request: Request, desk: Desk, next: str = "/") -> HTMLResponse:  # noqa: A002 (its name in the address)
    """Who are you?"""
    return _form(request, desk, {"next": inside(next)})


def _form(request: Request, desk: Desk, values: dict[str, Any], status: int = 200) -> HTMLResponse:
    shown = {"login": "", "next": "/", "what": "", "hint": "", "visitor": None, **values}
    return HTMLResponse(desk.templates.page("login.html", language_of(request), shown), status)


@router.post("/login")
def log_in(
    request: Request,
    desk: Desk,
    login: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=1000)] = "",
    next: Annotated[str, Form(max_length=4000)] = "/",  # noqa: A002
) -> Response:
    """A session, or why not."""
    address, name = address_of(request), login.strip().lower()
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return _form(request, desk, {"what": tr("this came from another site, and was not done")}, 403)
    outcome = desk.accounts.log_in(name, password, address)
    if outcome.account is None:
        desk.audit.note(AuditActor(name[:32], "", "", address), AuditVerb.LOG_IN_FAILED, name[:32], {})
        values = {"login": login, "next": inside(next), "what": outcome.why, "hint": outcome.hint}
        return _form(request, desk, values, 429 if outcome.locked else 401)
    account = outcome.account
    browser = request.headers.get("user-agent", "")[:200]
    session = desk.sessions.begin(account, address, browser)
    desk.audit.note(
        AuditActor(account.login, account.name, account.role, address), AuditVerb.LOG_IN, account.login, {}
    )
    answer = RedirectResponse(inside(next), 303)
    secure = desk.web.public_url is not None
    answer.set_cookie(
        COOKIE,
        session.token,
        max_age=desk.web.life_h * 3600,
        secure=secure,
        httponly=True,
        samesite="strict",
    )
    return answer


@router.post("/logout")
def log_out(visitor: Officer) -> Response:
    """The end of a session."""
    visitor.console.sessions.end(visitor.token)
    visitor.note(AuditVerb.LOG_OUT, visitor.account.login)
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE)
    return answer


@router.get("/language/{code}")
def language(request: Request, code: str) -> Response:
    """Vietnamese or English for this browser; back to where it was asked."""
    path = request.headers.get("referer", "/").partition(request.headers.get("host", "?"))[2]
    answer = RedirectResponse(inside(path or "/"), 303)
    if code in ("vi", "en"):
        answer.set_cookie(LANGUAGE, code, max_age=31_536_000, httponly=True, samesite="lax")
    return answer


@router.get("/alive")
def alive() -> dict[str, str]:
    """For whoever watches whether the screen answers at all."""
    return {"state": "ok"}
