"""What a camera usually shows, learned slowly, and how far the present picture is from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agent.core.eyesight import Floats, Look, around, blocks, likeness

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
_BOUNDS = 0.3
"""Luma steps squared of detail that rounding and noise leave of none."""
_SEES = 0.35
"""Likeness of two looks in a row from which on a block shows something."""

_SOMETHING = 0.2
"""Luma steps squared of structure that count half as something."""
_WHITE = 0.92
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
    colour: float
    high: float
    white: float


@dataclass(frozen=True, slots=True)
class Change:
    """The present picture beside the usual one."""

    lost: float
    """Share of the judged area whose structure is gone, 0..1."""
    judged: float
    """Share of the view that has structure to judge by, 0..1."""
    kept: Floats
    """Per block, 0..1: how much of the usual structure is there."""
    sharpness: float
    """Finest detail beside contrast, as a part of the usual; 1 where that cannot be told."""
    layout: float
    """Correlation of the blocks' levels with the usual ones, -1..1."""


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
        look.colour,
        high(look),
        white(look),
    )


def learn(
    usual: Usual,
    look: Look,
    steady: Floats,
    noise: Floats,
    rich: float,
    passed_s: float,
    memory_s: float,
    first: int,
) -> Usual:
    """Fold one look in: the plain mean of the `first` looks, then slowly; `steady` is its steady structure."""
    looks = usual.looks + 1
    slow = max(1 / looks if looks <= first else 0.0, passed_s / memory_s)
    fast = max(1 / looks if looks <= first else 0.0, passed_s / _USUAL_S)
    light = min(1.0, max(fast, passed_s / _LIGHT_S))
    like = likeness(steady, usual.structure, noise)
    # The first likenesses are to a view that is hardly known, and too low.
    like_by = max(fast, min(1.0, 3 / looks)) if looks <= first else fast
    return Usual(
        looks,
        _toward(usual.structure, look.structure, slow),
        _toward(usual.likeness, like, like_by),
        _toward(usual.levels, look.levels, fast),
        _nearer(usual.contrast, look.contrast, fast),
        _nearer(usual.detail, look.detail, fast),
        usual.rich + (rich - usual.rich) * min(1.0, fast),
        usual.colour + (look.colour - usual.colour) * min(1.0, fast),
        usual.high + (high(look) - usual.high) * light,
        usual.white + (white(look) - usual.white) * light,
    )


def _toward(old: Floats, new: Floats, share: float) -> Floats:
    return old + (new - old) * np.float32(min(1.0, share))


def _nearer(old: Floats, new: Floats, share: float) -> Floats:
    """Toward a power by its ratio, never by much: a bright car must not count for all that stays."""
    ratio = np.clip((new + _BOUNDS) / (old + _BOUNDS), 0.5, 2)
    return np.asarray((old + _BOUNDS) * ratio ** np.float32(min(1.0, 2 * share)) - _BOUNDS, np.float32)


def high(look: Look) -> float:
    """The level that a tenth of the view exceeds, 0..1."""
    return float(np.percentile(look.levels, 90))


def white(look: Look) -> float:
    """Share of the view that is blown out."""
    return float((look.levels > _WHITE).mean())


def compare(usual: Usual, look: Look, steady: Floats, noise: Floats) -> Change:
    """How far this look is from the usual view."""
    expected = np.where(usual.likeness > _FAINT, usual.likeness, np.float32(0))
    present = around(expected * likeness(steady, usual.structure, noise))
    full = around(expected * usual.likeness)
    judged = full > _RELIABLE
    ratio = present / np.maximum(full, _RELIABLE)
    kept = (np.clip((ratio - _GONE) / (_THERE - _GONE), 0, 1) * judged).astype(np.float32)
    share = float(judged.mean())
    lost = 1 - float(kept.sum()) / int(judged.sum()) if share else 0.0
    return Change(lost, share, kept, _sharpness(usual, look, kept), _correlation(usual.levels, look.levels))


def _sharpness(usual: Usual, look: Look, kept: Floats) -> float:
    """The median over the blocks with edges of: finest detail beside contrast, as a part of the usual.

    Defocus takes the finest detail and leaves the contrast of whole blocks; fog and dusk take both alike.
    What the flattest blocks show is noise, and is taken off.
    """
    was = usual.detail - np.percentile(usual.detail, 10)
    now = look.detail - np.percentile(look.detail, 10)
    edged = (was >= np.percentile(was, 100 * (1 - _EDGED))) & (was > _BOUNDS)
    seen = edged & (kept > 0.5)
    if int(seen.sum()) < max(3, 0.2 * int(edged.sum())):
        return 1.0
    detail = np.maximum(now[seen], 0) / was[seen]
    contrast = (look.contrast[seen] + _BOUNDS) / (usual.contrast[seen] + _BOUNDS)
    return float(np.sqrt(np.median(detail / contrast)))


def _correlation(one: Floats, other: Floats) -> float:
    a, b = one - one.mean(), other - other.mean()
    power = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / power if power > 1e-6 else 0.0


def shows(one: Floats, other: Floats) -> Floats:
    """Per block, whether two structures a moment apart show the same something: 0 or 1."""
    both, power = blocks(one * other), np.sqrt(blocks(one * one) * blocks(other * other))
    return (around(both / (power + _SOMETHING)) > _SEES).astype(np.float32)


def colour_switched(usual: Usual, look: Look) -> bool:
    """Whether the camera went from colour to infrared's grey or back."""
    less, more = sorted((usual.colour, look.colour))
    return more > 4 and less < more / 4
