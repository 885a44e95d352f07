"""Events: looked for as at the console, one whole, and their pictures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, HTTPException, Path, Query
from starlette.responses import Response, StreamingResponse

from agent.errors import NgatuError
from agent.wire.payloads import Time
from station.access.audit_entry import AuditVerb
from station.lookup.event import whole_event
from station.lookup.search import found_all, found_page
from station.lookup.spoken.known import known_names
from station.lookup.timeline.unwatched import LONGEST, unwatched
from station.lookup.wanted import EventSearch
from station.review.queue import ReviewQueue
from station.review.states import ReviewState
from station.store.columns import moment
from station.store.database import StoreError
from station.web.api.asker import LONG, OfficerAsks
from station.web.api.lines import csv_lines, json_lines
from station.web.api.shapes import NAME, ApiEvents, ApiStep, ApiUnwatched, ApiWholeEvent, Asked, event_of
from station.web.pages import files
from station.web.visitor import Turned

router = APIRouter(tags=["events"])
DAY: Final = timedelta(days=1)
MOST: Final = 500
Several = Annotated[list[Asked], Query(max_length=50)]
Colours = Annotated[
    list[Asked],
    Query(max_length=50, description="A word, or unknown: those of whom none was told, as of most at night."),
]


def search_of(
    since: Annotated[Time | None, Query(description="Without it: a day before until.")] = None,
    until: Annotated[Time | None, Query(description="Without it: now.")] = None,
    box: Several = [],  # noqa: B006 (FastAPI makes a new one for each request)
    camera: Annotated[list[Asked], Query(max_length=50, description="BOX/CAMERA.")] = [],  # noqa: B006
    kind: Several = [],  # noqa: B006
    label: Several = [],  # noqa: B006
    riders_at_least: Annotated[int | None, Query(ge=0, le=100)] = None,
    vehicle_colour: Colours = [],  # noqa: B006
    clothes_colour: Colours = [],  # noqa: B006
    direction: Several = [],  # noqa: B006
    zone: Several = [],  # noqa: B006
    rule: Several = [],  # noqa: B006
    severity: Annotated[list[Literal["alert", "info"]], Query(max_length=2)] = [],  # noqa: B006
    review: Annotated[list[ReviewState], Query(max_length=5)] = [],  # noqa: B006
    word: Several = [],  # noqa: B006
    late_only: bool = False,
    oldest_first: bool = False,
) -> EventSearch:
    """Which events: those that went on at some moment from since until before until."""
    ends = until or datetime.now(UTC)
    return EventSearch(
        since=since or ends - DAY,
        until=ends,
        boxes=tuple(box),
        cameras=tuple(camera),
        kinds=tuple(kind),
        labels=tuple(label),
        riders=riders_at_least,
        riders_at_least=riders_at_least is not None,
        vehicle_colours=tuple(vehicle_colour),
        clothes_colours=tuple(clothes_colour),
        directions=tuple(direction),
        zones=tuple(zone),
        rules=tuple(rule),
        severities=tuple(severity),
        reviews=tuple(map(str, review)),
        words=tuple(word),
        late_only=late_only,
        newest_first=not oldest_first,
    )


Wanted = Annotated[EventSearch, Depends(search_of)]
Cursor = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


@router.get("/events")
def events(
    asker: OfficerAsks, wanted: Wanted, cursor: Cursor = None, limit: Annotated[int, Query(ge=1, le=MOST)] = 100
) -> ApiEvents:
    """Events as the look-ups of the console find them, a page at a time.

    `next` goes on behind a page. A page may hold fewer than `limit`, or none, and still have a `next`: only the
    page whose `next` is null is the last.
    """
    if cursor is None:
        asker.note(AuditVerb.LOOK_UP, "", **words_of(wanted))
    try:
        page = found_page(asker.console.reads, wanted, cursor, limit)
    except StoreError:
        raise
    except NgatuError as error:
        raise Turned(422, error.what, error.hint) from None
    away = _unwatched(asker, wanted) if cursor is None else None
    return ApiEvents(events=[event_of(card) for card in page.cards], unwatched=away, next=page.next)


def _unwatched(asker: OfficerAsks, wanted: EventSearch) -> list[ApiUnwatched] | None:
    if wanted.until - wanted.since > LONGEST:
        return None
    desk = asker.console
    places = {place.id: place.device for place in known_names(desk.reads).places}
    return [
        ApiUnwatched(
            box=places[each.whose[0]],
            camera=each.whose[1] or None,
            state=each.state,
            since=moment(each.start_ms),
            until=None if each.end_ms is None else moment(each.end_ms),
        )
        for each in unwatched(desk.reads, wanted, desk.now_ms, only_lasting=desk.of_province)
        if each.whose[0] in places
    ]


@router.get(
    "/events/export",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {}}}},
    dependencies=[LONG],
)
def export(asker: OfficerAsks, wanted: Wanted, form: Literal["csv", "jsonl"] = "csv") -> StreamingResponse:
    """All events that are looked for, as they are read: CSV for spreadsheets, or an object of JSON a line."""
    asker.note(AuditVerb.EXPORT, "events", form=form, **words_of(wanted))
    made = (event_of(card) for card in found_all(asker.console.reads, wanted))
    lines: Iterator[bytes] = csv_lines(made) if form == "csv" else json_lines(made)
    name = f'attachment; filename="events.{form}"'
    kind = "text/csv; charset=utf-8" if form == "csv" else "application/jsonl"
    return StreamingResponse(lines, media_type=kind, headers={"Content-Disposition": name})


@router.get("/events/{box}/{event_id}")
def event(
    asker: OfficerAsks,
    box: Annotated[str, Path(pattern=NAME)],
    event_id: Annotated[str, Path(pattern=NAME)],
) -> ApiWholeEvent:
    """One event with its messages and its path."""
    key = ReviewQueue(asker.console.reads).key_of(asker.console.config.commune, box, event_id)
    found = whole_event(asker.console.reads, key) if key is not None else None
    if found is None:
        raise HTTPException(404)
    asker.note(AuditVerb.VIEW_EVENT, f"{box}/{event_id}")
    detail = found.detail
    return ApiWholeEvent(
        event=event_of(found.card),
        path=list(detail.path),
        score=detail.score,
        stationary=detail.stationary,
        model=detail.model,
        model_sha256=detail.model_sha256,
        suppressed=detail.suppressed,
        steps=[
            ApiStep(
                revision=each.revision,
                phase=each.phase,
                time=moment(each.time_ms),
                received=moment(each.received_ms),
                replayed=each.replayed,
            )
            for each in found.steps
        ],
        footage=str(found.footage.state),
    )


@router.get("/pictures/{sha256}", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
def picture(asker: OfficerAsks, sha256: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]) -> Response:
    """A picture by its sha256, as an event names it."""
    asker.note(AuditVerb.VIEW_PICTURE, sha256)
    return files.picture(asker, sha256)


def words_of(wanted: EventSearch) -> dict[str, object]:
    """What was looked for, as the audit log keeps it."""
    fields = {name: getattr(wanted, name) for name in wanted.__slots__}
    return {name: value for name, value in fields.items() if value not in ((), None, False)}
