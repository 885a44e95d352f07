"""Who asks: what a page gets by naming one of `Officer`, `Supervisor`, `Administrator` as a parameter.

Invariants
1. Without a session that counts nothing is answered but the page to log in, static files and `/alive`.
2. A request that may change something comes from a page of ours: it carries the session's CSRF token, and the
   browser does not say that another site sent it.
3. Whose role does not reach is refused before the page's own code runs.
4. What an account has under way is counted, and bounded (station/web/under_way.py).
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import quote, urlsplit

from fastapi import Depends, Request
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from agent.errors import NgatuError
from agent.language import translated
from agent.translatable import tr
from station.access.account import Account
from station.access.accounts import Accounts
from station.access.audit_entry import Actor, AuditVerb
from station.access.roles import Role, allows
from station.store.database import StoreError
from station.web.console import DutyConsole
from station.web.menu import here, menu_of
from station.web.scope import CHOICE, in_short, narrowed, scope_values
from station.web.under_way import AnswerKind, UnderWay

COOKIE: Final = "ngatu"
CSRF: Final = "csrf"
LANGUAGE: Final = "ngatu-language"
SAFE: Final = ("GET", "HEAD")
AGAIN_S: Final = 5
"""After so many seconds somebody asks again who had too much under way."""
FIRST_PAGES: Final = ("/own", "/own/password", "/logout", "/standing")
"""All that is open to somebody whose password was given by another: it is changed first. `/standing` is what
every page asks for, these too: whether what is pressed arrives."""


class Turned(Exception):
    """The request is not for the page it asks for; `answer` is what it gets."""

    def __init__(self, status: int, what: str, hint: str = "", again_s: int | None = None) -> None:
        super().__init__(what)
        self.status, self.what, self.hint = status, what, hint
        self.headers = {} if again_s is None else {"Retry-After": str(again_s)}


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is logged in, and the page's way to everything."""

    console: DutyConsole
    account: Account
    token: str
    csrf: str
    language: str
    address: str
    path: str
    communes: str = ""
    """At the province: those of which this page shows things (scope.py)."""

    def may(self, role: str) -> bool:
        """Whether the role reaches."""
        return allows(self.account.role, Role(role))

    def note(self, verb: AuditVerb, subject: str = "", **detail: Any) -> None:
        """Put it into the console's audit log, on disk when this returns.

        Raises:
            StoreError: it cannot be written; then what was to be noted is not to be done.
        """
        if self.console.of_province:
            detail["communes"] = in_short(self.communes)
        self.console.audit.note(self.actor, verb, subject, detail)

    def _scope(self) -> dict[str, Any] | None:
        return (
            scope_values(self.console, self.account.communes, self.communes)
            if self.console.of_province
            else None
        )

    def _badges(self) -> dict[str, tuple[str, int]]:
        """What stands behind words of the menu: path -> (what it counts, how many)."""
        if self.console.of_province:
            return {}
        try:
            numbers = self.console.pressing_numbers()
        except NgatuError:  # the page itself says that the store cannot be read
            return {}
        return {"/review": ("open", numbers["open"]), "/boxes": ("needing", numbers["needing"])}

    @property
    def accounts(self) -> Accounts:
        """Everybody's accounts; what he changes of them is noted as his."""
        return self.console.accounts.by(self.actor)

    @property
    def actor(self) -> Actor:
        """As audit entries name him."""
        return Actor(self.account.login, self.account.name, self.account.role, self.address)

    def page(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """A page for him; `values` are the template's."""
        field = Markup('<input type="hidden" name="{}" value="{}">').format(CSRF, self.csrf)
        more = {
            "visitor": self,
            "csrf_field": field,
            "csrf": self.csrf,
            "console": self.console,
            "menu": menu_of(self.account.role, of_province=self.console.of_province),
            "scope": self._scope(),
            "here": here(self.path),
            "badges": self._badges(),
        }
        text = self.console.templates.page(template, self.language, {**more, **values})
        return HTMLResponse(text, status)


def console_of(request: Request) -> DutyConsole:
    """The console of the application."""
    console: DutyConsole = request.app.state.console
    return console


Desk = Annotated[DutyConsole, Depends(console_of)]


def language_of(request: Request, account: Account | None = None) -> str:
    """In which language: what the account says, else the browser's cookie, else the console's."""
    chosen = (account.language if account else None) or request.cookies.get(LANGUAGE)
    return chosen if chosen in ("vi", "en") else console_of(request).web.language


def address_of(request: Request) -> str:
    """Of whoever asks; behind a proxy the one that it tells."""
    return request.client.host if request.client else ""


def own_name(cookie: str, console: DutyConsole) -> str:
    """What a cookie is called by this console: a browser has one jar for all ports of a name.

    Stations of several communes may be at ports of one name, and none must log anybody out of another.
    """
    port = urlsplit(console.web.public_url or "").port
    return cookie if port is None else f"{cookie}-{port}"


async def logged_in(request: Request) -> Visitor:
    """Who is logged in (invariants 1 and 2).

    Raises:
        Turned: nobody is, or the request is not of a page of ours, or the password is to be changed first.
    """
    console = console_of(request)
    token = request.cookies.get(own_name(COOKIE, console), "")
    found = await run_in_threadpool(console.sessions.find, token) if token else None
    if found is None:
        raise Turned(401, tr("nobody is logged in"))
    account = found.account
    counted(request, account.login, AnswerKind.PAGE)
    if request.method not in SAFE:
        await _is_ours(request, found.csrf)
    if account.must_change and request.url.path not in FIRST_PAGES:
        raise Turned(303, "/own")
    language, address = language_of(request, account), address_of(request)
    communes = ""
    if console.of_province:
        communes = narrowed(account.communes, request.cookies.get(own_name(CHOICE, console), ""))
        console = console.open_to(communes)
    return Visitor(console, account, token, found.csrf, language, address, request.url.path, communes)


async def _is_ours(request: Request, csrf: str) -> None:
    """Invariant 2."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Turned(403, tr("this came from another site, and was not done"))
    given = request.headers.get("x-csrf")
    if given is None:
        form = await request.form()
        given = str(form.get(CSRF, ""))
    if not secrets.compare_digest(given.encode(), csrf.encode()):
        raise Turned(403, tr("this page was too old, and nothing was done"), tr("load it again, and try again"))


def counted(request: Request, account: str, kind: AnswerKind) -> UnderWay:
    """Count the answer to this request (invariant 4); to be called in the loop.

    Raises:
        Turned: the account has as many under way as it may.
    """
    found = console_of(request).under_way.enter(request.scope, account, kind)
    if found is None:
        what = tr(
            "this account has too much open at once: {number} answers are not taken yet",
            number=kind.value.of_one,
        )
        raise Turned(429, what, tr("wait until one has ended, and try again"), AGAIN_S)
    return found


def _at_least(role: Role) -> Callable[..., Awaitable[Visitor]]:
    async def asked(visitor: Annotated[Visitor, Depends(logged_in)]) -> Visitor:
        if not allows(visitor.account.role, role):
            await run_in_threadpool(visitor.note, AuditVerb.REFUSED, visitor.path)
            raise Turned(403, tr("this is not for your role"), tr("ask your supervisor"))
        return visitor

    asked.__name__ = f"at_least_{role}"
    return asked


async def _long(request: Request, visitor: Annotated[Visitor, Depends(logged_in)]) -> None:
    counted(request, visitor.account.login, AnswerKind.LONG)


LONG: Final = Depends(_long)
"""Of a page that gives as much as was asked for."""
Officer = Annotated[Visitor, Depends(_at_least(Role.OFFICER))]
Supervisor = Annotated[Visitor, Depends(_at_least(Role.SUPERVISOR))]
Administrator = Annotated[Visitor, Depends(_at_least(Role.ADMINISTRATOR))]


def wants_page(request: Request) -> bool:
    """Whether a person looks at the answer."""
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")


async def turned(request: Request, error: Exception) -> Response:
    """What somebody gets whose request was not for the page: the log-in, or one clear sentence."""
    assert isinstance(error, Turned)
    if error.status == 303:
        return RedirectResponse(error.what, 303)
    if not wants_page(request):
        return refused(request, error.status, error.what, error.hint, error.headers)
    if error.status == 401:
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        there = "/login" if asked == "/" or request.method not in SAFE else f"/login?next={quote(asked)}"
        return RedirectResponse(there, 303)
    answer = trouble(request, error.status, error.what, error.hint)
    answer.headers.update(error.headers)
    return answer


def refused(
    request: Request, status: int, what: str, hint: str = "", headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """What is wrong and what to do, for a script of ours in the reader's language, for programs in English."""
    into = "en" if request.url.path.startswith("/api/") else language_of(request)
    return JSONResponse({"error": translated(what, into), "hint": translated(hint, into)}, status, headers)


def for_people(error: NgatuError) -> tuple[str, str]:
    """What is wrong and what to do, as an officer can use it; where exactly a store failed is in the log."""
    if isinstance(error, StoreError):
        return tr("the store cannot be used at present"), error.hint
    return error.what, error.hint


def trouble(request: Request, status: int, what: str, hint: str = "") -> HTMLResponse:
    """A page that says what is wrong and what to do."""
    language = language_of(request)
    values = {"what": what, "hint": hint, "visitor": None}
    return HTMLResponse(console_of(request).templates.page("trouble.html", language, values), status)
