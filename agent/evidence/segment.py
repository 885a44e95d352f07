r"""One file of the ring: a header line, then records, written so that a cut loses the last of them at most.

    header      {"ngatu":"segment","v":1,"camera":…,"number":…,"boot":…,"run":…,"before":…,"previous":…} "\n"
    record      "ngR1", kind, length of head (u16), length of body (u32), head (JSON), body (ciphertext),
                CRC-32 of all that; big endian
    kinds       i: init, m: media, e: end, which has no body

Invariants
1. What `append` has written is whole or gone: a write that fails is cut off again.
2. Two seconds after it was appended it is on disk (`fdatasync`); all of it is when `finish` returns.
3. Whoever reads stops at the first record that is not whole: nothing after it is believed.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

from agent.core.types import Instant
from agent.evidence.fragment import MAX_FRAGMENT_BYTES, StoredFragment
from agent.evidence.links import Moment, Part, SegmentLink

SUFFIX: Final = ".seg"
_FIXED: Final = struct.Struct(">4sBHI")
_CRC: Final = struct.Struct(">I")
_MAGIC: Final = b"ngR1"
_KINDS: Final = {ord("i"): "init", ord("m"): "media", ord("e"): "end"}
_CODES: Final = {word: code for code, word in _KINDS.items()}
MAX_HEADER_BYTES: Final = 4096
MAX_HEAD_BYTES: Final = 4096
MAX_BODY_BYTES: Final = MAX_FRAGMENT_BYTES + 4096
"""An age file is a little longer than what is in it: its head, and 16 bytes for each 64 KiB."""
MAX_BEGINNINGS: Final = 1000
"""So many places in a damaged file are tried as the beginning of a record: it has not half as many."""
READ_BYTES: Final = 1 << 20
MORE_BYTES: Final = 2048
"""At most so much lies around a body: fixed part, head and checksum."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a segment says of itself."""

    camera: str
    number: int
    boot: str
    run: str
    before: str = ""
    """Why nothing is recorded between the segment before and this one; empty: it follows at once."""
    previous: str = ""
    """The hash of the link of the segment before."""

    def line(self) -> bytes:
        """Its line in the file."""
        words = {"ngatu": "segment", "v": 1, **{name: getattr(self, name) for name in self.__slots__}}
        return json.dumps(words, separators=(",", ":")).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class SegmentFile:
    """A segment as it lies: what is whole of it."""

    header: Header
    fragments: tuple[StoredFragment, ...]
    """Its init and its media, `wall_s` as it was known then."""
    bytes: int
    """To here it is whole."""
    ended: bool
    """It was finished, or somebody has cut it where it was whole."""
    torn: bool
    """Something lies after what is whole."""

    @property
    def media(self) -> tuple[StoredFragment, ...]:
        """Its pictures."""
        return tuple(each for each in self.fragments if each.kind == "media")

    @property
    def link(self) -> SegmentLink:
        """Its link in the chain; of a segment with media only."""
        return link_of(self.header, self.media)


def link_of(header: Header, media: tuple[StoredFragment, ...]) -> SegmentLink:
    """The link of a segment with these pictures."""
    first, last = media[0], media[-1]
    start_ms = _ms(first.start.mono_s)
    end = Instant(last.start.mono_s + last.duration_s, last.start.wall_s + last.duration_s)
    parts = tuple(
        Part(each.sha256, each.cipher_sha256, _ms(each.start.mono_s) - start_ms, _ms(each.duration_s))
        for each in media
    )
    return SegmentLink(
        camera=header.camera,
        number=header.number,
        boot=header.boot,
        start=_moment(first.start),
        end=_moment(end),
        clock=first.clock,
        init_sha256=first.init_sha256,
        parts=parts,
        before=header.before,
        previous=header.previous,
    )


