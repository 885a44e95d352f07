"""How coarsely a picture of H.264 is quantised, read in the clear from the header of its first slice; pure.

An encoder that keeps to a bit rate spends what it has on noise while nothing happens: its pictures grow tenfold
and shrink again with the quantiser, and nothing has moved. So sizes can be compared only at one quantiser.

Nothing is decoded: of a packet its first bytes are looked at. Whatever is not understood (another codec, a part
that is missing, damage, an encryption) gives None, and never an error.

Syntax by ITU-T H.264 (08/2021): NAL units 7.3.1, sequence and picture parameter sets 7.3.2.1 and 7.3.2.2, slice
header 7.3.3; length-prefixed NAL units and the record of parameter sets before them by ISO/IEC 14496-15, 5.3.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

HEAD_BYTES: Final = 96
"""Of a slice: its header takes some 5 to 40."""
SET_BYTES: Final = 1024
"""Of a parameter set: with all scaling lists it takes some 700."""
LOOKED_AT: Final = 8
"""NAL units of a packet before its first slice, at most: delimiter, parameter sets, what is said beside."""
QUANTISERS: Final = range(52)
"""For pictures of 8 bits (7.4.3)."""
MOST_SEQUENCES, MOST_PICTURE_SETS = 31, 255
"""The highest numbers of parameter sets (7.4.2.1.1, 7.4.2.2): a camera that names others fills no memory."""
_SLICES: Final = (1, 5)
_SEQUENCE, _PICTURE = 7, 8
_WITH_CHROMA_FORMAT: Final = frozenset((100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135))
"""Profiles whose sequence parameter set says more (7.3.2.1.1)."""


class _NotUnderstoodError(ValueError):
    """It ends too early, or says what is not read here."""


class _Bits:
    """The bits of a NAL unit after its header byte, first to last."""

    def __init__(self, unit: bytes) -> None:
        # A 3 after two zeros keeps start codes out, and is no part of what is said (7.4.1).
        self._bytes = unit.replace(b"\0\0\3", b"\0\0")
        self._value = int.from_bytes(self._bytes, "big")
        self._left = len(self._bytes) * 8

    def take(self, count: int) -> int:
        """An unsigned number of so many bits, u(n)."""
        self._left -= count
        if self._left < 0:
            raise _NotUnderstoodError
        return (self._value >> self._left) & ((1 << count) - 1)

    def number(self) -> int:
        """An unsigned number in Exp-Golomb code, ue(v) (9.1)."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 32:
                raise _NotUnderstoodError
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        """A signed number in Exp-Golomb code, se(v) (9.1.1)."""
        number = self.number()
        return (number + 1) // 2 if number % 2 else -(number // 2)


@dataclass(frozen=True, slots=True)
class _Sequence:
    """What the header of a slice is read by, of a sequence parameter set."""

    planes_apart: bool
    colour: bool
    frame_num_bits: int
    order_kind: int
    order_bits: int
    order_always_zero: bool
    frames_only: bool


@dataclass(frozen=True, slots=True)
class _PictureSet:
    """What the header of a slice is read by, of a picture parameter set."""

    sequence: int
    arithmetic: bool
    order_in_frame: bool
    references: tuple[int, int]
    weighted: bool
    weighted_both: bool
    quantiser: int
    redundant: bool


