"""How arrivals become rows, within one transaction. The invariants are store.py's.

Two ids are looked after: (stream, seq) of a message and (event id, revision) of an event. Each is kept once.
What comes again with the same content changes nothing; with other content it is a conflict.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Table, bindparam, func, select, tuple_, update

from agent.wire.payloads import ChainPayload, ClockMapPayload, CountPayload, EventPayload, HelloPayload
from station.ingest.inbound import InboundMessage, MessageKind
from station.store.clocks import note_map
from station.store.current_state import give_up, stand
from station.store.digests import blob_of, digest, ms
from station.store.events import Events
from station.store.id_cache import IdCache, insert_once, upsert
from station.store.schema import (
    blob,
    box,
    conflict,
    count_interval,
    event_revision,
    message,
    other_message,
    picture,
    quarantine,
    stream,
)

KEPT_BYTES = 256 * 1024
"""Of a message that cannot be read, at most; the largest picture of the contract."""
_LONGEST_SUFFIX = 500
_STANDING = frozenset(
    {MessageKind.STATUS, MessageKind.INFO, MessageKind.HEALTH, MessageKind.CAMERA_STATUS, MessageKind.HELLO}
)
"""Not kept by the box, and so without a number."""
_IN_ORDER = (blob, message, count_interval, picture, other_message, conflict)
"""Tables whose rows never change, those first that others refer to."""

Place = tuple[int, int | None]
"""Ids of a box and, for what has a number and for hello, of a stream."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something that the operator must hear of once it is committed."""

    event: str
    fields: Mapping[str, object]


