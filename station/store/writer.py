"""How messages become rows, within one transaction. The invariants are store.py's.

Two ids are looked after: (stream, seq) of a message and (event id, revision) of an event. Each is kept once.
What comes again with the same content changes nothing; with other content it is a conflict.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol

from sqlalchemy import Connection, Table, bindparam, func, select, tuple_, update

from agent.wire.payloads import ChainPayload, ClockMapPayload, CountPayload, EventPayload, HelloPayload
from station.counting.due_hours import mark_kept
from station.ingest.alarms import AlarmKind
from station.ingest.inbound import InboundMessage, MessageKind
from station.store.alarms import raise_alarm
from station.store.clocks import TRUSTED_CLOCKS, correct_count_times, record_clock_map
from station.store.columns import blob_of, ms, storable, suffix_of
from station.store.current_state import StandingRows, record_given_up, record_state
from station.store.events import Events, tell_again, tell_pictures
from station.store.id_cache import IdCache
from station.store.pictures.rows import places_of
from station.store.pictures.shelf import PicturePlace
from station.store.schema import (
    blob,
    box,
    conflict,
    count_interval,
    event_revision,
    other_message,
    picture,
    quarantine,
    stream,
)
from station.store.schema import message as message_table
from station.store.statements.inserts import insert_once, upsert
from station.store.statements.many import execute_many

MAX_KEPT_BYTES = 256 * 1024
"""Of a message that cannot be read, at most; the largest picture of the contract."""
_STATE_KINDS = frozenset(
    {MessageKind.STATUS, MessageKind.INFO, MessageKind.HEALTH, MessageKind.CAMERA_STATUS, MessageKind.HELLO}
)
"""Not kept by the box, and so without a number."""
_APPENDED = (blob, message_table, count_interval, picture, other_message, conflict)
"""Tables whose rows never change, those first that others refer to."""

_NUMBER = message_table.c.stream_id, message_table.c.seq
_MESSAGES = select(*_NUMBER, message_table.c.digest).where(
    tuple_(*_NUMBER).in_(bindparam("keys", expanding=True))
)
_REVISION = event_revision.c.box_id, event_revision.c.event_id, event_revision.c.revision
_REVISIONS = select(*_REVISION, event_revision.c.digest).where(
    tuple_(*_REVISION).in_(bindparam("keys", expanding=True))
)
_CAME = select(blob.c.sha256, blob.c.received_ms).where(blob.c.sha256.in_(bindparam("hashes", expanding=True)))
_SEEN = update(box).where(box.c.id == bindparam("its_id")).values(last_seen_ms=bindparam("at_ms"))

_MOVED = (
    update(blob)
    .where(blob.c.sha256 == bindparam("hash"))
    .values(segment=bindparam("in_segment"), segment_offset=bindparam("at"))
)


class PutsPictures(Protocol):
    """Where pictures go; what it raises ends the transaction."""

    def put(self, pictures: Mapping[str, bytes]) -> Mapping[str, PicturePlace]:
        """Write them by their hash; where each lies."""
        ...

    def has(self, place: PicturePlace) -> bool:
        """Whether it lies there."""
        ...


_THUMBNAIL = "thumbnail"
_STEPPED_MS = 1_500
"""Between an interval's two stamps and its length: from here on the box's clock was set meanwhile."""
_MOST_COUNTED_S = 366 * 86_400.0
"""Nobody counts for longer in one interval."""

SourceIds = tuple[int, int | None]
"""Ids of a box and, for what has a number and for hello, of a stream."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that the operator must hear of once it is committed."""

    event: str
    fields: Mapping[str, object]


