"""One request for footage: what it is worth, its films, its report, its hand-over, the release of its hold."""

from __future__ import annotations

import threading
import time
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, HTTPException
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response

from agent.errors import NgatuError, UsageError
from agent.printable import printable
from agent.translatable import tr
from station.access.audit_entry import AuditVerb
from station.access.roles import Role
from station.footage import ask
from station.footage.folder import FootageStage, RequestFolder
from station.handover.dossier import Dossier, PlaceNames
from station.handover.report import HandOver, report
from station.handover.shelf import shelve, shelved
from station.lookup.places import read_places
from station.web.footage.next_steps import next_steps
from station.web.footage.package_view import package_of, shelf_of
from station.web.footage.request_rows import HINTS, address, names_of, progress_of, row_of, said_by_box
from station.web.footage.requests import sending
from station.web.visitor import LONG, Officer, Supervisor, Visitor

router = APIRouter()
MOST_RECEIVER: Final = 200
"""Letters of who receives a package."""
SEEN_AGAIN_S: Final = 600.0
"""A film that is played in pieces is noted once in so long."""
_seen: dict[tuple[str, str], float] = {}
_seen_lock = threading.Lock()


@router.get("/requests/{device}/{request_id}")
def request_page(visitor: Officer, device: str, request_id: str, said: str = "") -> HTMLResponse:
    """The request; of a package that is here what it is worth, then the films."""
    folder = _folder(visitor, device, request_id)
    visitor.note(AuditVerb.VIEW_EVIDENCE, f"{device}/{request_id}", case=folder.request.case_number)
    return _page(visitor, folder, said=SAID.get(said, ""))


@router.get("/requests/{device}/{request_id}/progress")
def progress(visitor: Officer, device: str, request_id: str) -> JSONResponse:
    """How far it is: for a page that refreshes itself."""
    return JSONResponse(progress_of(_folder(visitor, device, request_id), visitor.language))


@router.get("/requests/{device}/{request_id}/films/{number}", dependencies=[LONG])
def film(visitor: Officer, device: str, request_id: str, number: int) -> Response:
    """A film as it was decrypted here, in the ranges that a player asks for."""
    folder = _folder(visitor, device, request_id)
    found = next((each for each in _dossier(visitor, folder).films if each.number == number), None)
    if found is None:
        raise HTTPException(404)
    _note_once(visitor, f"{device}/{request_id}/{found.name}")
    return FileResponse(folder.package / found.name, media_type="video/mp4", content_disposition_type="inline")


@router.get("/requests/{device}/{request_id}/report.pdf")
def report_pdf(visitor: Officer, device: str, request_id: str) -> Response:
    """The report for the file, to be printed; nothing is handed over by it."""
    folder = _folder(visitor, device, request_id)
    dossier = _dossier(visitor, folder)
    visitor.note(AuditVerb.EXPORT, f"{device}/{request_id}", what="report.pdf")
    what = HandOver(datetime.now(visitor.console.zone), visitor.account.name, visitor.language)
    return pdf(report(dossier, what), f"report-{folder.request.id}.pdf")


@router.post("/requests/{device}/{request_id}/hand-over")
def hand_over(
    visitor: Supervisor, device: str, request_id: str, to: Annotated[str, Form(max_length=2000)] = ""
) -> Response:
    """Make the one ZIP file; its custody log says to whom it goes."""
    folder = _folder(visitor, device, request_id)
    receiver = " ".join(printable(to).split())
    if not receiver or len(receiver) > MOST_RECEIVER:
        hint = tr("{most} letters at most", most=MOST_RECEIVER)
        return _page(visitor, folder, error=UsageError(tr("to whom is it handed over?"), hint), status=422)
    names = _names(visitor, folder)
    visitor.note(AuditVerb.HAND_OVER, f"{device}/{request_id}", to=receiver, case=folder.request.case_number)
    what = HandOver(datetime.now(visitor.console.zone), visitor.account.name, visitor.language, receiver)
    try:
        shelve(folder, visitor.console.custody, names, what)
    except NgatuError as error:
        return _page(visitor, folder, error=error, status=409)
    return RedirectResponse(f"{address(folder)}?said=handed#hand-over", 303)


