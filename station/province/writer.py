"""How messages of stations become rows, within one transaction. The invariants are store.py's."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, text

from agent.wire.payloads import HelloPayload, StatusPayload
from agent.wire.ranges import Ranges
from station.ingest.inbound import InboundMessage, MessageKind
from station.province.inbound import UpMessage
from station.province.items import ItemRows, Row, unreadable
from station.province.looked_for import box_ids, put_lines, put_titles, show_pictures
from station.province.months import Month, month_of_id, month_within
from station.province.requests.incoming import take_answers, take_pieces
from station.province.rows import digests, first_of_each, key_of, latest_of_each, put_later, put_once
from station.province.settings import MAX_FOOTAGE_BYTES
from station.store.columns import ms
from station.uplink.envelope import ENVELOPE, ItemKind

MAX_KEPT_BYTES: Final = 256 * 1024
_COMMUNES: Final = text(
    "insert into commune (name, shard, first_seen_ms, last_seen_ms) select name, shard, :now_ms, :now_ms "
    "from jsonb_to_recordset(cast(:rows as jsonb)) as heard(name text, shard text) "
    "on conflict (name) do update set shard = excluded.shard, last_seen_ms = excluded.last_seen_ms "
    "returning name, id"
)
_STREAMS: Final = text(
    "insert into up_stream (commune_id, name, first_seen_ms) select commune_id, name, :now_ms "
    "from jsonb_to_recordset(cast(:rows as jsonb)) as heard(commune_id integer, name text) "
    "on conflict (commune_id, name) do update set name = excluded.name returning commune_id, name, id"
)
_SPANS: Final = text("select stream_id, first, last from up_span where stream_id = any(:streams)")
_SPANS_GONE: Final = text(
    "delete from up_span here using jsonb_to_recordset(cast(:rows as jsonb)) as gone(stream_id bigint, "
    "first bigint) where here.stream_id = gone.stream_id and here.first = gone.first"
)
_SPANS_PUT: Final = text(
    "insert into up_span (stream_id, first, last) select stream_id, first, last "
    "from jsonb_to_recordset(cast(:rows as jsonb)) as put(stream_id bigint, first bigint, last bigint)"
)
_STATE: Final = text(
    "update commune set state = :state, session = :session, state_ms = :state_ms where id = :commune_id"
)
_LIFE: Final = text(
    "insert into up_life (commune_id, session, first_ms) values (:commune_id, :session, :now_ms) "
    "on conflict do nothing returning session"
)
_SESSION: Final = text("select session from commune where id = :commune_id")
_HELLO: Final = text(
    "update up_stream set hello_ms = :now_ms, oldest = :oldest, newest = :newest where id = :stream_id"
)


class UpWriter:
    """Writes one batch; make one per transaction."""

    def __init__(
        self,
        connection: Connection,
        now_ms: int,
        oldest: Month | None,
        max_footage_bytes: int = MAX_FOOTAGE_BYTES,
    ) -> None:
        """Nothing is written of months before `oldest`: retention has dropped them."""
        self._max_footage_bytes = max_footage_bytes
        self.notices: list[tuple[str, dict[str, object]]] = []
        """What the operator must hear of once it is committed."""
        self.new_conflicts: list[tuple[str, int]] = []
        """Of envelopes that came again with other content: commune and bytes of each that is kept now."""
        self._connection, self._now_ms, self._oldest = connection, now_ms, oldest
        self._communes: dict[str, int] = {}
        self._streams: dict[tuple[int, str], int] = {}
        self._spans: dict[int, Ranges] = {}
        self._fresh: defaultdict[int, list[int]] = defaultdict(list)
        self._unreadable: list[Row] = []
        self._messages: list[Row] = []
        self._conflicts: list[Row] = []

    def write(self, messages: Sequence[InboundMessage], items: ItemRows) -> None:
        """Write everything about them; `items` are those of their envelopes."""
        self._look_up(messages)
        for message in sorted(messages, key=lambda each: each.device):
            self._add(message, self._communes[message.device])
        self._write_numbers()
        self._write_items(items)
        self._unreadable += [self._with_id(row) for row in items.unreadable]
        put_once(self._connection, "unreadable", first_of_each("unreadable", self._unreadable)[0])
        put_once(self._connection, "conflict", first_of_each("conflict", self._conflicts)[0])

    def write_conflicts(self, messages: Sequence[InboundMessage]) -> None:
        """Of those that came again the ones whose number has other content: kept beside the first."""
        self._look_up(messages)
        for message in messages:
            commune_id = self._communes[message.device]
            stream_id = self._streams[commune_id, message.stream or ""]
            row = {"stream_id": stream_id, "seq": message.seq}
            kept = digests(self._connection, "up_message", [row]).get((stream_id, message.seq))
            if kept is not None and kept != message.digest:
                key = f"{message.stream}/{message.seq}"
                self._conflict("envelope", key, kept, message.digest, message.raw, commune_id)
        rows = first_of_each("conflict", self._conflicts)[0]
        new = put_once(self._connection, "conflict", rows)
        names = {commune_id: name for name, commune_id in self._communes.items()}
        self.new_conflicts = [
            (names[row["commune_id"]], len(row["raw"])) for row in rows if key_of("conflict", row) in new
        ]

    # ----------------------------------------------------------------------------------------- one message

    def _add(self, message: InboundMessage, commune_id: int) -> None:
        if message.seq is not None and message.stream is not None:
            if not self._is_new(message, commune_id):
                return
        elif message.suffix == ENVELOPE or message.problem is not None:
            self._set_apart(message, commune_id)
            return
        if message.problem is not None:
            self._set_apart(message, commune_id)
        elif isinstance(message.payload, StatusPayload):
            self._record_state(message, message.payload, commune_id)
        elif isinstance(message.payload, HelloPayload):
            hello = message.payload
            where = {"stream_id": self._streams[commune_id, hello.stream], "now_ms": self._now_ms}
            self._connection.execute(_HELLO, where | {"oldest": hello.oldest, "newest": hello.newest})
        elif message.kind is not MessageKind.CHAIN and message.suffix != ENVELOPE:
            self._set_apart(message, commune_id)

    def _is_new(self, message: InboundMessage, commune_id: int) -> bool:
        """Note its number, unless it is committed already."""
        assert message.stream is not None and message.seq is not None
        stream_id = self._streams[commune_id, message.stream]
        if message.seq in self._spans[stream_id] or message.seq in self._fresh[stream_id]:
            return False
        self._fresh[stream_id].append(message.seq)
        envelope = message.envelope if isinstance(message, UpMessage) else None
        row = {"stream_id": stream_id, "seq": message.seq, "digest": message.digest}
        size = {"size_bytes": len(message.raw), "items": len(envelope.items) if envelope else 0}
        self._messages.append(row | size | {"received_ms": self._now_ms})
        return True

    def _set_apart(self, message: InboundMessage, commune_id: int) -> None:
        if not message.raw:
            return  # what the broker kept was cleared
        why = message.problem or "it is nothing that a station says to a province"
        row = unreadable("envelope", "", message.raw, why)
        row["raw"] = message.raw[:MAX_KEPT_BYTES]
        self._unreadable.append(row | {"commune_id": commune_id, "received_ms": self._now_ms})
        self._notify("up_message_unreadable", commune=message.device, seq=message.seq, why=why[:300])

    def _record_state(self, message: InboundMessage, said: StatusPayload, commune_id: int) -> None:
        where = {"commune_id": commune_id, "session": said.session}
        latest = self._connection.scalar(_SESSION, where)
        if said.state == "offline" and latest not in (None, said.session):
            return  # an old will that came late
        is_first = self._connection.execute(_LIFE, where | {"now_ms": self._now_ms}).first() is not None
        if said.state == "online" and not is_first and not message.retained and latest != said.session:
            hint = "two stations have one commune id: give one of them another, or stop it"
            self._notify("second_uplink", commune=message.device, hint=hint)
        self._connection.execute(_STATE, where | {"state": said.state, "state_ms": ms(said.time)})

    # -------------------------------------------------------------------------------------------- all of them

    def _write_numbers(self) -> None:
        put_once(self._connection, "up_message", self._messages)
        gone, put = list[Row](), list[Row]()
        for stream_id, seqs in sorted(self._fresh.items()):
            spans = self._spans[stream_id]
            before = dict(spans)
            for seq in seqs:
                spans.add(seq)
            after = dict(spans)
            changed = sorted(set(before.items()) ^ set(after.items()))
            gone += [
                {"stream_id": stream_id, "first": first} for first, last in changed if before.get(first) == last
            ]
            put += [
                {"stream_id": stream_id, "first": first, "last": last}
                for first, last in changed
                if after.get(first) == last
            ]
        for statement, rows in ((_SPANS_GONE, gone), (_SPANS_PUT, put)):
            if rows:
                self._connection.execute(statement, {"rows": json.dumps(rows)})

    def _write_items(self, items: ItemRows) -> None:
        rows = {kind: [self._with_id(row) for row in found] for kind, found in items.rows.items()}
        self._write_boxes(rows)
        events = [each for each in rows.get(ItemKind.EVENT, ()) if self._is_kept_event(each)]
        self._once("event_revision", events, "event")
        first = {"first_received_ms": self._now_ms}
        newest = latest_of_each("event", [row | first for row in events], lambda row: row["revision"])
        put_later(self._connection, "event", newest, "revision")
        show_pictures(self._connection, events)
        for kind, table in ((ItemKind.SEAL, "seal"), (ItemKind.COUNT, "count_interval")):
            self._once(table, [each for each in rows.get(kind, ()) if self._is_kept(each)], str(kind))
        hours = [each for each in rows.get(ItemKind.HOUR, ()) if self._is_kept(each)]
        put_lines(self._connection, hours)
        for table, said in (("count_hour", hours), ("box_state", rows.get(ItemKind.BOX, []))):
            latest = latest_of_each(table, said, lambda row: row["said_ms"])
            put_later(self._connection, table, latest, "said_ms")
        names = {commune_id: name for name, commune_id in self._communes.items()}
        for commune_id in put_titles(self._connection, rows.get(ItemKind.BOX, [])):
            self._notify("up_titles_too_many", commune=names[commune_id], hint="boxes without room go by ids")
        self._write_answers(rows)

    def _write_answers(self, rows: Mapping[str, list[Row]]) -> None:
        """What was asked for; what nobody here has asked for is set aside by its name."""
        now_ms = self._now_ms
        answers = [(row["commune_id"], row["answer"]) for row in rows.get(ItemKind.ANSWER, ())]
        pieces = [(row["commune_id"], row["piece"]) for row in rows.get(ItemKind.PIECE, ())]
        strange = [each.id for each in take_answers(self._connection, answers, now_ms)]
        taken = take_pieces(self._connection, pieces, now_ms, self._max_footage_bytes)
        strange += [each.request_id for each in taken.strange]
        for request_id in sorted(set(strange)):
            self._notify("up_answer_to_nothing", request=request_id, hint="nobody here has asked for it so")
        self.notices += taken.notices

    def _write_boxes(self, rows: Mapping[str, list[Row]]) -> None:
        """Each box has an id of its own, by which a console knows it."""
        about = (ItemKind.EVENT, ItemKind.HOUR, ItemKind.BOX)
        rows_about = [row for kind in about for row in rows.get(kind, ())]
        ids = box_ids(self._connection, rows_about, self._now_ms)
        for row in rows_about:
            row["box_id"] = ids[row["commune_id"], row["device"]]

    def _with_id(self, row: Row) -> Row:
        return row | {"commune_id": self._communes[row["commune"]]}

    def _once(self, table: str, rows: Sequence[Row], kind: str) -> None:
        """Insert what is new; what has the key of another, and other content, is a conflict."""
        firsts, others = first_of_each(table, rows)
        new = put_once(self._connection, table, firsts)
        again = [row for row in firsts if key_of(table, row) not in new] + others
        kept = digests(self._connection, table, again)
        for row in again:
            digest = kept[key_of(table, row)]
            if digest != row["digest"]:
                key = "/".join(str(part) for part in (row["device"], *key_of(table, row)))
                self._conflict(kind, key, digest, row["digest"], row["body"].encode(), row["commune_id"])

    def _is_kept_event(self, row: Row) -> bool:
        return self._is_in_time(month_of_id(row["event_id"], self._now_ms))

    def _is_kept(self, row: Row) -> bool:
        return self._is_in_time(month_within(row["at_ms"], self._now_ms))

    def _is_in_time(self, month: Month | None) -> bool:
        return month is None or self._oldest is None or month >= self._oldest

    def _conflict(
        self, kind: str, key: str, kept_digest: str, digest: str, raw: bytes, commune_id: int
    ) -> None:
        row = {"commune_id": commune_id, "key_kind": kind, "key": key, "kept_digest": kept_digest}
        more = {"digest": digest, "raw": raw[:MAX_KEPT_BYTES], "received_ms": self._now_ms}
        self._conflicts.append(row | more)
        self._notify("up_conflict", kind=kind, key=key, hint="the first stays; both are in the store")

    def _look_up(self, messages: Sequence[InboundMessage]) -> None:
        """Ids of the communes and streams of a batch, and what is committed of these, in three statements."""
        communes = sorted({(message.device, message.commune) for message in messages})
        rows = [{"name": name, "shard": shard} for name, shard in communes]
        found = self._connection.execute(_COMMUNES, {"rows": json.dumps(rows), "now_ms": self._now_ms})
        self._communes = {row.name: row.id for row in found}
        names = {(self._communes[message.device], _stream_of(message)) for message in messages}
        streams = sorted((commune_id, name) for commune_id, name in names if name is not None)
        if not streams:
            return
        asked = [{"commune_id": commune_id, "name": name} for commune_id, name in streams]
        known = self._connection.execute(_STREAMS, {"rows": json.dumps(asked), "now_ms": self._now_ms})
        self._streams = {(row.commune_id, row.name): row.id for row in known}
        self._spans = {stream_id: Ranges() for stream_id in self._streams.values()}
        for row in self._connection.execute(_SPANS, {"streams": list(self._spans)}):
            self._spans[row.stream_id].add(row.first, row.last)

    def _notify(self, name: str, **fields: object) -> None:
        self.notices.append((name, fields))


def _stream_of(message: InboundMessage) -> str | None:
    if isinstance(message.payload, HelloPayload):
        return message.payload.stream
    return message.stream if message.seq is not None else None