@dataclass(slots=True)
class SegmentWriter:
    """Writes one segment. An OSError leaves it as it was before the call."""

    path: Path
    header: Header
    size: int = 0
    """Bytes that are written."""
    fragments: list[StoredFragment] = field(default_factory=list)
    _file: BinaryIO | None = None
    unsynced: bool = False

    def open(self) -> None:
        """Make the file, and its name on disk.

        Raises:
            OSError: it cannot be made, or is there already.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        self._file = os.fdopen(os.open(self.path, flags, 0o640), "r+b", buffering=0)
        try:
            self._write(self.header.line())
            sync_folder(self.path.parent)
        except OSError:
            self.close()
            with suppress(OSError):
                self.path.unlink()
            raise

    def append(self, stored: StoredFragment, cipher: bytes) -> StoredFragment:
        """Write a piece; where it lies now."""
        head = {
            "start_mono_ms": _ms(stored.start.mono_s),
            "start_wall_ms": _ms(stored.start.wall_s),
            "clock": stored.clock,
            "duration_ms": _ms(stored.duration_s),
            "key": stored.key,
            "codec": stored.codec,
            "width_px": stored.width_px,
            "height_px": stored.height_px,
            "sha256": stored.sha256,
            "cipher_sha256": stored.cipher_sha256,
            "init_sha256": stored.init_sha256,
            "recorded": stored.recorded,
            "mask_sha256": stored.mask_sha256,
        }
        record, position = _record(stored.kind, head, cipher), self.size
        self._write(record)
        # As whoever reads the file will know it: in whole milliseconds.
        body_at = position + len(record) - _CRC.size - len(cipher)
        lies = _read_back(self.header, stored.kind, head, body_at, len(cipher))
        assert lies is not None
        self.fragments.append(lies)
        return lies

    def sync(self) -> None:
        """All that was appended is on disk when it returns."""
        if self.unsynced and self._file is not None:
            os.fdatasync(self._file.fileno())
            self.unsynced = False

    def finish(self) -> None:
        """Nothing more comes: all of it is on disk when it returns."""
        self.sync()  # or a cut could leave the end and lose what is before it: whoever reads believes an end
        self._write(_record("end", {"fragments": len(self.fragments)}, b""))
        self.sync()
        self.close()

    def close(self) -> None:
        """Let go of the file; whoever finds it without its end reads what is whole."""
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):
                file.close()

    def _write(self, data: bytes) -> None:
        assert self._file is not None
        try:
            view = memoryview(data)
            while view:  # a disk that fills up takes a part of it
                view = view[self._file.write(view) :]
        except OSError:
            with suppress(OSError):  # invariant 1
                os.ftruncate(self._file.fileno(), self.size)
                self._file.seek(self.size)
            raise
        self.size += len(data)
        self.unsynced = True


def read_segment(path: Path, check: bool = False) -> SegmentFile | None:
    """What is whole of a segment's file; None if not even its header is.

    Unless told to `check`, it jumps over the bodies: those of a file with an end were on disk before that.

    Raises:
        OSError: it cannot be read.
    """
    with _opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        header = _header(file.readline(MAX_HEADER_BYTES))
        if header is None:
            return None
        whole, ended, fragments = file.tell(), False, []
        for kind, head, position, body_bytes, end in _records(file, size, check):
            if kind == "end":
                whole, ended = end, True
                break
            stored = _read_back(header, kind, head, position, body_bytes)
            if stored is None:
                break
            fragments.append(stored)
            whole = end
    return SegmentFile(header, tuple(fragments), whole, ended, torn=size > whole)


def read_body(path: Path, stored: StoredFragment) -> bytes:
    """The ciphertext of a piece, as it lies.

    Raises:
        OSError: the file is gone or cannot be read.
        ValueError: it is not what was written there.
    """
    with _opened(path) as file:
        file.seek(stored.position)
        body = file.read(stored.bytes)
    if hashlib.sha256(body).hexdigest() != stored.cipher_sha256:
        raise ValueError("the footage is not what was written there")
    return body


def mend(path: Path, found: SegmentFile) -> None:
    """Cut off what is not whole, and finish the file.

    Raises:
        OSError: it cannot be written.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    with os.fdopen(handle, "wb", buffering=0) as file:
        os.ftruncate(handle, found.bytes)
        if not found.ended:
            file.seek(found.bytes)
            file.write(_record("end", {"fragments": len(found.fragments)}, b""))
        os.fsync(handle)


def goes_on(path: Path, at: int = 0, kind: str | None = None) -> bool:
    """Whether a whole record, of this kind, comes after this byte, wherever it begins.

    Where that is an end, all before it was on disk once: no cut of the power has torn it.

    Raises:
        OSError: it cannot be read.
    """
    with _opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size <= at:
            return False
        sought = _MAGIC + (bytes([_CODES[kind]]) if kind else b"")
        for _ in range(MAX_BEGINNINGS):
            at = _found(sought, file, at)
            if at < 0:
                return False
            file.seek(at)
            if next(_records(file, size, check=True), None) is not None:
                return True
            at += 1
    return False


