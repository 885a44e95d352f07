"""How boxes, cameras and streams stand, by what they last said of themselves; and each change of it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from agent.wire.payloads import CameraStatusPayload, ChainPayload, HelloPayload, InfoPayload, StatusPayload
from station.footage.box_keys import record_key
from station.ingest.alarms import AlarmKind
from station.ingest.inbound import InboundMessage, MessageKind
from station.store.alarms import LogLine, raise_alarm
from station.store.columns import ms
from station.store.id_cache import IdCache
from station.store.schema import box, box_status, camera, camera_status, given_up, stream
from station.store.statements.inserts import insert_once, put_latest
from station.store.titles import told_title, watch_titles

Fields = dict[str, object]
Row = dict[str, Any]

_STANDING = ("info", "health")
_LATEST = {
    kind: update(box)
    .where(box.c.id == bindparam("its_id"))
    .values({kind: bindparam("as_it_came"), f"{kind}_ms": bindparam("at_ms")})
    for kind in _STANDING
}
_SAID = (
    update(box)
    .where(box.c.id == bindparam("its_id"))
    .values(state=bindparam("said"), state_session=bindparam("by_session"), state_ms=bindparam("at_ms"))
)


class StandingRows:
    """What boxes and cameras of one batch say of themselves, written together; of each the last counts."""

    def __init__(self) -> None:
        self._boxes: dict[str, dict[int, Row]] = {kind: {} for kind in _STANDING}
        self._cameras: dict[tuple[int, str], Row] = {}
        self._changes: list[Row] = []

    def add_box(self, message: InboundMessage, box_id: int, now_ms: int) -> None:
        """Its info or its health."""
        row = {"its_id": box_id, "as_it_came": message.raw.decode(), "at_ms": now_ms}
        self._boxes[str(message.kind)][box_id] = row

    def add_camera(
        self, message: InboundMessage, payload: CameraStatusPayload, name: str, box_id: int, now_ms: int
    ) -> None:
        """How a camera stands; each change of it is kept, too."""
        state = {"box_id": box_id, "state": payload.state, "since_ms": ms(payload.since), "received_ms": now_ms}
        self._cameras[box_id, name] = state | {"name": name, "body": message.raw.decode()}
        self._changes.append(state | {"camera": name, "reason": payload.reason})

    def write(self, connection: Connection, now_ms: int) -> list[LogLine]:
        """All of it, one statement for each kind of row; gives back what to log."""
        is_renamed = self._renames(connection)
        for kind, rows in self._boxes.items():
            if rows:
                connection.execute(_LATEST[kind], [rows[box_id] for box_id in sorted(rows)])
        if self._cameras:
            latest = ("state", "since_ms", "received_ms", "body")
            put = put_latest(connection, camera, ("box_id", "name"), latest)
            connection.execute(put, [self._cameras[key] for key in sorted(self._cameras)])
            connection.execute(insert_once(connection, camera_status), self._changes)
        return watch_titles(connection, now_ms) if is_renamed else []

    def _renames(self, connection: Connection) -> bool:
        """Whether a box calls itself otherwise than before, or is new: only then all are looked through."""
        said = self._boxes["info"]
        if not said:
            return False
        before = connection.execute(select(box.c.id, box.c.info).where(box.c.id.in_(sorted(said))))
        return any(
            row.info is None or told_title(row.info) != told_title(said[row.id]["as_it_came"]) for row in before
        )


def record_state(
    connection: Connection,
    message: InboundMessage,
    box_id: int,
    stream_id: int | None,
    ids: IdCache,
    now_ms: int,
    standing: StandingRows,
) -> list[LogLine]:
    """Write what a message says, or have `standing` write it; gives back what to log."""
    payload = message.payload
    if isinstance(payload, StatusPayload):
        return _record_box(connection, message, payload, box_id, now_ms)
    if isinstance(payload, CameraStatusPayload) and message.camera is not None:
        standing.add_camera(message, payload, message.camera, box_id, now_ms)
    elif isinstance(payload, HelloPayload) and stream_id is not None:
        return _record_hello(connection, payload, stream_id, ids, now_ms)
    elif message.kind in (MessageKind.INFO, MessageKind.HEALTH):
        standing.add_box(message, box_id, now_ms)
        if isinstance(payload, InfoPayload):
            return record_key(connection, box_id, payload.evidence_key, now_ms)
    return []


def _record_box(
    connection: Connection, message: InboundMessage, payload: StatusPayload, box_id: int, now_ms: int
) -> list[LogLine]:
    """An offline of another session than the latest is an old will that came late."""
    session = connection.scalar(select(box.c.state_session).where(box.c.id == box_id))
    if payload.state == "offline" and session not in (None, payload.session):
        return []
    log = _second_holder(connection, message, payload, session, box_id, now_ms)
    said = {"said": payload.state, "by_session": payload.session, "at_ms": ms(payload.time)}
    connection.execute(_SAID, {"its_id": box_id} | said)
    change = {"box_id": box_id, "session": payload.session, "state": payload.state, "time_ms": ms(payload.time)}
    connection.execute(insert_once(connection, box_status), change | {"received_ms": now_ms})
    return log


def _second_holder(
    connection: Connection,
    message: InboundMessage,
    payload: StatusPayload,
    latest: str | None,
    box_id: int,
    now_ms: int,
) -> list[LogLine]:
    """A life of the agent that speaks again after another one has spoken: one box has one life at a time.

    What it said before may come again from the broker; that has the moment at which it was said.
    """
    if payload.state != "online" or message.retained or latest in (None, payload.session):
        return []
    of_session = box_status.c.box_id == box_id, box_status.c.session == payload.session
    moments = set(connection.scalars(select(box_status.c.time_ms).where(*of_session)))
    if not moments or ms(payload.time) in moments:
        return []
    detail = f"sessions {payload.session} and {latest} take turns"
    return _logged(raise_alarm(connection, AlarmKind.SECOND_HOLDER, box_id, now_ms, detail))


def _logged(line: LogLine | None) -> list[LogLine]:
    return [] if line is None else [line]


def _record_hello(
    connection: Connection, payload: HelloPayload, stream_id: int, ids: IdCache, now_ms: int
) -> list[LogLine]:
    """What the box still holds, below which nothing will come any more; and the newest seal of its chain.

    One whose numbers end below ours was put back, unless its hello came late: what it says is not believed. It
    begins a new stream when it hears what we have, and tells so; that is the alarm.
    """
    highest = ids.committed(connection, stream_id).highest
    if (payload.newest or 0) < highest:
        connection.execute(update(stream).where(stream.c.id == stream_id).values(hello_ms=now_ms))
        hint = "the box's outbox was put back to an older state, or this hello came late"
        fields: Fields = {
            "stream": payload.stream,
            "newest": payload.newest,
            "committed": highest,
            "hint": hint,
        }
        return [("stream_went_back", fields)]
    oldest = payload.oldest
    if oldest is None and payload.newest is not None:
        oldest = payload.newest + 1  # nothing waits there
    values: Fields = {"hello_ms": now_ms, "oldest": oldest, "newest": payload.newest}
    log: list[LogLine] = []
    if payload.seal is not None and payload.seal.stream == payload.stream:
        number, sha256 = payload.seal.number, payload.seal.sha256
        kept = connection.execute(
            select(stream.c.seal_number, stream.c.seal_sha256).where(stream.c.id == stream_id)
        ).one()
        if kept.seal_number is None or number > kept.seal_number:
            values |= {"seal_number": number, "seal_sha256": sha256}
        elif number == kept.seal_number and sha256 != kept.seal_sha256:
            hint = "the box vouches for another history than it did before: it, or this store, was changed"
            log.append(("seal_contradicts", {"stream": payload.stream, "number": number, "hint": hint}))
    connection.execute(update(stream).where(stream.c.id == stream_id).values(values))
    return log


def record_given_up(
    connection: Connection, payload: ChainPayload, box_id: int, ids: IdCache, now_ms: int
) -> list[LogLine]:
    """Write down what a seal says will not come: not in the stream it seals, or not in the one before it.

    Gives back what to log.
    """
    rows = [(payload.of, first, last, "dropped") for first, last in payload.dropped]
    if payload.carried is not None and payload.carried.stream is not None:
        rows += [(payload.carried.stream, first, last, "carried") for first, last in payload.carried.seqs]
    if rows:
        id_of = {name: ids.stream_id(connection, box_id, name, now_ms) for name, *_ in rows}
        values = [
            {"stream_id": id_of[name], "first": first, "last": last, "reason": reason}
            for name, first, last, reason in rows
        ]
        connection.execute(insert_once(connection, given_up), values)
    if payload.carried is None or not payload.carried.forked:
        return []
    detail = f"stream {payload.carried.stream}: its messages go on in {payload.of}"
    return _logged(raise_alarm(connection, AlarmKind.OUTBOX_WENT_BACK, box_id, now_ms, detail))
