"""Reviewed events whose whole view the station still keeps, with what their review says of the road user.

The place of the road user is that of the very message that the whole view came with; its label is the one that
the event had when it was judged, for an event may change its mind afterwards.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, Select, func, select, tuple_
from sqlalchemy.exc import SQLAlchemyError

from agent.errors import WireError
from agent.wire import codec
from agent.wire.payloads import BoxPayload, EventPayload
from station.labels.verdict import LabelVerdict, verdict_of
from station.review.standing import ReviewKey, reason_of
from station.review.states import FalseReason, ReviewState
from station.store.columns import moment
from station.store.database import in_words
from station.store.schema import blob, box, event, event_revision, review

_AT_ONCE: Final = 200
"""Events in one statement."""
_JUDGED: Final = (ReviewState.CONFIRMED, ReviewState.FALSE)
"""What was passed on is not judged here."""


@dataclass(frozen=True, slots=True)
class LabelWish:
    """Which reviewed events; empty: of all boxes, of all cameras."""

    since_ms: int
    until_ms: int
    """They began before."""
    boxes: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()
    """NAME or BOX/NAME."""


@dataclass(frozen=True, slots=True)
class JudgedEvent:
    """One event that teaches something, and where it is in which picture."""

    key: ReviewKey
    commune: str
    device: str
    camera: str
    rule_kind: str
    taken: datetime
    """The moment of the picture, in UTC, put right where the station knows better."""
    scene_sha256: str
    place: BoxPayload
    seen_as: str
    score: float
    model: str | None
    state: ReviewState
    reason: FalseReason | None
    verdict: LabelVerdict


Judged = JudgedEvent | str
"""Or a word of WHY_NOT."""


def judged_events(engine: Engine, wish: LabelWish) -> Iterator[Judged]:
    """Every reviewed event of the wish, oldest first: what it teaches, or why it teaches nothing.

    A transaction for a few at a time, so that nobody waits.

    Raises:
        StoreError: the store cannot be read.
    """
    try:
        with engine.connect() as connection, connection.begin():
            keys = [(row.box_id, row.event_id) for row in connection.execute(_wanted(wish))]
        for at in range(0, len(keys), _AT_ONCE):
            with engine.connect() as connection, connection.begin():
                found = list(_read(connection, keys[at : at + _AT_ONCE]))
            yield from found
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error


def still_there(engine: Engine, keys: Collection[ReviewKey]) -> frozenset[ReviewKey]:
    """Those of these events that were not deleted.

    Raises:
        StoreError: the store cannot be read.
    """
    listed, found = sorted(keys), set[ReviewKey]()
    try:
        with engine.connect() as connection, connection.begin():
            for at in range(0, len(listed), _AT_ONCE):
                these = tuple_(event.c.box_id, event.c.event_id).in_(listed[at : at + _AT_ONCE])
                query = select(event.c.box_id, event.c.event_id).join(
                    blob, blob.c.sha256 == event.c.scene_sha256
                )
                found |= {(row.box_id, row.event_id) for row in connection.execute(query.where(these))}
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error
    return frozenset(found)


def _wanted(wish: LabelWish) -> Select[Any]:
    query = select(review.c.box_id, review.c.event_id, review.c.camera, box.c.device)
    query = query.join(box, box.c.id == review.c.box_id).where(
        review.c.state.in_([str(state) for state in _JUDGED]),
        review.c.began_ms >= wish.since_ms,
        review.c.began_ms < wish.until_ms,
    )
    if wish.boxes:
        query = query.where(box.c.device.in_(wish.boxes))
    if wish.cameras:
        whole = box.c.device + "/" + review.c.camera
        query = query.where(review.c.camera.in_(wish.cameras) | whole.in_(wish.cameras))
    return query.order_by(review.c.began_ms, review.c.box_id, review.c.event_id)


def _read(connection: Connection, keys: Sequence[ReviewKey]) -> Iterator[Judged]:
    """Of these keys, in their order; a review that was taken back meanwhile is none."""
    columns = (
        review.c.box_id, review.c.event_id, review.c.state, review.c.reason, review.c.right_label,
        review.c.changed_ms, box.c.commune, box.c.device, review.c.camera, review.c.rule_kind,
        event.c.scene_revision, func.coalesce(event.c.clock_offset_ms, 0).label("offset_ms"), blob.c.sha256,
    )  # fmt: skip
    query = (
        select(*columns)
        .join(box, box.c.id == review.c.box_id)
        .outerjoin(event, (event.c.box_id == review.c.box_id) & (event.c.event_id == review.c.event_id))
        .outerjoin(blob, blob.c.sha256 == event.c.scene_sha256)
        .where(tuple_(review.c.box_id, review.c.event_id).in_(keys))
        .where(review.c.state.in_([str(state) for state in _JUDGED]))
    )
    rows: dict[ReviewKey, Any] = {(row.box_id, row.event_id): row for row in connection.execute(query)}
    for key in keys:
        if key in rows:
            yield _judged(connection, rows[key])


def _judged(connection: Connection, row: Row[Any]) -> Judged:
    if row.sha256 is None or row.scene_revision is None:
        return "no_picture"
    known = event_revision.c.received_ms <= row.changed_ms
    then = _message(connection, row, known)
    shown = _message(connection, row, event_revision.c.revision == row.scene_revision)
    if then is None or shown is None or then.object is None or shown.object is None:
        return "no_road_user"
    state, reason = ReviewState(row.state), reason_of(row.reason)
    verdict = verdict_of(state, reason, row.right_label, then.object.label)
    if verdict is None:
        return "nothing_said"
    at_ms = shown.time.timestamp() * 1000 + row.offset_ms
    return JudgedEvent(
        key=(row.box_id, row.event_id),
        commune=row.commune,
        device=row.device,
        camera=row.camera,
        rule_kind=row.rule_kind,
        taken=moment(at_ms),
        scene_sha256=row.sha256,
        place=shown.object.box,
        seen_as=then.object.label,
        score=shown.object.score,
        model=shown.model.name if shown.model else None,
        state=state,
        reason=reason,
        verdict=verdict,
    )


def _message(connection: Connection, row: Row[Any], which: Any) -> EventPayload | None:
    """The newest message of an event of which that is true; None: there is none that can be read."""
    query = select(event_revision.c.body).where(
        event_revision.c.box_id == row.box_id, event_revision.c.event_id == row.event_id, which
    )
    body = connection.scalar(query.order_by(event_revision.c.revision.desc()).limit(1))
    if body is None:
        return None
    try:
        return codec.parse(EventPayload, body.encode())
    except WireError:  # this version reads it no more
        return None