def _found(wanted: bytes, file: BinaryIO, at: int) -> int:
    """Where the bytes are next, from `at` on; -1: nowhere.

    The file is read, not mapped: where a disk gives a page no more, a mapping ends the process by SIGBUS.
    """
    while True:
        file.seek(at)
        data = file.read(READ_BYTES)
        place = data.find(wanted)
        if place >= 0:
            return at + place
        if len(data) < READ_BYTES:
            return -1
        at += len(data) - len(wanted) + 1


def sync_folder(folder: Path) -> None:
    """The names in a folder are on disk when it returns."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def segment_name(number: int) -> str:
    """The name of a segment's file: in the order of their numbers."""
    return f"{number:010d}{SUFFIX}"


def segment_number(name: str) -> int | None:
    """The number in the name of a segment's file; None if it is no such name."""
    stem = name.removesuffix(SUFFIX)
    return int(stem) if name.endswith(SUFFIX) and stem.isascii() and stem.isdigit() else None


def _record(kind: str, head: dict[str, Any], body: bytes) -> bytes:
    words = json.dumps(head, separators=(",", ":")).encode()
    data = _FIXED.pack(_MAGIC, _CODES[kind], len(words), len(body)) + words + body
    return data + _CRC.pack(zlib.crc32(data))


def _records(file: BinaryIO, size: int, check: bool) -> Iterator[tuple[str, dict[str, Any], int, int, int]]:
    """Kind, head, where its body lies and how long it is, and where the record ends: the whole ones."""
    while True:
        fixed = file.read(_FIXED.size)
        if len(fixed) < _FIXED.size:
            return
        magic, code, head_bytes, body_bytes = _FIXED.unpack(fixed)
        at = file.tell()
        end = at + head_bytes + body_bytes + _CRC.size
        if magic != _MAGIC or code not in _KINDS or head_bytes > MAX_HEAD_BYTES or body_bytes > MAX_BODY_BYTES:
            return
        if end > size:
            return
        words = file.read(head_bytes)
        if check:
            (crc,) = _CRC.unpack((body := file.read(body_bytes + _CRC.size))[-_CRC.size :])
            if zlib.crc32(body[: -_CRC.size], zlib.crc32(words, zlib.crc32(fixed))) != crc:
                return  # invariant 3
        else:
            file.seek(end)
        try:
            head = json.loads(words)
        except ValueError:
            return
        yield _KINDS[code], head, at + head_bytes, body_bytes, end


def _header(line: bytes) -> Header | None:
    try:
        words = json.loads(line) if line.endswith(b"\n") else {}
        if words.pop("ngatu", None) != "segment" or words.pop("v", None) != 1:
            return None
        header = Header(**words)
        texts = header.camera, header.boot, header.run, header.before, header.previous
        return header if isinstance(header.number, int) and all(isinstance(t, str) for t in texts) else None
    except (ValueError, TypeError, AttributeError):
        return None


OF_A_PIECE: Final = (
    "key", "codec", "width_px", "height_px", "sha256", "cipher_sha256", "init_sha256", "recorded",
    "mask_sha256",
)  # fmt: skip
"""What stands in a record's head as it is."""


def _read_back(
    header: Header, kind: str, head: dict[str, Any], position: int, body_bytes: int
) -> StoredFragment | None:
    try:
        start = Instant(head["start_mono_ms"] / 1000, head["start_wall_ms"] / 1000)
        return StoredFragment(
            camera=header.camera,
            run=header.run,
            kind=kind,  # type: ignore[arg-type]
            segment=header.number,
            position=position,
            bytes=body_bytes,
            start=start,
            boot=header.boot,
            wall_s=start.wall_s,
            clock=head["clock"],
            duration_s=head["duration_ms"] / 1000,
            **{name: head[name] for name in OF_A_PIECE},
        )
    except (KeyError, TypeError):
        return None


def _opened(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _moment(at: Instant) -> Moment:
    return Moment(_ms(at.mono_s), _ms(at.wall_s))
