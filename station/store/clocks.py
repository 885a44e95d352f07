"""What a box stamped while nobody vouched for its clock, put right. What came stays as it came.

A clock map says which wall time belongs to which moment of the clock that never steps, in one boot. An event
of that boot from before the map is as much earlier as that clock says: docs/design/time.md.
Of the maps of a boot the first one after an event counts. So a new map changes only what happened since the map
before it, and a box whose clock flaps costs the others nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Table,
    Update,
    and_,
    bindparam,
    case,
    func,
    select,
    tuple_,
    update,
)

from agent.wire.payloads import ClockMapPayload
from station.store.columns import FIRST_MS, LAST_MS, ms
from station.store.schema import clock_map, count_interval, count_is_untrusted, event, event_is_untrusted
from station.store.statements.inserts import insert_once

TRUSTED_CLOCKS = ("ntp", "rtc")
"""Clock states that need no correction."""
_BOOTS_AT_ONCE = 200
"""Few enough for the bound parameters of one statement."""
MAPS_PER_BOOT = 64
"""Maps of one boot that are heeded. A box makes one when somebody first vouches for its clock; more of them
tell of a clock that is lost and found again and again, and nothing new about what was before the first."""


def record_clock_map(
    connection: Connection, payload: ClockMapPayload, box_id: int, now_ms: int
) -> ColumnElement[bool] | None:
    """Keep a map, and put right what is here already; gives back which events that were.

    Beyond MAPS_PER_BOOT nothing is changed any more: None.
    """
    clock = payload.clock
    if clock.boot_id is None or clock.mono_ms is None:
        return None
    of_boot = clock_map.c.box_id == box_id, clock_map.c.boot_id == clock.boot_id
    maps = connection.scalar(select(func.count()).select_from(clock_map).where(*of_boot)) or 0
    if maps >= MAPS_PER_BOOT:
        return None
    earlier = select(func.max(clock_map.c.mono_ms)).where(*of_boot, clock_map.c.mono_ms < clock.mono_ms)
    after_ms = connection.scalar(earlier)
    row = {"box_id": box_id, "boot_id": clock.boot_id, "mono_ms": clock.mono_ms, "wall_ms": ms(payload.time)}
    from_box = {"state": clock.state, "received_ms": now_ms}
    connection.execute(insert_once(connection, clock_map).values(row | from_box))
    for table, time, is_untrusted in _STAMPED:
        since = () if after_ms is None else (table.c.mono_ms > after_ms,)
        of_these = table.c.box_id == box_id, table.c.boot_id == clock.boot_id
        connection.execute(
            _corrected(table, time, is_untrusted).where(*of_these, table.c.mono_ms <= clock.mono_ms, *since)
        )
    mine = event.c.box_id == box_id, event.c.boot_id == clock.boot_id
    later = () if after_ms is None else (event.c.mono_ms > after_ms,)
    return and_(*mine, *later, event.c.mono_ms <= clock.mono_ms, event_is_untrusted)


def correct_event_times(connection: Connection, events: Collection[tuple[int, str, str]]) -> None:
    """The offset of these events (ids of box, of boot and of event), by the first map after each, or none.

    Most boots have no map: of those nothing is known, and nothing need be asked about each event.
    """
    boots = sorted({(box_id, boot_id) for box_id, boot_id, _ in events})
    mapped = set[tuple[int, str]]()
    for at in range(0, len(boots), _BOOTS_AT_ONCE):
        found = connection.execute(_MAPPED, {"boots": boots[at : at + _BOOTS_AT_ONCE]})
        mapped |= {(row[0], row[1]) for row in found}
    rows = [
        {"box": box_id, "id": event_id} for box_id, boot_id, event_id in events if (box_id, boot_id) in mapped
    ]
    if rows:
        connection.execute(_CORRECT_EVENT, rows)


def correct_count_times(connection: Connection, counts: Iterable[tuple[int, int]]) -> None:
    """The same for counting intervals (ids of stream and number)."""
    rows = [{"stream": stream_id, "number": seq} for stream_id, seq in counts]
    if rows:
        connection.execute(_CORRECT_COUNT, rows)


_STAMPED: tuple[tuple[Table, Column[int], ColumnElement[bool]], ...] = (
    (event, event.c.time_ms, event_is_untrusted),
    (count_interval, count_interval.c.end_ms, count_is_untrusted),
)
"""What boxes stamp, the moment at which their steady clock said `mono_ms`, and which of it may be wrong."""


def _corrected(table: Table, time: Column[int], is_untrusted: ColumnElement[bool]) -> Update:
    """Of untrusted rows; the `where` says which.

    A box says both `mono_ms`. What they would put outside the years of the wire was never told by a clock: it
    stays as it came.
    """
    first: Any = (
        select(clock_map.c.wall_ms - clock_map.c.mono_ms)
        .where(
            clock_map.c.box_id == table.c.box_id,
            clock_map.c.boot_id == table.c.boot_id,
            clock_map.c.mono_ms >= table.c.mono_ms,
        )
        .order_by(clock_map.c.mono_ms)
        .limit(1)
        .scalar_subquery()
    )
    right: Any = first + table.c.mono_ms
    offset = case((right.between(FIRST_MS, LAST_MS), right - time))
    return update(table).where(is_untrusted).values(clock_offset_ms=offset)


# Built once: to build a statement takes longer than to execute it.
_BOOT = clock_map.c.box_id, clock_map.c.boot_id
_MAPPED = select(*_BOOT).where(tuple_(*_BOOT).in_(bindparam("boots", expanding=True))).distinct()
_CORRECT_EVENT = _corrected(event, event.c.time_ms, event_is_untrusted).where(
    event.c.box_id == bindparam("box"), event.c.event_id == bindparam("id")
)
_CORRECT_COUNT = _corrected(count_interval, count_interval.c.end_ms, count_is_untrusted).where(
    count_interval.c.stream_id == bindparam("stream"), count_interval.c.seq == bindparam("number")
)
