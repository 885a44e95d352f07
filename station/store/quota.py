"""How much the store takes of each box and day, so that one box cannot fill the disk of all.

Invariants
1. What is kept of a box in a day, with its rows and indexes, is no more than its quota of bytes.
2. What is refused has no receipt: the box keeps it, and it is taken on another day.
3. What is used is written in the transaction that keeps it: a restart gives nobody a second quota.

Pieces of footage that the station asked for count for nothing, each once: its manifest bounds them, and they
must not take the room of a day's pictures. What comes again, or before the manifest, counts as any message.
Pictures may use three quarters of a quota, events and all else that has a number nineteen twentieths, and what
a box says of itself all of it: so pictures are refused first, and a box over its quota can still be seen.
Days are those of UTC: what a day refused is taken from seven in the morning in Vietnam.
Why so: docs/decisions/0025-over-its-quota-a-box-has-no-receipt.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from agent.wire.channels import CHANNEL, Format, MessageKind
from agent.wire.payloads import ChainPayload, HelloPayload
from station.config import QuotaSettings
from station.ingest.alarms import AlarmKind
from station.ingest.inbound import InboundMessage
from station.store.alarms import LogLine, close_quiet, raise_alarm
from station.store.columns import suffix_of
from station.store.events import words_of
from station.store.id_cache import Box, IdCache
from station.store.schema import box as box_table
from station.store.schema import daily_usage, stream
from station.store.statements.inserts import put_latest
from station.store.statements.many import execute_many

ROW_BYTES = 1024
"""What the rows of a message take beside its bytes, indexes included; measured: 0.9 KB for an event."""
PAGE_BYTES = 4096
"""Of SQLite and of file systems: what fills more than half of one takes the whole."""
_COLUMNS_BYTES = 256
"""What stands beside a text in its row."""
_INDEXES = 3
"""Times what a word takes there: it is in two of them, whose pages are not full."""
DAY_MS = 86_400_000
QUIET_MS = 600_000
"""So long after the last refusal the alarm is over."""

_PICTURES = frozenset(kind for kind, channel in CHANNEL.items() if isinstance(channel.payload, Format))
_STATES = frozenset(kind for kind, channel in CHANNEL.items() if channel.retained) | {MessageKind.HELLO}


@dataclass(slots=True)
class DayUsage:
    """What a box has used of its quota on one day."""

    day: int
    """Since 1970."""
    messages: int = 0
    size_bytes: int = 0
    unreadable_bytes: int = 0
    streams: int = 0
    """New ones."""
    refused: int = 0
    """Messages; one that came again is counted again."""
    refused_bytes: int = 0


class Quota:
    """What each box has used today; `load` those of a batch before anything is asked about them."""

    def __init__(self, settings: QuotaSettings) -> None:
        self._settings = settings
        self._used: dict[Box, DayUsage] = {}
        self._streams: dict[Box, set[str]] = {}
        """All that a box ever had."""
        self._changed: set[Box] = set()
        self._refused: dict[Box, int] = {}
        """Since the last report."""

    def forget(self) -> None:
        """Read it again: a transaction failed, and what it charged is not so."""
        self._used.clear()
        self._streams.clear()
        self._changed.clear()

    def lacks(self, messages: Iterable[InboundMessage], day: int) -> bool:
        """Whether something must be loaded first."""
        return any(not self._has(box, day) for box in {_box(message) for message in messages})

    def load(self, connection: Connection, messages: Iterable[InboundMessage], day: int) -> None:
        """Read what these boxes have used."""
        for box in {_box(message) for message in messages}:
            if not self._has(box, day):
                self._load(connection, box, day)

    def refuses(self, box: Box, kind: MessageKind, size_bytes: int, day: int) -> bool:
        """Whether nothing more of this kind is taken today, however small; what is refused is counted."""
        used = self._used.get(box)
        if used is None or used.day != day or self._room(used, kind, 0, 0):
            return False
        self._refuse(box, size_bytes)
        return True

    def admitted(
        self, messages: Sequence[InboundMessage], day: int, unreadable: bool = False
    ) -> list[InboundMessage]:
        """Those for which there is room, the first ones first; what is refused is counted.

        With `unreadable` all of them count against the bound for what cannot be read.
        """
        admitted: list[InboundMessage] = []
        wanted: dict[Box, tuple[DayUsage, set[str]]] = {}
        for message in messages:
            box, bad, cost = _box(message), unreadable or _is_unreadable(message), cost_of(message)
            want, named = wanted.setdefault(box, (DayUsage(day), set()))
            streams = self._new_streams(message) - named
            if self._has_room(message, want, cost, bad, len(streams)):
                admitted.append(message)
                want.messages += not message.asked
                want.size_bytes += cost
                want.unreadable_bytes += cost if bad else 0
                want.streams += len(streams)
                named |= streams
            else:
                self._refuse(box, len(message.raw))
        return admitted

    def charge(self, messages: Iterable[InboundMessage], unreadable: bool = False) -> None:
        """They are kept, if the transaction ends well; else `forget`."""
        for message in messages:
            box = _box(message)
            used, streams, cost = self._used[box], self._new_streams(message), cost_of(message)
            used.messages += not message.asked
            used.size_bytes += cost
            used.unreadable_bytes += cost if unreadable or _is_unreadable(message) else 0
            used.streams += len(streams)
            self._streams[box] |= streams
            self._changed.add(box)

    def write(self, connection: Connection, ids: IdCache, now_ms: int) -> None:
        """Write down what has changed (invariant 3)."""
        rows = []
        for box in sorted(self._changed):
            used = self._used[box]
            figures = {name: getattr(used, name) for name in _FIGURES}
            rows.append(
                {"box_id": ids.box_id(connection, box, now_ms), "day": used.day, **figures},
            )
        if rows:
            execute_many(connection, put_latest(connection, daily_usage, ("box_id", "day"), _FIGURES), rows)
        self._changed.clear()

    def report(self, connection: Connection, ids: IdCache, now_ms: int) -> list[LogLine]:
        """Raise the alarm of each box that was refused something, close those that are over; what to log."""
        lines = close_quiet(connection, AlarmKind.QUOTA, now_ms - QUIET_MS, now_ms)
        refused, self._refused = self._refused, {}
        for box, count in refused.items():
            used = self._used.get(box)
            so_far = "" if used is None else f", {used.refused} today ({used.refused_bytes / 2**20:.1f} MiB)"
            detail = f"{count} messages refused just now{so_far}; they have no receipt"
            box_id = ids.box_id(connection, box, now_ms)
            line = raise_alarm(connection, AlarmKind.QUOTA, box_id, now_ms, detail, count)
            lines += [line] if line is not None else []
        self.write(connection, ids, now_ms)
        return lines

    # --------------------------------------------------------------------------------------------- the inside

    def _has(self, box: Box, day: int) -> bool:
        used = self._used.get(box)
        return used is not None and used.day == day

    def _load(self, connection: Connection, box: Box, day: int) -> None:
        of_box = box_table.c.commune == box[0], box_table.c.device == box[1]
        columns = [daily_usage.c[name] for name in _FIGURES]
        query = select(*columns).join(box_table, box_table.c.id == daily_usage.c.box_id)
        row = connection.execute(query.where(*of_box, daily_usage.c.day == day)).one_or_none()
        self._used[box] = DayUsage(day) if row is None else DayUsage(day, *row)
        if box not in self._streams:
            names = select(stream.c.name).join(box_table, box_table.c.id == stream.c.box_id).where(*of_box)
            self._streams[box] = set(connection.scalars(names))

    def _has_room(
        self, message: InboundMessage, want: DayUsage, cost: int, bad: bool, new_streams: int
    ) -> bool:
        used = self._used[_box(message)]
        if new_streams and used.streams + want.streams + new_streams > self._settings.streams_per_day:
            return False
        unreadable_bytes = used.unreadable_bytes + want.unreadable_bytes + cost
        if bad and unreadable_bytes > self._settings.unreadable_bytes_per_day:
            return False
        return message.asked or self._room(used, message.kind, want.messages, want.size_bytes + cost)

    def _room(self, used: DayUsage, kind: MessageKind, messages: int, size_bytes: int) -> bool:
        """Whether one more message fits, beside so many others, when all of them have so many bytes."""
        share = 0.75 if kind in _PICTURES else 1.0 if kind in _STATES else 0.95
        return (
            used.messages + messages + 1 <= share * self._settings.messages_per_day
            and used.size_bytes + max(size_bytes, ROW_BYTES) <= share * self._settings.bytes_per_day
        )

    def _new_streams(self, message: InboundMessage) -> set[str]:
        payload, known = message.payload, self._streams[_box(message)]
        names = {message.stream} if message.seq is not None else set()
        if not isinstance(payload, HelloPayload | ChainPayload):
            return {name for name in names if name is not None and name not in known}
        if isinstance(payload, HelloPayload):
            names.add(payload.stream)
        if isinstance(payload, ChainPayload):
            names.add(payload.of)
            names.add(payload.carried.stream if payload.carried is not None else None)
        return {name for name in names if name is not None} - known

    def _refuse(self, box: Box, size_bytes: int) -> None:
        self._refused[box] = self._refused.get(box, 0) + 1
        used = self._used.get(box)
        if used is not None:
            used.refused += 1
            used.refused_bytes += size_bytes
            self._changed.add(box)


_FIGURES = ("messages", "size_bytes", "unreadable_bytes", "streams", "refused", "refused_bytes")


def _box(message: InboundMessage) -> Box:
    return message.commune, message.device


def cost_of(message: InboundMessage) -> int:
    """Bytes of the disk, not of the message: a sender who chooses sizes chooses those that fit badly.

    An empty message clears what the broker retained, and is not kept. What was asked for is charged to nobody.
    """
    if message.asked or (not message.raw and message.seq is None):
        return 0
    rows = 1
    if isinstance(message.payload, ChainPayload):
        carried = message.payload.carried
        rows += len(message.payload.dropped) + (len(carried.seqs) if carried is not None else 0)
    return rows * ROW_BYTES + _kept_bytes(message)


def _kept_bytes(message: InboundMessage) -> int:
    """What it takes beside its rows' fixed parts."""
    size = len(message.raw)
    if message.kind is MessageKind.CHUNK and message.problem is None:
        return 0  # it was asked for, and bounded then: station/footage/arrival/arriving.py
    if message.image is not None:  # a file, and perhaps the folder that it is the first one in
        return -(-size // PAGE_BYTES) * PAGE_BYTES + PAGE_BYTES
    if message.event is not None:  # its words are kept a second time, for whoever looks for them
        of_event, of_indexes = words_of(message.event)
        words = len("".join(of_event).encode())
        indexed = _INDEXES * len("".join(of_indexes).encode())
        more = _in_pages(words) if words > _COLUMNS_BYTES else 0
        return _in_pages(size) + more + max(0, indexed - _COLUMNS_BYTES)
    if message.problem is not None:  # the topic stands in an index, too
        size += 2 * len(suffix_of(message).encode()) + len(message.problem[:1000].encode(errors="replace"))
    return _in_pages(size)


def _in_pages(size_bytes: int) -> int:
    """Of a table's pages, when all its rows are so large: as many as fit share one."""
    together = PAGE_BYTES // (size_bytes + _COLUMNS_BYTES)
    if together:
        return PAGE_BYTES // together
    return -(-(size_bytes + _COLUMNS_BYTES) // PAGE_BYTES) * PAGE_BYTES


def _is_unreadable(message: InboundMessage) -> bool:
    """Whether the writer sets it apart: it has a problem, or lacks the number that its kind needs."""
    if message.problem is not None:
        return True
    return message.image is None and message.kind not in _STATES and message.seq is None
