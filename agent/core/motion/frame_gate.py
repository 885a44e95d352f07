"""Frame gate: is a frame of a quiet view worth a look? One small picture beside another says so.

While nobody is there, most frames show what the last one showed. To find that out by all stages costs more than
to decode the frame. So between two whole looks a frame is only sampled and compared with the last whole look:
means of squares, some 5 000 of them. Where more of them differ than usual, the frame is looked at whole, at
once. This can only save work: what the gate is too coarse for, such as someone in dark clothes at night, is
found by the next whole look, `look_s` later at most.

What is usual is learned square by square, from the whole looks that found nothing that moves: in a tree much
may change, on the road little. And what changes slowly, such as the light of a passing cloud, is followed from
one frame to the next: whoever comes in changes the picture faster.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from agent.core.types import Frame, Instant, Plane
from agent.settings.base import Settings

ROWS = 54
FEW, NEAR = 3, 7
"""So many squares may differ within any `NEAR` times `NEAR` of them: about the smallest region that counts as
motion. Leaves and grain differ here and there, whoever comes in differs in one place. Beside one bound for the
whole view, road users of all sizes called for a look as soon, and calm views for half as many."""
LEAST, FIRST = 10, 12
"""Luma steps by which a square must differ at least, and before anything is known of it."""
CLEAR = 4
"""Luma steps above what is usual."""
LATE_S = 1.0
"""A whole look may come so much later than it was due. Two that are farther apart do not tell what is usual:
somebody may have parked in between."""
EASE_S = 2.0
"""A limit falls by one luma step in so long: what swings, such as a cable, is still now and then."""
AWAKE_S = 0.5
"""What comes into view slowly hardly differs from one frame to the next: after a change, look for so long."""


class FrameGateSettings(Settings):
    """How a quiet view is watched between two looks."""

    look_s: float = Field(
        2.0,
        ge=0,
        le=10,
        description="Time between two whole looks at a quiet view, in seconds; between them the gate watches.",
    )


@dataclass(frozen=True, slots=True)
class FrameGate:
    """What is taken for the empty view. Both planes are (about 54, W), in luma steps, and never written."""

    at: Instant
    """Of the last whole look."""
    plane: Plane
    """Means of the luma then, which follow slow changes since."""
    limit: Plane
    """By how much each square may differ."""
    eased_s: float
    """The mono_s at which the limits last fell."""
    awake_s: float
    """Until this mono_s every frame is worth a look: something has just changed."""


def after(before: FrameGate | None, frame: Frame, settings: FrameGateSettings) -> FrameGate:
    """What is remembered of a whole look that found nothing that moves."""
    plane, at = sample(frame.luma), frame.at
    now_s, awake_s = at.mono_s, at.mono_s + AWAKE_S
    if before is None or before.plane.shape != plane.shape:
        return FrameGate(at, plane, np.full_like(plane, FIRST), now_s, awake_s)
    if not 0 <= at.since(before.at) <= settings.look_s + LATE_S:
        return FrameGate(at, plane, before.limit, now_s, awake_s)
    diff = np.minimum(cv2.absdiff(plane, before.plane), 255 - CLEAR)
    if not _differs(diff, before.limit):
        awake_s = before.awake_s
    falls = now_s - before.eased_s >= EASE_S
    limit = np.maximum(np.maximum(before.limit - falls, diff + CLEAR), LEAST)
    return FrameGate(at, plane, limit.astype(np.uint8), now_s if falls else before.eased_s, awake_s)


def passed(last: FrameGate, frame: Frame, settings: FrameGateSettings) -> FrameGate | None:
    """What is remembered of a frame that shows nothing new; None: the frame is worth a whole look.

    It is when something changed, and when it is time.
    """
    if not 0 <= frame.at.since(last.at) < settings.look_s or frame.at.mono_s < last.awake_s:
        return None
    plane = sample(frame.luma)
    if plane.shape != last.plane.shape or _differs(cv2.absdiff(plane, last.plane), last.limit):
        return None
    # By one luma step towards what is seen.
    return replace(last, plane=last.plane + (plane > last.plane) - (plane < last.plane))


def _differs(diff: NDArray[Any], limit: Plane) -> bool:
    beyond = np.asarray(cv2.compare(diff, limit, cv2.CMP_GT), np.uint8)
    if cv2.countNonZero(beyond) <= FEW:
        return False  # most frames of a quiet view end here
    around = cv2.boxFilter(beyond & 1, -1, (NEAR, NEAR), normalize=False, borderType=cv2.BORDER_CONSTANT)
    return int(np.max(around)) > FEW


def sample(luma: Plane) -> Plane:
    """Means of squares of n times n pixels; every second row is enough for that."""
    by = max(1, luma.shape[0] // ROWS)
    if by == 1:
        return luma.copy()  # the frame's memory may be reused
    size = luma.shape[1] // by, luma.shape[0] // by
    squares = luma[: size[1] * by : 2, : size[0] * by]
    return np.asarray(cv2.resize(squares, size, interpolation=cv2.INTER_AREA), np.uint8)
