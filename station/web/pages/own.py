"""One's own account: password, language, and where one is logged in."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from agent.errors import NgatuError
from agent.translatable import tr
from station.access.account import AccountError
from station.access.audit_entry import AuditVerb
from station.access.detail_words import browser_words
from station.access.passwords import MIN_CHARS, PasswordRefused, PasswordsBusy
from station.access.roles import ROLES
from station.access.sessions import token_sha256
from station.web.pages.entry import stay_in
from station.web.visitor import LANGUAGE, Officer, Visitor

router = APIRouter(prefix="/own")
Secret = Annotated[str, Form(max_length=1000)]
DONE = {
    "password": tr("The password is changed. Everywhere else you are logged out."),
    "language": tr("It is changed."),
    "out": tr("Everywhere else you are logged out."),
}


@router.get("")
def own(visitor: Officer, done: str = "") -> HTMLResponse:
    """What one may change of oneself."""
    return _page(visitor, done=DONE.get(done, ""))


@router.post("/password")
def password(
    request: Request, visitor: Officer, old: Secret = "", new: Secret = "", again: Secret = ""
) -> Response:
    """Another password; all other sessions end, and this one gets a new token."""
    desk, account = visitor.console, visitor.account
    until_ms = desk.log_in.retries.locked(account.login, visitor.address, desk.now_ms)
    if until_ms is not None:
        until = desk.templates.clock(until_ms + 999)
        said = tr("there were too many wrong passwords: wait until {until}, then try again", until=until)
        return _page(visitor, 429, what=said)
    if new != again:
        return _page(visitor, 422, what=tr("the new password was typed in two ways"))
    try:
        after = visitor.accounts.change_own(account.login, old, new)
        session = desk.sessions.begin(after, visitor.address, request.headers.get("user-agent", ""))
    except PasswordsBusy as error:
        return _page(visitor, 429, what=error.what, hint=error.hint)
    except (AccountError, PasswordRefused) as error:
        return _refused(visitor, error)
    answer = RedirectResponse("/" if account.must_change else "/own?done=password", 303)
    stay_in(answer, desk, session)
    return answer


@router.post("/language")
def language(visitor: Officer, code: Annotated[str, Form(max_length=10)] = "") -> Response:
    """In which language the console speaks to this person, on every machine."""
    try:
        visitor.accounts.speak(visitor.account.login, code or None)
    except AccountError as error:
        return _page(visitor, 422, what=error.what, hint=error.hint)
    answer = RedirectResponse("/own?done=language", 303)
    answer.delete_cookie(LANGUAGE)
    return answer


@router.post("/logout")
def log_out(visitor: Officer) -> Response:
    """End all sessions of one's own but this."""
    visitor.note(AuditVerb.LOG_OUT, visitor.account.login, everywhere=True)
    visitor.console.sessions.end_all(visitor.account.id, but=visitor.token)
    return RedirectResponse("/own?done=out", 303)


def _refused(visitor: Visitor, error: NgatuError) -> HTMLResponse:
    """A wrong old password is counted; a new one that may be none is not."""
    if isinstance(error, AccountError):
        desk = visitor.console
        desk.log_in.retries.wrong(visitor.account.login, visitor.address, desk.now_ms, exists=True)
    return _page(visitor, 422, what=error.what, hint=error.hint)


def _page(visitor: Visitor, status: int = 200, **more: Any) -> HTMLResponse:
    own_id = token_sha256(visitor.token)
    sessions = [
        {
            "browser": browser_words(each.browser),
            "address": each.address,
            "created_ms": each.created_ms,
            "seen_ms": each.seen_ms,
            "is_this": each.id == own_id,
        }
        for each in visitor.console.sessions.of(visitor.account.id)
    ]
    values = {"what": "", "hint": "", "done": "", "roles": ROLES, "sessions": sessions, "least": MIN_CHARS}
    return visitor.page("own.html", status, **{**values, **more})
