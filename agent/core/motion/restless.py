"""Restless places: where the picture keeps changing and nothing goes anywhere, such as in a tree or at a lamp.

Each place, a square of four by four pixels, learns two shares. It sways where its pixels change between greys
that the scene knows, now and a second ago: leaves before the sky. Things flit there where its pixels turn from
scene to not and back: insects at a lamp. What goes somewhere is left out (going.py), with all that changed
just before and after it: a busy road is no restless place. A place becomes restless within seconds and calm
again within minutes, for wind comes in gusts.

A pixel that flickers between greys it had before should not count (SuBSENSE: St-Charles et al., IEEE TIP 2015,
section III-C, where such pixels get other limits and are learned faster). Here what sways is learned whatever
it shows, and what differs there all the same must go far before it is told; where things flit, what is small
must go somewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core.motion.going import GoingTrail
from agent.core.motion.regions import Thing
from agent.core.types import Plane

Floats = NDArray[np.float32]

CELL_PX = 4
_AROUND = (3, 3)
"""Cells: a leaf swings some pixels, and is beside its place before it was ever seen there."""
_RISE_S, _FALL_S = 4.0, 90.0
SWAYS, FLITS = 0.07, 0.07
"""Share of a place's pixels that change so from one look to the next, averaged over `_RISE_S`."""
_NEAR_BY, ODD = (9, 9), 0.006
"""Cells, and the share of their pixels that flit: a picture that trembles with its pole sways, but shows little
that no place near by has."""
_SECOND_S = 1.1
"""What was known a second ago: looks come when frames do."""
_LATER_S = 2.0
"""Changes count so long after they were seen: until then it shows whether somebody was on his way there. What
changes so soon before and after he was there is his."""
_NEVER = -1e9
_SMALL = 0.02
"""Of the view: insects are smaller."""
_WITHIN = 0.5
"""A part of which so much lies in restless places belongs to them."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What one look saw, until it counts."""

    at_s: float
    """In seconds since the first look."""
    cells: Floats
    """(H / 4, W / 4, 2): of each cell the share of pixels, 0..255, that changed between known greys, and
    between scene and not."""
    raw: Plane
    """(H, W): 255 where the picture differed from the scene."""


@dataclass(frozen=True, slots=True)
class RestlessPlaces:
    """How restless each place is. Planes are (H, W), cells (H / 4, W / 4)."""

    share: Floats
    """(H / 4, W / 4, 2): the shares of pixels that sway, and that flit, 0..1."""
    passed: Floats
    """Cells: when something that goes somewhere was last there, in seconds since the first look."""
    odd: Plane
    """255 where the picture showed at the last look what no place near by has in the scene."""
    began_s: float
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
    return RestlessPlaces(np.zeros((*cells, 2), np.float32), never, np.zeros(shape, np.uint8), at_s)


def learn(
    known: RestlessPlaces, raw: Plane, moved: Plane, strange: Plane, going: Plane | None, at_s: float
) -> RestlessPlaces:
    """After one more look. All planes are (H, W), 255 or 0; `at_s` is its mono_s.

    `raw` is what differs from the scene, `moved` what changed within the last second, `going` where those are
    and were in the last two seconds who go somewhere.
    """
    now_s = at_s - known.began_s
    passed, waiting, size = known.passed, known.waiting, known.passed.shape[::-1]
    if going is not None:
        there = cv2.resize(going, size, interpolation=cv2.INTER_AREA) > 0
        passed = np.where(there, np.float32(now_s), passed)
        waiting = tuple(replace(each, cells=_without(each.cells, there)) for each in waiting)
    then = next((each.raw for each in known.waiting if now_s - each.at_s <= _SECOND_S), raw)
    odd = np.asarray(cv2.bitwise_and(raw, strange), np.uint8)
    sways = cv2.bitwise_and(moved, cv2.bitwise_not(cv2.bitwise_or(raw, then)))
    both = cv2.merge([sways, cv2.bitwise_xor(odd, known.odd)])
    cells = np.asarray(cv2.resize(both, size, interpolation=cv2.INTER_AREA), np.float32)
    cells = _without(cells, now_s - passed <= _LATER_S)
    waiting = (*waiting, Changes(now_s, cells, raw))
    share, counted_s = known.share, known.counted_s
    while waiting and now_s - waiting[0].at_s >= _LATER_S:
        share = _counted(share, waiting[0].cells, waiting[0].at_s - counted_s)
        counted_s, waiting = waiting[0].at_s, waiting[1:]
    after = replace(known, passed=passed, odd=odd, counted_s=counted_s, waiting=waiting)
    if share is known.share:
        return after
    sways, flits = share[..., 0], share[..., 1]
    leaves = (sways > SWAYS) & (cv2.blur(flits, _NEAR_BY) > ODD)
    swaying, flitting = _pixels(leaves, raw.shape), _pixels(flits > FLITS, raw.shape)
    return replace(after, share=share, swaying=swaying, flitting=flitting)


def told(
    known: RestlessPlaces, parts: Sequence[Thing], trails: Sequence[GoingTrail], mask: Plane
) -> tuple[list[Thing], Plane]:
    """The parts of the mask, (H, W), that may be told; and the mask without what sways.

    `trails` has the trail of each part.
    """
    both = list(zip(parts, trails, strict=True))
    if (places := known.flitting) is not None:
        small_px = _SMALL * mask.size
        both = [
            (part, trail)
            for part, trail in both
            if trail.gone or part.area_px >= small_px or not _within(part, places)
        ]
    if (places := known.swaying) is None:
        return [part for part, _ in both], mask
    kept = np.asarray(cv2.bitwise_and(mask, cv2.bitwise_not(places)), np.uint8)
    for part, trail in zip(parts, trails, strict=True):
        if trail.far or not _within(part, places):
            np.bitwise_or(kept[part.window], part.pixels, out=kept[part.window])
    return [part for part, trail in both if trail.far or not _within(part, places)], kept


def _within(part: Thing, places: Plane) -> bool:
    """Whether a part belongs to such places, 255 in the plane."""
    return cv2.countNonZero(cv2.bitwise_and(part.pixels, places[part.window])) >= _WITHIN * part.area_px


def _without(cells: Floats, places: NDArray[np.bool_]) -> Floats:
    return np.asarray(np.where(places[..., None], np.float32(0), cells), np.float32)


def _counted(share: Floats, cells: Floats, long_s: float) -> Floats:
    now = cv2.blur(cells, _AROUND) / np.float32(255)
    pace = np.where(now > share, np.float32(long_s / _RISE_S), np.float32(long_s / _FALL_S))
    return np.asarray(share + (now - share) * np.minimum(pace, np.float32(0.5)), np.float32)


def _pixels(cells: NDArray[np.bool_], shape: tuple[int, ...]) -> Plane | None:
    restless = np.asarray(cells, np.uint8) * np.uint8(255)
    if not cv2.countNonZero(restless):
        return None
    return np.asarray(cv2.resize(restless, shape[::-1], interpolation=cv2.INTER_NEAREST), np.uint8)
