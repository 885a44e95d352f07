"""What goes somewhere: the parts of the mask, followed from frame to frame, judged by whether they travel.

A leaf swings and comes back, an insect is elsewhere in the next frame, and both stay about one place for
minutes. A road user goes on along a line. So parts are linked to trails, and a trail has gone once an even pace
along one line explains where it was and it is its own length away from where it began. Who has gone may stand
or turn round afterwards, as long as he does not come back to where he began.

The weak parts of track_before_detect.py are judged alike, over a shorter time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from agent.core.motion.regions import Thing
from agent.core.motion.track_before_detect import even_pace
from agent.core.types import Plane

Path = tuple[tuple[float, float, float], ...]
"""(mono_s, x and y of the middle), oldest first."""

_MOST = 32
"""Parts that are looked at, and trails that are kept."""
_STEP_S = 0.18
"""Places of a trail are kept so often."""
_KEPT_S, _LATELY_S = 4.0, 2.0
"""Who comes from afar goes few pixels a second; who is near may turn meanwhile."""
_BESIDE_PX = 4
"""A thing changes the picture so far beside its box."""
_REST_S = 0.6
"""A trail that was not seen for so long has ended, if there were frames."""
_REACH_PX, _LENGTHS_PER_S = 4.0, 4.0
"""How far a part may be from where its trail leads: some pixels, and a share of its length for each second."""
_GROWS = 2.5
"""From frame to frame a part changes its length by no more."""
_LEAST, _LEAST_S = 4, 0.7
"""A trail says something from so many places on, and after so long."""
_LEFT, _FAR = (12.0, 1.0), (24.0, 1.5)
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
    seen_s: float
    x: float
    y: float
    """Its middle when it was last seen."""
    wide: int
    high: int
    from_x: float
    from_y: float
    """Where it began."""
    gone: bool = False
    """It left its place."""
    far: bool = False
    """It went farther than anything that swings."""


@dataclass(frozen=True, slots=True)
class Going:
    """The trails of the last frame, and those that may go on."""

    trails: tuple[GoingTrail, ...] = ()
    at_s: float = 0.0
    """Of the last frame."""


def follow(known: Going, parts: Sequence[Thing], at_s: float) -> tuple[Going, list[GoingTrail]]:
    """The trails after this frame; and of each part, its trail. `at_s` is the frame's mono_s."""
    waiting = [trail for trail in known.trails if trail.seen_s == known.at_s or at_s - trail.seen_s <= _REST_S]
    waiting.sort(key=lambda trail: (not trail.gone, trail.path[0][0]))
    places = [_place(part) for part in parts]
    free = set(range(min(_MOST, len(places))))
    own = [GoingTrail(((at_s, x, y),), at_s, x, y, wide, high, x, y) for x, y, wide, high in places]
    unseen = []
    for trail in waiting:
        near = [(_distance(trail, places[index], at_s), index) for index in free]
        distance, index = min(near, default=(math.inf, -1))
        if distance > 1:
            unseen.append(trail)
            continue
        free.remove(index)
        own[index] = _seen(trail, places[index], at_s)
    return Going((*own, *unseen)[:_MOST], at_s), own


def pixels(known: Going, shape: tuple[int, ...], far: bool = False) -> Plane | None:
    """A plane (H, W) with 255 where those that go are and were in the last two seconds; None: nothing goes.

    With `far`, those only that went farther than what swings.
    """
    at_s = known.at_s
    going = [trail for trail in known.trails if (trail.far if far else trail.gone) and trail.seen_s == at_s]
    if not going:
        return None
    plane = np.zeros(shape, np.uint8)
    for trail in going:
        half_x, half_y = trail.wide / 2 + _BESIDE_PX, trail.high / 2 + _BESIDE_PX
        for then_s, x, y in trail.path:
            if at_s - then_s <= _LATELY_S:
                left, top = max(0, int(x - half_x)), max(0, int(y - half_y))
                plane[top : int(y + half_y) + 1, left : int(x + half_x) + 1] = 255
    return plane


def _place(part: Thing) -> tuple[float, float, int, int]:
    left, top, wide, high = cv2.boundingRect(part.outline)
    return left + wide / 2, top + high / 2, wide, high


def _distance(trail: GoingTrail, place: tuple[float, float, int, int], at_s: float) -> float:
    """How far a part is from where the trail leads; 1 is as far as it may be."""
    x, y, wide, high = place
    long_px, was_px = max(wide, high), max(trail.wide, trail.high)
    if long_px > _GROWS * was_px or was_px > _GROWS * long_px:
        return math.inf
    passed_s = at_s - trail.seen_s
    pace_x, pace_y = _pace(trail)
    reach_px = _REACH_PX + _LENGTHS_PER_S * min(long_px, was_px) * passed_s
    away_x, away_y = x - trail.x - pace_x * passed_s, y - trail.y - pace_y * passed_s
    return max(abs(away_x), abs(away_y)) / reach_px


def _pace(trail: GoingTrail) -> tuple[float, float]:
    """Of the last half second, in pixels a second."""
    recent = [point for point in trail.path if trail.seen_s - point[0] <= 0.5]
    if not recent or trail.seen_s - recent[0][0] < 0.2:
        return 0.0, 0.0
    then_s, x, y = recent[0]
    return (trail.x - x) / (trail.seen_s - then_s), (trail.y - y) / (trail.seen_s - then_s)


def _seen(trail: GoingTrail, place: tuple[float, float, int, int], at_s: float) -> GoingTrail:
    x, y, wide, high = place
    path = trail.path
    if at_s - path[-1][0] >= _STEP_S:
        path = (*(point for point in path if at_s - point[0] <= _KEPT_S), (at_s, x, y))
    trail = replace(trail, path=path, seen_s=at_s, x=x, y=y, wide=wide, high=high)
    if path[-1][0] != at_s:
        return trail
    return replace(trail, gone=_gone(trail, trail.gone, *_LEFT), far=_gone(trail, trail.far, *_FAR))


def _gone(trail: GoingTrail, before: bool, least_px: float, lengths: float) -> bool:
    """It left its place along a line at an even pace, and did not come back: what swings does."""
    far_px = max(least_px, lengths * math.sqrt(trail.wide * trail.high))
    if before:
        return math.hypot(trail.x - trail.from_x, trail.y - trail.from_y) >= _BACK * far_px
    lately = tuple(point for point in trail.path if trail.seen_s - point[0] <= _LATELY_S)
    return _went(lately, far_px) or (len(lately) < len(trail.path) and _went(trail.path, far_px))


def _went(path: Path, far_px: float) -> bool:
    if len(path) < _LEAST or path[-1][0] - path[0][0] < _LEAST_S:
        return False
    at_s = [point[0] - path[-1][0] for point in path]
    pace_x, stray_x = even_pace(at_s, [point[1] for point in path])
    pace_y, stray_y = even_pace(at_s, [point[2] for point in path])
    gone_px = math.hypot(pace_x, pace_y) * -at_s[0]
    return gone_px >= far_px and math.sqrt(stray_x + stray_y) <= _STRAY_PX + _STRAY * gone_px
