"""What a box stamped while nobody vouched for its clock, put right. What came stays as it came.

A clock map says which wall time belongs to which moment of the clock that never steps, in one boot. An event
of that boot from before the map is as much earlier as that clock says: docs/design/time.md.
"""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from agent.wire.payloads import ClockMapPayload
from station.store.database import insert_once
from station.store.digests import ms
from station.store.schema import clock_map, event

TRUSTED_CLOCKS = ("ntp", "rtc")
"""Clock states that need no correction."""


def record_clock_map(connection: Connection, payload: ClockMapPayload, box_id: int, now_ms: int) -> None:
    """Keep a map, and put right what is here already."""
    clock = payload.clock
    if clock.boot_id is None or clock.mono_ms is None:
        return
    row = {"box_id": box_id, "boot_id": clock.boot_id, "mono_ms": clock.mono_ms, "wall_ms": ms(payload.time)}
    told_by = {"state": clock.state, "received_ms": now_ms}
    connection.execute(insert_once(connection, clock_map).values(row | told_by))
    correct_event_times(connection, box_id, clock.boot_id)


def correct_event_times(connection: Connection, box_id: int, boot_id: str) -> None:
    """The offset of each untrusted event of a boot, by the first map after it; without one there is none."""
    maps = select(clock_map.c.mono_ms, clock_map.c.wall_ms).where(
        clock_map.c.box_id == box_id, clock_map.c.boot_id == boot_id
    )
    for mono_ms, wall_ms in connection.execute(maps.order_by(clock_map.c.mono_ms.desc())).all():
        happened_ms = wall_ms - mono_ms + event.c.mono_ms
        connection.execute(
            update(event)
            .where(
                event.c.box_id == box_id,
                event.c.boot_id == boot_id,
                event.c.mono_ms <= mono_ms,
                event.c.clock_state.not_in(TRUSTED_CLOCKS),
            )
            .values(clock_offset_ms=happened_ms - event.c.time_ms)
        )
