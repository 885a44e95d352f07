"""The page to log in, the way out, and the language of whoever looks."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from agent.translatable import tr
from station.access.account import AccountError
from station.access.audit_entry import AuditVerb
from station.access.log_in import KNOWN_MS, LogInRefusal, Refused
from station.access.passwords import PasswordsBusy
from station.access.sessions import NewSession
from station.web.console import DutyConsole
from station.web.visitor import COOKIE, LANGUAGE, Desk, Officer, address_of, language_of, own_name

router = APIRouter()
KNOWN: Final = "ngatu-known"
KEYBOARD: Final = tr(
    "Is Caps Lock on? Does Unikey make other letters of what you type, such as “â” of “aa”? “Show what is "
    "typed” shows it. Whoever has forgotten it gets a new one from an administrator."
)
STATUS: Final = {LogInRefusal.WRONG: 401, LogInRefusal.WAIT: 429, LogInRefusal.DISABLED: 403}


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
    shown = {"login": login, "next": inside(next)}
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return _form(request, desk, {**shown, "what": tr("this came from another site, and was not done")}, 403)
    browser, known = request.headers.get("user-agent", ""), request.cookies.get(own_name(KNOWN, desk))
    try:
        outcome = desk.log_in.attempt(login, password, address_of(request), browser, known)
    except (PasswordsBusy, AccountError) as error:
        return _form(request, desk, {**shown, "what": error.what, "hint": error.hint}, 429)
    if isinstance(outcome, Refused):
        return _form(request, desk, {**shown, **_why(outcome, desk)}, STATUS[outcome.why])
    if before := request.cookies.get(own_name(COOKIE, desk)):
        desk.sessions.end(before)  # whoever's it was: nobody goes on in it behind another's name
    answer = RedirectResponse("/own" if outcome.account.must_change else inside(next), 303)
    stay_in(answer, desk, outcome.session)
    name = own_name(KNOWN, desk)
    answer.set_cookie(name, outcome.known, max_age=KNOWN_MS // 1000, path="/login", **_flags(desk))
    return answer


def stay_in(answer: Response, desk: DutyConsole, session: NewSession) -> None:
    """Give the browser its session."""
    name = own_name(COOKIE, desk)
    answer.set_cookie(name, session.token, max_age=desk.web.life_h * 3600, **_flags(desk))


def _flags(desk: DutyConsole) -> dict[str, Any]:
    return {"secure": desk.web.public_url is not None, "httponly": True, "samesite": "strict"}


def _why(refused: Refused, desk: DutyConsole) -> dict[str, str]:
    """What is wrong and what to do: the same whether or not the login exists."""
    if refused.why is LogInRefusal.WAIT:
        until = desk.templates.clock(refused.until_ms and refused.until_ms + 999)  # never a moment too early
        what = tr("there were too many wrong passwords: wait until {until}, then try again", until=until)
        return {"what": what, "hint": KEYBOARD}
    if refused.why is LogInRefusal.DISABLED:
        return {"what": tr("this account is switched off; ask an administrator")}
    what = tr("name or password is wrong; {left} more tries at most, then you must wait", left=refused.left)
    if refused.left == 1:
        what = tr("name or password is wrong; after one more wrong one you must wait")
    return {"what": what, "hint": KEYBOARD}


@router.post("/logout")
def log_out(visitor: Officer) -> Response:
    """The end of a session."""
    visitor.note(AuditVerb.LOG_OUT, visitor.account.login)
    visitor.console.sessions.end(visitor.token)
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(own_name(COOKIE, visitor.console), **_flags(visitor.console))
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