class BatchWriter:
    """Writes one batch; make one per transaction."""

    def __init__(
        self, connection: Connection, ids: IdCache, now_ms: int, shelf: PutsPictures | None = None
    ) -> None:
        """Without a `shelf` it is for messages that bring no pictures."""
        self.notices: list[Notice] = []
        self._connection = connection
        self._ids = ids
        self._now_ms = now_ms
        self._rows: defaultdict[Table, list[dict[str, Any]]] = defaultdict(list)
        self._events = Events(now_ms)
        self._standing = StandingRows()
        self._digests: dict[tuple[int, int], str] = {}
        """Of messages, by ids of stream and seq."""
        self._event_digests: dict[tuple[int, str, int], str] = {}
        """Of events, by ids of box, event and revision."""
        self._committed: defaultdict[int, list[int]] = defaultdict(list)
        self._shelf = shelf
        self._pictures: dict[str, bytes] = {}
        """By their hash: what this batch brings."""
        self._wanted: set[str] = set()
        """Of these, what it wants kept; the others came again."""
        self._untrusted_counts: list[tuple[int, int]] = []
        """Ids of streams and numbers."""

    def write(self, messages: Sequence[InboundMessage]) -> None:
        """Write everything about them."""
        sources = [self._source_ids(message) for message in messages]
        self._load_digests(list(zip(messages, sources, strict=True)))
        for message, ids in zip(messages, sources, strict=True):
            self._add(message, *ids)
        self._place_pictures()
        for table in _APPENDED:
            if self._rows[table]:
                execute_many(self._connection, insert_once(self._connection, table), self._rows[table])
        mark_kept(self._connection, self._rows[count_interval], self._now_ms)
        correct_count_times(self._connection, self._untrusted_counts)
        self._events.write(self._connection)
        self.notices += [Notice(*line) for line in self._standing.write(self._connection, self._now_ms)]
        tell_pictures(self._connection, self._shown_later())
        self._write_quarantine()
        self._ids.add_committed(self._connection, self._committed)
        seen = self._ids.seen((box_id for box_id, _ in sources), self._now_ms)
        if seen:
            self._connection.execute(_SEEN, [{"its_id": box_id, "at_ms": self._now_ms} for box_id in seen])

    def differing(self, copies: Sequence[InboundMessage]) -> list[InboundMessage]:
        """Those of numbers that were kept with other content; nothing is written about them."""
        sources = [self._source_ids(message) for message in copies]
        self._load_digests(list(zip(copies, sources, strict=True)))
        kept = [
            self._digests.get((ids[1] or 0, copy.seq or 0)) for copy, ids in zip(copies, sources, strict=True)
        ]
        pairs = zip(copies, kept, strict=True)
        return [copy for copy, its_digest in pairs if its_digest not in (None, copy.digest)]

    def _source_ids(self, message: InboundMessage) -> SourceIds:
        box_id = self._ids.box_id(self._connection, (message.commune, message.device), self._now_ms)
        name = message.stream if message.seq is not None else None
        if isinstance(message.payload, HelloPayload):
            name = message.payload.stream
        if name is None:
            return box_id, None
        return box_id, self._ids.stream_id(self._connection, box_id, name, self._now_ms)

    def _load_digests(self, placed: Sequence[tuple[InboundMessage, SourceIds]]) -> None:
        """What is there already under the ids of this batch."""
        numbers = {(place[1], one.seq) for one, place in placed if place[1] is not None and one.seq is not None}
        for part in _parts(numbers):
            rows = self._connection.execute(_MESSAGES, {"keys": part})
            self._digests |= {(row[0], row[1]): row[2] for row in rows}
        events = [(place[0], one.event) for one, place in placed if one.kind is MessageKind.EVENT and one.event]
        revisions = {(box_id, event.id, event.revision) for box_id, event in events}
        for part in _parts(revisions):
            found = self._connection.execute(_REVISIONS, {"keys": part})
            self._event_digests |= {(row[0], row[1], row[2]): row[3] for row in found}

    # ----------------------------------------------------------------------------------------- one message

    def _add(self, message: InboundMessage, box_id: int, stream_id: int | None) -> None:
        own_digest, is_first = message.digest, True
        if stream_id is not None and message.seq is not None:
            kept = self._digests.get((stream_id, message.seq))
            if kept == own_digest or (
                kept is None and message.seq in self._ids.committed(self._connection, stream_id)
            ):
                self._note_picture(message)
                return  # the same again, or its message is not kept any more
            is_first = kept is None
            if kept is None:
                self._add_number(message, stream_id, own_digest)
            else:
                self._add_conflict(
                    message, box_id, "seq", f"{message.stream}/{message.seq}", (kept, own_digest)
                )
        self._add_blob(message)
        if message.problem is not None:
            self._add_unreadable(message, box_id, message.problem)
        elif message.kind is MessageKind.EVENT and message.event is not None and stream_id is not None:
            self._add_event(message, message.event, box_id, stream_id)
        elif message.image is not None:
            self._add_picture(message, box_id)
        elif message.kind in _STATE_KINDS:
            self._record_state(message, box_id, stream_id)
        elif stream_id is None or message.seq is None:
            self._add_unreadable(message, box_id, "it has no number, so it cannot be receipted")
        elif is_first and message.kind is not MessageKind.CHUNK:  # footage lies in a folder of its request
            self._add_numbered(message, box_id, stream_id)

    def _add_number(self, message: InboundMessage, stream_id: int, own_digest: str) -> None:
        assert message.seq is not None
        self._digests[stream_id, message.seq] = own_digest
        self._committed[stream_id].append(message.seq)
        columns = {"kind": str(message.kind), "digest": own_digest, "received_ms": self._now_ms}
        self._rows[message_table].append(
            {"stream_id": stream_id, "seq": message.seq, "suffix": suffix_of(message), **columns}
        )

    def _add_blob(self, message: InboundMessage) -> None:
        sha = self._note_picture(message)
        if sha is not None:
            self._wanted.add(sha)

    def _note_picture(self, message: InboundMessage) -> str | None:
        sha = blob_of(message)
        if sha is not None:
            self._pictures[sha] = message.raw
        return sha

    def _place_pictures(self) -> None:
        """Those that are not here yet, or went lost, are written, and their rows say where."""
        if not self._pictures or self._shelf is None:
            return
        here = places_of(self._connection, self._pictures, held=True)
        lost = {place.sha256 for place in here if not self._shelf.has(place)}
        fresh = self._wanted.difference(place.sha256 for place in here)
        places = self._shelf.put({sha: self._pictures[sha] for sha in sorted(fresh | lost)})
        if lost:
            moved = (places[sha] for sha in sorted(lost))
            values = [{"hash": each.sha256, "in_segment": each.segment, "at": each.offset} for each in moved]
            self._connection.execute(_MOVED, values)
        self._rows[blob] = [
            {
                "sha256": place.sha256,
                "size_bytes": place.size_bytes,
                "received_ms": self._now_ms,
                "segment": place.segment,
                "segment_offset": place.offset,
            }
            for sha, place in places.items()
            if sha in fresh
        ]
        self._date_pictures({place.sha256 for place in here})

    def _date_pictures(self, here: Collection[str]) -> None:
        """When the file of each picture came: now, or with an earlier one."""
        came = dict[str, int]()
        for part in _parts(set(here)):
            came |= {row[0]: row[1] for row in self._connection.execute(_CAME, {"hashes": part})}
        for row in self._rows[picture]:
            row["blob_received_ms"] = came.get(row["sha256"], self._now_ms)

    def _add_conflict(
        self, message: InboundMessage, box_id: int, key_kind: str, key: str, digests: tuple[str, str]
    ) -> None:
        """The same id with other content: the first stays in its place, this one is kept beside."""
        sha = blob_of(message)
        self._rows[conflict].append(
            {
                "box_id": box_id,
                "key_kind": key_kind,
                "key": key,
                "kept_digest": digests[0],
                "digest": digests[1],
                "suffix": suffix_of(message),
                "body": None if sha else message.raw[:MAX_KEPT_BYTES],
                "sha256": sha,
                "received_ms": self._now_ms,
            }
        )
        self._notify(
            message, "conflict", key_kind=key_kind, key=key, hint="the first stays; both are in the store"
        )
        if key_kind == "seq":
            detail = f"message {key} came twice, with other content"
            line = raise_alarm(self._connection, AlarmKind.OUTBOX_WENT_BACK, box_id, self._now_ms, detail)
            if line is not None:
                self.notices.append(Notice(*line))

    def _add_unreadable(self, message: InboundMessage, box_id: int, reason: str) -> None:
        """Keep what cannot be read; an empty message clears what the broker retained, and says nothing."""
        if not message.raw and message.seq is None:
            return
        self._rows[quarantine].append(
            {
                "box_id": box_id,
                "suffix": suffix_of(message),
                "digest": sha256(message.raw).hexdigest(),
                "reason": storable(reason[:1000]),
                "size_bytes": len(message.raw),
                "raw": message.raw[:MAX_KEPT_BYTES],
                "stream": message.stream,
                "seq": message.seq,
                "received_count": 1,
                "first_received_ms": self._now_ms,
                "received_ms": self._now_ms,
            }
        )
        self._notify(
            message, "message_unreadable", topic=suffix_of(message), seq=message.seq, why=reason[:300],
            hint="its bytes are kept; docs/reference/wire.md has the topics and what they hold",
        )  # fmt: skip

    def _add_event(self, message: InboundMessage, payload: EventPayload, box_id: int, stream_id: int) -> None:
        key, own_digest = (box_id, payload.id, payload.revision), message.digest
        kept = self._event_digests.get(key)
        if kept is None:
            self._event_digests[key] = own_digest
            self._events.add(message, payload, box_id, stream_id, own_digest)
        elif kept != own_digest:
            self._add_conflict(
                message, box_id, "revision", f"{payload.id}/{payload.revision}", (kept, own_digest)
            )

    def _add_picture(self, message: InboundMessage, box_id: int) -> None:
        row = {
            "box_id": box_id,
            "event_id": message.event_id or "",
            "kind": message.image_kind or str(message.kind),
            "sha256": message.image_sha256,
            "camera": message.camera,
            "received_ms": self._now_ms,
        }
        if message.seq is None:
            self._count_unnumbered(row)
        self._rows[picture].append(row)

    def _shown_later(self) -> set[tuple[int, str, str]]:
        """Pictures that come after the events that show them: (box, event, sha256)."""
        stated = self._events.keys
        rows = (row for row in self._rows[picture] if row["kind"] == _THUMBNAIL)
        found = {(row["box_id"], row["event_id"], row["sha256"]) for row in rows}
        return {each for each in found if each[:2] not in stated}

    def _count_unnumbered(self, row: dict[str, Any]) -> None:
        """MQTT 3.1.1 does not carry a picture's seq: as many holes of its stream are no gap."""
        same = [picture.c[name] == row[name] for name in ("box_id", "event_id", "kind", "sha256")]
        if not self._connection.scalar(select(func.count()).select_from(picture).where(*same)):
            latest = select(func.max(stream.c.id)).where(stream.c.box_id == row["box_id"]).scalar_subquery()
            more = update(stream).where(stream.c.id == latest).values(unnumbered=stream.c.unnumbered + 1)
            self._connection.execute(more)

    def _add_numbered(self, message: InboundMessage, box_id: int, stream_id: int) -> None:
        ids = {"stream_id": stream_id, "seq": message.seq, "box_id": box_id}
        payload = message.payload
        if isinstance(payload, CountPayload):
            self._add_count(message, payload, ids)
            return
        if isinstance(payload, ChainPayload):
            for name, fields in record_given_up(self._connection, payload, box_id, self._ids, self._now_ms):
                self._notify(message, name, **fields)
        if isinstance(payload, ClockMapPayload):
            mended = record_clock_map(self._connection, payload, box_id, self._now_ms)
            if mended is not None:
                tell_again(self._connection, mended)
        what = {"kind": str(message.kind), "suffix": suffix_of(message)}
        body = {"body": message.raw.decode(), "sha256": None}
        self._rows[other_message].append(ids | what | body | {"received_ms": self._now_ms})

    def _add_count(self, message: InboundMessage, payload: CountPayload, ids: dict[str, Any]) -> None:
        clock = payload.clock
        start_ms, end_ms = _when(payload)
        when = {"start_ms": start_ms, "end_ms": end_ms, "received_ms": self._now_ms}
        what = {"camera": payload.camera, "rule": payload.rule, "body": message.raw.decode()}
        by = {"clock_state": clock.state, "boot_id": clock.boot_id, "mono_ms": clock.mono_ms}
        self._rows[count_interval].append(ids | when | what | by)
        if clock.state not in TRUSTED_CLOCKS and clock.boot_id is not None:
            self._untrusted_counts.append((ids["stream_id"], ids["seq"]))

    def _record_state(self, message: InboundMessage, box_id: int, stream_id: int | None) -> None:
        ids = self._ids, self._now_ms, self._standing
        for name, fields in record_state(self._connection, message, box_id, stream_id, *ids):
            self._notify(message, name, **fields)

    def _write_quarantine(self) -> None:
        """The same bytes by the same topic are kept once, and counted."""
        if self._rows[quarantine]:
            put = upsert(self._connection, quarantine)
            again = {"received_count": quarantine.c.received_count + 1, "received_ms": put.excluded.received_ms}
            put = put.on_conflict_do_update(index_elements=["box_id", "suffix", "digest"], set_=again)
            self._connection.execute(put, self._rows[quarantine])

    def _notify(self, message: InboundMessage, name: str, **fields: object) -> None:
        self.notices.append(Notice(name, {"box": f"{message.commune}/{message.device}", **fields}))


def _when(payload: CountPayload) -> tuple[int, int]:
    """From when to when it counted; of a clock that was set meanwhile its last word counts, and its length."""
    start_ms, end_ms = ms(payload.start_time), ms(payload.end_time)
    length_ms = round(min(payload.duration_s, _MOST_COUNTED_S) * 1000)
    if end_ms < start_ms or abs(end_ms - start_ms - length_ms) > _STEPPED_MS:
        start_ms = end_ms - length_ms
    return start_ms, end_ms


def _parts(rows: set[Any], size: int = 200) -> list[list[Any]]:
    """Few enough for the bound parameters of one statement."""
    listed = sorted(rows)
    return [listed[at : at + size] for at in range(0, len(listed), size)]