class QuantiserReader:
    """Reads the packets of one stream; keeps the parameter sets that came."""

    def __init__(self, extradata: bytes | None) -> None:
        """`extradata`: what the container says of the stream, with or without start codes."""
        self._sequences: dict[int, _Sequence] = {}
        self._pictures: dict[int, _PictureSet] = {}
        self._length_bytes = 0
        """Of the length before each NAL unit; 0: start codes are between them."""
        self._heed(extradata or b"")

    def read(self, data: memoryview) -> int | None:
        """The quantiser (0..51, lower is finer) with which the first slice begins; None: not known."""
        try:
            for unit in self._units(data):
                kind = unit[0] & 31
                if kind in _SLICES:
                    return self._slice(unit)
                self._keep(unit)
        except (_NotUnderstoodError, IndexError):
            return None
        return None

    def _heed(self, extradata: bytes) -> None:
        try:
            if extradata[:1] == b"\1" and len(extradata) > 6:
                self._length_bytes = (extradata[4] & 3) + 1
                for unit in _recorded(extradata):
                    self._keep(unit)
            else:
                for unit in _started(memoryview(extradata)):
                    self._keep(unit)
        except (_NotUnderstoodError, IndexError):
            return

    def _units(self, data: memoryview) -> Iterator[bytes]:
        """The first NAL units of a packet, from each no more than is read."""
        return _measured(data, self._length_bytes) if self._length_bytes else _started(data)

    def _keep(self, unit: bytes) -> None:
        """A parameter set is kept under its number, and may replace one."""
        kind = unit[0] & 31
        if kind == _SEQUENCE:
            number, sequence = _sequence(_Bits(unit[1:SET_BYTES]))
            self._sequences[number] = sequence
        elif kind == _PICTURE:
            number, picture = _picture(_Bits(unit[1:SET_BYTES]))
            self._pictures[number] = picture

    def _slice(self, unit: bytes) -> int | None:
        bits = _Bits(unit[1:HEAD_BYTES])
        bits.number()  # the first macroblock
        kind = bits.number() % 5
        picture = self._pictures.get(bits.number())
        sequence = self._sequences.get(picture.sequence) if picture else None
        if picture is None or sequence is None:
            return None
        quantiser = _quantiser(bits, _Slice(unit[0] & 31 == 5, unit[0] >> 5 & 3, kind), sequence, picture)
        return quantiser if quantiser in QUANTISERS else None


@dataclass(frozen=True, slots=True)
class _Slice:
    """What is known of a slice before the rest of its header is read."""

    is_key: bool
    reference: int
    kind: int
    """P, B, I, SP, SI."""

    @property
    def one_way(self) -> bool:
        return self.kind in (0, 3)

    @property
    def both_ways(self) -> bool:
        return self.kind == 1


def _quantiser(bits: _Bits, head: _Slice, sequence: _Sequence, picture: _PictureSet) -> int:
    """The rest of a slice's header (7.3.3), up to its quantiser."""
    if sequence.planes_apart:
        bits.take(2)
    bits.take(sequence.frame_num_bits)
    is_field = not sequence.frames_only and bool(bits.take(1))
    if is_field:
        bits.take(1)
    if head.is_key:
        bits.number()
    _skip_order(bits, sequence, picture.order_in_frame and not is_field)
    if picture.redundant:
        bits.number()
    if head.both_ways:
        bits.take(1)
    references = picture.references
    if head.one_way or head.both_ways:
        if bits.take(1):
            first = bits.number() + 1
            references = first, bits.number() + 1 if head.both_ways else references[1]
        lists = references[: 2 if head.both_ways else 1]
        _skip_reordering(bits, len(lists))
        if (picture.weighted and head.one_way) or (picture.weighted_both and head.both_ways):
            _skip_weights(bits, lists, sequence.colour)
    if head.reference:
        _skip_marking(bits, head.is_key)
    if picture.arithmetic and (head.one_way or head.both_ways):
        bits.number()
    return picture.quantiser + bits.signed()


def _skip_order(bits: _Bits, sequence: _Sequence, both_fields: bool) -> None:
    """Where the picture stands in the order of showing."""
    if sequence.order_kind == 0:
        bits.take(sequence.order_bits)
        if both_fields:
            bits.number()
    elif sequence.order_kind == 1 and not sequence.order_always_zero:
        bits.number()
        if both_fields:
            bits.number()


def _skip_reordering(bits: _Bits, lists: int) -> None:
    """Other orders of the pictures that it is predicted from (7.3.3.1)."""
    for _ in range(lists):
        if bits.take(1):
            while bits.number() != 3:
                bits.number()


def _skip_weights(bits: _Bits, lists: tuple[int, ...], colour: bool) -> None:
    """How much each of them counts (7.3.3.2)."""
    for _ in range(1 + colour):
        bits.number()
    for references in lists:
        if references > 32:
            raise _NotUnderstoodError
        for _ in range(references):
            for values in (2, 4) if colour else (2,):
                if bits.take(1):
                    for _ in range(values):
                        bits.number()


