"""What is kept how long, what is held and why, and what was deleted, for supervisors; and what they hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, HTTPException, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from agent.translatable import tr
from station.access.audit_entry import AuditVerb
from station.lookup.cards import read_cards
from station.lookup.event import event_key
from station.lookup.places import read_places
from station.lookup.words import what_words
from station.retention.holds import (
    CLOSING,
    HOLD,
    MAX_WORDS,
    RELEASE,
    EventHold,
    EventHolds,
    Holder,
    HoldKind,
    HoldRefused,
)
from station.retention.overview import ClassStanding, overview
from station.web.visitor import Supervisor, Visitor, trouble

router = APIRouter()
Text = Annotated[str, Form(max_length=4_000)]
_MOST_HOLDS: Final = 200
"""Shown; more are counted."""
_HOUR_MS: Final = 3_600_000
VERBS: Final = {HOLD: AuditVerb.HOLD, RELEASE: AuditVerb.RELEASE, CLOSING: AuditVerb.CASE_CLOSED}


@router.get("/retention")
def retention_page(visitor: Supervisor) -> HTMLResponse:
    """All of it; that it was looked at stands in the log."""
    desk = visitor.console
    visitor.note(AuditVerb.VIEW_RETENTION)
    found = overview(desk.reads, desk.config.state_dir, desk.config.retention, desk.now_ms, desk.zone)
    holds = holds_of(visitor).standing_holds()
    return visitor.page(
        "retention.html",
        is_set=desk.config.retention is not None,
        classes=[_class(each, desk.now_ms) for each in found.classes],
        held=[(kind.words, count) for kind, count in found.held.items() if count and kind is not HoldKind.CASE],
        holds=_holds(visitor, [hold for hold, _, _ in holds[-_MOST_HOLDS:][::-1]]),
        more_holds=max(0, len(holds) - _MOST_HOLDS),
        deleted=found.deleted,
    )


@router.post("/events/{box}/{event_id}/hold")
def hold_event(
    request: Request,
    visitor: Supervisor,
    box: str,
    event_id: str,
    act: Text = "",
    case: Text = "",
    reason: Text = "",
) -> Response:
    """Hold an event, let it go, or close its case; back to its page. It is in the log before it is done.

    422: something is not said, or the step does not follow; nothing was done.
    """
    key = event_key(visitor.console.reads, box, event_id)
    if key is None or act not in VERBS:
        raise HTTPException(404)
    holds, by = holds_of(visitor), Holder(visitor.account.login, visitor.account.name)
    steps: dict[str, Callable[[], None]] = {
        HOLD: lambda: holds.hold(key, by, case, reason),
        RELEASE: lambda: holds.release(key, by, reason),
        CLOSING: lambda: holds.close(key, by, case, reason),
    }
    said = {"case": case.strip()[:MAX_WORDS], "reason": reason.strip()[:MAX_WORDS]}
    try:
        holds.refuse(key, act, case, reason)
        visitor.note(VERBS[act], f"{box}/{event_id}", **{name: each for name, each in said.items() if each})
        steps[act]()
    except HoldRefused as error:
        return trouble(request, 422, error.what, error.hint)
    return RedirectResponse(f"/events/{box}/{event_id}#keeping", 303)


def holds_of(visitor: Visitor) -> EventHolds:
    """What supervisors say, read and written by the console's engines."""
    return EventHolds(visitor.console.writes, visitor.console.reads)


def _class(one: ClassStanding, now_ms: int) -> dict[str, Any]:
    return {
        "what": one.kept.words,
        "days": one.days,
        "oldest_ms": one.oldest_ms,
        "next_ms": one.next_ms,
        "is_due": one.next_ms is not None and one.next_ms <= now_ms + _HOUR_MS,
    }


def _holds(visitor: Visitor, holds: list[EventHold]) -> list[dict[str, Any]]:
    with visitor.console.reads.connect() as connection, connection.begin():
        cards = {card.key: card for card in read_cards(connection, [each.key for each in holds])}
        places = read_places(connection, {each.key[0] for each in holds})
    rows = []
    for each in holds:
        card, place = cards.get(each.key), places.get(each.key[0])
        rows.append(
            {
                "href": f"/events/{card.box}/{card.event_id}" if card else None,
                "what": what_words(card) if card else tr("the event is not here any more"),
                "where": f"{card.camera_title}, {card.box_title}" if card else place and place.title,
                "began_ms": card and card.began_ms,
                "case": each.case_number,
                "reason": each.reason,
                "by": each.by.name or each.by.login,
                "made_ms": each.made_ms,
            }
        )
    return rows
