"""The journal's files: batches of messages one after the other, chained by hashes, read to the last whole one.

A file begins with a line of JSON that says which it is and how the one before it ended. Then come frames:

    4 bytes   "NGJ1"
    4 bytes   length of the payload, most significant byte first
    4 bytes   crc32 of the payload: tells a frame that was changed from one that was cut off
    32 bytes  sha256 of the hash before and of the payload; the first hash is that of the head line
    payload   a line of JSON: when, and of each message where it belongs and how long it is; then their bytes

A frame is one write and one sync. What a power cut leaves of the last frame was never confirmed to anybody.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

from pydantic import TypeAdapter

from agent.errors import WireError
from agent.translatable import tr
from agent.wire.topics import ROOT
from station.backup.folder import FORMAT, LATEST_MS, BackupError, Count
from station.ingest.inbound import InboundMessage, read

SUFFIX = ".journal"
_MAGIC = b"NGJ1"
_FRAME = struct.Struct(">4sII32s")
_LONGEST_PAYLOAD = 2**28
_LONGEST_HEAD = 4096


@dataclass(frozen=True, slots=True)
class SegmentHead:
    """The first line of a file."""

    store: str
    run: str
    """Whose it is: each store has runs of its own, and a copy of a store begins another."""
    joins: bool
    """All that was kept since the file before is in it, or in this one."""
    number: Count
    previous: str
    """Hash of the last frame of the file before; empty: there was none."""
    previous_bytes: Count
    """Length of the file before up to the end of its last whole frame."""
    format: int = FORMAT


_HEAD = TypeAdapter(SegmentHead)


@dataclass(frozen=True, slots=True)
class SegmentEnd:
    """How far a file is whole."""

    head: SegmentHead
    digest: str
    """Of its last whole frame; of the head if there is none."""
    whole_bytes: int
    after_bytes: int
    """What follows is no whole frame …"""
    is_changed: bool
    """… and yet a later one is whole: it was not cut off but changed."""


def paths(folder: Path) -> list[Path]:
    """The files of a journal, the oldest first.

    Raises:
        OSError: the folder cannot be read.
    """
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix == SUFFIX and path.is_file())


def heads(folder: Path) -> list[SegmentHead]:
    """Of all files, the oldest first; one that was cut off before it held anything has none.

    Raises:
        OSError: one cannot be read.
    """
    found = []
    for path in paths(folder):
        with suppress(BackupError):
            found.append(Segment(path).head)
    return found


def holes(first: int, found: Sequence[SegmentHead]) -> Iterator[str]:
    """Where the files from that number on do not tell all that was kept since, in words."""
    needed = [head for head in found if head.number >= first]
    if not first or not needed:
        yield tr("there is no journal beside this backup: what was receipted after it is not in it")
        return
    for before, after in pairwise([first - 1, *(head.number for head in needed)]):
        if after != before + 1:
            yield tr("files {before} to {after} of the journal are missing", before=before + 1, after=after - 1)
    for head in needed[1:]:
        if not head.joins:
            yield tr(
                "the station worked without its journal for a while, before file {number} of it",
                number=head.number,
            )


def head_line(head: SegmentHead) -> bytes:
    """A file's first line."""
    return json.dumps(asdict(head)).encode() + b"\n"


def frame(digest: str, at_ms: int, messages: Sequence[InboundMessage]) -> tuple[bytes, str]:
    """The bytes of one batch after the frame with that hash, and its own hash."""
    entries = [
        {
            "commune": each.commune,
            "device": each.device,
            "suffix": each.suffix,
            "stream": each.stream,
            "seq": each.seq,
            "problem": each.problem,
            "bytes": len(each.raw),
        }
        for each in messages
    ]
    head = json.dumps({"at_ms": at_ms, "messages": entries}).encode()
    payload = b"\n".join([head, b"".join(each.raw for each in messages)])
    own = sha256(bytes.fromhex(digest) + payload)
    return _FRAME.pack(_MAGIC, len(payload), zlib.crc32(payload), own.digest()) + payload, own.hexdigest()