def _skip_marking(bits: _Bits, is_key: bool) -> None:
    """Which pictures are kept for later ones (7.3.3.3)."""
    if is_key:
        bits.take(2)
    elif bits.take(1):
        while (step := bits.number()) != 0:
            for _ in range({1: 1, 2: 1, 3: 2, 4: 1, 5: 0, 6: 1}.get(step, 0)):
                bits.number()


def _sequence(bits: _Bits) -> tuple[int, _Sequence]:
    """A sequence parameter set with its number (7.3.2.1.1)."""
    profile = bits.take(8)
    bits.take(16)
    number = bits.number()
    if number > MOST_SEQUENCES:
        raise _NotUnderstoodError
    chroma, planes_apart = 1, False
    if profile in _WITH_CHROMA_FORMAT:
        chroma = bits.number()
        planes_apart = chroma == 3 and bool(bits.take(1))
        if bits.number() or bits.number():
            raise _NotUnderstoodError  # more than 8 bits: its quantisers count from another zero
        bits.take(1)
        if bits.take(1):
            for index in range(12 if chroma == 3 else 8):
                if bits.take(1):
                    _skip_scaling(bits, 16 if index < 6 else 64)
    frame_num_bits = bits.number() + 4
    order_kind, order_bits, always_zero = bits.number(), 0, False
    if order_kind == 0:
        order_bits = bits.number() + 4
    elif order_kind == 1:
        always_zero = bool(bits.take(1))
        bits.number(), bits.number()
        for _ in range(min(bits.number(), 255)):
            bits.number()
    bits.number()
    bits.take(1)
    bits.number(), bits.number()
    frames_only = bool(bits.take(1))
    if frame_num_bits > 16 or order_bits > 16:
        raise _NotUnderstoodError
    colour = chroma != 0 and not planes_apart
    return number, _Sequence(
        planes_apart, colour, frame_num_bits, order_kind, order_bits, always_zero, frames_only
    )


def _skip_scaling(bits: _Bits, count: int) -> None:
    """A scaling list (7.3.2.1.1.1)."""
    last = following = 8
    for _ in range(count):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


def _picture(bits: _Bits) -> tuple[int, _PictureSet]:
    """A picture parameter set with its number (7.3.2.2)."""
    number, sequence = bits.number(), bits.number()
    if number > MOST_PICTURE_SETS:
        raise _NotUnderstoodError
    arithmetic, order_in_frame = bool(bits.take(1)), bool(bits.take(1))
    if bits.number():
        raise _NotUnderstoodError  # groups of slices: no camera sends them
    references = bits.number() + 1, bits.number() + 1
    weighted, weighted_both = bool(bits.take(1)), bits.take(2) == 1
    quantiser = 26 + bits.signed()
    bits.signed(), bits.signed()
    bits.take(2)
    redundant = bool(bits.take(1))
    return number, _PictureSet(
        sequence, arithmetic, order_in_frame, references, weighted, weighted_both, quantiser, redundant
    )


def _recorded(extradata: bytes) -> Iterator[bytes]:
    """The parameter sets of an AVC decoder configuration record."""
    at = 5
    for mask in (31, 255):
        count = extradata[at] & mask
        at += 1
        for _ in range(count):
            long = int.from_bytes(extradata[at : at + 2], "big")
            if long:
                yield extradata[at + 2 : at + 2 + long]
            at += 2 + long


def _measured(data: memoryview, length_bytes: int) -> Iterator[bytes]:
    """The first NAL units, each after its length."""
    at = 0
    for _ in range(LOOKED_AT):
        start = at + length_bytes
        long = int.from_bytes(data[at:start], "big")
        if start >= len(data) or not long:
            return
        yield bytes(data[start : start + min(long, SET_BYTES)])
        at = start + long


def _started(data: memoryview) -> Iterator[bytes]:
    """The first NAL units, each after a start code (Annex B)."""
    head = bytes(data[: LOOKED_AT * SET_BYTES])
    at = head.find(b"\0\0\1")
    for _ in range(LOOKED_AT):
        if at < 0 or at + 3 >= len(head):
            return
        after = head.find(b"\0\0\1", at + 3, at + 3 + SET_BYTES)
        yield head[at + 3 : after if after >= 0 else at + 3 + SET_BYTES]
        at = head.find(b"\0\0\1", at + 3)
