"""What must not go by its age: what supervisors hold, what the duty room is not done with, what footage shows.

An event is held while one of these is so:
1. A supervisor holds it, with a case number and a reason; he or another one lets it go, with a reason.
2. It is an alert that is not settled, or somebody has it in hand (`seen`).
3. It was confirmed or passed on, and no supervisor has closed the case since. Who judges it anew opens it anew.
4. Its camera and its time lie in what footage was asked for, while that comes or its package is here.
A package is held while an event of its camera and its time is held by 1 or 3.

Invariants
1. What is said here stands in `event_hold` for ever, also after it was let go.
2. Who holds an event and retention lock its row: it is either gone, and there is nothing to hold, or stays.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, exists, insert, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from agent.errors import NgatuError
from agent.printable import printable
from agent.translatable import tr
from station.store.database import in_words
from station.store.schema import box, event, event_hold, event_is_alert, review

MAX_WORDS: Final = 300
"""Characters of a case number or a reason."""
HOLD: Final = "hold"
RELEASE: Final = "release"
CLOSING: Final = "closing"
CASE_NUMBER: Final = tr("the case number")
REASON: Final = tr("the reason")
_JUDGED: Final = ("confirmed", "passed_on")

T = TypeVar("T")
EventKey = tuple[int, str]
"""Ids of box and event."""


class HoldKind(StrEnum):
    """Why an event stays although it is due."""

    CASE = "case"
    OPEN = "open"
    JUDGED = "judged"
    FOOTAGE = "footage"

    @property
    def words(self) -> str:
        """In a line."""
        return HOLD_WORDS[self]


HOLD_WORDS: Final[Mapping[str, str]] = {
    HoldKind.CASE: tr("held by a supervisor for a case"),
    HoldKind.OPEN: tr("alerts that nobody has judged"),
    HoldKind.JUDGED: tr("confirmed or passed on, and the case is not closed"),
    HoldKind.FOOTAGE: tr("in the time of footage that was asked for"),
}


class HoldRefused(NgatuError):
    """What a supervisor wants cannot be, or lacks something; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who it is, as logs say it."""

    login: str
    name: str


@dataclass(frozen=True, slots=True)
class EventHold:
    """One hold, or one closing of a case."""

    id: int
    key: EventKey
    act: str
    case_number: str
    reason: str
    by: Holder
    made_ms: int
    released_ms: int | None = None
    released_by: Holder | None = None
    released_reason: str = ""


@dataclass(frozen=True, slots=True)
class HoldStanding:
    """How an event stands with its age, for its page."""

    hold: EventHold | None
    """The hold that stands."""
    closing: EventHold | None
    """The closing that counts."""
    may_close: bool
    """It was confirmed or passed on, and its case is open."""


class EventHolds:
    """What supervisors say; for many threads.

    Raises:
        StoreError: the store cannot be read or written.
    """

    def __init__(
        self, writes: Engine, reads: Engine | None = None, now: Callable[[], float] = time.time
    ) -> None:
        self._writes, self._reads, self._now = writes, reads or writes, now

    def standing(self, key: EventKey) -> HoldStanding:
        """Of one event."""
        return self._read(lambda connection: _standing(connection, key))

    def standing_holds(self) -> Sequence[tuple[EventHold, str, str]]:
        """Every hold that stands, the oldest first, with commune/device and camera; '' where it has gone."""
        query = (
            select(event_hold, box.c.device, event.c.camera)
            .join(box, box.c.id == event_hold.c.box_id)
            .outerjoin(event, _same(event_hold))
            .where(_stands())
            .order_by(event_hold.c.id)
        )
        return self._read(
            lambda connection: [(_hold(row), row.device, row.camera or "") for row in connection.execute(query)]
        )

    def refuse(self, key: EventKey, act: str, case_number: str, reason: str) -> None:
        """Whether HOLD, RELEASE or CLOSING may be done, as it is now: for whoever notes it before it is done.

        Raises:
            HoldRefused: something is not said, or it does not follow.
        """
        if act != RELEASE:
            _said(case_number, CASE_NUMBER)
        _said(reason, REASON)
        _refuse(self.standing(key), act)

    def hold(self, key: EventKey, by: Holder, case_number: str, reason: str) -> None:
        """Keep it, whatever its age.

        Raises:
            HoldRefused: something is not said, it is held already, or there is no such event.
        """
        said = _said(case_number, CASE_NUMBER), _said(reason, REASON)

        def write(connection: Connection) -> None:
            _lock(connection, key)
            _refuse(_standing(connection, key), HOLD)
            self._insert(connection, key, by, HOLD, said)

        self._write(write)

    def release(self, key: EventKey, by: Holder, reason: str) -> None:
        """Let it go by its age again.

        Raises:
            HoldRefused: nothing is said, or it is not held.
        """
        why = _said(reason, REASON)

        def write(connection: Connection) -> None:
            found = _standing(connection, key)
            _refuse(found, RELEASE)
            assert found.hold is not None
            released = {
                "released_ms": round(self._now() * 1000),
                "released_login": by.login,
                "released_name": by.name,
                "released_reason": why,
            }
            connection.execute(update(event_hold).where(event_hold.c.id == found.hold.id).values(released))

        self._write(write)

    def close(self, key: EventKey, by: Holder, case_number: str, reason: str) -> None:
        """Close the case of what was confirmed or passed on: from now on it goes by its age.

        Raises:
            HoldRefused: something is not said, or there is no open case.
        """
        said = _said(case_number, CASE_NUMBER), _said(reason, REASON)

        def write(connection: Connection) -> None:
            _lock(connection, key)
            _refuse(_standing(connection, key), CLOSING)
            change = connection.scalar(select(review.c.change_id).where(_is(review, key)))
            self._insert(connection, key, by, CLOSING, said, change or 0)

        self._write(write)

    def _insert(
        self,
        connection: Connection,
        key: EventKey,
        by: Holder,
        act: str,
        said: tuple[str, str],
        change_id: int = 0,
    ) -> None:
        row = {"box_id": key[0], "event_id": key[1], "act": act, "case_number": said[0], "reason": said[1]}
        who = {"login": by.login, "name": by.name, "made_ms": round(self._now() * 1000)}
        connection.execute(insert(event_hold).values(row | who | {"change_id": change_id}))

    def _read(self, job: Callable[[Connection], T]) -> T:
        try:
            with self._reads.connect() as connection, connection.begin():
                return job(connection)
        except SQLAlchemyError as error:
            raise in_words(error, self._reads.url) from error

    def _write(self, job: Callable[[Connection], None]) -> None:
        try:
            with self._writes.begin() as connection:
                job(connection)
        except SQLAlchemyError as error:
            raise in_words(error, self._writes.url) from error


def is_held(kind: HoldKind) -> ColumnElement[bool]:
    """Whether an event (the table `event`) is held for this cause; not by footage, which lies in files."""
    its_review = _same(review)
    if kind is HoldKind.CASE:
        return exists().where(_same(event_hold), _stands())
    if kind is HoldKind.JUDGED:
        closed = exists().where(
            event_hold.c.box_id == review.c.box_id,
            event_hold.c.event_id == review.c.event_id,
            event_hold.c.act == CLOSING,
            event_hold.c.change_id == review.c.change_id,
        )
        return exists().where(its_review, review.c.state.in_(_JUDGED), ~closed)
    in_hand = exists().where(its_review, review.c.state == "seen")
    return or_(and_(event_is_alert, event.c.settled_ms.is_(None)), in_hand)


def is_held_by_people() -> ColumnElement[bool]:
    """Whether it is held for any cause that the store knows."""
    return or_(is_held(HoldKind.CASE), is_held(HoldKind.OPEN), is_held(HoldKind.JUDGED))


def holds_footage() -> ColumnElement[bool]:
    """Whether an event keeps the package that shows it, too."""
    return or_(is_held(HoldKind.CASE), is_held(HoldKind.JUDGED))


def _standing(connection: Connection, key: EventKey) -> HoldStanding:
    judged = connection.execute(
        select(review.c.state, review.c.change_id).where(_is(review, key))
    ).one_or_none()
    rows = connection.execute(select(event_hold).where(_is(event_hold, key)).order_by(event_hold.c.id)).all()
    hold = next((_hold(row) for row in rows if row.act == HOLD and row.released_ms is None), None)
    if judged is None or judged.state not in _JUDGED:
        return HoldStanding(hold, None, may_close=False)
    closed = [row for row in rows if row.act == CLOSING and row.change_id == judged.change_id]
    return HoldStanding(hold, _hold(closed[-1]) if closed else None, may_close=not closed)


def _refuse(standing: HoldStanding, act: str) -> None:
    if act == HOLD and standing.hold is not None:
        raise HoldRefused(tr("the event is held already"), tr("let it go first"))
    if act == RELEASE and standing.hold is None:
        raise HoldRefused(tr("the event is not held"), tr("nothing is to be let go"))
    if act == CLOSING and not standing.may_close:
        hint = tr("only what was confirmed or passed on has a case")
        raise HoldRefused(tr("the event has no open case"), hint)


def _lock(connection: Connection, key: EventKey) -> None:
    """Invariant 2; SQLite's writer is alone anyway."""
    if connection.scalar(select(event.c.event_id).where(_is(event, key)).with_for_update()) is None:
        raise HoldRefused(tr("the store has no such event"), tr("it may have been deleted by its age"))


def _said(text: str, what: str) -> str:
    words = " ".join(printable(text).split())
    if not words:
        raise HoldRefused(tr("{what} is not said", what=what), tr("a log without it helps nobody"))
    if len(words) > MAX_WORDS:
        raise HoldRefused(
            tr("{what} has {length} characters", what=what, length=len(words)),
            tr("{most} at most", most=MAX_WORDS),
        )
    return words


def _is(table: Any, key: EventKey) -> ColumnElement[bool]:
    return and_(table.c.box_id == key[0], table.c.event_id == key[1])


def _same(table: Any) -> ColumnElement[bool]:
    return and_(table.c.box_id == event.c.box_id, table.c.event_id == event.c.event_id)


def _stands() -> ColumnElement[bool]:
    return and_(event_hold.c.act == HOLD, event_hold.c.released_ms.is_(None))


def _hold(row: Row[Any]) -> EventHold:
    released = row.released_ms is not None
    return EventHold(
        row.id,
        (row.box_id, row.event_id),
        row.act,
        row.case_number,
        row.reason,
        Holder(row.login, row.name),
        row.made_ms,
        row.released_ms,
        Holder(row.released_login, row.released_name) if released else None,
        row.released_reason if released else "",
    )
