"""Alerts that nobody is done with: a page at a time, and how many there are of what.

An index has these alone (`ix_event_unsettled`), so that it takes as long as the queue is long, however much the
store holds. A page begins after the last alert of the one before: what is settled or comes meanwhile moves
nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from sqlalchemy import ColumnElement, Engine, Row, Select, Subquery, and_, func, literal_column, select, tuple_
from sqlalchemy.exc import SQLAlchemyError

from station.review.standing import NOBODY, Standing, standing_of
from station.review.states import ReviewState
from station.store.database import in_words
from station.store.schema import box, event, event_began_ms, review

PAGE: Final = 50
_CURSOR: Final = re.compile(r"(-?\d{1,17})~(\d{1,10})~([A-Za-z0-9._-]{1,64})", re.ASCII)
_IS_UNSETTLED: Final = (event.c.severity == literal_column("'alert'")) & event.c.settled_ms.is_(None)


@dataclass(frozen=True, slots=True)
class AlertPlace:
    """Where an alert stands in the queue."""

    began_ms: int
    box_id: int
    event_id: str

    def __str__(self) -> str:
        return f"{self.began_ms}~{self.box_id}~{self.event_id}"

    @classmethod
    def read(cls, text: str) -> Self | None:
        """What `str` made of it, out of an address; None: it is none."""
        found = _CURSOR.fullmatch(text)
        return None if found is None else cls(int(found[1]), int(found[2]), found[3])


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """One alert that is open."""

    place: AlertPlace
    box: str
    camera: str
    rule: str
    rule_kind: str
    kind: str
    is_late: bool
    """It was older than a minute when the box sent it."""
    standing: Standing

    @property
    def key(self) -> tuple[int, str]:
        """Ids of box and event."""
        return self.place.box_id, self.place.event_id


@dataclass(frozen=True, slots=True)
class AlertWish:
    """Which of the open alerts; empty: whatever. Texts are as the box sent them."""

    boxes: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    only_new: bool = False
    """Leave out what somebody has seen already."""


@dataclass(frozen=True, slots=True)
class OpenCount:
    """How many alerts of one rule are open."""

    box_id: int
    box: str
    camera: str
    rule: str
    number: int
    seen: int
    """Of these, what somebody has in hand."""


EVERY: Final = AlertWish()


def open_alerts(
    engine: Engine,
    wish: AlertWish = EVERY,
    after: AlertPlace | None = None,
    limit: int = PAGE,
    *,
    itself: bool = False,
) -> Sequence[OpenAlert]:
    """The newest first; those after a place, and the one that stands there if `itself`; `limit` at most.

    Raises:
        StoreError: the store cannot be read.
    """
    these = _places(wish, after, itself).limit(limit).subquery()
    query = _columns(these).order_by(these.c.began_ms.desc(), these.c.box_id.desc(), these.c.event_id.desc())
    try:
        with engine.connect() as connection, connection.begin():
            return tuple(_alert(row) for row in connection.execute(query))
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error


def open_counts(engine: Engine) -> Sequence[OpenCount]:
    """How many are open, by box, camera and rule; what has none is left out.

    Raises:
        StoreError: the store cannot be read.
    """
    of = event.c.box_id, event.c.camera, event.c.rule_id
    numbers = select(*of, func.count().label("number")).where(_IS_UNSETTLED).group_by(*of)
    listed = numbers.subquery()
    named = select(listed, box.c.device).join(box, box.c.id == listed.c.box_id)
    named = named.order_by(box.c.device, listed.c.camera, listed.c.rule_id)
    # Few are seen and open at once: they are counted from the other side.
    seen = (
        select(*of, func.count())
        .join(review, _reviewed())
        .group_by(*of)
        .where(_IS_UNSETTLED, review.c.state == literal_column(f"'{ReviewState.SEEN}'"))
    )
    try:
        with engine.connect() as connection, connection.begin():
            in_hand = {(row[0], row[1], row[2]): row[3] for row in connection.execute(seen)}
            return tuple(
                OpenCount(
                    row.box_id,
                    row.device,
                    row.camera,
                    row.rule_id,
                    row.number,
                    in_hand.get((row.box_id, row.camera, row.rule_id), 0),
                )
                for row in connection.execute(named)
            )
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error


def open_total(engine: Engine) -> int:
    """How many are open.

    Raises:
        StoreError: the store cannot be read.
    """
    try:
        with engine.connect() as connection, connection.begin():
            return connection.scalar(select(func.count()).select_from(event).where(_IS_UNSETTLED)) or 0
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error


def _reviewed() -> ColumnElement[bool]:
    return and_(review.c.box_id == event.c.box_id, review.c.event_id == event.c.event_id)


def _places(wish: AlertWish, after: AlertPlace | None, itself: bool) -> Select[Any]:
    """Where the alerts stand: nothing but what the index has."""
    place = event_began_ms, event.c.box_id, event.c.event_id
    query = select(event_began_ms.label("began_ms"), *place[1:], event.c.camera, event.c.rule_id)
    query = query.where(_IS_UNSETTLED, *_conditions(wish))
    if wish.only_new:
        query = query.outerjoin(review, _reviewed()).where(review.c.state.is_(None))
    if after is not None:
        # The bound on the moment alone is what both databases begin at in the index.
        there = tuple_(after.began_ms, after.box_id, after.event_id)
        before = tuple_(*place) <= there if itself else tuple_(*place) < there
        query = query.where(event_began_ms <= after.began_ms, before)
    return query.order_by(*(each.desc() for each in place))


def _conditions(wish: AlertWish) -> Iterator[ColumnElement[bool]]:
    if wish.boxes:
        yield event.c.box_id.in_(select(box.c.id).where(box.c.device.in_(wish.boxes)))
    if wish.cameras:
        yield event.c.camera.in_(wish.cameras)
    if wish.rules:
        yield event.c.rule_id.in_(wish.rules)


def _columns(these: Subquery) -> Select[Any]:
    of_event = event.c.rule_kind, event.c.kind, event.c.replayed
    of_review = (
        review.c[name]
        for name in ("state", "reason", "right_label", "note", "login", "name", "changed_ms", "change_id")
    )
    same = (event.c.box_id == these.c.box_id) & (event.c.event_id == these.c.event_id)
    return (
        select(these, *of_event, box.c.device, *of_review)
        .join(event, same)
        .join(box, box.c.id == event.c.box_id)
        .outerjoin(review, _reviewed())
    )


def _alert(row: Row[Any]) -> OpenAlert:
    return OpenAlert(
        AlertPlace(row.began_ms, row.box_id, row.event_id),
        row.device,
        row.camera,
        row.rule_id,
        row.rule_kind,
        row.kind,
        row.replayed,
        NOBODY if row.state is None else standing_of(row),
    )
