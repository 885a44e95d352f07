"""Movers: which region of this frame is the thing of the frames before, so that each has an event of its own.

Regions are boxes without a name. Here each is linked to the mover that it goes on with: near where that one
was, and about as large. What flits, such as insects at a lamp, is linked to nothing for long, and so tells
nothing; who walks through it keeps his name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import hypot, inf, sqrt

import numpy as np

from agent.core import debounce
from agent.core.debounce import NEVER, Debounce
from agent.core.geometry import Floats, as_array
from agent.core.types import Box, Instant, Size

MOST = 64
"""Movers that are followed at once."""
_REACH, _LENGTHS_PER_S = 0.6, 4.0
"""How far a mover may be from where it just was: a share of its length, and so many lengths a second."""
_STAYED = 0.4
"""In lengths: who was not seen for a while goes on where he stood, or is somebody else."""
_ELSEWHERE, _STRAIGHT = 1.2, 0.7
"""Who is so many lengths from where he began, and so large a share of the way that he made since, goes
somewhere: what hovers makes a long way and stays."""
_STEP_S, _WATCHED_S = 0.24, 0.7
"""A way is measured in such steps; a shorter one may look straight by chance."""
_NEARER, _LARGE = 2.5, 0.005
"""In times its area, and of the frame: who came so much nearer goes somewhere; small things change as much."""
_GROWS = 5.0
"""From frame to frame a mover's area changes by no more."""
_TOUCHES = 0.01
"""Of the frame: what is so near to a mover is a part of it."""
_EXPLAINED, _GROWN = 0.3, 0.25
"""A region of which so much lies in the boxes of road users, each grown by such a share on each side, is
theirs: shadows and parts that merged belong to it. Attention asks for half, for it only saves a look."""


@dataclass(frozen=True, slots=True)
class Lasting:
    """How long something must move, may rest, and is quiet until it is over; in seconds."""

    min_s: float
    stay_s: float
    """The same for what goes nowhere and is no road user."""
    gap_s: float
    quiet_s: float


@dataclass(frozen=True, slots=True)
class Mover:
    """One thing that moves, known or not."""

    number: int
    """1 for the first, and so on."""
    region: Box
    """Where it was when it was last seen."""
    began: Box
    """Where it was first seen."""
    marked: Instant
    """When its last step ended."""
    mark: Box
    """Where that was."""
    way: float = 0.0
    """How far it has come in steps, there and back, in heights of the frame."""
    went: bool = False
    """It has gone somewhere."""
    followed: bool = False
    """It was, at some time, a road user that the tracker follows."""
    lasts: Debounce = NEVER


@dataclass(frozen=True, slots=True)
class Movers:
    """All that move, the oldest first."""

    known: tuple[Mover, ...] = ()
    counted: int = 0
    at: Instant | None = None
    """Of the last frame."""


@dataclass(frozen=True, slots=True)
class MoverInput:
    """What one frame shows."""

    at: Instant
    frame: Size
    regions: Sequence[Box]
    """What moves."""
    users: Sequence[Box]
    """Road users that are followed and move."""


def follow(before: Movers, seen: MoverInput, lasting: Lasting) -> Movers:
    """The movers after this frame."""
    at, shape = seen.at, seen.frame.width_px / seen.frame.height_px
    first = sorted(before.known, key=lambda each: not each.lasts.on)
    owners = _owners(before, first, seen, shape, lasting)
    known: list[Mover] = []
    for mover in first:
        region = owners.get(mover.number)
        known.append(_after(mover, region, seen, shape, lasting))
    taken = list(owners.values())
    counted = before.counted
    for region in seen.regions:
        if region not in taken and not _part_of_any(region, taken):
            counted += 1
            taken.append(region)
            known.append(_after(Mover(counted, region, region, at, region), region, seen, shape, lasting))
    living = sorted((each for each in known if each.lasts != NEVER), key=lambda each: each.number)
    return Movers(tuple(living[:MOST]), counted, at)


def _owners(
    before: Movers, first: Sequence[Mover], seen: MoverInput, shape: float, lasting: Lasting
) -> dict[int, Box]:
    """By number of the mover: the region with which it goes on. Who is told already chooses first."""
    if not first or not seen.regions:
        return {}
    reach = np.array([_reach(each, before.at, seen.at, lasting) for each in first])
    far = _distances([each.region for each in first], seen.regions, shape) / reach[:, None]
    owners: dict[int, Box] = {}
    for mover, row in zip(first, far, strict=True):
        nearest = int(row.argmin())
        if row[nearest] <= 1:
            owners[mover.number] = seen.regions[nearest]
            far[:, nearest] = inf
    return owners