class Segment:
    """One file, read from its beginning; `end` is right once `batches` has come to its end.

    Raises:
        BackupError: it has no whole first line, or is of a newer version.
        OSError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            line = file.readline(_LONGEST_HEAD)
        try:
            fields = json.loads(line if line.endswith(b"\n") else b"")
            if fields["format"] > FORMAT:
                raise BackupError(tr("{path} was written by a newer ngatu", path=path), tr("install that one"))
            self.head = _HEAD.validate_json(line, strict=True)
        except (ValueError, KeyError, TypeError):
            raise BackupError(
                tr("{path}: its first line is not whole", path=path), tr("it was cut off, or changed")
            ) from None
        self._digest, self._at = sha256(line).hexdigest(), len(line)
        self._is_foreign = False

    def batches(self) -> Iterator[tuple[int, list[InboundMessage]]]:
        """Milliseconds since 1970 at the station, and messages; ends where no whole frame follows.

        Raises:
            OSError: it cannot be read.
        """
        before = self._digest, self._at
        for payload in self._payloads():
            head, _, raw = payload.partition(b"\n")
            try:
                batch = _messages(json.loads(head), raw)
            except (ValueError, KeyError, TypeError, RecursionError, WireError):
                self._is_foreign = True  # whole, and yet no station of ours wrote it
                self._digest, self._at = before
                return
            before = self._digest, self._at
            yield batch

    def end(self) -> SegmentEnd:
        """How far it is whole; reads what was not read yet.

        Raises:
            OSError: it cannot be read.
        """
        for _ in self._payloads():
            pass
        size = self.path.stat().st_size
        changed = self._is_foreign or (size > self._at and self._is_followed())
        return SegmentEnd(self.head, self._digest, self._at, size - self._at, changed)

    def _payloads(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            file.seek(self._at)
            while not self._is_foreign and (found := _frame_at(file)) is not None:
                digest, payload = found
                if sha256(bytes.fromhex(self._digest) + payload).digest() != digest:
                    return
                self._digest, self._at = digest.hex(), self._at + _FRAME.size + len(payload)
                yield payload

    def _is_followed(self) -> bool:
        """Whether a frame that is whole in itself lies after the place where the chain ends."""
        with self.path.open("rb") as file:
            file.seek(self._at)
            rest = file.read()
        at = rest.find(_MAGIC, 1)
        while at >= 0:
            if len(rest) - at >= _FRAME.size:
                _, length, crc, _ = _FRAME.unpack_from(rest, at)
                payload = rest[at + _FRAME.size : at + _FRAME.size + length]
                if len(payload) == length and zlib.crc32(payload) == crc:
                    return True
            at = rest.find(_MAGIC, at + 1)
        return False


def _frame_at(file: BinaryIO) -> tuple[bytes, bytes] | None:
    fixed = file.read(_FRAME.size)
    if len(fixed) < _FRAME.size:
        return None
    magic, length, crc, digest = _FRAME.unpack(fixed)
    if magic != _MAGIC or length > _LONGEST_PAYLOAD:
        return None
    payload = file.read(length)
    if len(payload) < length or zlib.crc32(payload) != crc:
        return None
    return digest, payload


def _messages(head: dict[str, object], raw: bytes) -> tuple[int, list[InboundMessage]]:
    """As they came: what was no longer readable then is not read now, whatever this version understands."""
    found, at, at_ms = [], 0, int(head["at_ms"])  # type: ignore[call-overload]
    if not 0 <= at_ms <= LATEST_MS:
        raise ValueError(f"{at_ms} ms")
    for entry in head["messages"]:  # type: ignore[attr-defined]
        size_bytes = int(entry["bytes"])
        if not 0 <= size_bytes <= len(raw) - at:
            raise ValueError(f"{size_bytes} bytes")
        place = {} if entry["seq"] is None else {"stream": str(entry["stream"]), "seq": str(entry["seq"])}
        topic = f"{ROOT}/{entry['commune']}/{entry['device']}/{entry['suffix']}"
        message = read(topic, raw[at : at + size_bytes], place)
        if entry["problem"] is not None:
            message = replace(message, payload=None, event=None, image=None, problem=str(entry["problem"]))
        found.append(message)
        at += size_bytes
    return at_ms, found
