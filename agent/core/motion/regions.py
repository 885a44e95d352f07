"""Foreground regions (blobs): from a mask of changed pixels to the boxes of what moves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core.motion.illumination import Fine, fine, only_light, sharp, unexplained
from agent.core.types import Box, Plane

Outline = NDArray[np.int32]
"""(N, 1, 2): the points (x, y) around one part of a mask, as OpenCV gives them."""

_SPECK = (5, 5)
_GAP = np.ones((7, 7), np.uint8)
_NEAR = np.ones((5, 5), np.uint8)
_NEAR_FRACTION = 0.015
_SMALL = 0.004
"""Of the view: less than a vehicle at mid distance, more than a drop near the lens."""
_LIGHT_PX = 40
"""Smaller things are all edge: light cannot be told from a thing there."""

_MOST = 0.35
"""Share of the view that changes where the exposure is still being found, or the camera is turned: then nobody
knows what moves."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known of one frame's pixels. All planes are (H, W)."""

    plane: Plane
    usual: Plane
    """The scene as it mostly looks."""
    look: Fine
    """The fine part of `usual`."""
    mask: Plane
    """255 where the plane differs from the scene, cleaned."""
    moved: Plane
    """255 where the plane differs from a second ago."""
    strange: Plane
    """255 where the plane differs from the scene and from its neighbours in the scene."""
    before: Plane | None
    """The mask of the frame before; None if that is too long ago."""
    firm: Plane | None
    """What of `before` its own frame before had shown as well; None if that is too long ago."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One part of the mask."""

    outline: Outline
    pixels: Plane
    """255 in the part, 0 beside it; as large as its window."""
    window: tuple[slice, slice]
    """Rows and columns of the mask."""
    area_px: int


def clean(raw: Plane) -> tuple[Plane, tuple[Outline, ...]]:
    """The mask without specks, with gaps closed and holes filled, and the outlines of its parts.

    A dark windscreen belongs to its car, so holes are filled.
    """
    if not cv2.countNonZero(raw):
        return raw, ()
    mask = cv2.morphologyEx(_major(raw), cv2.MORPH_CLOSE, _GAP)
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.asarray(cv2.drawContours(mask, outlines, -1, 255, cv2.FILLED), np.uint8)
    return filled, tuple(np.asarray(outline, np.int32) for outline in outlines)


def _major(mask: Plane) -> Plane:
    """255 where most of the 5 by 5 pixels around are: a median five times as fast."""
    most = cv2.blur(mask, _SPECK)
    cv2.threshold(most, 127, 255, cv2.THRESH_BINARY, most)
    return np.asarray(most, np.uint8)


def things(mask: Plane, outlines: tuple[Outline, ...], min_area: float, most: int) -> list[Thing]:
    """The parts of the mask of at least `min_area` (a fraction of it), largest first, twice `most` at most."""
    least_px = max(4.0, min_area * mask.size)
    found = []
    for outline in outlines:
        left, top, wide, high = cv2.boundingRect(outline)
        if wide * high < least_px:
            continue
        pixels = np.zeros((high, wide), np.uint8)
        cv2.drawContours(pixels, [outline], -1, 255, cv2.FILLED, offset=(-left, -top))
        area_px = int(cv2.countNonZero(pixels))
        if area_px >= least_px:
            found.append(Thing(outline, pixels, (slice(top, top + high), slice(left, left + wide)), area_px))
    return sorted(found, key=lambda thing: -thing.area_px)[: 2 * most]


def moving(big: list[Thing], seen: Evidence) -> tuple[list[Thing], Plane]:
    """Those parts of the mask that move and are things, largest first.

    And a plane of those parts, moving or not, that the frame before showed too: 255 there.
    """
    lasting = _overlapping(big, seen.before)
    firm = np.zeros(seen.mask.shape, np.uint8)
    for thing in lasting:
        part = firm[thing.window]
        np.bitwise_or(part, thing.pixels, out=part)
    small_px = _SMALL * seen.mask.size
    firmer = [each for each in lasting if each.area_px >= small_px]
    firmer += _overlapping([each for each in lasting if each.area_px < small_px], seen.firm)
    strange = _major(np.asarray(cv2.bitwise_and(seen.strange, seen.mask), np.uint8))
    return _unlit([each for each in firmer if moves(each, seen.moved, strange)], seen), firm


def boxes(some: Iterable[Thing], shape: tuple[int, ...], most: int) -> tuple[Box, ...]:
    """Boxes around parts of a mask of this shape, (H, W), in its fractions; at most `most`, largest first."""
    height, width = shape
    found = [
        Box(x.start / width, y.start / height, x.stop / width, y.stop / height)
        for y, x in (thing.window for thing in some)
    ]
    return merged(found, most)


