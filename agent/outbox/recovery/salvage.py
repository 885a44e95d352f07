"""What can still be read of a damaged outbox: every row on pages that are whole, whatever became of the others.

Each row carries the sha256 of its body and a checksum of its columns, so none with a flipped bit is believed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from agent.core.types import Instant
from agent.outbox.database import STREAM, Seal, log_of
from agent.outbox.encryption import LOCKED, Locked, OutboxKey, as_put
from agent.outbox.queries import checksum
from agent.outbox.recovery.pages import Pages, Row
from agent.wire.message import Message, Priority

_MESSAGE, _QUARANTINE, _OPEN, _LIFE = 17, 18, 8, 10
"""Columns of the tables, by which their rows are told apart."""
_FIRST_PAGES: Final = 64
"""The life's page is among the first, unless SQLite has moved it."""


@dataclass(frozen=True, slots=True)
class Saved:
    """One message of a damaged outbox."""

    seq: int
    message: Message
    reason: str | None = None
    """Why it was in quarantine; None: it was not."""


@dataclass(frozen=True, slots=True)
class OutboxLife:
    """What the damaged file says of itself, as far as that can be believed."""

    stream: str | None = None
    next_seq: int | None = None
    seal: Seal | None = None
    forked: bool = False
    """Others have its numbers, too (invariant 16)."""

    @property
    def newest(self) -> int | None:
        """The highest seq that it gave."""
        return self.next_seq - 1 if self.next_seq else None


class DamagedFile:
    """A damaged file that was set aside. Close it after use."""

    def __init__(self, path: Path, key: OutboxKey | None = None) -> None:
        self.path, self._key = path, key
        self._pages = Pages(path, log_of(path))
        self._places: dict[int, tuple[int, bool]] = {}
        """seq -> page, and whether it was in quarantine."""
        self.open_events: list[Message] = []
        self.spoiled = 0
        """Rows that are recognised but not whole."""
        self.locked = 0
        """Pictures whose key is not here (invariant 18)."""

    @property
    def unreadable(self) -> int:
        """Pages that the disk does not give."""
        return self._pages.unreadable

    def close(self) -> None:
        """Let go of the file."""
        self._pages.close()

    def life(self) -> OutboxLife:
        """Its stream and its newest seal, if their page is among the first and whole.

        A log that says another stream than its file is of another outbox, and is forgotten.
        """
        found = self._life()
        if self._pages.has_log:
            alone = Pages(self.path, self.path.with_name(self.path.name + "-none"))
            of_file = self._life(alone)
            alone.close()
            if of_file.stream is not None and found.stream not in (None, of_file.stream):
                self._pages.forget_log()
                return of_file
        return found

    def _life(self, pages: Pages | None = None) -> OutboxLife:
        best, pages = OutboxLife(), pages or self._pages
        for number in range(1, min(pages.count, _FIRST_PAGES) + 1):
            for row in pages.rows(number):
                found = life_of(row)
                if found is not None and (found.next_seq or 0) >= (best.next_seq or 0):
                    best = found
        return best

    def search(self) -> int:
        """Look at every page once; how many messages can be saved."""
        for number in range(1, self._pages.count + 1):
            for row in self._pages.rows(number):
                self._look_at(row, number)
        return len(self._places)

    def _look_at(self, row: Row, page: int) -> None:
        try:
            saved, ours = saved_of(row, self._key)
        except Locked:
            self.locked += 1
            return
        if saved is not None:
            apart = len(row.values) == _QUARANTINE
            if apart or saved.seq not in self._places:
                self._places[saved.seq] = (page, apart)
        elif ours:
            self.spoiled += 1
        elif (event := _open_event(row)) is not None:
            self.open_events.append(event)

    def messages(self) -> Iterator[Saved]:
        """What `search` found, by seq."""
        for seq in sorted(self._places):
            number, apart = self._places[seq]
            for row in self._pages.rows(number):
                if row.rowid == seq and (len(row.values) == _QUARANTINE) == apart:
                    saved, _ = saved_of(row, self._key)
                    if saved is not None:
                        yield saved
                        break


def saved_of(row: Row, key: OutboxKey | None = None) -> tuple[Saved | None, bool]:
    """The message, if it is as it was put, and whether the row looks like one at all.

    Raises:
        Locked: it is encrypted, and not with this key; all else of it is as it was put.
    """
    values = row.values
    if len(values) not in (_MESSAGE, _QUARANTINE) or values[0] is not None:
        return None, False
    (
        _,
        priority,
        _,
        _,
        _,
        _,
        at_mono,
        at_wall,
        topic,
        kind,
        event,
        revision,
        opens,
        closes,
        sha256,
        crc,
        body,
        *reason,
    ) = values
    try:
        message = Message(
            topic=_text(topic),
            body=_bytes(body),
            content_type=_text(kind),
            priority=Priority(_number(priority)),
            at=Instant(float(at_mono), float(at_wall)),  # type: ignore[arg-type]
            event_id=None if event is None else _text(event),
            revision=_number(revision),
            opens=bool(opens),
            closes=bool(closes),
        )
        why = _text(reason[0]) if reason else None
    except (TypeError, ValueError):
        return None, True
    if checksum(row.rowid, message, sha256) != crc or (plain := as_put(message.body, sha256, key)) is None:
        return None, True
    # Apart for want of its key, which is here now.
    return Saved(row.rowid, replace(message, body=plain), None if why == LOCKED else why), True


def _open_event(row: Row) -> Message | None:
    """An event that was open; for this table SQLite keeps a number of its own beside the event's id."""
    if len(row.values) != _OPEN or not isinstance(row.values[0], str):
        return None
    event, priority, at_mono, at_wall, topic, kind, revision, body = row.values
    try:
        return Message(
            _text(topic), _bytes(body), _text(kind), Priority(_number(priority)),
            Instant(float(at_mono), float(at_wall)), _text(event), _number(revision), opens=True,  # type: ignore[arg-type]
        )  # fmt: skip
    except (TypeError, ValueError):
        return None


def life_of(row: Row) -> OutboxLife | None:
    """What a row of the table `life` says; None: it is none, or cannot be believed."""
    if len(row.values) != _LIFE or row.rowid != 1 or row.values[0] is not None:
        return None
    _, stream, next_seq, _, _, _, _, seal_stream, seal_number, seal_sha256 = row.values
    if not isinstance(stream, str) or not STREAM.fullmatch(stream) or not isinstance(next_seq, int):
        return None
    seal = None
    if isinstance(seal_stream, str) and isinstance(seal_number, int) and isinstance(seal_sha256, bytes):
        seal = (seal_stream, seal_number, seal_sha256)
    return OutboxLife(stream, next_seq, seal)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _bytes(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError
    return value


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError
    return value
