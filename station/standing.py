"""How boxes, cameras and streams stand, by what they last said of themselves; and each change of it."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from agent.delivery.payloads import CameraStatusPayload, HelloPayload, StatusPayload
from station.arrival import Arrival, Sort
from station.identity import ms
from station.known import Known, insert_once, upsert
from station.schema import box, box_status, camera, camera_status, stream

Fields = dict[str, object]


def stand(
    connection: Connection, arrival: Arrival, box_id: int, stream_id: int | None, known: Known, now_ms: int
) -> Fields | None:
    """Write what the arrival says; the fields of a note if a stream went back."""
    told = arrival.payload
    if isinstance(told, StatusPayload):
        _box(connection, told, box_id, now_ms)
    elif isinstance(told, CameraStatusPayload) and arrival.camera is not None:
        _camera(connection, arrival, told, box_id, now_ms)
    elif isinstance(told, HelloPayload) and stream_id is not None:
        return _hello(connection, told, stream_id, known, now_ms)
    elif arrival.sort in (Sort.INFO, Sort.HEALTH):
        name = str(arrival.sort)
        values = {name: arrival.raw.decode(), f"{name}_ms": now_ms}
        connection.execute(update(box).where(box.c.id == box_id).values(values))
    return None


def _box(connection: Connection, told: StatusPayload, box_id: int, now_ms: int) -> None:
    """An offline of another session than the latest is an old will that came late."""
    session = connection.scalar(select(box.c.state_session).where(box.c.id == box_id))
    if told.state == "offline" and session not in (None, told.session):
        return
    state = {"state": told.state, "state_session": told.session, "state_ms": ms(told.time)}
    connection.execute(update(box).where(box.c.id == box_id).values(state))
    change = {"box_id": box_id, "session": told.session, "state": told.state, "time_ms": ms(told.time)}
    connection.execute(insert_once(connection, box_status).values(change | {"received_ms": now_ms}))


def _camera(
    connection: Connection, arrival: Arrival, told: CameraStatusPayload, box_id: int, now_ms: int
) -> None:
    state = {"box_id": box_id, "state": told.state, "since_ms": ms(told.since), "received_ms": now_ms}
    put = upsert(connection, camera).values(state | {"name": arrival.camera, "body": arrival.raw.decode()})
    latest = {name: put.excluded[name] for name in ("state", "since_ms", "received_ms", "body")}
    connection.execute(put.on_conflict_do_update(index_elements=["box_id", "name"], set_=latest))
    change = state | {"camera": arrival.camera, "reason": told.reason}
    connection.execute(insert_once(connection, camera_status).values(change))


def _hello(
    connection: Connection, told: HelloPayload, stream_id: int, known: Known, now_ms: int
) -> Fields | None:
    """What the box still holds; below that nothing will come any more."""
    oldest = told.oldest
    if oldest is None and told.newest is not None:
        oldest = told.newest + 1  # nothing waits there
    values = {"hello_ms": now_ms, "oldest": oldest, "newest": told.newest}
    connection.execute(update(stream).where(stream.c.id == stream_id).values(values))
    have = max((last for _, last in known.have(connection, stream_id)), default=0)
    if (told.newest or 0) >= have:
        return None
    hint = "the box's outbox was put back to an older state; what it numbers anew will be conflicts"
    return {"stream": told.stream, "newest": told.newest, "have": have, "hint": hint}
