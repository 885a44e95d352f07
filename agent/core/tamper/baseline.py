"""Baseline, what a camera usually shows: learned slowly, and how far the present picture is from it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core.tamper.features import Floats, Look, around, likeness, quantile

FIRST_LOOKS = 8
"""A view is known after so many looks."""
_FOLLOW_S = 15.0
"""How fast the usual measures follow: dusk and fog are slower, a hand is faster."""
_RELIABLE = 0.02
"""Least mean of squared likeness around a block for the block to be judged."""
_GONE, _THERE = 0.2, 0.65
"""Between these parts of its usual likeness a block counts in part."""
_FAINT = 0.15
"""Likeness below which a block is not judged."""
_EDGED = 0.5
"""This share of the blocks, those with the most detail, tell about sharpness."""
_GREY, _COLOUR = 2.0, 5.0
_NO_COLOUR, _TINGE = 0.3, 1.5
"""Infrared's grey has no colour at all; plain asphalt by day has a tinge."""
_FEW = 6
"""Blocks with edges, fewer of which tell nothing about sharpness."""
_BOUNDS = 0.3
"""Luma steps squared of detail that rounding and noise leave of none."""
_FAINTEST, _CLEAR = 0.14**2, 0.24**2
"""Between these parts of its usual relative contrast, as powers, a block counts in part."""
_DARKEST, _LIT = 0.08**2, 0.15**2
"""The same for contrast by itself: what only glimmers is not seen, however dark it is around."""
_DIM = 0.1
"""Level below which relative contrast is not told."""
CRISP = 0.5
"""Luma steps squared of fine detail that show something sharp."""
_SHARP = 0.05
"""The same as a part of the contrast."""
_THROUGH, _SOFT = 0.2, 0.35
"""Parts of its usual likeness and fine detail: above the one, below the other, a block shines through mist."""
_LIKE = 0.25
_SEES = 0.35
"""Likeness of two looks in a row from which on a block shows something."""

