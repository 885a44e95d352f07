"""The alerts of a shift, and what became of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, select

from station.lookup.places import BoxPlace
from station.store.schema import LATE_MS, blob, event, event_began_ms, event_is_alert, review

MOST: Final = 1_000
"""So many are listed; a rule that tells more in a shift is to be mended, not read. Of more each box has its
turn: one that invents alerts does not take the others' from the report."""
BEFORE_MS: Final = 7 * 86_400_000
"""So far back alerts are counted that nobody has settled yet."""
OPEN: Final = ("new", "seen")


@dataclass(frozen=True, slots=True)
class ShiftAlert:
    """One alert; moments are milliseconds since 1970."""

    box_id: int
    event_id: str
    device: str
    """The box, as in its topics."""
    box: str
    camera: str
    """Both as people call them."""
    kind: str
    label: str | None
    detail: str | None
    rule: str
    began_ms: int
    received_ms: int
    """When the station heard of it first."""
    replayed: bool
    state: str
    """new, seen, confirmed, false, passed_on."""
    reason: str
    right_label: str
    """Of what was taken for something else: what it is; empty where nobody has said."""
    note: str
    reviewer: str
    reviewed_ms: int | None
    picture_sha256: str | None

    @property
    def is_late(self) -> bool:
        """It came long after it had begun."""
        return self.replayed or self.received_ms - self.began_ms > LATE_MS

    @property
    def is_open(self) -> bool:
        """Somebody has still to settle it."""
        return self.state in OPEN


@dataclass(frozen=True, slots=True)
class ShiftAlerts:
    """Those that began in the shift, and those that came in it and are older."""

    listed: tuple[ShiftAlert, ...]
    """By when they began; MOST at most, of each box in turn."""
    by_state: Mapping[str, int]
    """All of them, by what became of them."""
    open_before: int
    """Of the week before the shift: still not settled."""

    @property
    def number(self) -> int:
        """All of them."""
        return sum(self.by_state.values())

    @property
    def open(self) -> int:
        """Of these those not settled."""
        return sum(self.by_state.get(state, 0) for state in OPEN)

    def shown(self, most: int) -> list[ShiftAlert]:
        """So many of those listed, of each box in turn; those that are open first."""
        return _in_turn(sorted(self.listed, key=lambda each: not each.is_open), most)


def _in_turn(alerts: Iterable[ShiftAlert], most: int) -> list[ShiftAlert]:
    """The first of each box, then the second of each, until there are so many; in the order of before."""
    turns: Counter[int] = Counter()
    placed = []
    for place, each in enumerate(alerts):
        placed.append((turns[each.box_id], place, each))
        turns[each.box_id] += 1
    chosen = sorted(placed, key=lambda one: one[:2])[:most]
    return [each for _, _, each in sorted(chosen, key=lambda one: one[1])]


def shift_alerts(
    connection: Connection, places: Mapping[int, BoxPlace], start_ms: int, end_ms: int
) -> ShiftAlerts:
    """What there is of the range."""
    state = func.coalesce(review.c.state, "new")
    listed: list[ShiftAlert] = []
    by_state: dict[str, int] = {}
    for which in (_began_in(start_ms, end_ms), _came_in(start_ms, end_ms)):
        turn = func.row_number().over(partition_by=event.c.box_id, order_by=event_began_ms)
        rows = connection.execute(_alerts().where(which).order_by(turn, event_began_ms).limit(MOST))
        listed += [_alert(row, places) for row in rows]
        for word, number in connection.execute(_joined(state, func.count()).where(which).group_by(state)):
            by_state[word] = by_state.get(word, 0) + number
    listed.sort(key=lambda each: (each.began_ms, each.box_id, each.event_id))
    long_ago = _began_in(start_ms - BEFORE_MS, start_ms)
    older = event.c.first_received_ms < start_ms
    before = connection.scalar(_joined(func.count()).where(long_ago, older, state.in_(OPEN)))
    return ShiftAlerts(tuple(_in_turn(listed, MOST)), by_state, before or 0)


def _began_in(start_ms: int, end_ms: int) -> ColumnElement[bool]:
    return and_(event_is_alert, event_began_ms >= start_ms, event_began_ms < end_ms)


def _came_in(start_ms: int, end_ms: int) -> ColumnElement[bool]:
    """Late ones, of which no earlier shift has heard."""
    return and_(
        event_is_alert,
        event.c.first_received_ms >= start_ms,
        event.c.first_received_ms < end_ms,
        event_began_ms < start_ms,
    )


def _joined(*columns: ColumnElement[Any]) -> Select[Any]:
    of_event = (review.c.box_id == event.c.box_id) & (review.c.event_id == event.c.event_id)
    return select(*columns).select_from(event.outerjoin(review, of_event))


def _alerts() -> Select[Any]:
    looked = [
        review.c[name].label(f"review_{name}")
        for name in ("state", "reason", "right_label", "note", "name", "changed_ms")
    ]
    columns = _joined(*event.c, event_began_ms.label("began_ms"), blob.c.sha256.label("picture"), *looked)
    return columns.outerjoin(blob, blob.c.sha256 == event.c.thumbnail_sha256)


def _alert(row: Row[Any], places: Mapping[int, BoxPlace]) -> ShiftAlert:
    place = places.get(row.box_id)
    return ShiftAlert(
        box_id=row.box_id,
        event_id=row.event_id,
        device=place.device if place is not None else "",
        box=place.title if place is not None else "?",
        camera=place.camera_title(row.camera) if place is not None else row.camera,
        kind=row.kind,
        label=row.label,
        detail=row.detail,
        rule=row.rule_id,
        began_ms=row.began_ms,
        received_ms=row.first_received_ms,
        replayed=row.replayed,
        state=row.review_state or "new",
        reason=row.review_reason or "",
        right_label=row.review_right_label or "",
        note=row.review_note or "",
        reviewer=row.review_name or "",
        reviewed_ms=row.review_changed_ms,
        picture_sha256=row.picture,
    )
