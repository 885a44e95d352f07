"""What came into the view and stands still: a bag, fallen cargo, a parked car, somebody who waits.

The scene takes in what stands after a minute, and cannot tell it from the road then. So of each thing two
pictures of its place are kept, from before it came and with it, and the place is asked which of them it looks
like. Both are fitted by gain and offset, so that light does not matter. Where a thing stood still together with
somebody who then goes, what is left of the two is looked for with the picture from before.

What is missing since the scene was learned looks just as new as what came. They are told apart by their
outline: a thing that came brings edges, one that left takes them along.

Sources: F. Porikli, Y. Ivanov, T. Haga, "Robust abandoned object detection using dual foregrounds", EURASIP
Journal on Advances in Signal Processing 2008, for the two memories; J. Connell et al., "Detection and tracking
in the IBM PeopleVision system", ICME 2004, for the edges of what came and what left.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core.motion.regions import Thing, clean, things
from agent.core.types import Box, Instant, Plane, StillRegion

LOOK_S = 0.45
"""Looks follow each other no sooner."""
_SURE_S = 2.0
"""What stood for less may be somebody who hesitates."""
_GONE_S = 0.9
"""A place that looks as before for so long is empty again."""
_REFRESH_S = 30.0
"""The two pictures of a place follow the light so often."""
_FORGET_S = 90.0
"""The scene has taken in by then what is no thing; until then its remains would look like one."""
_MOST = 16
_AROUND_PX = 4
"""So much of the ground around belongs to the picture of a place: what is flat shows by its edges only."""
_STILL = 0.04
"""Share of a thing's pixels that may change within a second."""
_COVERED = 0.06
"""A place where a larger share changes has something passing before it: nothing can be said."""
_NEW = 0.3
"""Share of a thing's pixels whose grey no neighbour in the scene explains."""
_BRINGS = 1.3
"""How many times as strong the edges along the outline are with the thing as without."""
_SHARP = 0.35
"""Edges along the outline, as a share of the change inside: less is soft light."""
_SAME_TEXTURE, _TEXTURE = 0.65, 1.0
"""Ground of such contrast, in luma steps, that shows through so clearly is only lit otherwise."""
_TEXTURE_PX = 120
"""In less, two textures are alike by chance: of a bag of 44 pixels and the road 0.78 were."""
_DIFFERS = 12
"""Luma steps by which what is left of a thing differs from the ground."""
_GAIN = 0.5, 2.0
_EDGE = np.ones((3, 3), np.uint8)
_CORE = np.ones((5, 5), np.uint8)

Window = tuple[slice, slice]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class StillPlace:
    """Where something stands. All planes are (h, w), as large as the window, and never written."""

    number: int
    """Counts those that stood long enough to be sure of; 0 before."""
    since: Instant
    window: Window
    """Rows and columns, with some of the ground around."""
    pixels: Plane
    """255 in the thing, 0 on the ground around it."""
    before: Plane
    """The place without it."""
    after: Plane
    """The place with it."""
    refreshed: Instant
    came: bool
    """It is a thing that came; False for light, and for a place that something left."""
    empty: Instant | None = None
    """Since when the place looks as it did before."""


@dataclass(frozen=True, slots=True)
class StillPlaces:
    """All that stands."""

    looked: Instant
    places: tuple[StillPlace, ...] = ()
    counted: int = 0


@dataclass(frozen=True, slots=True)
class StillLook:
    """One frame beside the scene. All planes are (H, W), masks 255 or 0."""

    plane: Plane
    usual: Plane
    """The scene as it mostly looks."""
    moved: Plane
    """What changed within the last second."""
    strange: Plane
    """What no neighbour's value in the scene explains."""
    parts: Sequence[Thing]
    """What differs from the scene."""
    least_area: float
    """Share of the view that the smallest thing has."""


def due(known: StillPlaces, at: Instant, parts: Sequence[Thing]) -> bool:
    """Whether there is something to look at, and the last look is long enough ago."""
    return bool(parts or known.places) and at.since(known.looked) >= LOOK_S


def look(known: StillPlaces, seen: StillLook, at: Instant) -> StillPlaces:
    """What stands after this frame."""
    places: list[StillPlace] = []
    counted = known.counted
    for place in known.places:
        now = _asked(place, seen, at)
        if now is None:
            places += _left_over(place, seen, at)
            continue
        if now.came and now.number == 0 and now.empty is None and at.since(now.since) >= _SURE_S:
            counted += 1
            now = replace(now, number=counted)
        places.append(now)
    places += _new(seen.parts, seen.usual, places, seen, at)
    return StillPlaces(at, tuple(places[:_MOST]), counted)


def regions(known: StillPlaces, shape: tuple[int, ...]) -> tuple[StillRegion, ...]:
    """What surely stands, in fractions of a view of this shape, (H, W)."""
    return tuple(_region(place, shape) for place in known.places if place.number)


def _region(place: StillPlace, shape: tuple[int, ...]) -> StillRegion:
    left, top, wide, high = cv2.boundingRect(place.pixels)
    left, top = left + place.window[1].start, top + place.window[0].start
    height, width = shape
    box = Box(left / width, top / height, (left + wide) / width, (top + high) / height)
    return StillRegion(place.number, box, place.since)


