"""Background model: what a place looks like when nothing is there, a handful of remembered values per pixel.

Each pixel keeps `SAMPLES` grey values that it had at random moments of the last seconds. A new value that is
close to at least two of them is background (ViBe: Barnich and Van Droogenbroeck, IEEE TIP 2011), so a leaf that
swings between two greys is known by both. How close is close is learned per pixel from the values themselves
(PBAS: Hofmann et al., CVPRW 2012; SuBSENSE: St-Charles et al., IEEE TIP 2015).

Chance is a fixed grain that is shifted from frame to frame, so that the same frames give the same model again.
Planes are never written after they are made: a new model shares those that did not change with the old one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core.types import Plane

Floats = NDArray[np.float32]

SAMPLES = 10
"""ViBe uses 20, PBAS 35; on CDnet's highway more than 10 gained nothing and cost in proportion."""

_GRAIN_PX = 64
_STALE = 0.2
_EXPLAINED = 6
_BLACK, _WHITE = 20, 232
"""Just inside 16..235, the range of a video signal: beyond, detail may be lost."""
_AROUND = np.ones((3, 3), np.uint8)
_NEIGHBOURS = ((-1, -1), (1, 1), (-1, 1), (1, -1), (0, -1), (0, 1), (-1, 0), (1, 0))


@dataclass(frozen=True, slots=True)
class Background:
    """The remembered values of every pixel and how much they vary. All planes are (H, W)."""

    samples: tuple[Plane, ...]
    noise: Floats
    """Mean difference of two values of the same quiet pixel, in luma steps."""
    flicker: Floats
    """How often a pixel changes between background and not, 0 never .. 255 each frame."""
    view: Plane
    """How the scene mostly looks: the median of three medians of three samples, now and then made anew."""
    darkest: Plane
    """The least of the 3 by 3 values of `view` around each pixel."""
    brightest: Plane
    """The largest of them."""
    stale: float
    """The share of samples that changed since `view` was made."""
    turns: int
    """How many frames were learned; drives the grain."""


@lru_cache(maxsize=16)
def _grain(height_px: int, width_px: int) -> NDArray[np.uint16]:
    shape = (height_px + _GRAIN_PX, width_px + _GRAIN_PX)
    return np.random.default_rng(20110601).integers(0, 65536, shape, np.uint16)


def chance(shape: tuple[int, ...], turn: int, share: float) -> Plane:
    """A mask (255 or 0) that picks about `share` (0..1) of the pixels; another one for each turn."""
    mixed = (turn + 1) * 2654435761 & 0xFFFFFFFF  # Knuth's multiplicative hash
    down, right = mixed >> 10 & _GRAIN_PX - 1, mixed >> 20 & _GRAIN_PX - 1
    part = _grain(shape[0], shape[1])[down : down + shape[0], right : right + shape[1]]
    return np.asarray(cv2.inRange(part, 0, round(min(1.0, share) * 65536) - 1), np.uint8)


