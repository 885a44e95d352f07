"""Requests for footage: the list, a new one, and how far each is."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Query
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from agent.errors import BrokerUnreachable, NgatuError, UsageError
from agent.translatable import tr
from agent.wire.signature import private_key
from station.access.audit_entry import AuditVerb
from station.footage import ask
from station.footage.folder import FootageStage, RequestFolder
from station.footage.wanted import ClipWanted
from station.handover.asking import ClipForm, around, typed, wanted_of
from station.handover.shelf import clear
from station.lookup.places import BoxPlace, read_places
from station.store.columns import moment
from station.web.console import DutyConsole
from station.web.footage.request_rows import OPEN, address, progress_of, row_of
from station.web.visitor import Officer, Visitor

router = APIRouter()
LIFE_S: Final = 86_400.0
"""An order waits so long for a box that is not connected."""
ANSWER_S: Final = 3.0
"""For a box that is there; one that is not answers later, and the page says so."""
PER_PAGE: Final = 50
ENDED: Final = (FootageStage.REFUSED, FootageStage.FAILED, FootageStage.RELEASED, FootageStage.DELETED)
SHOW: Final = {"open": tr("Under way"), "here": tr("Here"), "ended": tr("Did not come"), "": tr("All")}
Text = Annotated[str, Form(max_length=2000)]
Moment = Annotated[int | None, Query(ge=0, le=4_000_000_000_000)]


@router.get("/requests")
def requests_page(visitor: Officer, show: str = "", page: int = 1) -> HTMLResponse:
    """All of them, the newest first."""
    desk, folders = visitor.console, ask.folders(visitor.console.config)
    clear(folders, datetime.now(UTC))
    every = list(folders.every())[::-1]
    if show in SHOW and show:
        every = [each for each in every if _shown_as(each.state().stage) == show]
    pages = max(1, -(-len(every) // PER_PAGE))
    page = min(max(1, page), pages)
    some = every[(page - 1) * PER_PAGE : page * PER_PAGE]
    with desk.reads.connect() as connection, connection.begin():
        places = _by_device(read_places(connection))
    rows = [row_of(each, places, visitor.language) for each in some]
    return visitor.page(
        "requests.html", rows=rows, show=show if show in SHOW else "", chips=SHOW, page=page, pages=pages
    )


@router.get("/requests/progress")
def progress(visitor: Officer) -> JSONResponse:
    """How far those are that are under way: for a page that refreshes itself."""
    folders = [each for each in ask.folders(visitor.console.config).every() if each.state().stage in OPEN]
    return JSONResponse([progress_of(each, visitor.language) for each in folders])


@router.get("/requests/new")
def new_page(
    visitor: Officer,
    box: str = "",
    camera: str = "",
    at_ms: Moment = None,
    from_ms: Moment = None,
    to_ms: Moment = None,
    case: str = "",
    purpose: str = "",
) -> HTMLResponse:
    """The form; other pages fill it in by what stands in its address: `at_ms` is the moment of an event."""
    zone = visitor.console.zone
    since, until = around(moment(at_ms), zone) if at_ms is not None else ("", "")
    since = typed(moment(from_ms), zone) if from_ms is not None else since
    until = typed(moment(to_ms), zone) if to_ms is not None else until
    return _form(visitor, ClipForm(f"{box}/{camera}" if box else "", since, until, case, purpose))


@router.post("/requests")
def ask_for(
    visitor: Officer,
    place: Text = "",
    since: Text = "",
    until: Text = "",
    case: Text = "",
    purpose: Text = "",
) -> Response:
    """Note the request and send it to the box; or the form again, with what is to be mended."""
    form, desk, who = ClipForm(place, since, until, case, purpose), visitor.console, visitor.account
    with desk.reads.connect() as connection, connection.begin():
        places = read_places(connection).values()
    try:
        wanted = wanted_of(form, places, who.name, who.login, datetime.now(UTC), desk.zone)
    except UsageError as error:
        return _form(visitor, form, error, 422)
    try:
        return RedirectResponse(address(asked(visitor, wanted)), 303)
    except NgatuError as error:
        return _form(visitor, form, error, 503)


def asked(visitor: Visitor, wanted: ClipWanted) -> RequestFolder:
    """The request, noted and sent to the box.

    Raises:
        NgatuError: it could not be noted, or did not go out.
    """
    config = visitor.console.config
    visitor.note(
        AuditVerb.REQUEST_FOOTAGE,
        f"{wanted.box}/{wanted.camera}",
        case=wanted.case_number,
        purpose=wanted.purpose,
        since=wanted.from_time,
        until=wanted.to_time,
    )
    before = {each.request.id for each in ask.folders(config).every()}
    try:
        folder, _ = ask.ask(config, wanted, sending(visitor.console))
    except BrokerUnreachable:  # it is noted where it may have gone out
        made = [each for each in ask.folders(config).every() if each.request.id not in before]
        if not made:
            raise
        return made[-1]
    return folder


def sending(desk: DutyConsole) -> ask.Sending:
    """How orders about footage go out: signed, if the screen has a key.

    Raises:
        NgatuError: the key cannot be read.
    """
    key = desk.web.command_key
    return ask.Sending(LIFE_S, ANSWER_S, None if key is None else private_key(key))


def _form(visitor: Visitor, form: ClipForm, error: NgatuError | None = None, status: int = 200) -> HTMLResponse:
    with visitor.console.reads.connect() as connection, connection.begin():
        places = list(read_places(connection).values())
    now_ms = round(time.time() * 1000)
    return visitor.page("request_new.html", status, form=form, places=places, error=error, now_ms=now_ms)


def _shown_as(stage: FootageStage) -> str:
    if stage in OPEN:
        return "open"
    return "ended" if stage in ENDED else "here"


def _by_device(places: Mapping[Any, BoxPlace]) -> dict[str, BoxPlace]:
    return {place.device: place for place in places.values()}
