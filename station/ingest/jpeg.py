"""Whether bytes are one whole JPEG and nothing else, without decoding them (ITU-T T.81, annex B). Pure.

Whoever opens a picture later, in a browser or as evidence, gets a picture: no program behind its first bytes,
no second file behind its end, no metadata, and no size or number of scans that keeps a decoder busy.
"""

from __future__ import annotations

import re

MAX_SIDE_PX = 8192
MAX_PIXELS = 7680 * 4320
MAX_SCANS = 32
"""A progressive picture has about ten; each makes a decoder go through all of it again."""

_SOI, _EOI, _SOS, _DQT, _DHT, _DRI, _JFIF = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xDD, 0xE0
_SOFS = {0xC0: 1, 0xC1: 1, 0xC2: MAX_SCANS}
"""Baseline, extended and progressive frames, and how many scans each may have beyond one per component."""
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7]")
"""What ends entropy-coded data: 0xFF but for a stuffed one and for the eight restarts."""


def fault(data: bytes) -> str | None:
    """What is wrong with it; None if it is one JPEG from its first byte to its last."""
    try:
        return _Reader(data).fault()
    except IndexError:
        return "it ends too early"


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 2
        self._frame: int | None = None
        self._components: frozenset[int] = frozenset()
        self._scans = 0
        self._tables = {_DQT: False, _DHT: False}

    def fault(self) -> str | None:
        """See above; raises IndexError where it ends too early."""
        if self._data[:2] != bytes([0xFF, _SOI]):
            return "it does not begin as one"
        while True:
            if self._data[self._at] != 0xFF:
                return "a marker is missing"
            marker = self._data[self._at + 1]
            if marker == _EOI:
                return self._ended()
            begin = self._at + 4
            self._at = end = begin - 2 + (self._data[begin - 2] << 8 | self._data[begin - 1])
            if end < begin or end > len(self._data):
                raise IndexError
            if marker in self._tables and end > begin:  # two thirds of all, and nothing more is asked of them
                self._tables[marker] = True
            elif (wrong := self._wrong(marker, self._data[begin:end])) is not None:
                return wrong

    def _ended(self) -> str | None:
        if self._scans == 0:
            return "there is no picture in it"
        return None if self._at + 2 == len(self._data) else "something follows its end"

    def _wrong(self, marker: int, segment: bytes) -> str | None:
        if marker in _SOFS:
            return self._framed(marker, segment)
        if marker == _SOS:
            return self._scanned(segment)
        if marker in self._tables:
            return "an empty table"
        if marker == _JFIF and segment.startswith(b"JFIF\0") and len(segment) == 14:
            return None
        if marker == _DRI and len(segment) == 2:
            return None
        return f"it has a part of kind {marker:02X}, which no picture of a box has"

    def _framed(self, marker: int, segment: bytes) -> str | None:
        precision, count = segment[0], segment[5]
        height_px, width_px = (int.from_bytes(segment[n : n + 2], "big") for n in (1, 3))
        parts = [segment[6 + 3 * n : 9 + 3 * n] for n in range(count)]
        if self._frame is not None or precision != 8 or count not in (1, 3) or len(segment) != 6 + 3 * count:
            return "its frame is none of a box"
        if not 0 < max(width_px, height_px) <= MAX_SIDE_PX or not 0 < width_px * height_px <= MAX_PIXELS:
            return f"it claims {width_px} x {height_px} pixels"
        if any(not (1 <= part[1] >> 4 <= 4 and 1 <= part[1] & 15 <= 4 and part[2] <= 3) for part in parts):
            return "its components are none"
        self._frame, self._components = marker, frozenset(part[0] for part in parts)
        return None if len(self._components) == count else "two components have one name"

    def _scanned(self, segment: bytes) -> str | None:
        count = segment[0]
        names = {segment[1 + 2 * n] for n in range(count)}
        if self._frame is None or not all(self._tables.values()) or len(segment) != 4 + 2 * count:
            return "its data comes before what it means"
        if not 0 < count == len(names) or not names <= self._components:
            return "its data belongs to no component"
        self._scans += 1
        if self._scans > max(_SOFS[self._frame], len(self._components)):
            return "it has too many scans"
        end = _MARKER.search(self._data, self._at)
        if end is None:
            raise IndexError
        empty, self._at = end.start() == self._at, end.start()
        return "a scan without data" if empty else None