def changing(
    plane: Plane, earlier: Sequence[Plane], limit: Plane, min_area: float, most: int
) -> tuple[Box, ...]:
    """Boxes around what is elsewhere than in the last two of the `earlier` planes, largest first.

    This is the double difference of three frames (Kameda and Minoh, VSMM 1996): it needs no scene, so it can
    tell from the second frame on what the remembered scene tells after seconds. It is no motion that is told: a
    beam, a swaying tree and rain are in it as well, of a slow thing only the rims, and of two frames also where
    it was.

    All planes are (H, W), the earlier ones oldest first; `limit` is the change of a pixel that counts, in luma
    steps. At most `most` boxes, of at least `min_area` of the view; none where nearly everything changes.
    """
    changed: Plane | None = None
    for other in earlier[-2:]:
        differs = np.asarray(cv2.compare(cv2.absdiff(plane, other), limit, cv2.CMP_GT), np.uint8)
        changed = differs if changed is None else np.asarray(cv2.bitwise_and(changed, differs), np.uint8)
    if changed is None or cv2.countNonZero(changed) > _MOST * changed.size:
        return ()
    mask, outlines = clean(changed)
    return boxes(things(mask, outlines, min_area, most), plane.shape, most)


def _overlapping(some: list[Thing], earlier: Plane | None) -> list[Thing]:
    """Those that an earlier frame showed at nearly the same place; all, where it is too long ago to tell.

    Rain, snow and insects are in one frame only. In a downpour a drop may fall where another one just was, so
    small things must show three times, each time near the last: somebody on a bicycle goes his own
    length within two frames.
    """
    if earlier is None or not some:
        return some
    near = np.asarray(cv2.dilate(earlier, _NEAR), np.uint8)
    return [each for each in some if _common(each.pixels, near[each.window]) >= 0.3 * each.area_px]


def moves(thing: Thing, moved: Plane, strange: Plane) -> bool:
    """It changed within the last second, and no tremble explains it.

    What did not change for a second stands. An edge that trembles takes on the greys of its neighbours, a
    thing brings greys of its own.
    """
    pixels, window, area_px = thing.pixels, thing.window, thing.area_px
    if _common(pixels, moved[window]) < max(3, 0.04 * area_px):
        return False
    return _common(pixels, strange[window]) >= max(4, 0.3 * area_px)


def _common(one: Plane, other: Plane) -> int:
    return int(cv2.countNonZero(cv2.bitwise_and(one, other)))


def _unlit(moving: list[Thing], seen: Evidence) -> list[Thing]:
    """Those that are no soft change of light: first the cheap test, then the fine one for the few in doubt."""
    if not any(thing.area_px >= _LIGHT_PX for thing in moving):
        return moving
    now, difference = fine(seen.plane), cv2.absdiff(seen.usual, seen.plane)
    kept, doubtful = [], {}
    for thing in moving:
        if thing.area_px >= _LIGHT_PX:
            # Mean difference from the usual view inside, in luma steps.
            change = float(cv2.mean(difference[thing.window], mask=thing.pixels)[0])
            along = _along(thing, now.shape)
            if not sharp(seen.look.ravel()[along], now.ravel()[along], change):
                doubtful[id(thing)] = along, change
        kept.append(thing)
    if not doubtful:
        return kept
    left = unexplained(seen.look, now).ravel()
    lit = {thing for thing, (along, change) in doubtful.items() if only_light(left[along], change)}
    return [thing for thing in kept if id(thing) not in lit]


def _along(thing: Thing, shape: tuple[int, ...]) -> NDArray[np.intp]:
    """Where a plane of half the size, (H, W) as `shape` says, lies along the outline: flat places, (N,).

    Every second point of the outline: at half the size they are neighbours.
    """
    x, y = thing.outline[::2, 0, 0] // 2, thing.outline[::2, 0, 1] // 2
    return np.minimum(y, shape[0] - 1) * np.intp(shape[1]) + np.minimum(x, shape[1] - 1)


def merged(found: Iterable[Box], most: int) -> tuple[Box, ...]:
    """Parts of one thing made one: boxes that overlap or nearly touch and fill their common box.

    At most `most`, largest first.
    """
    whole: list[Box] = []
    for box in found:
        new, others = box, whole
        whole = []
        for other in others:
            if _near(new, other):
                new = around(new, other)
            else:
                whole.append(other)
        whole.append(new)
    return tuple(sorted(whole, key=lambda box: -box.area)[:most])


def _near(one: Box, other: Box) -> bool:
    gap_x = max(one.left, other.left) - min(one.right, other.right)
    gap_y = max(one.top, other.top) - min(one.bottom, other.bottom)
    if max(gap_x, gap_y) > _NEAR_FRACTION:
        return False
    return (gap_x < 0 and gap_y < 0) or one.area + other.area >= 0.6 * around(one, other).area


def around(one: Box, other: Box) -> Box:
    """The smallest box that holds both."""
    return Box(
        min(one.left, other.left),
        min(one.top, other.top),
        max(one.right, other.right),
        max(one.bottom, other.bottom),
    )