@router.get("/requests/{device}/{request_id}/hand-over", dependencies=[LONG])
def fetch(visitor: Supervisor, device: str, request_id: str) -> Response:
    """The ZIP file that was made last."""
    found = shelved(_folder(visitor, device, request_id))
    if found is None:
        raise HTTPException(404)
    visitor.note(AuditVerb.EXPORT, f"{device}/{request_id}", what=found.file.name, sha256=found.sha256)
    return FileResponse(found.file, media_type="application/zip", filename=found.file.name)


@router.post("/requests/{device}/{request_id}/release")
def release(visitor: Supervisor, device: str, request_id: str) -> Response:
    """Have the box keep the footage no longer for this request."""
    folder = _folder(visitor, device, request_id)
    visitor.note(AuditVerb.RELEASE, f"{device}/{request_id}", case=folder.request.case_number)
    try:
        how = sending(visitor.console)
        answered = ask.release(visitor.console.config, folder, visitor.account.login, how)
    except NgatuError as error:
        return _page(visitor, folder, error=error, status=503)
    done = answered.answers and answered.answers[-1].state == "done"
    return RedirectResponse(f"{address(folder)}?said={'released' if done else 'sent'}", 303)


SAID: Final = {
    "handed": tr("It is handed over: the file is ready, and the custody log says so."),
    "released": tr("The box keeps it no longer for this request."),
    "sent": tr("The box has not answered yet. It releases the footage once it is connected."),
}


def pdf(data: bytes, name: str) -> Response:
    """A PDF that the browser shows; `name` is plain ASCII."""
    return Response(
        data, media_type="application/pdf", headers={"Content-Disposition": f'inline; filename="{name}"'}
    )


def _page(
    visitor: Visitor, folder: RequestFolder, said: str = "", error: NgatuError | None = None, status: int = 200
) -> HTMLResponse:
    state = folder.state()
    row = row_of(folder, _places(visitor), visitor.language)
    judged: dict[str, Any] | None = None
    unjudged: NgatuError | None = None
    if state.stage is FootageStage.COMPLETE:
        try:
            judged = package_of(visitor, _dossier(visitor, folder))
        except NgatuError as problem:
            unjudged = problem
    return visitor.page(
        "request.html",
        status,
        row=row,
        hint=HINTS.get(state.stage, ""),
        detail=""
        if judged is not None and judged["player"]
        else said_by_box(state, visitor.language, visitor.console.zone),
        judged=judged,
        unjudged=unjudged,
        said=said,
        error=error,
        supervises=visitor.may(Role.SUPERVISOR),
        shelf=shelf_of(folder),
        goes_on=next_steps(visitor, folder, is_handed=shelf_of(folder) is not None),
        offset_min=_offset_min(visitor, folder),
        holds=state.stage not in (FootageStage.REFUSED, FootageStage.RELEASED, FootageStage.DELETED),
    )


def _offset_min(visitor: Visitor, folder: RequestFolder) -> int:
    """So many minutes the station's time is ahead of UTC, then."""
    ahead = folder.request.from_time.astimezone(visitor.console.zone).utcoffset()
    return 0 if ahead is None else round(ahead.total_seconds() / 60)


def _folder(visitor: Visitor, device: str, request_id: str) -> RequestFolder:
    """A request of this station, looked up by names that are names."""
    found = ask.folders(visitor.console.config).find(device, request_id)
    if found is None:
        raise HTTPException(404)
    return found


def _dossier(visitor: Visitor, folder: RequestFolder) -> Dossier:
    return visitor.console.dossiers.of(folder, _names(visitor, folder))


def _names(visitor: Visitor, folder: RequestFolder) -> PlaceNames:
    return names_of(_places(visitor), folder.request.device, folder.request.camera)


def _places(visitor: Visitor) -> dict[str, Any]:
    with visitor.console.reads.connect() as connection, connection.begin():
        return {place.device: place for place in read_places(connection).values()}


def _note_once(visitor: Visitor, subject: str) -> None:
    """A player asks for many ranges of one film; who watched it is noted before the first of them is sent."""
    key, now_s = (visitor.token, subject), time.monotonic()
    with _seen_lock:
        for old in [each for each, at_s in _seen.items() if now_s - at_s > SEEN_AGAIN_S]:
            del _seen[old]
        if key in _seen:
            return
    visitor.note(AuditVerb.VIEW_EVIDENCE, subject)
    with _seen_lock:
        _seen[key] = now_s