def _reach(mover: Mover, before: Instant | None, at: Instant, lasting: Lasting) -> float:
    """How many of its lengths a mover may be from where it was."""
    last = mover.lasts.last
    passed_s = at.since(last) if last is not None else 0.0
    just = last == before or passed_s <= lasting.gap_s
    return _REACH + _LENGTHS_PER_S * passed_s if just else _STAYED


def _distances(movers: Sequence[Box], regions: Sequence[Box], shape: float) -> Floats:
    """How many lengths a region is from a mover, (movers, regions); infinite where it is another thing."""
    one, other = _measured(movers, shape)[:, None], _measured(regions, shape)[None]
    away = np.hypot(one[..., 0] - other[..., 0], one[..., 1] - other[..., 1])
    area, its = one[..., 3], other[..., 3]
    unlike = np.maximum(area, its) > _GROWS * np.minimum(area, its)
    return np.asarray(np.where(unlike, inf, away / np.sqrt(one[..., 2] * other[..., 2])), np.float64)


def _measured(boxes: Sequence[Box], shape: float) -> Floats:
    """(N, 4): the middle, the longer side and the area, all in heights of the frame."""
    left, top, right, bottom = as_array(boxes).T
    wide, high = (right - left) * shape, bottom - top
    middle = (left + right) / 2 * shape, (top + bottom) / 2
    return np.column_stack([*middle, np.maximum(np.maximum(wide, high), 1e-6), wide * high])


def _after(mover: Mover, region: Box | None, seen: MoverInput, shape: float, lasting: Lasting) -> Mover:
    if region is not None:
        followed = mover.followed or explained(region, seen.users)
        mover = _stepped(replace(mover, region=region, followed=followed), seen.at, shape)
    rise_s = lasting.min_s if mover.went or mover.followed else lasting.stay_s
    lasts = debounce.update(
        mover.lasts,
        seen.at,
        region is not None,
        rise_s=rise_s,
        fall_s=lasting.quiet_s,
        gap_s=lasting.gap_s,
    )
    return replace(mover, lasts=lasts)


def explained(region: Box, users: Iterable[Box]) -> bool:
    """Whether a region is the motion of road users that are followed, by their boxes."""
    common = 0.0
    for user in users:
        wide, high = _GROWN * user.width, _GROWN * user.height
        across = min(region.right, user.right + wide) - max(region.left, user.left - wide)
        down = min(region.bottom, user.bottom + high) - max(region.top, user.top - high)
        common += max(0.0, across) * max(0.0, down)
    return common >= _EXPLAINED * max(region.area, 1e-9)


def _stepped(mover: Mover, at: Instant, shape: float) -> Mover:
    """With another step, where one is due, and whether it has gone somewhere."""
    if at.since(mover.marked) < _STEP_S:
        return mover
    way = mover.way + _apart(mover.mark, mover.region, shape)
    watched = mover.lasts.since is not None and at.since(mover.lasts.since) >= _WATCHED_S
    sure = mover.went and mover.lasts.on  # until it is told, it may still turn out to hover
    went = sure or (watched and _went(mover.began, mover.region, way, shape))
    return replace(mover, marked=at, mark=mover.region, way=way, went=went)


def _went(began: Box, region: Box, way: float, shape: float) -> bool:
    """It is elsewhere, or came nearer or went farther off: it does not flicker or hover on the spot."""
    small, large = sorted((began.area, region.area))
    away = _apart(began, region, shape)
    length = sqrt(_length(began, shape) * _length(region, shape))
    nearer = large > _NEARER * small and large > _LARGE
    return nearer or (away >= _ELSEWHERE * length and away >= _STRAIGHT * way)


def _apart(one: Box, other: Box, shape: float) -> float:
    """Between their middles, in heights of the frame."""
    (x, y), (its_x, its_y) = one.center, other.center
    return hypot((x - its_x) * shape, y - its_y)


def _length(box: Box, shape: float) -> float:
    """Its longer side in heights of the frame."""
    return max(box.width * shape, box.height)


def _part_of_any(region: Box, others: Iterable[Box]) -> bool:
    return any(
        max(region.left, other.left) - min(region.right, other.right) <= _TOUCHES
        and max(region.top, other.top) - min(region.bottom, other.bottom) <= _TOUCHES
        for other in others
    )
