"""A piece of footage: what comes from a decoding child, and what lies in the ring."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final, Literal

from agent.clock import ClockState
from agent.core.types import Instant
from agent.evidence.links import Recorded

MAX_FRAGMENT_BYTES: Final = 32 << 20
"""Four seconds of 64 Mbit/s: whoever claims more wants the box's memory, not to be seen."""

Kind = Literal["init", "media"]


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of fragmented MP4, in the clear: what every player needs first (init), or pictures (media)."""

    camera: str
    run: str
    """Names the opening of the camera: all of one share their init."""
    kind: Kind
    start: Instant
    """When its first picture came."""
    duration_s: float
    """Until the first picture of the next one came; 0 of an init."""
    key: bool
    """It begins with a key picture, so that a player can begin there."""
    codec: str
    """As FFmpeg calls it: h264, hevc, mjpeg…"""
    width_px: int
    height_px: int
    data: bytes = field(repr=False)
    recorded: Recorded = field(kw_only=True)
    mask_sha256: str | None = field(kw_only=True)
    """Of the masks of the camera; None: it had none."""
    clock: ClockState = field(kw_only=True)
    """Who vouched for the clock when its start was taken from it; it may have waited since."""

    @property
    def end(self) -> Instant:
        """When it is over."""
        return Instant(self.start.mono_s + self.duration_s, self.start.wall_s + self.duration_s)


@dataclass(frozen=True, slots=True)
class StoredFragment:
    """Where a piece lies in the ring, and what is known of it without reading it."""

    camera: str
    run: str
    kind: Kind
    segment: int
    position: int
    """Byte in the segment's file at which its ciphertext begins."""
    bytes: int
    """Length of its ciphertext."""
    start: Instant
    """As it was known then."""
    boot: str
    wall_s: float
    """Wall time of its start, corrected once somebody vouched for the clock of that boot."""
    clock: ClockState
    """Who vouched for the clock when its start was taken from it."""
    duration_s: float
    key: bool
    codec: str
    width_px: int
    height_px: int
    sha256: str
    """Of the plain piece; hex."""
    cipher_sha256: str
    """Of the ciphertext as it lies; hex."""
    init_sha256: str
    """Of the plain init that it needs; of an init its own."""
    recorded: Recorded
    mask_sha256: str | None

    @property
    def end_s(self) -> float:
        """Corrected wall time of its end."""
        return self.wall_s + self.duration_s


def as_stored(
    fragment: Fragment, cipher: bytes, segment: int, boot: str, init_sha256: str | None
) -> StoredFragment:
    """What is known of a piece that is about to be appended to this segment, with its ciphertext.

    `init_sha256` is that of the segment's init; None: this piece is it.
    """
    digest = hashlib.sha256(fragment.data).hexdigest()
    return StoredFragment(
        camera=fragment.camera,
        run=fragment.run,
        kind=fragment.kind,
        segment=segment,
        position=0,
        bytes=len(cipher),
        start=fragment.start,
        boot=boot,
        wall_s=fragment.start.wall_s,
        clock=fragment.clock,
        duration_s=fragment.duration_s,
        key=fragment.key,
        codec=fragment.codec,
        width_px=fragment.width_px,
        height_px=fragment.height_px,
        sha256=digest,
        cipher_sha256=hashlib.sha256(cipher).hexdigest(),
        init_sha256=init_sha256 or digest,
        recorded=fragment.recorded,
        mask_sha256=fragment.mask_sha256,
    )
