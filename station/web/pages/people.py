"""People: who may use the console, for administrators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from agent.translatable import tr
from station.access.account import ALL_COMMUNES, Account, AccountError
from station.access.audit_entry import AuditVerb
from station.access.roles import ROLES, Role
from station.web.scope import every_commune
from station.web.visitor import Administrator, Visitor

router = APIRouter(prefix="/people")
Word = Annotated[str, Form(max_length=200)]
DONE = {
    "changed": tr("It is changed."),
    "disabled": tr("This person is let in no more, from this moment on."),
    "enabled": tr("This person is let in again."),
    "out": tr("This person is logged out everywhere."),
}
"""What the page of a person says after something was done."""


@router.get("")
def people(visitor: Administrator) -> HTMLResponse:
    """All accounts, and a form for another one."""
    return _list(visitor)


@router.post("")
def add(visitor: Administrator, name: Word = "", login: Word = "", role: Word = "officer") -> HTMLResponse:
    """One more; its password is on this answer and nowhere else."""
    given = {"name": name, "login": login, "role": role}
    try:
        made, password = visitor.accounts.create(login, name, _role(role))
    except AccountError as error:
        return _list(visitor, 422, given=given, what=error.what, hint=error.hint)
    return _shown_once(visitor, made, password)


@router.get("/{login}")
def person(visitor: Administrator, login: str, done: str = "") -> HTMLResponse:
    """One account, and all that can be done with it."""
    return _person(visitor, _found(visitor, login), done=DONE.get(done, ""))


@router.post("/{login}")
def change(visitor: Administrator, login: str, name: Word = "", role: Word = "") -> Response:
    """Another name or role."""
    before = _found(visitor, login)

    def act() -> None:
        visitor.accounts.change(login, name=name, role=_role(role))

    return _done(visitor, before, act, "changed")


@router.post("/{login}/communes")
def communes(
    visitor: Administrator, login: str, communes: Annotated[str, Form(max_length=16_500)] = ""
) -> Response:
    """At the province: other communes are open to this person, from the next page on."""
    if not visitor.console.of_province:
        raise HTTPException(404)
    found = _found(visitor, login)
    return _done(visitor, found, lambda: visitor.accounts.open_communes(login, communes), "changed")


@router.post("/{login}/disable")
def disable(visitor: Administrator, login: str) -> Response:
    """Let nobody in by it any more."""
    found = _found(visitor, login)
    return _done(visitor, found, lambda: visitor.accounts.disable(login), "disabled")


@router.post("/{login}/enable")
def enable(visitor: Administrator, login: str) -> Response:
    """Let this person in again."""
    found = _found(visitor, login)
    return _done(visitor, found, lambda: visitor.accounts.enable(login), "enabled")


@router.post("/{login}/logout")
def log_out(visitor: Administrator, login: str) -> Response:
    """End all sessions of it."""
    found = _found(visitor, login)

    visitor.note(AuditVerb.ACCOUNT_CHANGED, found.login, everywhere=True)
    visitor.console.sessions.end_all(found.id)
    return RedirectResponse(f"/people/{found.login}?done=out", 303)


@router.post("/{login}/password")
def reset(visitor: Administrator, login: str) -> HTMLResponse:
    """Another password, which is on this answer and nowhere else."""
    found = _found(visitor, login)
    password = visitor.accounts.reset(login)
    return _shown_once(visitor, found, password)


def _list(visitor: Visitor, status: int = 200, **more: Any) -> HTMLResponse:
    values = {"given": {"name": "", "login": "", "role": Role.OFFICER}, "what": "", "hint": "", **more}
    accounts = visitor.console.accounts.list()
    return visitor.page("people.html", status, accounts=accounts, roles=ROLES, **values)


def _person(visitor: Visitor, found: Account, status: int = 200, **more: Any) -> HTMLResponse:
    now_ms = visitor.console.now_ms
    every = every_commune(visitor.console) if visitor.console.of_province else []
    values = {
        "every": every,
        "strangers": [name for name in found.communes.split() if name not in (ALL_COMMUNES, *every)],
        "person": found,
        "is_self": found.id == visitor.account.id,
        "is_locked": (found.locked_until_ms or 0) > now_ms,
        "sessions": visitor.console.sessions.of(found.id),
        "roles": ROLES,
        "what": "",
        "hint": "",
        "done": "",
    }
    return visitor.page("person.html", status, **{**values, **more})


def _shown_once(visitor: Visitor, of: Account, password: str) -> HTMLResponse:
    return visitor.page("new_password.html", person=of, password=password, url=visitor.console.url)


def _done(visitor: Visitor, found: Account, act: Callable[[], object], word: str) -> Response:
    try:
        act()
    except AccountError as error:
        return _person(visitor, found, 422, what=error.what, hint=error.hint)
    return RedirectResponse(f"/people/{found.login}?done={word}", 303)


def _found(visitor: Visitor, login: str) -> Account:
    found = visitor.console.accounts.find(login)
    if found is None:
        raise HTTPException(404)
    return found


def _role(said: str) -> Role:
    if said not in tuple(Role):
        raise AccountError(tr("there is no such role"))
    return Role(said)
