"""What goes somewhere: the parts of the mask, followed from look to look, judged by whether they travel.

A leaf swings and comes back, an insect is elsewhere in the next look, and both stay about one place for
minutes. A road user goes on along a line. So parts are linked to trails, and a trail has gone once an even pace
along one line explains where it was and it is its own length away from where it began. Who has gone may stand
or turn round afterwards, as long as he does not come back to where he began.

The weak parts of track_before_detect.py are judged alike, over a shorter time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from agent.core.geometry import Floats
from agent.core.motion.regions import Thing
from agent.core.motion.track_before_detect import LEFT, even_pace
from agent.core.types import Plane

Path = tuple[tuple[float, float, float], ...]
"""(mono_s, x and y of the middle), oldest first."""
Spot = tuple[float, float, int, int]
"""x and y of a part's middle, its width and height; in working pixels."""

_MOST = 32
"""Parts that are looked at, and trails that are kept."""
_KEPT_S, _LATELY_S = 4.0, 2.0
"""Who comes from afar goes few pixels a second; who is near may turn meanwhile."""
_BESIDE_PX = 4
"""A thing changes the picture so far beside its box."""
_REST_S = 0.6
"""A trail that was not seen for so long has ended, if there were looks."""
_REACH_PX, _LENGTHS_PER_S = 4.0, 4.0
"""How far a part may be from where its trail leads: some pixels, and a share of its length for each second."""
_GROWS = 2.5
"""From look to look a part changes its length by no more."""
_PACE_S = 0.5
_LEAST, _LEAST_S = 4, 0.7
"""A trail says something from so many places on, and after so long."""
_FAR = (24.0, 1.5)
"""Pixels and its own lengths: who is so far from where he began has left it; has gone farther than what swings.
On the tree of CDnet's fall, leaves of four to fifteen pixels went 12 to 22 before they came back."""
_BACK = 0.5
"""Who is nearer than this share of it came back."""
_STRAY_PX, _STRAY = 1.5, 0.1
"""How far a trail may lie from an even pace, on average: some pixels, and a share of how far it went."""


@dataclass(frozen=True, slots=True)
class GoingTrail:
    """One part of the mask, as far back as it is remembered. Lengths are working pixels."""

    path: Path
    wide: int
    high: int
    """Of the part when it was last seen."""
    from_x: float
    from_y: float
    """Where it began."""
    gone: bool = False
    """It left its place."""
    far: bool = False
    """It went farther than anything that swings."""

    @property
    def seen_s(self) -> float:
        """When it was last seen."""
        return self.path[-1][0]


@dataclass(frozen=True, slots=True)
class Going:
    """The trails of the last look, and those that may go on."""

    trails: tuple[GoingTrail, ...] = ()
    at_s: float = 0.0
    """Of the last look."""


def follow(known: Going, parts: Sequence[Thing], at_s: float) -> Going:
    """The trails after this look; `at_s` is its mono_s. Who is on his way comes first."""
    waiting = [trail for trail in known.trails if trail.seen_s == known.at_s or at_s - trail.seen_s <= _REST_S]
    spots = [_spot(part) for part in parts[:_MOST]]
    far = _distances(waiting, spots, at_s)
    seen: list[GoingTrail] = []
    unseen: list[GoingTrail] = []
    free = np.ones(len(spots), np.bool_)
    for row, trail in zip(far, waiting, strict=True):
        away = np.where(free, row, math.inf)
        index = int(np.argmin(away)) if spots else -1
        if index < 0 or away[index] > 1:
            unseen.append(trail)
            continue
        free[index] = False
        seen.append(_seen(trail, spots[index], at_s))
    fresh = [
        GoingTrail(((at_s, x, y),), wide, high, x, y)
        for (x, y, wide, high), alone in zip(spots, free, strict=True)
        if alone
    ]
    kept = sorted((*seen, *unseen, *fresh), key=lambda trail: (not trail.gone, trail.path[0][0]))
    return Going(tuple(kept[:_MOST]), at_s)


