"""Requests for footage: all of them, one, and a new one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query

from agent.errors import UsageError
from station.footage import ask
from station.footage.folder import FootageStage, RequestFolder
from station.handover.asking import ClipForm, typed, wanted_of
from station.lookup.places import read_places
from station.web.api.asker import OfficerAsks
from station.web.api.shapes import NAME, ApiFootage, ApiFootages, ApiTrouble, FootageWish
from station.web.footage.requests import asked
from station.web.visitor import Turned

router = APIRouter(tags=["requests for footage"])
MOST = 200


@router.get("/requests")
def requests(
    asker: OfficerAsks,
    stage: Annotated[list[FootageStage], Query(max_length=20)] = [],  # noqa: B006 (made anew for each request)
    limit: Annotated[int, Query(ge=1, le=MOST)] = MOST,
) -> ApiFootages:
    """The newest, with how far each is."""
    every = (_shape(each) for each in list(ask.folders(asker.console.config).every())[::-1])
    wanted = [each for each in every if not stage or each.stage in stage]
    return ApiFootages(requests=wanted[:limit])


@router.get("/requests/{request_id}")
def request(asker: OfficerAsks, request_id: Annotated[str, Path(pattern=NAME)]) -> ApiFootage:
    """How far one is. The footage itself is handed over at the console: with a report, and signed."""
    every = ask.folders(asker.console.config).every()
    found = next((each for each in every if each.request.id == request_id), None)
    if found is None:
        raise HTTPException(404)
    return _shape(found)


@router.post("/requests", status_code=201, responses={503: {"model": ApiTrouble}})
def ask_for(asker: OfficerAsks, wish: FootageWish) -> ApiFootage:
    """Ask a box for footage; what comes is kept with who asked, for which case and why.

    503: the broker cannot be reached; nothing was asked for.
    """
    console, who = asker.console, asker.account
    since, until = (typed(each, console.zone) for each in (wish.since, wish.until))
    form = ClipForm(f"{wish.box}/{wish.camera}", since, until, wish.case_number, wish.purpose)
    with console.reads.connect() as connection, connection.begin():
        places = read_places(connection).values()
    try:
        wanted = wanted_of(form, places, who.name, who.login, datetime.now(UTC), console.zone)
        return _shape(asked(asker, wanted))
    except UsageError as error:
        raise Turned(422, error.what, error.hint) from None


def _shape(folder: RequestFolder) -> ApiFootage:
    request, state = folder.request, folder.state()
    return ApiFootage(
        id=request.id,
        box=request.device,
        camera=request.camera,
        since=request.from_time,
        until=request.to_time,
        case_number=request.case_number,
        purpose=request.purpose,
        officer=request.officer,
        issuer=request.issuer,
        asked=request.asked_at,
        stage=state.stage,
        detail=state.detail,
        size_bytes=state.size_bytes,
        arrived_bytes=state.arrived_bytes,
        verdict=state.verdict,
    )
