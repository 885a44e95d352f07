"""At the province: asking a commune for a clip of footage, and the package that came of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Form, HTTPException, Query
from pydantic import ValidationError
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from agent.errors import NgatuError, UsageError
from agent.translatable import tr
from agent.wire.verbs import CASE_LETTERS, PURPOSE_LETTERS
from station.access.account import ALL_COMMUNES
from station.access.audit_entry import AuditVerb
from station.handover.asking import ClipForm, typed, wanted_of
from station.handover.moments import size
from station.lookup.cards import EventCard
from station.lookup.places import BOX_ITSELF, BoxPlace, read_places
from station.province.requests.book import AskedRequest
from station.store.columns import moment, ms
from station.store.database import StoreError
from station.uplink.requests.order import FootageArgs
from station.web.visitor import LONG, Officer, Visitor

router = APIRouter()
AROUND_MS: Final = 60_000
"""Of footage before and after an event."""
LONGEST_MS: Final = 180_000
"""Of an event that goes on, so much: with what is around it as much as a station allows by itself."""
Text = Annotated[str, Form(max_length=2000)]
Moment = Annotated[int | None, Query(ge=0, le=4_000_000_000_000)]


@router.get("/asked/footage")
def form_page(visitor: Officer, place: str = "", from_ms: Moment = None, to_ms: Moment = None) -> HTMLResponse:
    """The form; the page of an event fills it in by what stands in its address."""
    zone = visitor.console.zone
    since, until = ("" if each is None else typed(moment(each), zone) for each in (from_ms, to_ms))
    return _form(visitor, ClipForm(place, since, until))


@router.post("/asked/footage")
def ask_for_footage(
    visitor: Officer,
    place: Text = "",
    since: Text = "",
    until: Text = "",
    case: Text = "",
    purpose: Text = "",
) -> Response:
    """Put the request down and leave it to the worker; or the form again, with what is to be mended."""
    desk, form = visitor.console, ClipForm(place, since, until, case, purpose)
    try:
        commune, args = _args_of(visitor, form)
        desk.requests.ask_footage(visitor.actor, commune, args, desk.now_ms)
    except StoreError:
        raise
    except NgatuError as error:
        return _form(visitor, form, error, 422 if isinstance(error, UsageError) else 409)
    return RedirectResponse("/asked", 303)


@router.get("/asked/{request_id}/package", dependencies=[LONG])
def package(visitor: Officer, request_id: str) -> Response:
    """The file as the commune's station handed it up: with the verifier, and everything that it judges by."""
    found = visitor.console.packages.find(request_id)
    if found is None:
        raise HTTPException(404)
    visitor.note(AuditVerb.EXPORT, request_id, what=found.name, sha256=found.sha256)
    headers = {
        "Content-Disposition": f'attachment; filename="{found.name}"',
        "Content-Length": str(found.size_bytes),
    }
    return StreamingResponse(
        visitor.console.packages.blocks(found), media_type="application/zip", headers=headers
    )


def form_for(card: EventCard) -> str | None:
    """The address of the form, filled in for an event; None: it is the box's own, and nothing shows it."""
    if card.camera == BOX_ITSELF:
        return None
    ended_ms = min(card.latest_ms, card.began_ms + LONGEST_MS)
    asked = {
        "place": f"{card.box}/{card.camera}",
        "from_ms": max(0, card.began_ms - AROUND_MS),
        "to_ms": max(0, ended_ms + AROUND_MS),
    }
    return f"/asked/footage?{urlencode(asked)}"


def package_row(request: AskedRequest) -> dict[str, Any] | None:
    """What a list says of a package that can be fetched; None: there is none."""
    if request.complete_ms is None or not request.is_here or request.file_name is None:
        return None
    return {
        "href": f"/asked/{request.id}/package",
        "size": size(request.file_bytes or 0),
        "sha256": request.file_sha256,
    }


def _args_of(visitor: Visitor, form: ClipForm) -> tuple[str, FootageArgs]:
    """The commune, and what is asked of it.

    Raises:
        UsageError: it cannot be asked for; the text says why, the hint what to change.
    """
    who = visitor.account
    wanted = wanted_of(form, _places(visitor), who.name, who.login, datetime.now(UTC), visitor.console.zone)
    commune, _, device = wanted.box.partition(".")
    try:
        return commune, FootageArgs(
            purpose=wanted.purpose,
            case_number=wanted.case_number,
            device=device,
            camera=wanted.camera,
            from_ms=ms(wanted.from_time),
            to_ms=ms(wanted.to_time),
        )
    except ValidationError:
        raise UsageError(tr("say what it is for, in three letters at least")) from None


def _form(visitor: Visitor, form: ClipForm, error: NgatuError | None = None, status: int = 200) -> HTMLResponse:
    only = form.place.partition(".")[0]
    if not only and visitor.communes != ALL_COMMUNES and " " not in visitor.communes:
        only = visitor.communes
    places = [each for each in _places(visitor) if each.device.startswith(f"{only}.")] if only else []
    return visitor.page(
        "asked_footage.html",
        status,
        form=form,
        places=places,
        error=error,
        can_ask=visitor.console.requests.can_ask,
        most_case=CASE_LETTERS,
        most_purpose=PURPOSE_LETTERS,
    )


def _places(visitor: Visitor) -> list[BoxPlace]:
    """Boxes and cameras that are open to him."""
    with visitor.console.reads.connect() as connection, connection.begin():
        return list(read_places(connection).values())
