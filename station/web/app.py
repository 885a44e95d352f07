"""The console as an application: every page, and what is said where something is wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp

from agent.errors import NgatuError
from agent.translatable import tr
from station.web.api.programs import page_router
from station.web.api.root import serve_api
from station.web.asking import events, footage, picture
from station.web.boxes import orders, overview, plans
from station.web.console import DutyConsole
from station.web.footage import evidence, requests
from station.web.headers import GuardedHeaders
from station.web.pages import (
    audit,
    communes,
    counts,
    entry,
    event,
    files,
    lookup,
    own,
    people,
    retention,
    review,
    rules,
    shift,
    wall,
)
from station.web.under_way import CountedAnswers
from station.web.visitor import Turned, for_people, refused, trouble, turned, wants_page

log = structlog.get_logger("station.web.app")

PAGES = (
    entry,
    files,
    wall,
    lookup,
    event,
    review,
    rules,
    requests,
    evidence,
    counts,
    overview,
    orders,
    plans,
    shift,
    own,
    audit,
    retention,
    people,
)
"""Each has a `router`."""
OF_PROVINCE = (
    entry,
    files,
    communes,
    lookup,
    event,
    picture,
    events,
    footage,
    counts,
    overview,
    own,
    audit,
    people,
)
"""Those of the province's console: what stations sent up is read, and more of it asked for; it serves no
programs."""


def app_of(console: DutyConsole) -> ASGIApp:
    """The application; the console is in its `state`."""
    return CountedAnswers(GuardedHeaders(bare_app(console), console.web), console.under_way)


def bare_app(console: DutyConsole) -> FastAPI:
    """The same without what guards it: for whoever lists its routes."""

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        if not console.of_province:  # where nothing is followed
            await run_in_threadpool(console.feed.start)
        yield

    app = FastAPI(title="ngatu", docs_url=None, redoc_url=None, openapi_url=None, lifespan=life)
    app.state.console = console
    for page in OF_PROVINCE if console.of_province else PAGES:
        app.include_router(page.router)
    if not console.of_province:
        serve_api(app)
        app.include_router(page_router)
    app.add_exception_handler(Turned, turned)
    app.add_exception_handler(HTTPException, _missing)
    app.add_exception_handler(RequestValidationError, _misread)
    app.add_exception_handler(NgatuError, _not_possible)
    app.add_exception_handler(Exception, _fault)
    return app


async def _missing(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return _said(request, 404, tr("there is no such page"), tr("go back, or begin at the first page"))
    return _said(request, error.status_code, tr("that is not possible here"))


async def _misread(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    names = sorted({str(each["loc"][-1]) for each in error.errors()})
    what = tr("these cannot be read: {names}", names=", ".join(names))
    return _said(request, 422, what, tr("go back and mend them"))


async def _not_possible(request: Request, error: Exception) -> Response:
    assert isinstance(error, NgatuError)
    log.warning("page_failed", path=request.url.path, error=str(error))
    return _said(request, 503, *for_people(error))


async def _fault(request: Request, error: Exception) -> Response:
    log.error("page_fault", path=request.url.path, error=repr(error))
    what = tr("this page has a fault; nothing that the boxes told is lost by it")
    return _said(request, 500, what, tr("try again; if it comes again, report it"))


def _said(request: Request, status: int, what: str, hint: str = "") -> Response:
    if wants_page(request):
        return trouble(request, status, what, hint)
    return refused(request, status, what, hint)
