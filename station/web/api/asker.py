"""Who asks the interface: a program by its token, or somebody who is logged in, as the pages know him.

Invariants
1. Nothing is answered to whoever has neither: not even whether a path or a name is there.
2. A token needs no cookie and no CSRF token, for no browser sends it by itself; a session is held to what holds
   it on a page.
3. A program that asks too often is told when it may ask again, before anything is read for it.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool

from agent.translatable import tr
from station.access.account import Account
from station.access.roles import Role, allows
from station.web.api.rates import WRONG_AT_ONCE, WRONG_PER_S, Rates
from station.web.api.tokens import ApiToken, ApiTokens
from station.web.under_way import AnswerKind
from station.web.visitor import Turned, Visitor, address_of, console_of, counted, logged_in

_BEARER: Final = HTTPBearer(auto_error=False, description="A token that an administrator has made.")
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]


@dataclass(frozen=True, slots=True)
class ApiRates:
    """Of one application: how often who may ask, and how often somebody may be wrong."""

    asked: Rates = field(default_factory=Rates)
    wrong: Rates = field(default_factory=lambda: Rates(WRONG_PER_S, WRONG_AT_ONCE))


async def _asker(request: Request, bearer: Bearer) -> Visitor:
    rates: ApiRates = request.app.state.rates
    visitor = await (_program(request, bearer, rates) if bearer is not None else _somebody(request))
    _slow_down(rates.asked.take(visitor.account.login))
    return visitor


async def _somebody(request: Request) -> Visitor:
    try:
        return await logged_in(request)
    except Turned as error:
        if error.status == 303:
            raise Turned(403, tr("the password is to be changed first")) from None
        raise


async def _program(request: Request, bearer: HTTPAuthorizationCredentials, rates: ApiRates) -> Visitor:
    console, address = console_of(request), address_of(request)
    _slow_down(rates.wrong.wait_s(address))
    tokens = ApiTokens(console.writes, console.audit, console.reads)
    token = await run_in_threadpool(tokens.find, bearer.credentials)
    if token is None:
        rates.wrong.take(address)
        raise Turned(401, tr("this token counts no more, or never did"))
    counted(request, token.login, AnswerKind.PAGE)
    return Visitor(console, _as_account(token), "", "", "en", address, request.url.path)


def _slow_down(wait_s: float) -> None:
    if wait_s > 0:
        raise Turned(
            429,
            tr("that is too often; again in {seconds} s", seconds=math.ceil(wait_s)),
            again_s=math.ceil(wait_s),
        )


def _as_account(token: ApiToken) -> Account:
    """As the pages' functions and the audit log know who it is."""
    return Account(
        id=0,
        login=token.login,
        name=token.name,
        role=token.role,
        must_change=False,
        disabled=False,
        language=None,
        created_ms=token.created_ms,
        changed_ms=token.created_ms,
        login_ms=token.used_ms,
        failed=0,
        locked_until_ms=None,
    )


def _at_least(role: Role) -> Callable[..., Awaitable[Visitor]]:
    async def asked(visitor: Annotated[Visitor, Depends(_asker)]) -> Visitor:
        if not allows(visitor.account.role, role):
            raise Turned(403, tr("this is not for your role"), tr("ask your supervisor"))
        return visitor

    asked.__name__ = f"asker_at_least_{role}"
    return asked


async def _long(request: Request, visitor: Annotated[Visitor, Depends(_asker)]) -> None:
    counted(request, visitor.account.login, AnswerKind.LONG)


LONG: Final = Depends(_long)
"""Of what gives as much as was asked for."""
OfficerAsks = Annotated[Visitor, Depends(_at_least(Role.OFFICER))]
SupervisorAsks = Annotated[Visitor, Depends(_at_least(Role.SUPERVISOR))]
