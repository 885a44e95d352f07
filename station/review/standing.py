"""What was made of events, as the store has it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, func, select, tuple_
from sqlalchemy.exc import SQLAlchemyError

from station.review.states import FalseReason, ReviewState
from station.store.database import in_words
from station.store.schema import box, event, review, review_change

_AT_ONCE: Final = 400
"""Events in one statement: few enough for the bound parameters of any database."""

ReviewKey = tuple[int, str]
"""Ids of box and event."""


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Who takes a step, as logs and reports say it."""

    login: str
    name: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the duty room is with one event."""

    state: ReviewState = ReviewState.NEW
    reason: FalseReason | None = None
    note: str = ""
    by: Reviewer | None = None
    """None: nobody has looked."""
    changed_ms: int | None = None
    change_id: int = 0
    """Of the step that says so; whoever takes the next one names it, so that none is overlooked. 0: none."""
    right_label: str | None = None
    """Of what was taken for something else: what it is, `none` for no road user; None: nobody has said."""


NOBODY: Final = Standing()


@dataclass(frozen=True, slots=True)
class ReviewStep:
    """One step of the past."""

    id: int
    """Rises with each step of any event."""
    box_id: int
    event_id: str
    state: ReviewState
    """`new`: what was made of it was taken back."""
    reason: FalseReason | None
    note: str
    by: Reviewer
    changed_ms: int
    right_label: str | None = None


def key_of(engine: Engine, commune: str, device: str, event_id: str) -> ReviewKey | None:
    """The ids of an event by its names; None: the store has no such event.

    Raises:
        StoreError: the store cannot be read.
    """
    query = select(event.c.box_id, event.c.event_id).join(box, box.c.id == event.c.box_id)
    query = query.where(event.c.event_id == event_id, box.c.commune == commune, box.c.device == device)
    try:
        with engine.connect() as connection, connection.begin():
            row = connection.execute(query).one_or_none()
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error
    return None if row is None else (row.box_id, row.event_id)


def standings(engine: Engine, keys: Collection[ReviewKey]) -> Mapping[ReviewKey, Standing]:
    """How these events stand, those that nobody has looked at as NOBODY.

    Raises:
        StoreError: the store cannot be read.
    """
    listed, found = sorted(set(keys)), dict[ReviewKey, Standing]()
    try:
        with engine.connect() as connection, connection.begin():
            for at in range(0, len(listed), _AT_ONCE):
                these = tuple_(review.c.box_id, review.c.event_id).in_(listed[at : at + _AT_ONCE])
                for row in connection.execute(select(review).where(these)):
                    found[row.box_id, row.event_id] = standing_of(row)
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error
    return {key: found.get(key, NOBODY) for key in listed}


def history(engine: Engine, key: ReviewKey) -> Sequence[ReviewStep]:
    """Every step of an event, the first one first.

    Raises:
        StoreError: the store cannot be read.
    """
    query = select(review_change).where(review_change.c.box_id == key[0], review_change.c.event_id == key[1])
    return _steps(engine, query.order_by(review_change.c.id))


def changes_after(engine: Engine, after: int, limit: int = 500) -> Sequence[ReviewStep]:
    """Steps of whatever event after the one of that id, in the order in which they were taken, `limit` at most.

    Raises:
        StoreError: the store cannot be read.
    """
    query = select(review_change).where(review_change.c.id > after)
    return _steps(engine, query.order_by(review_change.c.id).limit(limit))


def newest_change(engine: Engine) -> int:
    """The id of the latest step; 0 where none was taken.

    Raises:
        StoreError: the store cannot be read.
    """
    try:
        with engine.connect() as connection, connection.begin():
            return int(connection.scalar(select(func.max(review_change.c.id))) or 0)
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error


def current(connection: Connection, key: ReviewKey) -> Standing:
    """How one event stands, within a transaction of the caller's."""
    query = select(review).where(review.c.box_id == key[0], review.c.event_id == key[1])
    row = connection.execute(query).one_or_none()
    return NOBODY if row is None else standing_of(row)


def latest(connection: Connection, key: ReviewKey) -> Standing | None:
    """What was said of it last, also that it was taken back; None: nothing was."""
    query = select(review_change).where(review_change.c.box_id == key[0], review_change.c.event_id == key[1])
    row = connection.execute(query.order_by(review_change.c.id.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    by, state = Reviewer(row.login, row.name), ReviewState(row.state)
    return Standing(
        state,
        reason_of(row.reason),
        row.note,
        by,
        row.changed_ms,
        0 if state is ReviewState.NEW else row.id,
        row.right_label,
    )


def standing_of(row: Row[Any]) -> Standing:
    """A row of `review`."""
    return Standing(
        ReviewState(row.state),
        reason_of(row.reason),
        row.note,
        Reviewer(row.login, row.name),
        row.changed_ms,
        row.change_id,
        row.right_label,
    )


def reason_of(word: str | None) -> FalseReason | None:
    """As it is kept; None: none was given."""
    return None if word is None else FalseReason(word)


def _steps(engine: Engine, query: Any) -> Sequence[ReviewStep]:
    try:
        with engine.connect() as connection, connection.begin():
            return tuple(_each(connection.execute(query).all()))
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error


def _each(rows: Sequence[Row[Any]]) -> Iterator[ReviewStep]:
    for row in rows:
        yield ReviewStep(
            row.id,
            row.box_id,
            row.event_id,
            ReviewState(row.state),
            reason_of(row.reason),
            row.note,
            Reviewer(row.login, row.name),
            row.changed_ms,
            row.right_label,
        )
