"""Look-ups: by words and by chips, as pictures and as a list, with the density of the cameras; and as files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from agent.language import translated
from agent.printable import printable
from station.access.audit_entry import AuditVerb
from station.lookup.cards import EventCard
from station.lookup.colour_asked import FIELDS as COLOUR_FIELDS
from station.lookup.colour_asked import with_unknown
from station.lookup.found import EventCount, EventPage
from station.lookup.places import BOX_ITSELF, BoxPlace
from station.lookup.search import counted_unknown, found_all, looked_up
from station.lookup.spoken.known import known_names
from station.lookup.spoken.understood import KnownNames, Understood, understood
from station.lookup.timeline.density import densities
from station.lookup.timeline.outages import Outage
from station.lookup.timeline.unwatched import LONGEST as LONGEST_UNWATCHED
from station.lookup.timeline.unwatched import unwatched
from station.lookup.words import place_words, what_words
from station.store.columns import ms
from station.web.scope import without_info
from station.web.search.address import LONGEST, PATH, AskedSearch, asked_of
from station.web.search.chips import chips_of, choices_of, doubts_of, spans_of
from station.web.search.density import density_views
from station.web.search.export import csv_lines, json_lines
from station.web.search.unwatched import UnwatchedView, unwatched_records, unwatched_view
from station.web.visitor import LONG, Officer, Visitor

router = APIRouter()
MOST_CAMERAS: Final = 6
"""Cameras whose density is shown."""


@router.get("/lookup")
def lookup(visitor: Officer, request: Request, q: str = "") -> Response:
    """What is asked for by words becomes an address of its own; what stands in the address is looked up."""
    desk = visitor.console
    now = datetime.now(desk.zone)
    names = known_names(desk.reads)
    if q := printable(q).strip():
        found = understood(q[:LONGEST], now, names)
        asked = AskedSearch(found.search, time_is_said=True, view=asked_of(request.query_params, now).view)
        return RedirectResponse(asked.address(said=q[:LONGEST]), 303)
    asked = asked_of(request.query_params, now)
    page, number = looked_up(desk.reads, asked.search, asked.after)
    visitor.note(AuditVerb.LOOK_UP, asked.address(), found=_number(number), after=asked.after)
    places = {place.id: place for place in names.places}
    spoken = _spoken(asked, now, names)
    return visitor.page(
        "lookup.html",
        asked=asked,
        spoken=spoken,
        doubts=doubts_of(asked, spoken),
        chips=chips_of(asked, places),
        choices=choices_of(asked, places, names.directions),
        spans=spans_of(asked, now),
        since_ms=ms(asked.search.since),
        until_ms=ms(asked.search.until),
        rows=[_row(visitor, card) for card in page.cards],
        number=number,
        besides=_besides(visitor, asked),
        next=None if page.next is None else asked.address(after=page.next),
        looked_to_ms=page.looked_to_ms,
        densities=[] if desk.of_province else _densities(visitor, asked, page, places),
        unwatched=_unwatched(visitor, asked, places),
        lacking=without_info(desk, ms(asked.search.since), ms(asked.search.until)) if desk.of_province else [],
        csv=asked.address(PATH + ".csv"),
        json=asked.address(PATH + ".json"),
    )


@router.get("/lookup.csv", dependencies=[LONG])
def as_csv(visitor: Officer, request: Request) -> StreamingResponse:
    """All of a look-up, for a spreadsheet, and when nobody watched."""
    asked = _exported(visitor, request, "csv")
    desk = visitor.console
    away = None if _is_long(asked) else _outages(visitor, asked)
    lines = csv_lines(found_all(desk.reads, asked.search), desk.templates, visitor.language, away)
    return _file(lines, "text/csv; charset=utf-8", asked, "csv")


@router.get("/lookup.json", dependencies=[LONG])
def as_json(visitor: Officer, request: Request) -> StreamingResponse:
    """All of a look-up, for programs, and when nobody watched."""
    asked = _exported(visitor, request, "json")
    desk = visitor.console
    places = {place.id: place for place in known_names(desk.reads).places}
    away = None if _is_long(asked) else unwatched_records(_outages(visitor, asked), places, desk.templates)
    lines = json_lines(found_all(desk.reads, asked.search), desk.templates, away)
    return _file(lines, "application/json", asked, "json")


def _exported(visitor: Visitor, request: Request, form: str) -> AskedSearch:
    """Noted before the first line goes out."""
    asked = asked_of(request.query_params, datetime.now(visitor.console.zone))
    visitor.note(AuditVerb.EXPORT, asked.address(), form=form)
    return asked


def _file(lines: Iterator[str], media_type: str, asked: AskedSearch, end: str) -> StreamingResponse:
    since = asked.search.since
    name = f"events-{since:%Y%m%d-%H%M}-{asked.search.until:%Y%m%d-%H%M}.{end}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingResponse(lines, media_type=media_type, headers=headers)


def _spoken(asked: AskedSearch, now: datetime, names: KnownNames) -> Understood | None:
    """What is to be said about the words of which the look-up was made."""
    return understood(asked.said, now, names) if asked.said else None


def _besides(visitor: Visitor, asked: AskedSearch) -> dict[str, Any] | None:
    """How many more fit but for a colour that is not known, with their look-up; None: none, or a later page."""
    number = None if asked.after else counted_unknown(visitor.console.reads, asked.search)
    if number is None or (number.is_all and not number.number):
        return None
    every = with_unknown(asked.search)
    fields = {name: getattr(every, name) for name in COLOUR_FIELDS}
    return {"number": number, "address": asked.address(said=asked.said, **fields)}


def _number(number: EventCount) -> str:
    return str(number.number) if number.is_all else f"{number.number}+"


def _row(visitor: Visitor, card: EventCard) -> dict[str, Any]:
    """A tile, with what the list says beside it."""
    tile: Mapping[str, Any] = visitor.console.tiles.of(card, visitor.language)
    sentence = translated(what_words(card), visitor.language)
    return {
        **tile,
        "what": sentence,
        "who": "",
        "where": translated(place_words(card), visitor.language),
        "rule": card.rule_title,
        "zones": ", ".join(card.zone_titles),
        "ended_ms": card.ended_ms,
        "day": visitor.console.templates.day(card.began_ms),
    }


def _is_long(asked: AskedSearch) -> bool:
    """Whether it is too long a time to say who watched when."""
    return asked.search.until - asked.search.since > LONGEST_UNWATCHED


def _outages(visitor: Visitor, asked: AskedSearch) -> tuple[Outage, ...]:
    desk = visitor.console
    return unwatched(desk.reads, asked.search, desk.now_ms, only_lasting=desk.of_province)


def _unwatched(visitor: Visitor, asked: AskedSearch, places: Mapping[int, BoxPlace]) -> UnwatchedView | None:
    """When boxes and cameras that are asked for did not watch; None: the time is too long."""
    search, desk = asked.search, visitor.console
    if not desk.of_province and _is_long(asked):
        return None
    within_ms = ms(search.since), min(ms(search.until), desk.now_ms)
    return unwatched_view(_outages(visitor, asked), within_ms, places, desk.templates, visitor.language)


def _densities(
    visitor: Visitor, asked: AskedSearch, page: EventPage, places: Mapping[int, BoxPlace]
) -> list[Any]:
    """Of the cameras that are asked for, or else of those that the page is about."""
    search = asked.search
    if _is_long(asked):
        return []
    cameras = _cameras(asked, page, places)[:MOST_CAMERAS]
    desk = visitor.console
    within_ms = ms(search.since), ms(search.until)
    found = densities(desk.reads, cameras, *within_ms, search, desk.zone, desk.now_ms)
    return density_views(found, places, desk.templates, visitor.language)


def _cameras(asked: AskedSearch, page: EventPage, places: Mapping[int, BoxPlace]) -> list[tuple[int, str]]:
    by_device = {place.device: place for place in places.values()}
    named = [each.rpartition("/") for each in asked.search.cameras]
    found = [(by_device[device].id, name) for device, _, name in named if device in by_device]
    for device in asked.search.boxes:
        place = by_device.get(device)
        found += [(place.id, camera.name) for camera in place.cameras] if place else []
    if not found:
        seen = Counter((card.box_id, card.camera) for card in page.cards if card.camera != BOX_ITSELF)
        found = [camera for camera, _ in seen.most_common()]
    return list(dict.fromkeys(found))