class StoreBatch:
    """Files one batch; make one per transaction."""

    def __init__(self, connection: Connection, known: IdCache, now_ms: int) -> None:
        self.notes: list[Note] = []
        self._connection = connection
        self._known = known
        self._now_ms = now_ms
        self._rows: defaultdict[Table, list[dict[str, Any]]] = defaultdict(list)
        self._events = Events(now_ms)
        self._digests: dict[tuple[int, int], str] = {}
        """Of messages, by ids of stream and seq."""
        self._event_digests: dict[tuple[int, str, int], str] = {}
        """Of events, by ids of box, event and revision."""
        self._taken: defaultdict[int, list[int]] = defaultdict(list)

    def file(self, arrivals: Sequence[InboundMessage]) -> None:
        """Write everything about them."""
        places = [self._place(arrival) for arrival in arrivals]
        self._look_up(list(zip(arrivals, places, strict=True)))
        for arrival, place in zip(arrivals, places, strict=True):
            self._add(arrival, *place)
        for table in _IN_ORDER:
            if self._rows[table]:
                self._connection.execute(insert_once(self._connection, table), self._rows[table])
        self._events.write(self._connection)
        self._write_quarantine()
        for stream_id, seqs in self._taken.items():
            self._known.take(self._connection, stream_id, seqs)
        seen = [{"its_id": box_id} for box_id in sorted({box_id for box_id, _ in places})]
        if seen:
            statement = update(box).where(box.c.id == bindparam("its_id")).values(last_seen_ms=self._now_ms)
            self._connection.execute(statement, seen)

    def _place(self, arrival: InboundMessage) -> Place:
        box_id = self._known.box_id(self._connection, (arrival.commune, arrival.device), self._now_ms)
        name = arrival.stream if arrival.seq is not None else None
        if isinstance(arrival.payload, HelloPayload):
            name = arrival.payload.stream
        if name is None:
            return box_id, None
        return box_id, self._known.stream_id(self._connection, box_id, name, self._now_ms)

    def _look_up(self, placed: Sequence[tuple[InboundMessage, Place]]) -> None:
        """What is there already under the ids of this batch."""
        numbers = {(place[1], one.seq) for one, place in placed if place[1] is not None and one.seq is not None}
        key = message.c.stream_id, message.c.seq
        for part in _parts(numbers):
            query = select(*key, message.c.digest).where(tuple_(*key).in_(part))
            self._digests |= {(row[0], row[1]): row[2] for row in self._connection.execute(query)}
        told = [(place[0], one.event) for one, place in placed if one.kind is MessageKind.EVENT and one.event]
        revisions = {(box_id, event.id, event.revision) for box_id, event in told}
        of = event_revision.c.box_id, event_revision.c.event_id, event_revision.c.revision
        for part in _parts(revisions):
            found = select(*of, event_revision.c.digest).where(tuple_(*of).in_(part))
            self._event_digests |= {(row[0], row[1], row[2]): row[3] for row in self._connection.execute(found)}

    # ----------------------------------------------------------------------------------------- one arrival

    def _add(self, arrival: InboundMessage, box_id: int, stream_id: int | None) -> None:
        own, is_first = digest(arrival), True
        if stream_id is not None and arrival.seq is not None:
            kept = self._digests.get((stream_id, arrival.seq))
            if kept == own or (kept is None and arrival.seq in self._known.have(self._connection, stream_id)):
                return  # the same again, or its message went by its age
            is_first = kept is None
            if kept is None:
                self._number(arrival, stream_id, own)
            else:
                self._contradict(arrival, box_id, "seq", f"{arrival.stream}/{arrival.seq}", (kept, own))
        self._add_blob(arrival)
        if arrival.problem is not None:
            self._set_apart(arrival, box_id, arrival.problem)
        elif arrival.kind is MessageKind.EVENT and arrival.event is not None and stream_id is not None:
            self._event(arrival, arrival.event, box_id, stream_id)
        elif arrival.image is not None:
            self._picture(arrival, box_id)
        elif arrival.kind in _STANDING:
            self._stand(arrival, box_id, stream_id)
        elif stream_id is None or arrival.seq is None:
            self._set_apart(arrival, box_id, "it has no number, so it cannot be receipted")
        elif is_first:
            self._numbered(arrival, box_id, stream_id)

    def _number(self, arrival: InboundMessage, stream_id: int, own: str) -> None:
        assert arrival.seq is not None
        self._digests[stream_id, arrival.seq] = own
        self._taken[stream_id].append(arrival.seq)
        told = {"sort": str(arrival.kind), "digest": own, "received_ms": self._now_ms}
        self._rows[message].append(
            {"stream_id": stream_id, "seq": arrival.seq, "suffix": _suffix(arrival), **told}
        )

    def _add_blob(self, arrival: InboundMessage) -> None:
        sha = blob_of(arrival)
        if sha is not None:
            row = {"sha256": sha, "size_bytes": len(arrival.raw), "received_ms": self._now_ms}
            self._rows[blob].append(row)

    def _contradict(
        self, arrival: InboundMessage, box_id: int, what: str, key: str, digests: tuple[str, str]
    ) -> None:
        """The same id with other content: the first stays in its place, this one is kept beside."""
        sha = blob_of(arrival)
        self._rows[conflict].append(
            {
                "box_id": box_id,
                "what": what,
                "key": key,
                "kept_digest": digests[0],
                "digest": digests[1],
                "suffix": _suffix(arrival),
                "body": None if sha else arrival.raw[:KEPT_BYTES],
                "sha256": sha,
                "received_ms": self._now_ms,
            }
        )
        self._note(arrival, "conflict", what=what, key=key, hint="the first stays; both are in the store")

    def _set_apart(self, arrival: InboundMessage, box_id: int, reason: str) -> None:
        """Keep what cannot be read; an empty message clears what the broker retained, and says nothing."""
        if not arrival.raw and arrival.seq is None:
            return
        self._rows[quarantine].append(
            {
                "box_id": box_id,
                "suffix": _suffix(arrival),
                "digest": sha256(arrival.raw).hexdigest(),
                "reason": _storable(reason[:1000]),
                "size_bytes": len(arrival.raw),
                "raw": arrival.raw[:KEPT_BYTES],
                "stream": arrival.stream,
                "seq": arrival.seq,
                "times": 1,
                "first_received_ms": self._now_ms,
                "received_ms": self._now_ms,
            }
        )
        self._note(arrival, "message_unreadable", topic=_suffix(arrival), seq=arrival.seq, why=reason[:300])

    def _event(self, arrival: InboundMessage, told: EventPayload, box_id: int, stream_id: int) -> None:
        key, own = (box_id, told.id, told.revision), digest(arrival)
        kept = self._event_digests.get(key)
        if kept is None:
            self._event_digests[key] = own
            self._events.add(arrival, told, box_id, stream_id, own)
        elif kept != own:
            self._contradict(arrival, box_id, "revision", f"{told.id}/{told.revision}", (kept, own))

    def _picture(self, arrival: InboundMessage, box_id: int) -> None:
        row = {
            "box_id": box_id,
            "event_id": arrival.event_id or "",
            "kind": arrival.image_kind or str(arrival.kind),
            "sha256": arrival.image_sha256,
            "camera": arrival.camera,
            "received_ms": self._now_ms,
        }
        if arrival.seq is None:
            self._count_unnumbered(row)
        self._rows[picture].append(row)

    def _count_unnumbered(self, row: dict[str, Any]) -> None:
        """MQTT 3.1.1 does not carry a picture's seq: as many holes of its stream are no gap."""
        same = [picture.c[name] == row[name] for name in ("box_id", "event_id", "kind", "sha256")]
        if not self._connection.scalar(select(func.count()).select_from(picture).where(*same)):
            latest = select(func.max(stream.c.id)).where(stream.c.box_id == row["box_id"]).scalar_subquery()
            more = update(stream).where(stream.c.id == latest).values(unnumbered=stream.c.unnumbered + 1)
            self._connection.execute(more)

    def _numbered(self, arrival: InboundMessage, box_id: int, stream_id: int) -> None:
        ids = {"stream_id": stream_id, "seq": arrival.seq, "box_id": box_id}
        told = arrival.payload
        if isinstance(told, CountPayload):
            when = {"start_ms": ms(told.start_time), "end_ms": ms(told.end_time)}
            what = {"camera": told.camera, "rule": told.rule, "body": arrival.raw.decode()}
            self._rows[count_interval].append(ids | when | what)
            return
        if isinstance(told, ChainPayload):
            give_up(self._connection, told, box_id, self._known, self._now_ms)
        if isinstance(told, ClockMapPayload):
            note_map(self._connection, told, box_id, self._now_ms)
        sha = blob_of(arrival)
        what = {"sort": str(arrival.kind), "suffix": _suffix(arrival)}
        body = {"body": None if sha else arrival.raw.decode(), "sha256": sha}
        self._rows[other_message].append(ids | what | body | {"received_ms": self._now_ms})

    def _stand(self, arrival: InboundMessage, box_id: int, stream_id: int | None) -> None:
        for name, fields in stand(self._connection, arrival, box_id, stream_id, self._known, self._now_ms):
            self._note(arrival, name, **fields)

    def _write_quarantine(self) -> None:
        """The same bytes by the same topic are kept once, and counted."""
        if self._rows[quarantine]:
            put = upsert(self._connection, quarantine)
            again = {"times": quarantine.c.times + 1, "received_ms": put.excluded.received_ms}
            put = put.on_conflict_do_update(index_elements=["box_id", "suffix", "digest"], set_=again)
            self._connection.execute(put, self._rows[quarantine])

    def _note(self, arrival: InboundMessage, name: str, **fields: object) -> None:
        self.notes.append(Note(name, {"box": f"{arrival.commune}/{arrival.device}", **fields}))


def _suffix(arrival: InboundMessage) -> str:
    return _storable(arrival.suffix[:_LONGEST_SUFFIX])


def _storable(text: str) -> str:
    """What every database takes: without NUL and halves of characters."""
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()


def _parts(rows: set[Any], size: int = 200) -> list[list[Any]]:
    """Few enough for the bound parameters of one statement."""
    listed = sorted(rows)
    return [listed[at : at + size] for at in range(0, len(listed), size)]