def _asked(place: StillPlace, seen: StillLook, at: Instant) -> StillPlace | None:
    """The place after this frame; None where the thing is gone."""
    if not place.came and at.since(place.since) >= _FORGET_S:
        return None
    if _share(seen.moved[place.window]) > _COVERED:
        return replace(place, empty=None)
    plane = seen.plane[place.window]
    with_it, without = _unlike(plane, place.after), _unlike(plane, place.before)
    if with_it > without:
        empty = place.empty or at
        return None if at.since(empty) >= _GONE_S else replace(place, empty=empty)
    if at.since(place.refreshed) < _REFRESH_S or with_it > without / 2:
        return replace(place, empty=None)
    before = np.where(place.pixels > 0, place.before, plane)
    return replace(place, empty=None, refreshed=at, after=plane.copy(), before=before)


def _unlike(plane: Plane, known: Plane) -> float:
    """How far a place is from a picture of it, whatever the light: mean difference in luma steps."""
    now = plane.astype(np.float32) - np.float32(plane.mean())
    was = known.astype(np.float32) - np.float32(known.mean())
    gain = float((now * was).sum()) / (float((was * was).sum()) + 1)
    return float(np.abs(now - was * np.float32(np.clip(gain, *_GAIN))).mean())


def _left_over(place: StillPlace, seen: StillLook, at: Instant) -> list[StillPlace]:
    """What is still there of a thing that changed: a bag after its owner went."""
    if not place.came:
        return []
    ground = seen.usual.copy()
    ground[place.window] = place.before
    differs = np.zeros_like(ground)
    change = cv2.absdiff(seen.plane[place.window], place.before)
    differs[place.window] = cv2.threshold(change, _DIFFERS, 255, cv2.THRESH_BINARY)[1]
    mask, outlines = clean(differs)
    parts = things(mask, outlines, seen.least_area, _MOST)
    return _new(parts, ground, (), replace(seen, strange=mask), at)


def _new(
    parts: Iterable[Thing], ground: Plane, known: Sequence[StillPlace], seen: StillLook, at: Instant
) -> list[StillPlace]:
    """The parts that stand still, are no noise and not known yet."""
    taken = np.zeros(seen.plane.shape, np.uint8)
    for place in known:
        taken[place.window] |= place.pixels
    found = []
    for part in parts:
        still = _common(part, seen.moved) <= _STILL
        if still and _common(part, seen.strange) >= _NEW and _common(part, taken) == 0:
            found.append(_place(part, ground, seen.plane, at))
    return found


def _common(part: Thing, plane: Plane) -> float:
    """Share of a part that a mask shows."""
    return int(cv2.countNonZero(cv2.bitwise_and(part.pixels, plane[part.window]))) / part.area_px


def _share(mask: Plane) -> float:
    return int(cv2.countNonZero(mask)) / max(1, mask.size)


def _place(part: Thing, ground: Plane, plane: Plane, at: Instant) -> StillPlace:
    rows, columns = part.window
    window = (
        slice(max(0, rows.start - _AROUND_PX), min(plane.shape[0], rows.stop + _AROUND_PX)),
        slice(max(0, columns.start - _AROUND_PX), min(plane.shape[1], columns.stop + _AROUND_PX)),
    )
    pixels = np.zeros_like(plane[window])
    top, left = rows.start - window[0].start, columns.start - window[1].start
    pixels[top : top + part.pixels.shape[0], left : left + part.pixels.shape[1]] = part.pixels
    before, after = ground[window].copy(), plane[window].copy()
    came = _came(pixels, before, after)
    return StillPlace(0, at, window, pixels, before, after, refreshed=at, came=came)


def _came(pixels: Plane, was: Plane, now: Plane) -> bool:
    """Is it a thing that came: no light, and no place that something left?"""
    inside = pixels > 0
    rim = cv2.morphologyEx(pixels, cv2.MORPH_GRADIENT, _EDGE) > 0
    change = float(np.abs(now.astype(np.float32) - was)[inside].mean())
    brings, had = _edges(now, rim), _edges(was, rim)
    if brings < _BRINGS * had or brings < _SHARP * change:
        return False
    core = cv2.erode(pixels, _CORE) > 0
    if int(np.count_nonzero(core)) < _TEXTURE_PX:
        return True
    ground, thing = _texture(was, core), _texture(now, core)
    contrast, own = float(np.sqrt((ground**2).mean())), float(np.sqrt((thing**2).mean()))
    return contrast < _TEXTURE or float((ground * thing).mean()) < _SAME_TEXTURE * contrast * max(own, 1e-6)


def _texture(plane: Plane, core: NDArray[np.bool_]) -> Floats:
    """What is neither grain nor shade within a part of a picture, (N,), in luma steps."""
    weight = core.astype(np.float32)
    values = plane.astype(np.float32) * weight
    near, around = (
        cv2.blur(values, (side, side)) / np.maximum(cv2.blur(weight, (side, side)), 1e-6) for side in (3, 9)
    )
    return np.asarray((near - around)[core], np.float32)


def _edges(plane: Plane, rim: NDArray[np.bool_]) -> float:
    """How strong the edges along an outline are, in luma steps."""
    return float(cv2.morphologyEx(plane, cv2.MORPH_GRADIENT, _EDGE)[rim].mean())