_FLOOR = 0.02
_SOMETHING = 0.2
"""Luma steps squared of structure that count half as something."""
_LIGHT_S = 6.0
"""How fast the usual light follows."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """The learned view. Blocks are (ROWS, columns)."""

    looks: int
    structure: Floats
    likeness: Floats
    """Of single looks to `structure`; low where traffic or noise hides it."""
    levels: Floats
    contrast: Floats
    detail: Floats
    colours: tuple[float, float]
    high: float
    white: float


@dataclass(frozen=True, slots=True)
class Change:
    """The present picture beside the usual one."""

    lost: float
    """Share of the judged area whose structure is gone, 0..1."""
    judged: float
    """Share of the view that has structure to judge by, 0..1."""
    like: Floats
    """Per block, -1..1: likeness to the usual structure."""
    kept: Floats
    """Per block, 0..1: how much of the usual structure is there."""
    faintly: float
    """Likeness that half of the blocks reach, as far as their contrast is there."""
    fresh: float
    """Share of the view, 0..1, that has fine detail and where nothing is as usual."""
    crisp: float
    """Share of the view that usually has fine detail."""
    edges: int
    """How many blocks have edges to judge sharpness by."""
    sharpness: Floats
    """(N,): of those with their structure in place, as a part of the usual."""
    misted: float
    """Share of these blocks, 0..1, whose structure is still to be made out, but not their fine detail."""

    @property
    def in_place(self) -> float:
        """Share of the view that is as usual; names and clocks are burned in at the edge, and left out."""
        return float(np.count_nonzero(self.kept[1:-1] > 0.8)) / self.kept[1:-1].size

    @property
    def sharp(self) -> float:
        """How sharp the middle one of these blocks is; 1 where that cannot be told."""
        return quantile(self.sharpness, 0.5) if self.sharpness.size >= _FEW else 1.0

    def blurry(self, below: float) -> tuple[float, float]:
        """The shares of the edges that are in place and less sharp than that, and in place and sharper."""
        if self.edges < _FEW:
            return 0.0, 1.0
        blurry = int(np.count_nonzero(self.sharpness < below))
        return blurry / self.edges, (self.sharpness.size - blurry) / self.edges


def begin(look: Look) -> Baseline:
    """The view, from one look."""
    nothing = np.zeros_like(look.levels)
    return Baseline(
        looks=1,
        structure=look.structure,
        likeness=nothing,
        levels=look.levels,
        contrast=look.contrast,
        detail=look.detail,
        colours=look.colours,
        high=look.high,
        white=look.white,
    )


def learn(baseline: Baseline, look: Look, like: Floats, passed_s: float, memory_s: float) -> Baseline:
    """Fold one look in: the plain mean at first, then slowly. `like` is its likeness to the usual structure."""
    looks = baseline.looks + 1
    slow = max(1 / looks if looks <= FIRST_LOOKS else 0.0, passed_s / memory_s)
    fast = max(1 / looks if looks <= FIRST_LOOKS else 0.0, passed_s / _FOLLOW_S)
    light = max(fast, passed_s / _LIGHT_S)
    # The first likenesses are to a view that is hardly known, and too low.
    like_by = max(fast, min(1.0, 3 / looks)) if looks <= FIRST_LOOKS else fast
    colours = [_part(old, new, fast) for old, new in zip(baseline.colours, look.colours, strict=True)]
    return Baseline(
        looks=looks,
        structure=_toward(baseline.structure, look.structure, slow),
        likeness=_toward(baseline.likeness, like, like_by),
        levels=_toward(baseline.levels, look.levels, fast),
        contrast=_nearer(baseline.contrast, look.contrast, fast),
        detail=_nearer(baseline.detail, look.detail, fast),
        colours=(colours[0], colours[1]),
        high=_part(baseline.high, look.high, light),
        white=_part(baseline.white, look.white, light),
    )


def _toward(old: Floats, new: Floats, share: float) -> Floats:
    share = min(1.0, share)
    return np.asarray(cv2.addWeighted(old, 1 - share, new, share, 0), np.float32)


def _part(old: float, new: float, share: float) -> float:
    return old + (new - old) * min(1.0, share)


def _nearer(old: Floats, new: Floats, share: float) -> Floats:
    """Toward a power by its ratio: fog may take it soon, but a bright car must not count for all that stays."""
    ratio = np.clip((new + _BOUNDS) / (old + _BOUNDS), 0.1, 2)
    return np.asarray((old + _BOUNDS) * ratio ** np.float32(min(1.0, 2 * share)) - _BOUNDS, np.float32)


def compare(baseline: Baseline, look: Look, steady: Floats, noise: Floats) -> Change:
    """How far this look is from the usual view."""
    expected = np.where(baseline.likeness > _FAINT, baseline.likeness, np.float32(0))
    like = likeness(steady, baseline.structure, noise)
    present = around(expected * like)
    full = around(expected * baseline.likeness)
    judged = full > _RELIABLE
    ratio = np.asarray(present / np.maximum(full, _RELIABLE), np.float32)
    there = np.clip((ratio - _GONE) * np.float32(1 / (_THERE - _GONE)), 0, 1)
    clear = _clear(baseline, look)
    kept, faintly = np.asarray(there * clear * judged, np.float32), quantile(like * clear, 0.5)
    count = int(np.count_nonzero(judged))
    lost = 1 - float(kept.sum()) / count if count else 0.0
    was, now = baseline.detail - np.float32(quantile(baseline.detail, 0.1)), look.crisp
    sharp_was, sharp_now = sharp(was, baseline.contrast), sharp(now, look.contrast)
    fresh = float(np.count_nonzero(sharp_now & (kept < 0.3) & (like < _LIKE))) / kept.size
    crisp = float(np.count_nonzero(sharp_was)) / kept.size
    edged = (was >= quantile(was, 1 - _EDGED)) & (was > _BOUNDS)
    edges = int(np.count_nonzero(edged))
    sharpness = _sharpness(baseline, look, was, now, edged & (kept > 0.5))
    misted = _misted(baseline, look, was, now, edged & (ratio > _THROUGH)) / max(_FEW, edges)
    return Change(
        lost=lost,
        judged=count / kept.size,
        like=like,
        kept=kept,
        faintly=faintly,
        fresh=fresh,
        crisp=crisp,
        edges=edges,
        sharpness=sharpness,
        misted=misted,
    )


def sharp(crisp: Floats, contrast: Floats) -> NDArray[np.bool_]:
    """Per block, whether it has fine detail for its contrast; a bright web out of focus has contrast alone."""
    return (crisp > CRISP) & (crisp > _SHARP * contrast)


def _clear(baseline: Baseline, look: Look) -> Floats:
    """Per block, 0..1: how much of its contrast, beside its level, is left.

    What shines through tape, breath or a bag still correlates, but nobody sees by it. Exposure changes contrast
    and level alike (Weber), so this stays; fog comes slowly and is learned.
    """
    level = np.maximum(baseline.levels, _DIM) / np.maximum(look.levels, _DIM)
    left = (look.contrast + _FLOOR) / (baseline.contrast + _FLOOR)
    relative = (left * level * level - _FAINTEST) * np.float32(1 / (_CLEAR - _FAINTEST))
    return np.clip(np.minimum(relative, (left - _DARKEST) * np.float32(1 / (_LIT - _DARKEST))), 0, 1)


def _sharpness(baseline: Baseline, look: Look, was: Floats, now: Floats, there: NDArray[np.bool_]) -> Floats:
    """Of the blocks with edges in place, finest detail beside contrast as a part of the usual.

    Defocus takes the finest detail and leaves the contrast of whole blocks; fog and dusk take both alike. What
    the flattest blocks show is noise, and is taken off.
    """
    detail = np.maximum(now[there], 0) / was[there]
    contrast = (look.contrast[there] + _BOUNDS) / (baseline.contrast[there] + _BOUNDS)
    return np.asarray(np.sqrt(detail / contrast), np.float32)


def _misted(baseline: Baseline, look: Look, was: Floats, now: Floats, through: NDArray[np.bool_]) -> int:
    """How many of the blocks that shine through do so without fine detail; a vehicle lets none through.

    Mist takes contrast as well as detail, so that one beside the other does not tell it. Less light takes
    detail as it takes the level, and is allowed for; more light adds to it.
    """
    darker = np.maximum(baseline.levels, _DIM) / np.maximum(look.levels, _DIM)
    left = now * np.square(np.maximum(darker, 1))
    return int(np.count_nonzero(through & (left < _SOFT**2 * was)))


def correlation(one: Floats, other: Floats) -> float:
    """Of two grids of levels, -1..1: a blurred view still has its light and dark where they were."""
    a, b = one - one.mean(), other - other.mean()
    power = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / power if power > 1e-6 else 0.0


def shows(one: Look, other: Look, both: Floats) -> NDArray[np.bool_]:
    """Per block, whether two looks a moment apart show the same something; `both` is their product."""
    alike = np.asarray(both / (np.sqrt(one.power * other.power) + _SOMETHING), np.float32)
    return np.asarray(around(alike) > _SEES)


def coloured(baseline: Baseline, look: Look) -> bool:
    """Whether the view had colour and has it still: no switch to infrared or back explains what changed."""
    return baseline.colours[1] > _COLOUR and look.colours[1] > _GREY


def colourless(baseline: Baseline) -> bool:
    """Whether the view has no colour at all, as in infrared light, or from a camera without colours."""
    return baseline.colours[1] < _NO_COLOUR


def colour_switched(baseline: Baseline, look: Look) -> bool:
    """Whether the camera went from colour to infrared's grey or back; a red bus on grey asphalt is neither."""
    was, now = baseline.colours, look.colours
    tinge = min(was[1], now[1]) < _NO_COLOUR and max(was[1], now[1]) > _TINGE
    return tinge or (was[1] > _COLOUR and now[1] < _GREY) or (was[1] < _GREY and now[0] > _COLOUR)
