"""Restless places: where the picture keeps changing and nothing goes anywhere, such as in a tree or at a lamp.

Each place, a square of four by four pixels, learns two shares. It sways where its pixels change between greys
that the scene knows, now and a second ago: leaves before the sky. Things flit there where its pixels turn from
scene to not and back: insects at a lamp. What goes somewhere is left out (going.py), with all that changed
just before and after it, where road users are followed, and where many went far: a road is none. A place
becomes restless within seconds and calm again within minutes, for wind comes in gusts.

What moves in a restless place is told as motion only if it goes somewhere. The scene is learned there as
everywhere, and the detector looks there as everywhere: a dense queue may look like leaves, but not to it.

A pixel that flickers between greys it had before should not count (SuBSENSE: St-Charles et al., IEEE TIP 2015,
section III-C, where such pixels get other limits and are learned faster).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core.motion import going
from agent.core.motion.going import Going
from agent.core.motion.regions import Thing
from agent.core.types import Box, Plane

Floats = NDArray[np.float32]

CELL_PX = 4
_AROUND = (3, 3)
"""Cells: a leaf swings some pixels, and is beside its place before it was ever seen there."""
_RISE_S, _FALL_S = 4.0, 90.0
_STEP_S = 0.5
"""One look speaks for no more, however long ago the one before was."""
SWAYS, FLITS = 0.07, 0.07
"""Share of a place's pixels that change so from one look to the next, averaged over `_RISE_S`."""
_NEAR_BY, ODD = (9, 9), 0.006
"""Cells, and the share of their pixels that flit: a picture that trembles with its pole sways, but shows little
that no place near by has."""
_LATER_S = 2.0
"""Changes count so long after they were seen: until then it shows whether somebody was on his way there. What
changes so soon before and after he was there is his."""
_NEVER = -1e9
_ROAD, _ROAD_S = 2.0, 120.0
"""Where so many went far in about so long is a road: it does not sway, whatever it looks like between them."""
_SMALL = 0.02
"""Of the view: insects are smaller."""
_WITHIN = 0.5
"""A part of which so much lies in restless places belongs to them."""
_LOOK_S = 0.35
"""Places are learned no more often: twice as often tells the same for twice the cost."""
_STIRS = 0.002
"""Of the view: where less changes and nothing was restless, there is nothing to learn."""


@dataclass(frozen=True, slots=True)
class RestlessLook:
    """What one look sees. Planes are (H, W), masks 255 or 0."""

    raw: Plane
    """What differs from the scene."""
    then: Plane
    """What differed a second ago."""
    moved: Plane
    """What changed within the last second."""
    strange: Plane
    """What no neighbour's value in the scene explains."""
    tremble: Plane | None
    """What a tremble explains, for the view shakes; None where it holds still."""
    parts: Sequence[Thing]
    """Of the mask."""
    followed: Sequence[Box]
    """Where road users are, in fractions of the view."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What one look saw, until it counts."""

    at_s: float
    """In seconds since the first look."""
    cells: Floats
    """(H / 4, W / 4, 2): of each cell the share of pixels, 0..255, that changed between known greys, and
    between scene and not."""


@dataclass(frozen=True, slots=True)
class RestlessPlaces:
    """How restless each place is. Planes are (H, W), cells (H / 4, W / 4)."""

    share: Floats
    """(H / 4, W / 4, 2): the shares of pixels that sway, and that flit, 0..1."""
    passed: Floats
    """Cells: when something that goes somewhere was last there, in seconds since the first look."""
    roads: Floats
    """Cells: how many went far through it lately."""
    odd: Plane
    """255 where the picture showed at the last look what no place near by has in the scene."""
    began_s: float
    going: Going = field(default_factory=Going)
    gone: Plane | None = None
    """255 where those are who left their place; None: nobody did."""
    far: Plane | None = None
    """255 where those are who went farther than what swings."""
    swaying: Plane | None = None
    """255 where the place sways; None where none does."""
    flitting: Plane | None = None
    """255 where things flit; None where they do so nowhere."""
    counted_s: float = 0.0
    """Up to when changes count, in seconds since the first look."""
    waiting: tuple[Changes, ...] = ()
    """What does not count yet."""


