"""One event whole: its pictures with its path over them, what was told of it, and what happened beside it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException
from starlette.responses import HTMLResponse

from agent.language import translated
from agent.translatable import tr
from station.access.audit_entry import AuditVerb
from station.access.roles import Role
from station.lookup.cards import EventCard
from station.lookup.event import EventDetail, WholeEvent, event_key, whole_event
from station.lookup.footage_chance import FootageOutlook
from station.lookup.places import BOX_ITSELF
from station.lookup.wanted import EventSearch
from station.lookup.words import (
    clock_word,
    colour_word,
    direction_word,
    end_reason_word,
    phase_word,
    place_words,
    rule_kind_word,
    severity_word,
    what_words,
)
from station.retention.holds import MAX_WORDS, EventHolds
from station.retention.settings import DAY_MS
from station.review.queue import ReviewQueue
from station.review.states import REASON_WORDS, FalseReason, ReviewState, by_whom, following
from station.store.columns import moment
from station.web.asking.picture import asked_of
from station.web.review_sheet import label_buttons, state_words, step_words
from station.web.search.address import AskedSearch
from station.web.visitor import Officer, Visitor
from station.words import how_long_it_lasted

router = APIRouter()
AROUND_MS: Final = 60_000
"""Of footage before and after an event."""
LONGEST_MS: Final = 600_000
"""Of an event that goes on, so much footage is asked for."""
AROUND: Final = (
    (tr("This camera, 10 minutes before and after"), timedelta(minutes=10), True),
    (tr("All cameras, 1 hour before and after"), timedelta(hours=1), False),
)
"""Look-ups that lead on: their words, how long before and after it, whether of its camera alone."""
SCALE: Final = 1000
FOOTAGE: Final = {
    FootageOutlook.LIKELY: tr("The box should still have footage of this moment."),
    FootageOutlook.TOO_OLD: tr(
        "What the box keeps begins after this moment: there is no footage of it any more."
    ),
    FootageOutlook.NOT_RECORDED: tr("This camera is not recorded."),
    FootageOutlook.UNKNOWN: tr("The box has not said what footage it keeps."),
}


@router.get("/events/{box}/{event_id}")
def event_page(visitor: Officer, box: str, event_id: str) -> HTMLResponse:
    """The event, by the name of its box and its id."""
    desk = visitor.console
    key = event_key(desk.reads, box, event_id)
    whole = None if key is None else whole_event(desk.reads, key)
    if whole is None:
        raise HTTPException(404)
    visitor.note(AuditVerb.VIEW_EVENT, f"{box}/{event_id}")
    card, queue = whole.card, ReviewQueue(desk.reads)
    standing = queue.standing(card.key)
    return visitor.page(
        "event.html",
        whole=whole,
        card=card,
        href=f"/events/{box}/{event_id}",
        what=what_words(card),
        where=place_words(card),
        facts=_facts(visitor, whole),
        overlay=_overlay(whole.detail) if card.camera != BOX_ITSELF else None,
        steps=_steps(whole),
        before=_tiles(visitor, whole.before[::-1]),
        after=_tiles(visitor, whole.after),
        nearby=_tiles(visitor, whole.nearby),
        same=_tiles(visitor, whole.same_road_user),
        around=[(words, _around(visitor, card, beside, at)) for words, beside, at in AROUND],
        footage=FOOTAGE[whole.footage.state],
        may_ask=whole.footage.state in (FootageOutlook.LIKELY, FootageOutlook.UNKNOWN)
        and card.camera != BOX_ITSELF,
        ask=_ask(card),
        standing=standing,
        history=queue.history(card.key),
        say=state_words,
        by_whom=by_whom,
        take=step_words(ReviewState.SEEN, standing, visitor),
        labels=label_buttons(card.label),
        reasons={str(each): REASON_WORDS[each] for each in FalseReason},
        may=[str(each) for each in following(standing.state)],
        new=str(ReviewState.NEW),
        keeping=EventHolds(desk.writes, desk.reads).standing(card.key),
        may_hold=visitor.may(Role.SUPERVISOR),
        most=MAX_WORDS,
        picture_went=_picture_went(visitor, card),
        named=whole.detail.names_picture,
        asked=asked_of(visitor, card) if desk.of_province else None,
    )


def _picture_went(visitor: Visitor, card: EventCard) -> int | None:
    """For how many days pictures such as its own are kept, where it is older; None: it should have one."""
    settings = visitor.console.config.retention
    days = None if settings is None or card.severity == "alert" else settings.pictures
    return days if days is not None and card.received_ms < visitor.console.now_ms - days * DAY_MS else None


def _facts(visitor: Visitor, whole: WholeEvent) -> list[tuple[str, str]]:
    """Headings with what stands beside them, those of which something is known."""
    card, detail, say = whole.card, whole.detail, visitor.language
    score = None if detail.top_score is None else tr("{percent:.0f} %", percent=100 * detail.top_score)
    lasted = None if card.ended_ms is None else (card.ended_ms - card.began_ms) / 1000
    model = detail.model and tr("{model}, {score}", model=detail.model, score=score or "–")
    clock = clock_word(card.clock)
    if detail.clock_error_ms and card.clock in ("ntp", "rtc"):
        clock = tr("{words}, to about {ms:,} ms", words=clock, ms=detail.clock_error_ms)
    came = tr("Came to the province") if visitor.console.of_province else tr("Came to the station")
    known: Sequence[tuple[str, object]] = (
        (tr("Box"), card.box),
        (tr("Level"), severity_word(card.severity)),
        (tr("People on it"), card.riders or None),
        (tr("Colour of the vehicle"), card.vehicle_colour and colour_word(card.vehicle_colour)),
        (tr("Colour of the clothes"), card.clothes_colour and colour_word(card.clothes_colour)),
        (tr("Direction"), card.direction and direction_word(card.direction)),
        (tr("Zones"), ", ".join(card.zone_titles)),
        (tr("Rule"), tr("{rule}: {kind}", rule=card.rule_title, kind=rule_kind_word(card.rule_kind))),
        (tr("Lasted"), lasted if lasted is None else how_long_it_lasted(lasted)),
        (tr("Ended by"), card.end_reason and end_reason_word(card.end_reason)),
        (tr("Held back"), detail.suppressed and tr("{number} like it before", number=detail.suppressed)),
        (tr("Recognised by"), model),
        (tr("Time"), clock),
        (came, visitor.console.templates.moment(say, card.received_ms)),
    )
    return [(translated(name, say), translated(value, say)) for name, value in known if value]


def _overlay(detail: EventDetail) -> dict[str, Any] | None:
    """Path and rectangle in thousandths of the frame."""
    points = [(round(SCALE * x, 1), round(SCALE * y, 1)) for _, x, y in detail.path]
    if not points and detail.box is None:
        return None
    width, height = detail.frame or (16, 9)
    box = detail.box
    return {
        "points": " ".join(f"{x},{y}" for x, y in points),
        "first": points[0] if points else None,
        "last": points[-1] if points else None,
        "box": box
        and {
            "x": round(SCALE * box.left, 1),
            "y": round(SCALE * box.top, 1),
            "width": round(SCALE * (box.right - box.left), 1),
            "height": round(SCALE * (box.bottom - box.top), 1),
        },
        "width": max(1, width),
        "height": max(1, height),
    }


def _steps(whole: WholeEvent) -> list[dict[str, Any]]:
    return [
        {
            "number": step.revision,
            "phase": phase_word(step.phase),
            "time_ms": step.time_ms,
            "received_ms": step.received_ms,
            "replayed": step.replayed,
            "changes": step.changes,
        }
        for step in whole.steps
    ]


def _tiles(visitor: Visitor, cards: Sequence[EventCard]) -> list[dict[str, Any]]:
    return [visitor.console.tiles.of(card, visitor.language) for card in cards]


def _around(visitor: Visitor, card: EventCard, beside: timedelta, of_camera: bool) -> str:
    """The look-up of what happened beside it, in whole minutes."""
    zone = visitor.console.zone
    since = (moment(card.began_ms, zone) - beside).replace(second=0, microsecond=0)
    until = (moment(card.latest_ms, zone) + beside).replace(second=0, microsecond=0) + timedelta(minutes=1)
    cameras = (f"{card.box}/{card.camera}",) if of_camera else ()
    return AskedSearch(EventSearch(since, until, cameras=cameras), time_is_said=True).address()


def _ask(card: EventCard) -> str:
    """The form for footage around it, filled in."""
    ended_ms = min(card.latest_ms, card.began_ms + LONGEST_MS)
    asked = {
        "box": card.box,
        "camera": card.camera,
        "from_ms": max(0, card.began_ms - AROUND_MS),
        "to_ms": max(0, ended_ms + AROUND_MS),
    }
    return f"/requests/new?{urlencode(asked)}"
