"""The hand-over of a shift: what happened in it and what became of that, on the screen and on paper."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from agent.errors import UsageError
from agent.translatable import tr
from station.access.audit_entry import AuditVerb
from station.access.roles import ROLES
from station.footage import ask
from station.handover.asking import typed
from station.handover.print import Imprint
from station.lookup.timeline.outages import brief_outages, outage_sums
from station.shift.report import acts, counted_share, how_far, shift_report
from station.shift.shift import Shift, read_shift
from station.shift.times import ShiftRange, chosen, last_shift, shift_after, shift_before
from station.shift.words import (
    MISSING,
    SUMMED,
    became,
    brief_words,
    judged_by,
    more_words,
    no_rows,
    numbers,
    until_words,
    went_wrong,
    what,
)
from station.store.columns import ms
from station.web.footage.evidence import pdf
from station.web.visitor import Officer, Visitor

router = APIRouter()


@router.get("/shift")
def shift_page(visitor: Officer, since: str = "", until: str = "") -> HTMLResponse:
    """The shift to be handed over, or any range."""
    error = None
    try:
        wanted = _wanted(visitor, since, until)
    except UsageError as wrong:
        error, wanted = wrong, last_shift(datetime.now(UTC), visitor.console.zone)
    shift = _read(visitor, wanted)
    zone, now = visitor.console.zone, datetime.now(UTC)
    brief = brief_outages(shift.outages)
    after, until_ms = shift_after(wanted, zone), min(wanted.end_ms, ms(now))
    return visitor.page(
        "shift.html",
        422 if error else 200,
        shift=shift,
        words={
            "what": what,
            "became": became,
            "by": judged_by,
            "wrong": went_wrong,
            "numbers": numbers,
            "acts": acts,
            "how_far": how_far,
            "brief": brief_words,
            "more": more_words,
            "no_rows": no_rows,
        },
        rows=[each for each in shift.outages if each not in brief],
        brief=sum(each in brief for each in shift.outages),
        until_words=until_words(is_over=wanted.end <= now),
        within=lambda each: each.within_ms(wanted.start_ms, until_ms) / 1000,
        sums=outage_sums(shift.outages, wanted.start_ms, until_ms),
        summed=SUMMED,
        missing=MISSING,
        share=lambda line: counted_share(line, shift),
        ms=ms,
        whole=lambda number: tr("{number:,}", number=number),
        since=typed(wanted.start, zone),
        until=typed(wanted.end, zone),
        goes_on=wanted.end > now,
        before=_query(shift_before(wanted, zone), visitor),
        after=_query(after, visitor) if after.start <= now else None,
        here_query=_query(wanted, visitor),
        roles=ROLES,
        error=error,
    )


@router.get("/shift.pdf")
def shift_pdf(visitor: Officer, since: str = "", until: str = "") -> Response:
    """The same on paper."""
    wanted, desk = _wanted(visitor, since, until), visitor.console
    visitor.note(AuditVerb.EXPORT, "shift.pdf", since=wanted.start, until=wanted.end)
    shift = read_shift(desk.reads, ask.folders(desk.config), wanted)
    imprint = Imprint(datetime.now(desk.zone), visitor.account.name)
    data = shift_report(shift, desk.config.commune, imprint, visitor.language, partial(_picture, visitor))
    return pdf(data, f"shift-{wanted.start.astimezone(desk.zone):%Y%m%d-%H%M}.pdf")


def _picture(visitor: Visitor, sha256: str) -> bytes | None:
    """One of the store by its hash; a report is made without what cannot be read."""
    try:
        return visitor.console.pictures.read(sha256)
    except OSError:
        return None


def _read(visitor: Visitor, wanted: ShiftRange) -> Shift:
    visitor.note(AuditVerb.VIEW_SHIFT, "", since=wanted.start, until=wanted.end)
    return read_shift(visitor.console.reads, ask.folders(visitor.console.config), wanted)


def _wanted(visitor: Visitor, since: str, until: str) -> ShiftRange:
    """The range of an address; without one the last shift.

    Raises:
        UsageError: it is none.
    """
    zone = visitor.console.zone
    if not since and not until:
        return last_shift(datetime.now(UTC), zone)
    try:
        first, last = (datetime.fromisoformat(text).replace(tzinfo=zone) for text in (since, until))
    except ValueError:
        raise UsageError(tr("from when until when?"), tr("give day and time of both")) from None
    return chosen(first, last, zone)


def _query(wanted: ShiftRange, visitor: Visitor) -> str:
    zone = visitor.console.zone
    return f"since={typed(wanted.start, zone)}&until={typed(wanted.end, zone)}"