def begin(shape: tuple[int, ...], at_s: float) -> RestlessPlaces:
    """All places of a view of this shape, (H, W), are calm; `at_s` is the mono_s of the first look."""
    cells = max(1, shape[0] // CELL_PX), max(1, shape[1] // CELL_PX)
    never = np.full(cells, _NEVER, np.float32)
    share, roads = np.zeros((*cells, 2), np.float32), np.zeros(cells, np.float32)
    return RestlessPlaces(share, never, roads, np.zeros(shape, np.uint8), at_s)


def look(known: RestlessPlaces, seen: RestlessLook, at_s: float) -> RestlessPlaces:
    """After one more look; `at_s` is its mono_s."""
    trails = going.follow(known.going, seen.parts, at_s)
    gone, far = (going.pixels(trails, seen.raw.shape, far=each) for each in (False, True))
    known = replace(known, going=trails, gone=gone, far=far, roads=_roads(known, far, at_s))
    now_s = at_s - known.began_s
    if known.waiting and now_s - known.waiting[-1].at_s < _LOOK_S:
        return known
    changed_px = max(cv2.countNonZero(seen.moved), cv2.countNonZero(seen.raw))
    if not known.waiting and changed_px < _STIRS * seen.raw.size and not known.share.any():
        return known
    return _learned(known, seen, _there(gone, seen.followed, known.passed.shape), now_s)


def _roads(known: RestlessPlaces, far: Plane | None, at_s: float) -> Floats:
    """How many went far through each cell lately, after a look with those who do now."""
    roads = known.roads
    if roads.any():
        roads = roads * np.float32(np.exp(-(at_s - known.going.at_s) / _ROAD_S))
    if far is None:
        return roads
    size = roads.shape[::-1]
    now = cv2.resize(far, size, interpolation=cv2.INTER_AREA) > 0
    before = np.zeros_like(now)
    if known.far is not None:
        before = cv2.resize(known.far, size, interpolation=cv2.INTER_AREA) > 0
    return np.asarray(roads + (now & ~before), np.float32)


def _there(gone: Plane | None, followed: Sequence[Box], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Cells, (H / 4, W / 4), where somebody is on his way or is followed."""
    rows, columns = shape
    there = np.zeros((rows, columns), np.bool_)
    if gone is not None:
        there = np.asarray(cv2.resize(gone, (columns, rows), interpolation=cv2.INTER_AREA) > 0)
    for box in followed:
        top, bottom = max(0, int(box.top * rows)), max(0, int(box.bottom * rows) + 1)
        there[top:bottom, max(0, int(box.left * columns)) : max(0, int(box.right * columns) + 1)] = True
    return there


def _learned(
    known: RestlessPlaces, seen: RestlessLook, there: NDArray[np.bool_], now_s: float
) -> RestlessPlaces:
    passed, waiting, size = known.passed, known.waiting, known.passed.shape[::-1]
    if there.any():
        passed = np.where(there, np.float32(now_s), passed)
        waiting = tuple(replace(each, cells=_without(each.cells, there)) for each in waiting)
    odd = np.asarray(cv2.bitwise_and(seen.raw, seen.strange), np.uint8)
    other = cv2.bitwise_or(seen.raw, seen.then)
    if seen.tremble is not None:
        other = cv2.bitwise_or(other, seen.tremble)
    sways = cv2.bitwise_and(seen.moved, cv2.bitwise_not(other))
    both = cv2.merge([sways, cv2.bitwise_xor(odd, known.odd)])
    cells = np.asarray(cv2.resize(both, size, interpolation=cv2.INTER_AREA), np.float32)
    cells = _without(cells, now_s - passed <= _LATER_S)
    waiting = (*waiting, Changes(now_s, cells))
    share, counted_s = known.share, known.counted_s
    while waiting and now_s - waiting[0].at_s >= _LATER_S:
        share = _counted(share, waiting[0].cells, waiting[0].at_s - counted_s)
        counted_s, waiting = waiting[0].at_s, waiting[1:]
    after = replace(known, passed=passed, odd=odd, counted_s=counted_s, waiting=waiting)
    if share is known.share:
        return after
    sways, flits = share[..., 0], share[..., 1]
    leaves = (sways > SWAYS) & (cv2.blur(flits, _NEAR_BY) > ODD) & (known.roads < _ROAD)
    swaying, flitting = _pixels(leaves, odd.shape), _pixels(flits > FLITS, odd.shape)
    return replace(after, share=share, swaying=swaying, flitting=flitting)


def tellable(known: RestlessPlaces, parts: Sequence[Thing], view_px: int) -> list[Thing]:
    """The parts of a mask of `view_px` pixels that may be told: those elsewhere, and those that go."""
    small_px = _SMALL * view_px
    return [part for part in parts if not _rests(known, part, small_px)]


def _rests(known: RestlessPlaces, part: Thing, small_px: float) -> bool:
    """Whether a part sways or flits and does not go."""
    if _within(part, known.swaying) and not _within(part, known.far):
        return True
    return part.area_px < small_px and _within(part, known.flitting) and not _within(part, known.gone)


def shown(known: RestlessPlaces, mask: Plane, parts: Sequence[Thing]) -> Plane:
    """The mask, (H, W), without what sways but for these parts, which may be larger than there."""
    if not parts and (known.swaying is None or not cv2.countNonZero(mask)):
        return mask
    kept = mask.copy() if known.swaying is None else mask & ~known.swaying
    for part in parts:
        np.bitwise_or(kept[part.window], part.pixels, out=kept[part.window])
    return kept


def calm(known: RestlessPlaces, box: Box, left: bool) -> bool:
    """Whether a faint region, in fractions of the view, may be told; what sways or flits does not leave."""
    return not (_lies(box, known.swaying) or (not left and _lies(box, known.flitting)))


def _lies(box: Box, places: Plane | None) -> bool:
    """Whether a box, in fractions of the view, belongs to such places, 255 in the plane."""
    if places is None:
        return False
    height, width = places.shape
    rows = slice(int(box.top * height), int(np.ceil(box.bottom * height)))
    part = places[rows, int(box.left * width) : int(np.ceil(box.right * width))]
    return bool(part.size) and cv2.countNonZero(part) >= _WITHIN * part.size


def _within(part: Thing, places: Plane | None) -> bool:
    """Whether a part belongs to such places, 255 in the plane."""
    if places is None:
        return False
    return cv2.countNonZero(cv2.bitwise_and(part.pixels, places[part.window])) >= _WITHIN * part.area_px


def _without(cells: Floats, places: NDArray[np.bool_]) -> Floats:
    return np.asarray(np.where(places[..., None], np.float32(0), cells), np.float32)


def _counted(share: Floats, cells: Floats, long_s: float) -> Floats:
    now = cv2.blur(cells, _AROUND) / np.float32(255)
    rise, fall = np.float32(min(long_s, _STEP_S) / _RISE_S), np.float32(min(1.0, long_s / _FALL_S))
    share = share + (now - share) * np.where(now > share, rise, fall)
    return np.asarray(np.where(share < 1e-4, np.float32(0), share), np.float32)


def _pixels(cells: NDArray[np.bool_], shape: tuple[int, ...]) -> Plane | None:
    restless = np.asarray(cells, np.uint8) * np.uint8(255)
    if not cv2.countNonZero(restless):
        return None
    return np.asarray(cv2.resize(restless, shape[::-1], interpolation=cv2.INTER_NEAREST), np.uint8)
