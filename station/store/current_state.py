"""How boxes, cameras and streams stand, by what they last said of themselves; and each change of it."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from agent.wire.payloads import CameraStatusPayload, ChainPayload, HelloPayload, StatusPayload
from station.ingest.inbound import InboundMessage, MessageKind
from station.store.digests import ms
from station.store.id_cache import IdCache, insert_once, upsert
from station.store.schema import box, box_status, camera, camera_status, given_up, stream

Fields = dict[str, object]


def stand(
    connection: Connection,
    arrival: InboundMessage,
    box_id: int,
    stream_id: int | None,
    known: IdCache,
    now_ms: int,
) -> list[tuple[str, Fields]]:
    """Write what the arrival says; gives back what is to be told, by name and fields."""
    told = arrival.payload
    if isinstance(told, StatusPayload):
        _box(connection, told, box_id, now_ms)
    elif isinstance(told, CameraStatusPayload) and arrival.camera is not None:
        _camera(connection, arrival, told, box_id, now_ms)
    elif isinstance(told, HelloPayload) and stream_id is not None:
        return _hello(connection, told, stream_id, known, now_ms)
    elif arrival.kind in (MessageKind.INFO, MessageKind.HEALTH):
        name = str(arrival.kind)
        values = {name: arrival.raw.decode(), f"{name}_ms": now_ms}
        connection.execute(update(box).where(box.c.id == box_id).values(values))
    return []


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
    connection: Connection, arrival: InboundMessage, told: CameraStatusPayload, box_id: int, now_ms: int
) -> None:
    state = {"box_id": box_id, "state": told.state, "since_ms": ms(told.since), "received_ms": now_ms}
    put = upsert(connection, camera).values(state | {"name": arrival.camera, "body": arrival.raw.decode()})
    latest = {name: put.excluded[name] for name in ("state", "since_ms", "received_ms", "body")}
    connection.execute(put.on_conflict_do_update(index_elements=["box_id", "name"], set_=latest))
    change = state | {"camera": arrival.camera, "reason": told.reason}
    connection.execute(insert_once(connection, camera_status).values(change))


def _hello(
    connection: Connection, told: HelloPayload, stream_id: int, known: IdCache, now_ms: int
) -> list[tuple[str, Fields]]:
    """What the box still holds, below which nothing will come any more; and the newest seal of its chain."""
    oldest = told.oldest
    if oldest is None and told.newest is not None:
        oldest = told.newest + 1  # nothing waits there
    values: Fields = {"hello_ms": now_ms, "oldest": oldest, "newest": told.newest}
    have = max((last for _, last in known.have(connection, stream_id)), default=0)
    notes: list[tuple[str, Fields]] = []
    if (told.newest or 0) < have:
        hint = "the box's outbox was put back to an older state; what it numbers anew will be conflicts"
        note: Fields = {"stream": told.stream, "newest": told.newest, "have": have, "hint": hint}
        notes.append(("stream_went_back", note))
    if told.seal is not None and told.seal.stream == told.stream:
        number, sha256 = told.seal.number, told.seal.sha256
        kept = connection.execute(
            select(stream.c.seal_number, stream.c.seal_sha256).where(stream.c.id == stream_id)
        ).one()
        if kept.seal_number is None or number > kept.seal_number:
            values |= {"seal_number": number, "seal_sha256": sha256}
        elif number == kept.seal_number and sha256 != kept.seal_sha256:
            hint = "the box vouches for another history than it did before: it, or this store, was changed"
            notes.append(("seal_contradicts", {"stream": told.stream, "number": number, "hint": hint}))
    connection.execute(update(stream).where(stream.c.id == stream_id).values(values))
    return notes


def give_up(connection: Connection, told: ChainPayload, box_id: int, known: IdCache, now_ms: int) -> None:
    """Write down what a seal says will not come: not in the stream it seals, or not in the one before it."""
    rows = [(told.of, first, last, "dropped") for first, last in told.dropped]
    if told.carried is not None and told.carried.stream is not None:
        rows += [(told.carried.stream, first, last, "carried") for first, last in told.carried.seqs]
    for name, first, last, why in rows:
        place = {"stream_id": known.stream_id(connection, box_id, name, now_ms), "first": first, "last": last}
        connection.execute(insert_once(connection, given_up).values(place | {"why": why}))
