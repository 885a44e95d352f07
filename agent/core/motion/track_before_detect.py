"""Track before detect: small and faint things, known by where they go, as no single frame shows them well.

A part of the picture that differs by half of what a lone pixel needs may be a road user far off or in the
dark, or noise, a drop, a shadow's rim. Only time tells: a road user goes on along a line and leaves his place,
the others do not. So the weak parts of each look are linked to trails, and what leaves a straight trail is a
thing: track before detect (Barniv, IEEE TAES 1985), on connected parts instead of pixels. Parts are where many
weak pixels lie together: as many of so many weak answers as noise does not give (Harrington, IRE Transactions
on Information Theory 1955).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from agent.core.motion.background import Background, beyond
from agent.core.motion.regions import Outline, moves, things
from agent.core.plain_sum import plain_sum
from agent.core.types import Box, Plane

Trail = tuple[tuple[float, float, float, int], ...]
"""One weak part in the last `_KEPT_S`, oldest first: (mono_s, x and y of its middle, its longer side), in
working pixels."""

LOOK_S = 0.122
"""Looks follow each other no sooner: somebody far off is hardly elsewhere, and each look costs."""
_AROUND = (5, 5)
_WITNESSES = 10
"""So many of the 25 pixels around must be weakly unlike the scene. Grain of full gain reached seven to ten of
them on one frame in fifty, the faintest road users show nine to 23 (144 rows, half the limit)."""
_LARGEST = 0.02
"""Of the view: what is larger shows well enough in a single frame."""
_MOST = 32
"""Parts that are looked at, and trails that are kept."""
_REACH_PX = 4.0
"""How far the middle of a part trembles from look to look: some of it shows now, some then."""
_LENGTHS_PER_S = 2.0
"""Nobody far off goes more of his own lengths in a second."""
_GROWS = 2.0
"""From look to look a thing changes its length by no more; the parts of a shaken edge have any length."""
_REST_S = 0.4
"""A trail that was not seen for so long has ended."""
_KEPT_S = 1.2
_LEAST_LOOKS = 6
"""Half a second or more. By chance the drops of a downpour made trails of four on one frame in 25, and of six
on none that had no regions anyway."""
_STRAY_PX = 1.5
"""How far, on average, the parts of a trail lie from one even pace along one line."""
_GONE_PX, _GONE_LENGTHS = 4.0, 0.5
"""A thing leaves its place; the rim of a shadow that creeps does not go half the length of what it shades."""
LEFT = (12.0, 1.0)
"""Pixels and its own lengths: who is so far from where he began has left it; what flits about has not."""


@dataclass(frozen=True, slots=True)
class Faint:
    """What is known of faint things after a look."""

    trails: tuple[Trail, ...]
    regions: tuple[Box, ...]
    looked_s: float
    left: tuple[Box, ...] = ()
    """Those of the regions that left where they began."""


@dataclass(frozen=True, slots=True)
class Sight:
    """One frame beside the scene. All planes are (H, W)."""

    plane: Plane
    scene: Background
    earlier: Plane
    """The plane of about a second ago."""
    far: Plane
    """The distance of each pixel from the scene, in luma steps."""
    limit: Plane
    """The distance from which a lone pixel counts."""
    counts: Plane | None
    """255 where motion counts; None where it counts everywhere."""


@dataclass(frozen=True, slots=True)
class _Part:
    outline: Outline
    x: float
    y: float
    long_px: int


def look(known: Faint, sight: Sight, at_s: float, min_area: float) -> Faint:
    """Link the weak parts of a frame to the trails; box those that go somewhere.

    `at_s` is the frame's mono_s; parts below `min_area` (a fraction of the view) do not count.
    """
    trails, going = _followed(known.trails, _parts(sight, min_area), at_s)
    regions, left = _boxes(going, sight, min_area) if going else ((), ())
    return Faint(trails, regions, at_s, left)


def _parts(sight: Sight, min_area: float) -> list[_Part]:
    """Connected parts where many pixels are weakly unlike the scene, the largest first."""
    weak = cv2.compare(cv2.add(sight.far, sight.far), sight.limit, cv2.CMP_GT)
    if sight.counts is not None:
        weak = cv2.bitwise_and(weak, sight.counts)
    many = cv2.blur(weak, _AROUND)
    cv2.threshold(many, 255 * _WITNESSES // 25 - 1, 255, cv2.THRESH_BINARY, many)
    outlines, _ = cv2.findContours(many, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    least_px, most_px = min_area * weak.size, _LARGEST * weak.size
    parts = []
    for outline in outlines:
        left, top, wide, high = cv2.boundingRect(outline)
        if least_px <= wide * high <= most_px:
            part = _Part(np.asarray(outline, np.int32), left + wide / 2, top + high / 2, max(wide, high))
            parts.append(part)
    return sorted(parts, key=lambda part: -part.long_px)[:_MOST]


def _followed(
    trails: tuple[Trail, ...], parts: Iterable[_Part], at_s: float
) -> tuple[tuple[Trail, ...], list[tuple[_Part, bool]]]:
    """The trails with the parts that go on with them, the longest first; and the parts that go somewhere.

    With each of these whether it left where it began.
    """
    waiting = [trail for trail in trails if at_s - trail[-1][0] <= _REST_S]
    followed: list[Trail] = []
    fresh: list[Trail] = []
    going = []
    for part in parts:
        here = at_s, part.x, part.y, part.long_px
        trail = next((each for each in waiting if _reaches(each, part, at_s)), None)
        if trail is None:
            fresh.append((here,))
            continue
        waiting.remove(trail)
        trail = (*(point for point in trail if at_s - point[0] <= _KEPT_S), here)
        followed.append(trail)
        gone_px = _gone_px(trail)
        if gone_px >= max(_GONE_PX, _GONE_LENGTHS * part.long_px):
            going.append((part, gone_px >= max(LEFT[0], LEFT[1] * part.long_px)))
    kept = sorted([*followed, *waiting, *fresh], key=len, reverse=True)
    return tuple(kept[:_MOST]), going


def _reaches(trail: Trail, part: _Part, at_s: float) -> bool:
    then_s, x, y, long_px = trail[-1]
    if max(long_px, part.long_px) > _GROWS * min(long_px, part.long_px):
        return False
    reach_px = _REACH_PX + _LENGTHS_PER_S * part.long_px * (at_s - then_s)
    return abs(part.x - x) <= reach_px and abs(part.y - y) <= reach_px


def _gone_px(trail: Trail) -> float:
    """How far it went, if it was seen often and an even pace along one line explains where it was; else 0."""
    if len(trail) < _LEAST_LOOKS:
        return 0.0
    last_s, last_x, last_y, _ = trail[-1]
    # Plain numbers: for so few points numpy takes four times as long.
    at_s = [point[0] - last_s for point in trail]
    pace_x, stray_x = even_pace(at_s, [point[1] - last_x for point in trail])
    pace_y, stray_y = even_pace(at_s, [point[2] - last_y for point in trail])
    straight = stray_x + stray_y <= _STRAY_PX**2
    return math.hypot(pace_x, pace_y) * -at_s[0] if straight else 0.0


def even_pace(at_s: list[float], places: list[float]) -> tuple[float, float]:
    """The even pace that explains these places best, a second, and the mean square of what it leaves."""
    many = len(at_s)
    mean_s, mean = plain_sum(at_s) / many, plain_sum(places) / many
    spread = plain_sum([(each - mean_s) ** 2 for each in at_s])
    shared = plain_sum([(each - mean_s) * (place - mean) for each, place in zip(at_s, places, strict=True)])
    left = plain_sum([(place - mean) ** 2 for place in places]) - shared**2 / spread
    return shared / spread, left / many


def _boxes(
    going: list[tuple[_Part, bool]], sight: Sight, min_area: float
) -> tuple[tuple[Box, ...], tuple[Box, ...]]:
    """Boxes of those that changed within the last second and no tremble explains; and of those who left."""
    half = np.asarray(cv2.convertScaleAbs(sight.limit, alpha=0.5), np.uint8)
    moved = np.asarray(cv2.compare(cv2.absdiff(sight.plane, sight.earlier), half, cv2.CMP_GT), np.uint8)
    strange = beyond(sight.scene, sight.plane, half)
    height, width = sight.plane.shape
    left = {id(part.outline) for part, gone in going if gone}
    found = [
        (Box(x.start / width, y.start / height, x.stop / width, y.stop / height), id(thing.outline) in left)
        for thing in things(sight.plane, tuple(part.outline for part, _ in going), min_area, _MOST)
        if moves(thing, moved, strange)
        for y, x in (thing.window,)
    ]
    return tuple(box for box, _ in found), tuple(box for box, gone in found if gone)
