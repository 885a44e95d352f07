"""A store as a shift leaves it: boxes with names, events, alerts of which some are settled, outages, counts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, insert

from station.config import DatabaseSettings
from station.review.queue import ReviewQueue
from station.review.standing import Reviewer
from station.review.states import FalseReason, ReviewState
from station.store.database import engine_of, upgrade, url_of
from station.store.schema import (
    alarm,
    box,
    box_status,
    camera_status,
    count_interval,
    event,
    event_revision,
    gap,
    stream,
)

MINUTE_MS = 60_000
INFO: Mapping[str, Any] = {
    "location": {"description": "Ngã tư Hải Ninh"},
    "cameras": [{"id": "north", "name": "Hướng Bắc"}, {"id": "south", "name": "Hướng Nam"}],
}


def opened(state_dir: Path) -> Engine:
    """A new store in SQLite."""
    engine = engine_of(url_of(DatabaseSettings(), state_dir))
    upgrade(engine)
    return engine


def add_box(
    connection: Connection,
    commune: str,
    device: str,
    info: Mapping[str, Any] = INFO,
    *,
    first_seen_ms: int = 0,
) -> int:
    """A box with one stream; gives back its id."""
    seen = {"first_seen_ms": first_seen_ms, "last_seen_ms": first_seen_ms}
    row = {"commune": commune, "device": device, "state": "online", **seen}
    box_id = connection.execute(insert(box).values(row | {"info": json.dumps(info)})).inserted_primary_key[0]
    connection.execute(
        insert(stream).values(id=box_id, box_id=box_id, name=f"s-{box_id}", first_seen_ms=0, unnumbered=0)
    )
    return int(box_id)


def add_event(connection: Connection, box_id: int, number: int, began_ms: int, **more: Any) -> str:
    """One event that lasts four seconds; gives back its id."""
    event_id = f"e-{number}"
    fields = {
        "box_id": box_id, "event_id": event_id, "revision": 1, "camera": "north", "kind": "zone_entered",
        "phase": "end", "severity": "info", "start_ms": began_ms, "time_ms": began_ms + 4_000,
        "rule_id": "cong-truong", "rule_kind": "zone", "label": "motorcycle", "replayed": False,
        "clock_state": "ntp", "first_received_ms": began_ms + 900, "received_ms": began_ms + 900,
    }  # fmt: skip
    connection.execute(insert(event).values(fields | more))
    kept = {
        "box_id": box_id, "event_id": event_id, "revision": 1, "stream_id": box_id, "seq": number,
        "phase": "end", "time_ms": began_ms, "replayed": False, "digest": "0" * 64, "body": "{}",
        "received_ms": began_ms,
    }  # fmt: skip
    connection.execute(insert(event_revision).values(kept))
    return event_id


def add_alert(connection: Connection, box_id: int, number: int, began_ms: int, **more: Any) -> None:
    """An alert at which nobody has looked."""
    add_event(connection, box_id, number, began_ms, severity="alert", **more)


def settle(
    engine: Engine, box_id: int, number: int, state: str, at_ms: int, reason: str | None = None, note: str = ""
) -> None:
    """What an officer makes of an event."""
    queue = ReviewQueue(engine, now=lambda: at_ms / 1000)
    why = None if reason is None else FalseReason(reason)
    by = Reviewer("lan", "Nguyễn Thị Lan")
    queue.mark((box_id, f"e-{number}"), ReviewState(state), by, seen=0, note=note, reason=why)


def add_box_state(connection: Connection, box_id: int, state: str, at_ms: int) -> None:
    """A change of a box, as the station saw it."""
    row = {"box_id": box_id, "session": f"life-{at_ms}", "state": state, "time_ms": 0, "received_ms": at_ms}
    connection.execute(insert(box_status).values(row))


def add_camera_state(
    connection: Connection, box_id: int, camera: str, state: str, at_ms: int, reason: str | None = None
) -> None:
    """A change of a camera, as its box saw it."""
    row = {"box_id": box_id, "camera": camera, "state": state, "since_ms": at_ms, "received_ms": at_ms + 500}
    connection.execute(insert(camera_status).values(row | {"reason": reason}))


def add_count(
    connection: Connection,
    box_id: int,
    number: int,
    start_ms: int,
    counts: Mapping[str, Mapping[str, int]],
    rule: str = "vach-dung",
) -> None:
    """A closed interval of 15 minutes of one line."""
    body = json.dumps({"counts": counts})
    row = {
        "stream_id": box_id, "seq": number, "box_id": box_id, "camera": "north", "rule": rule,
        "start_ms": start_ms, "end_ms": start_ms + 15 * MINUTE_MS, "body": body,
    }  # fmt: skip
    connection.execute(insert(count_interval).values(row))


def add_gap(connection: Connection, box_id: int, state: str, missing: int, at_ms: int) -> None:
    """Numbers that did not come."""
    row = {"stream_id": box_id, "first": 1, "last": 5, "missing": missing, "state": state, "opened_ms": at_ms}
    connection.execute(insert(gap).values(row))


def add_alarm(
    connection: Connection, box_id: int | None, kind: str, opened_ms: int, closed_ms: int | None
) -> None:
    """An alarm of the station."""
    row = {
        "kind": kind, "box_id": box_id, "opened_ms": opened_ms, "last_ms": opened_ms, "count": 1,
        "closed_ms": closed_ms, "detail": "", "standing": None if closed_ms else f"{kind}/{box_id}",
    }  # fmt: skip
    connection.execute(insert(alarm).values(row))