def begin(plane: Plane, noise: float = 2.0) -> Background:
    """A model that knows one picture only; neighbours lend their values (ViBe, section III-B)."""
    framed = cv2.copyMakeBorder(plane, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    height_px, width_px = plane.shape
    samples = [plane.copy()]
    for turn in range(SAMPLES - 1):
        down, right = _NEIGHBOURS[turn % 8]
        lent = framed[1 + down : 1 + down + height_px, 1 + right : 1 + right + width_px]
        sample = plane.copy()
        cv2.copyTo(lent, chance(plane.shape, turn, 0.5), sample)
        samples.append(sample)
    quiet = np.full(plane.shape, noise, np.float32)
    view = samples[0]
    return Background(
        samples=tuple(samples),
        noise=quiet,
        flicker=np.zeros(plane.shape, np.float32),
        view=view,
        darkest=_darkest(view),
        brightest=_brightest(view),
        stale=0.0,
        turns=0,
    )


def distance(model: Background, plane: Plane) -> Plane:
    """How far each pixel is from the second closest of its remembered values, in luma steps."""
    first = cv2.absdiff(model.samples[0], plane)
    other = cv2.absdiff(model.samples[1], plane)
    second = cv2.max(first, other)
    cv2.min(first, other, first)
    farther = np.empty_like(plane)
    for sample in model.samples[2:]:  # four planes that are written again and again stay in the nearest cache
        cv2.absdiff(sample, plane, other)
        cv2.max(first, other, farther)
        cv2.min(second, farther, second)
        cv2.min(first, other, first)
    return np.asarray(second, np.uint8)


def limits(model: Background, smallest: float, noise_times: float, flicker_times: float) -> Plane:
    """The distance from which a pixel is no longer background, per pixel, in luma steps."""
    planes = cv2.addWeighted(model.noise, noise_times, model.flicker, flicker_times, smallest, dtype=cv2.CV_8U)
    return np.asarray(planes, np.uint8)


def beyond(model: Background, plane: Plane, limit: Plane) -> Plane:
    """255 where a value is also unlike all neighbours in the usual view: not one that a tremble brought here.

    Elgammal et al. (ECCV 2000, section 3) suppress false detections in the same way.
    """
    darker = cv2.subtract(model.darkest, plane)
    brighter = cv2.subtract(plane, model.brightest)
    return np.asarray(cv2.compare(cv2.max(darker, brighter), limit, cv2.CMP_GT), np.uint8)


def learn(model: Background, plane: Plane, quiet: Plane, share: float) -> Background:
    """Remember the values of `share` of the `quiet` (255) pixels, half of them for a neighbour as well.

    A neighbour that learns the value lets the model follow a trembling picture and eats up ghosts from
    their edges (ViBe, section III-D).
    """
    turn = model.turns
    samples = list(model.samples)
    own = turn % SAMPLES
    picked = cv2.bitwise_and(chance(plane.shape, turn, share), quiet)
    samples[own] = samples[own].copy()
    cv2.copyTo(plane, picked, samples[own])
    down, right = _NEIGHBOURS[turn % 8]
    height_px, width_px = plane.shape
    lent = slice(1 + down, height_px - 1 + down), slice(1 + right, width_px - 1 + right)
    picked = cv2.bitwise_and(chance(plane.shape, 3 * turn + 1, share / 2), quiet)
    other = (turn + SAMPLES // 2) % SAMPLES
    samples[other] = samples[other].copy()
    cv2.copyTo(plane[lent], picked[lent], samples[other][1:-1, 1:-1])
    stale = model.stale + share
    learned = replace(model, samples=tuple(samples), stale=stale, turns=turn + 1)
    return _viewed(learned) if stale >= _STALE else learned


def tune(model: Background, plane: Plane, quiet: Plane, flips: Plane, rate: float) -> Background:
    """Follow each pixel's noise where it is `quiet`, and how often it flips (255) between the two kinds."""
    noise = model.noise.copy()
    cv2.accumulateWeighted(cv2.absdiff(model.samples[model.turns % SAMPLES], plane), noise, rate, quiet)
    flicker = model.flicker.copy()
    cv2.accumulateWeighted(flips, flicker, rate)
    return replace(model, noise=noise, flicker=flicker)


def adopt(model: Background, plane: Plane, pixels: Plane) -> Background:
    """Take what stands at `pixels` (255) as background as well: two more samples get its values."""
    if not cv2.countNonZero(pixels):
        return model
    samples = list(model.samples)
    for place in (model.turns + 2) % SAMPLES, (model.turns + 3) % SAMPLES:
        samples[place] = samples[place].copy()
        cv2.copyTo(plane, pixels, samples[place])
    return replace(model, samples=tuple(samples))


def toned(model: Background, curve: Plane, plane: Plane, far: Plane) -> Background:
    """The same scene under another exposure: every remembered value through `curve` (256 values).

    Where the curve says much but `far`, the distance before, was small, the values stay: captions and logos
    have no exposure. Where the scene was blown out or black the curve knows nothing, so those
    pixels take the values of `plane`.
    """
    view = model.view
    clipped = cv2.bitwise_not(np.asarray(cv2.inRange(view, _BLACK, _WHITE), np.uint8))
    foretold = cv2.absdiff(view, np.asarray(cv2.LUT(view, curve), np.uint8))
    known = cv2.bitwise_and(cv2.inRange(far, 0, _EXPLAINED), cv2.inRange(foretold, 2 * _EXPLAINED, 255))
    samples = []
    for sample in model.samples:
        changed = np.asarray(cv2.LUT(sample, curve), np.uint8)
        cv2.copyTo(plane, clipped, changed)
        cv2.copyTo(sample, known, changed)
        samples.append(changed)
    return _viewed(replace(model, samples=tuple(samples)))


def _viewed(model: Background) -> Background:
    """The same with its view made anew."""
    view = _usual(model.samples)
    return replace(model, view=view, darkest=_darkest(view), brightest=_brightest(view), stale=0.0)


def _darkest(view: Plane) -> Plane:
    return np.asarray(cv2.erode(view, _AROUND), np.uint8)


def _brightest(view: Plane) -> Plane:
    return np.asarray(cv2.dilate(view, _AROUND), np.uint8)


def _usual(s: tuple[Plane, ...]) -> Plane:
    return _middle(_middle(s[0], s[1], s[2]), _middle(s[3], s[4], s[5]), _middle(s[6], s[7], s[8]))


def _middle(first: Plane, second: Plane, third: Plane) -> Plane:
    """The median of three planes, pixel by pixel."""
    low, high = cv2.min(first, second), cv2.max(first, second)
    return np.asarray(cv2.max(low, cv2.min(high, third)), np.uint8)
