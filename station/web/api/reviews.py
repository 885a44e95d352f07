"""What the duty room makes of events: the queue of alerts, an event's review, and the next step of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query

from station.access.audit_entry import AuditVerb
from station.review.open_alerts import AlertPlace, AlertWish
from station.review.queue import EventUnknown, ReviewOvertaken, ReviewQueue
from station.review.standing import Reviewer, ReviewKey
from station.review.states import ReviewRefused
from station.store.columns import moment
from station.web.api.asker import OfficerAsks
from station.web.api.shapes import (
    NAME,
    ApiOpenAlert,
    ApiOpenAlerts,
    ApiReviewed,
    ApiTrouble,
    Asked,
    ReviewWish,
    review_of,
    step_of,
)
from station.web.visitor import Turned, Visitor

router = APIRouter(tags=["reviews"])
Name = Annotated[str, Path(pattern=NAME)]
Several = Annotated[list[Asked], Query(max_length=50)]
Cursor = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


@router.get("/reviews")
def open_alerts(
    asker: OfficerAsks,
    box: Several = [],  # noqa: B006 (FastAPI makes a new one for each request)
    camera: Several = [],  # noqa: B006
    rule: Several = [],  # noqa: B006
    only_new: bool = False,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ApiOpenAlerts:
    """Alerts that nobody is done with, the newest first."""
    after = None if cursor is None else AlertPlace.read(cursor)
    if cursor is not None and after is None:
        raise Turned(422, "cursor is none that a page gave as next")
    asker.note(AuditVerb.LOOK_UP, "reviews")
    wish = AlertWish(tuple(box), tuple(camera), tuple(rule), only_new)
    found = ReviewQueue(asker.console.reads).open_alerts(wish, after, limit)
    alerts = [
        ApiOpenAlert(
            box=each.box,
            camera=each.camera,
            event=each.place.event_id,
            kind=each.kind,
            rule=each.rule,
            began=moment(each.place.began_ms),
            late=each.is_late,
            review=review_of(each.standing),
        )
        for each in found
    ]
    return ApiOpenAlerts(alerts=alerts, next=str(found[-1].place) if len(found) == limit else None)


@router.get("/events/{box}/{event_id}/review")
def review(asker: OfficerAsks, box: Name, event_id: Name) -> ApiReviewed:
    """What was made of an event, and every step of it."""
    return _reviewed(asker, _key(asker, box, event_id))


@router.put("/events/{box}/{event_id}/review", responses={409: {"model": ApiTrouble}})
def set_review(asker: OfficerAsks, box: Name, event_id: Name, wish: ReviewWish) -> ApiReviewed:
    """Take the next step; `seen` is the change_id of the last one that was read.

    409: somebody else took a step meanwhile, or the step may not follow; nothing was changed.
    """
    key, console = _key(asker, box, event_id), asker.console
    queue = ReviewQueue(console.reads, console.writes)
    by = Reviewer(asker.account.login, asker.account.name)
    said = {"right_label": wish.right_label} if wish.right_label else {}
    asker.note(
        AuditVerb.REVIEW, f"{box}/{event_id}", state=wish.state, reason=wish.reason, note=wish.note, **said
    )
    try:
        queue.mark(
            key,
            wish.state,
            by,
            seen=wish.seen,
            note=wish.note,
            reason=wish.reason,
            right_label=wish.right_label,
        )
    except (ReviewOvertaken, ReviewRefused) as error:
        raise Turned(409, error.what, error.hint) from None
    except EventUnknown:
        raise HTTPException(404) from None
    console.feed.ring()
    return _reviewed(asker, key)


def _key(asker: Visitor, box: str, event_id: str) -> ReviewKey:
    key = ReviewQueue(asker.console.reads).key_of(asker.console.config.commune, box, event_id)
    if key is None:
        raise HTTPException(404)
    return key


def _reviewed(asker: Visitor, key: ReviewKey) -> ApiReviewed:
    queue = ReviewQueue(asker.console.reads)
    return ApiReviewed(
        review=review_of(queue.standing(key)), steps=[step_of(each) for each in queue.history(key)]
    )