def pixels(known: Going, shape: tuple[int, ...], far: bool = False) -> Plane | None:
    """A plane (H, W) with 255 where those that go are and were in the last two seconds; None: nothing goes.

    With `far`, where those only are that went farther than what swings, and where they come to within a look.
    """
    at_s = known.at_s
    going = [trail for trail in known.trails if (trail.far if far else trail.gone) and trail.seen_s == at_s]
    if not going:
        return None
    plane = np.zeros(shape, np.uint8)
    for trail in going:
        pace_x, pace_y = _pace(trail)
        _, x, y = trail.path[-1]
        ahead = (x + 0.2 * pace_x, y + 0.2 * pace_y)
        was = () if far else ((x, y) for then_s, x, y in trail.path if at_s - then_s <= _LATELY_S)
        for at_x, at_y in ((x, y), ahead, *was):
            left, top = at_x - trail.wide / 2 - _BESIDE_PX, at_y - trail.high / 2 - _BESIDE_PX
            right, bottom = at_x + trail.wide / 2 + _BESIDE_PX, at_y + trail.high / 2 + _BESIDE_PX
            plane[max(0, int(top)) : max(0, int(bottom) + 1), max(0, int(left)) : max(0, int(right) + 1)] = 255
    return plane


def _spot(part: Thing) -> Spot:
    rows, columns = part.window
    wide, high = columns.stop - columns.start, rows.stop - rows.start
    return columns.start + wide / 2, rows.start + high / 2, wide, high


def _distances(trails: Sequence[GoingTrail], spots: Sequence[Spot], at_s: float) -> Floats:
    """How far each part is from where each trail leads, (trails, parts); 1 is as far as it may be."""
    if not trails or not spots:
        return np.empty((len(trails), len(spots)), np.float64)
    led = np.array([_led(trail, at_s) for trail in trails])
    here = np.array(spots)
    was_px, long_px = led[:, 2, None], here[:, 2:].max(axis=1)[None]
    reach_px = _REACH_PX + _LENGTHS_PER_S * np.minimum(was_px, long_px) * led[:, 3, None]
    away = np.abs(here[None, :, :2] - led[:, None, :2]).max(axis=2) / reach_px
    other = (long_px > _GROWS * was_px) | (was_px > _GROWS * long_px)
    return np.asarray(np.where(other, math.inf, away), np.float64)


def _led(trail: GoingTrail, at_s: float) -> tuple[float, float, float, float]:
    """Where a trail leads, its longer side, and the seconds since it was seen."""
    passed_s = at_s - trail.seen_s
    pace_x, pace_y = _pace(trail)
    _, x, y = trail.path[-1]
    return x + pace_x * passed_s, y + pace_y * passed_s, float(max(trail.wide, trail.high)), passed_s


def _pace(trail: GoingTrail) -> tuple[float, float]:
    """Of the last half second, in pixels a second."""
    last_s, x, y = trail.path[-1]
    then_s, was_x, was_y = next(point for point in trail.path if last_s - point[0] <= _PACE_S)
    if last_s == then_s:
        return 0.0, 0.0
    return (x - was_x) / (last_s - then_s), (y - was_y) / (last_s - then_s)


def _seen(trail: GoingTrail, spot: Spot, at_s: float) -> GoingTrail:
    x, y, wide, high = spot
    path = (*(point for point in trail.path if at_s - point[0] <= _KEPT_S), (at_s, x, y))
    trail = replace(trail, path=path, wide=wide, high=high)
    return replace(trail, gone=_gone(trail, trail.gone, *LEFT), far=_gone(trail, trail.far, *_FAR))


def _gone(trail: GoingTrail, before: bool, least_px: float, lengths: float) -> bool:
    """It left its place along a line at an even pace, and did not come back: what swings does."""
    last_s, x, y = trail.path[-1]
    far_px = max(least_px, lengths * math.sqrt(trail.wide * trail.high))
    away_px = math.hypot(x - trail.from_x, y - trail.from_y)
    if before or away_px < _BACK * far_px:
        return before and away_px >= _BACK * far_px
    lately = tuple(point for point in trail.path if last_s - point[0] <= _LATELY_S)
    return _went(lately, far_px) or (len(lately) < len(trail.path) and _went(trail.path, far_px))


def _went(path: Path, far_px: float) -> bool:
    if len(path) < _LEAST or path[-1][0] - path[0][0] < _LEAST_S:
        return False
    at_s = [point[0] - path[-1][0] for point in path]
    pace_x, stray_x = even_pace(at_s, [point[1] for point in path])
    pace_y, stray_y = even_pace(at_s, [point[2] for point in path])
    gone_px = math.hypot(pace_x, pace_y) * -at_s[0]
    stray_px = math.sqrt(max(0.0, stray_x + stray_y))  # rounding leaves less than nothing of a perfect line
    return gone_px >= far_px and stray_px <= _STRAY_PX + _STRAY * gone_px
