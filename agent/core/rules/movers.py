"""Movers: which region of this frame is the thing of the frames before, so that each has an event of its own.

Regions are boxes without a name. Here each is linked to the mover that it goes on with: near where that one
was, and about as large. What flits, such as insects at a lamp, is linked to nothing for long, and so tells
nothing; who walks through it keeps his name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import hypot, inf, sqrt

from agent.core import debounce
from agent.core.debounce import NEVER, Debounce
from agent.core.types import Box, Instant, Size

MOST = 64
"""Movers that are followed at once."""
_REACH, _LENGTHS_PER_S = 0.6, 4.0
"""How far a mover may be from where it just was: a share of its length, and so many lengths a second."""
_STAYED = 1.0
"""In lengths: who was not seen for a while goes on near by, or is somebody else."""
_ELSEWHERE, _NEARER = 0.5, 2.5
"""In lengths, and in times its area: who is so far from where he began goes somewhere."""
_GROWS = 5.0
"""From frame to frame a mover's area changes by no more."""
_TOUCHES = 0.01
"""Of the frame: what is so near to a mover is a part of it."""


@dataclass(frozen=True, slots=True)
class Lasting:
    """How long something must move, may rest, and is quiet until it is over; in seconds."""

    min_s: float
    stay_s: float
    """The same for what goes nowhere."""
    gap_s: float
    quiet_s: float


@dataclass(frozen=True, slots=True)
class Mover:
    """One thing that moves, known or not."""

    number: int
    region: Box
    """Where it was when it was last seen."""
    began: Box
    """Where it was first seen."""
    went: bool = False
    """It has gone somewhere."""
    lasts: Debounce = NEVER


@dataclass(frozen=True, slots=True)
class Movers:
    """All that move, the oldest first."""

    known: tuple[Mover, ...] = ()
    counted: int = 0
    at: Instant | None = None
    """Of the last frame."""


def follow(before: Movers, regions: Sequence[Box], at: Instant, frame: Size, lasting: Lasting) -> Movers:
    """The movers after this frame."""
    shape = frame.width_px / frame.height_px
    free = list(regions)

    def distance(mover: Mover, region: Box) -> float:
        last = mover.lasts.last
        passed_s = at.since(last) if last is not None else 0.0
        just = last == before.at or passed_s <= lasting.gap_s
        return _distance(mover.region, region, shape, _REACH + _LENGTHS_PER_S * passed_s if just else _STAYED)

    known: list[Mover] = []
    seen: list[Box] = []
    for each in sorted(before.known, key=lambda each: not each.lasts.on):
        mover = each
        near = min(free, key=lambda region: distance(mover, region), default=None)
        if near is not None and distance(mover, near) <= 1:
            free.remove(near)
            seen.append(near)
            mover = replace(mover, region=near, went=mover.went or _went(mover.began, near, shape))
        else:
            near = None
        known.append(_after(mover, at, near is not None, lasting))
    counted = before.counted
    for region in free:
        if not _part_of_any(region, seen):
            counted += 1
            seen.append(region)
            known.append(_after(Mover(counted, region, region), at, True, lasting))
    living = sorted((each for each in known if each.lasts != NEVER), key=lambda each: each.number)
    return Movers(tuple(living[:MOST]), counted, at)


def _after(mover: Mover, at: Instant, seen: bool, lasting: Lasting) -> Mover:
    rise_s = lasting.min_s if mover.went else lasting.stay_s
    lasts = debounce.update(mover.lasts, at, seen, rise_s=rise_s, fall_s=lasting.quiet_s, gap_s=lasting.gap_s)
    return replace(mover, lasts=lasts)


def _went(began: Box, region: Box, shape: float) -> bool:
    """It is elsewhere, or came nearer or went farther off: it does not flicker on the spot."""
    small, large = sorted((began.area, region.area))
    x, y = region.center
    was_x, was_y = began.center
    length = sqrt(_length(began, shape) * _length(region, shape))
    return large > _NEARER * small or hypot((x - was_x) * shape, y - was_y) >= _ELSEWHERE * length


def _distance(was: Box, region: Box, shape: float, reach: float) -> float:
    """How far a region is from where a mover was; 1 is as far as it may be, `reach` of its lengths.

    `shape` is the frame's width by its height.
    """
    small, large = sorted((was.area, region.area))
    if large > _GROWS * small:
        return inf
    x, y = region.center
    was_x, was_y = was.center
    length = sqrt(max(_length(was, shape), 1e-6) * max(_length(region, shape), 1e-6))
    return hypot((x - was_x) * shape, y - was_y) / (length * reach)


def _length(box: Box, shape: float) -> float:
    """Its longer side in heights of the frame."""
    return max(box.width * shape, box.height)


def _part_of_any(region: Box, others: Iterable[Box]) -> bool:
    return any(
        max(region.left, other.left) - min(region.right, other.right) <= _TOUCHES
        and max(region.top, other.top) - min(region.bottom, other.bottom) <= _TOUCHES
        for other in others
    )
