"""Frames as the selection of samples sees them: a grey picture, and what motion, detector and tracker say."""

from __future__ import annotations

import numpy as np

from agent.core.sampling.selection import SampleInput
from agent.core.types import WHOLE, Box, Crop, Detection, Frame, Instant, Motion, Reason, Track

LOOKED = (Crop(WHOLE, Reason.MOTION),)
MORNING_S = 1_796_104_800.0
"""2026-12-01, 06:00 UTC."""


def grey(at: Instant, luma: int = 110, index: int = 0, width: int = 64, height: int = 48) -> Frame:
    """A picture of one brightness; half of it is a little darker, so that it has some contrast."""
    plane = np.full((height, width), luma, np.uint8)
    plane[:, : width // 2] = max(0, luma - 60)
    half = np.full((height // 2, width // 2), 128, np.uint8)
    return Frame(index, at, plane, half, half)


def at(seconds: float) -> Instant:
    """So many seconds after six in the morning (UTC)."""
    return Instant(1000.0 + seconds, MORNING_S + seconds)


def seen(
    *regions: Box,
    found: tuple[Detection, ...] = (),
    tracks: tuple[Track, ...] = (),
    crops: tuple[Crop, ...] = LOOKED,
) -> SampleInput:
    """What one frame gave."""
    return SampleInput(Motion(regions, 0.1), tracks, found, crops)


def track(
    box: Box, track_id: str = "t", label: str = "car", *, seen_now: bool = True, still: bool = False
) -> Track:
    """A road user who is followed."""
    now = Instant(1000.0, MORNING_S)
    return Track(
        track_id, label, 0.8, 0.9, box, (0.0, 0.0), now, now, seen=seen_now, confirmed=True, stationary=still
    )
