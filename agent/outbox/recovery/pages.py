"""Pages of an SQLite file and of its write-ahead log, read without SQLite: for files that it gives up on.

Only what salvage needs: the newest committed version of each page, and the rows of leaf pages of tables,
whatever became of the pages above them. Nothing here raises on damaged bytes.
Source: https://www.sqlite.org/fileformat2.html, sections 1.6 (cells), 2.1 (records) and 4 (the log).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

PAGE: Final = 1024
"""The outbox's page size; nothing is ever reserved at a page's end.

A put changes six pages, most of them by a few bytes, and each is written whole: small pages halve what a card
has to bear (docs/design/delivery.md has the figures).
"""
MOST_LOCAL: Final = PAGE - 35
LEAST_LOCAL: Final = (PAGE - 12) * 32 // 255 - 23
"""A row of more than MOST_LOCAL bytes keeps so many in its leaf, and the rest on overflow pages of its own."""
_LEAF: Final = 0x0D
_LOG_HEAD: Final = 32
BEING_ERASED: Final = b"ngatu is erasing this log".ljust(_LOG_HEAD, b".")
"""Stands for the head of a log of which all is in its file: to SQLite it is no log, to us not a broken one."""
_FRAME_HEAD: Final = 24
_MAGIC: Final = (0x377F0682, 0x377F0683)
_MOST: Final = 1 << 26
"""No row of ours is larger."""

Value = None | int | float | str | bytes


@dataclass(slots=True)
class Log:
    """A write-ahead log."""

    frames: dict[int, int] = field(default_factory=dict)
    """Page number -> offset of its newest committed content in the log."""
    broken: bool = False
    """A frame is damaged, and not of the last commit: SQLite stops there and says nothing."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of some table."""

    rowid: int
    values: tuple[Value, ...]


def log_bytes(frames: int) -> int:
    """How large a log of so many pages is."""
    return _LOG_HEAD + frames * (_FRAME_HEAD + PAGE) if frames > 0 else 0


def read_log(path: Path) -> Log:
    """The pages of a log; a frame is believed by its checksum, which follows from that of the one before."""
    log = Log()
    if not path.is_file():  # a pipe would wait for ever
        return log
    try:
        data = path.read_bytes()
    except OSError:
        return log
    if len(data) < _LOG_HEAD + _FRAME_HEAD + PAGE or data.startswith(BEING_ERASED):
        return log
    magic, _, size, _, *salts = struct.unpack_from(">6I", data)
    order = ">" if magic & 1 else "<"
    head_sum = struct.unpack_from(">2I", data, 24)
    bad = magic not in _MAGIC or size != PAGE or _sum(data[:24], (0, 0), order) != head_sum
    if bad:
        salts = list(struct.unpack_from(">2I", data, _LOG_HEAD + 8))
    befores, pending, commits_since = {head_sum}, dict[int, int](), 0
    for at in range(_LOG_HEAD, len(data) - _FRAME_HEAD - PAGE + 1, _FRAME_HEAD + PAGE):
        number, committed, salt_1, salt_2, *said = struct.unpack_from(">6I", data, at)
        if [salt_1, salt_2] != salts:  # left from before the log was begun anew, or damaged
            bad, befores = True, {(said[0], said[1])}
            continue
        body, head = data[at + _FRAME_HEAD : at + _FRAME_HEAD + PAGE], data[at : at + 8]
        sums = {_sum(body, _sum(head, before, order), order) for before in befores}
        if (said[0], said[1]) in sums:
            pending[number] = at + _FRAME_HEAD
            befores = {(said[0], said[1])}
        else:  # damaged is its page, or what stands of it in its head: the next one tells which
            bad, befores = True, {(said[0], said[1]), *sums}
        if committed:
            log.frames |= pending
            pending, commits_since = {}, commits_since + bad
    log.broken = commits_since > 1  # one alone may be the commit in whose middle the power went
    return log


def _sum(data: bytes, start: tuple[int, int], order: str) -> tuple[int, int]:
    one, two = start
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for a, b in zip(words[::2], words[1::2], strict=True):
        one = (one + a + two) & 0xFFFFFFFF
        two = (two + b + one) & 0xFFFFFFFF
    return one, two


