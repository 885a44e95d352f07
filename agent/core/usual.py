"""What a camera usually shows, learned slowly, and how far the present picture is from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agent.core.eyesight import Floats, Look, around, blocks, likeness, quantile

FIRST_LOOKS = 8
"""A view is known after so many looks."""
_USUAL_S = 15.0
"""How fast the usual measures follow: dusk and fog are slower, a hand is faster."""
_RELIABLE = 0.02
"""Least mean of squared likeness around a block for the block to be judged."""
_GONE, _THERE = 0.2, 0.65
"""Between these parts of its usual likeness a block counts in part."""
_FAINT = 0.15
"""Likeness below which a block is not judged."""
_EDGED = 0.3
"""This share of the blocks, those with the most detail, tell about sharpness."""
_GREY, _COLOUR = 2.0, 5.0
_FEW = 6
"""Blocks with edges, fewer of which tell nothing about sharpness."""
_BOUNDS = 0.3
"""Luma steps squared of detail that rounding and noise leave of none."""
_SEES = 0.35
"""Likeness of two looks in a row from which on a block shows something."""

_SOMETHING = 0.2
"""Luma steps squared of structure that count half as something."""
_LIGHT_S = 6.0
"""How fast the usual light follows."""


@dataclass(frozen=True, slots=True)
class Usual:
    """The learned view. Blocks are (ROWS, columns)."""

    looks: int
    structure: Floats
    likeness: Floats
    """Of single looks to `structure`; low where traffic or noise hides it."""
    levels: Floats
    contrast: Floats
    detail: Floats
    rich: float
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
    edges: int
    """How many blocks have edges to judge sharpness by."""
    sharpness: Floats
    """(N,): of those with their structure in place, as a part of the usual."""

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


def begin(look: Look) -> Usual:
    """The view, from one look."""
    nothing = np.zeros_like(look.levels)
    return Usual(
        1,
        look.structure,
        nothing,
        look.levels,
        look.contrast,
        look.detail,
        0.0,
        look.colours,
        look.high,
        look.white,
    )


def learn(usual: Usual, look: Look, like: Floats, rich: float, passed_s: float, memory_s: float) -> Usual:
    """Fold one look in: the plain mean at first, then slowly. `like` is its likeness to the usual structure."""
    looks = usual.looks + 1
    slow = max(1 / looks if looks <= FIRST_LOOKS else 0.0, passed_s / memory_s)
    fast = max(1 / looks if looks <= FIRST_LOOKS else 0.0, passed_s / _USUAL_S)
    light = max(fast, passed_s / _LIGHT_S)
    # The first likenesses are to a view that is hardly known, and too low.
    like_by = max(fast, min(1.0, 3 / looks)) if looks <= FIRST_LOOKS else fast
    return Usual(
        looks,
        _toward(usual.structure, look.structure, slow),
        _toward(usual.likeness, like, like_by),
        _toward(usual.levels, look.levels, fast),
        _nearer(usual.contrast, look.contrast, fast),
        _nearer(usual.detail, look.detail, fast),
        _part(usual.rich, rich, fast),
        (_part(usual.colours[0], look.colours[0], fast), _part(usual.colours[1], look.colours[1], fast)),
        _part(usual.high, look.high, light),
        _part(usual.white, look.white, light),
    )


def _toward(old: Floats, new: Floats, share: float) -> Floats:
    return old + (new - old) * np.float32(min(1.0, share))


def _part(old: float, new: float, share: float) -> float:
    return old + (new - old) * min(1.0, share)


def _nearer(old: Floats, new: Floats, share: float) -> Floats:
    """Toward a power by its ratio, never by much: a bright car must not count for all that stays."""
    ratio = np.clip((new + _BOUNDS) / (old + _BOUNDS), 0.5, 2)
    return np.asarray((old + _BOUNDS) * ratio ** np.float32(min(1.0, 2 * share)) - _BOUNDS, np.float32)


def compare(usual: Usual, look: Look, steady: Floats, noise: Floats) -> Change:
    """How far this look is from the usual view."""
    expected = np.where(usual.likeness > _FAINT, usual.likeness, np.float32(0))
    like = likeness(steady, usual.structure, noise)
    present = around(expected * like)
    full = around(expected * usual.likeness)
    judged = full > _RELIABLE
    ratio = present / np.maximum(full, _RELIABLE)
    kept = (np.clip((ratio - _GONE) / (_THERE - _GONE), 0, 1) * judged).astype(np.float32)
    share = float(judged.mean())
    lost = 1 - float(kept.sum()) / int(judged.sum()) if share else 0.0
    return Change(lost, share, like, kept, *_sharpness(usual, look, kept))


def _sharpness(usual: Usual, look: Look, kept: Floats) -> tuple[int, Floats]:
    """How many blocks have edges; and of those in place, finest detail beside contrast as a part of the usual.

    Defocus takes the finest detail and leaves the contrast of whole blocks; fog and dusk take both alike. What
    the flattest blocks show is noise, and is taken off.
    """
    was = usual.detail - np.float32(quantile(usual.detail, 0.1))
    now = look.detail - np.float32(quantile(look.detail, 0.1))
    edged = (was >= quantile(was, 1 - _EDGED)) & (was > _BOUNDS)
    there = edged & (kept > 0.5)
    detail = np.maximum(now[there], 0) / was[there]
    contrast = (look.contrast[there] + _BOUNDS) / (usual.contrast[there] + _BOUNDS)
    return int(np.count_nonzero(edged)), np.asarray(np.sqrt(detail / contrast), np.float32)


def correlation(one: Floats, other: Floats) -> float:
    """Of two grids of levels, -1..1: a blurred view still has its light and dark where they were."""
    a, b = one - one.mean(), other - other.mean()
    power = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / power if power > 1e-6 else 0.0


def shows(one: Floats, other: Floats) -> Floats:
    """Per block, whether two structures a moment apart show the same something: 0 or 1."""
    both, power = blocks(one * other), np.sqrt(blocks(one * one) * blocks(other * other))
    return (around(both / (power + _SOMETHING)) > _SEES).astype(np.float32)


def colour_switched(usual: Usual, look: Look) -> bool:
    """Whether the camera went from colour to infrared's grey or back; a red bus on grey asphalt is neither."""
    to_grey = usual.colours[1] > _COLOUR and look.colours[1] < _GREY
    return to_grey or (usual.colours[1] < _GREY and look.colours[0] > _COLOUR)