class Pages:
    """The pages of one file and its log. Close it after use."""

    def __init__(self, path: Path, log: Path) -> None:
        self.unreadable = 0
        """Pages that the disk would not give."""
        self._log = read_log(log)
        self._file: BinaryIO | None = None
        self._log_file: BinaryIO | None = None
        self.count = max(self._log.frames, default=0)
        try:
            if path.is_file():
                self._file = path.open("rb")
                self.count = max(self.count, -(-path.stat().st_size // PAGE))
            if self._log.frames:
                self._log_file = log.open("rb")
        except OSError:
            self.unreadable += 1

    def close(self) -> None:
        """Let go of the files."""
        for file in (self._file, self._log_file):
            if file is not None:
                file.close()

    def forget_log(self) -> None:
        """The log is of another file."""
        self._log.frames.clear()

    @property
    def has_log(self) -> bool:
        """Whether some pages come from the log."""
        return bool(self._log.frames)

    def read(self, number: int) -> bytes:
        """A page's newest committed content; empty where there is none."""
        try:
            at = self._log.frames.get(number)
            if at is not None and self._log_file is not None:
                self._log_file.seek(at)
                return self._log_file.read(PAGE)
            if self._file is None or not 1 <= number <= self.count:
                return b""
            self._file.seek((number - 1) * PAGE)
            return self._file.read(PAGE)
        except OSError:
            self.unreadable += 1
            return b""

    def rows(self, number: int) -> Iterator[Row]:
        """The rows of a page, if it is a leaf of a table; what cannot be one is left out."""
        page = self.read(number)
        base = 100 if number == 1 else 0
        if len(page) < PAGE or page[base] != _LEAF:
            return
        cells = int.from_bytes(page[base + 3 : base + 5], "big")
        for cell in range(min(cells, (PAGE - base - 8) // 2)):
            place = base + 8 + 2 * cell
            row = self._row(page, int.from_bytes(page[place : place + 2], "big"))
            if row is not None:
                yield row

    def _row(self, page: bytes, at: int) -> Row | None:
        try:
            length, at = _varint(page, at)
            rowid, at = _varint(page, at)
            record = self._payload(page, at, length)
            values = _record(record)
        except (IndexError, struct.error, UnicodeDecodeError, ValueError):
            return None
        return Row(rowid - (1 << 64) if rowid >> 63 else rowid, values)

    def _payload(self, page: bytes, at: int, length: int) -> bytes:
        """A record, gathered from its overflow pages."""
        if length > _MOST:
            raise ValueError("longer than any row")
        local = local_bytes(length)
        parts = [page[at : at + local]]
        left, following = length - local, page[at + local : at + local + 4]
        while left > 0:
            over = self.read(int.from_bytes(following, "big"))
            if len(over) < PAGE:
                raise ValueError("an overflow page is missing")
            parts.append(over[4 : 4 + min(left, PAGE - 4)])
            left, following = left - (PAGE - 4), over[:4]
        return b"".join(parts)


def local_bytes(length: int) -> int:
    """How much of a row of so many bytes lies in its leaf."""
    if length <= MOST_LOCAL:
        return length
    local = LEAST_LOCAL + (length - LEAST_LOCAL) % (PAGE - 4)
    return local if local <= MOST_LOCAL else LEAST_LOCAL


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for _ in range(8):
        byte = data[at]
        at += 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at
    return value << 8 | data[at], at + 1


_WIDTHS: Final = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)
_FLOAT: Final = 7


def _record(record: bytes) -> tuple[Value, ...]:
    head, at = _varint(record, 0)
    kinds = []
    while at < head:
        kind, at = _varint(record, at)
        kinds.append(kind)
    values: list[Value] = []
    for kind in kinds:
        width = _WIDTHS[kind] if kind < len(_WIDTHS) else (kind - 12) // 2
        part = record[at : at + width]
        if len(part) < width or kind in (10, 11):
            raise ValueError("a value is cut off")
        values.append(_value(kind, part))
        at += width
    return tuple(values)


def _value(kind: int, part: bytes) -> Value:
    if kind == 0:
        return None
    if kind == _FLOAT:
        return float(struct.unpack(">d", part)[0])
    if kind < _FLOAT:
        return int.from_bytes(part, "big", signed=True)
    if kind in (8, 9):
        return kind - 8
    return part if kind % 2 == 0 else part.decode()
