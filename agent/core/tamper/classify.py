"""Camera tampering, classified: which fault one look speaks for, and what else it could be.

The optics tell a thing on the lens from a thing in the street. Two centimetres before a lens of 4 mm at f/2 a
point is a disc of a tenth of the picture's height, so a hand, paint, a leaf or a web has no fine detail; a
vehicle, and the street that a turned camera sees, have it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum

import cv2
import numpy as np

from agent.core.tamper import baseline
from agent.core.tamper.baseline import Baseline, Change
from agent.core.tamper.features import Floats, Look, quantile

_LARGE = 0.15
"""So much more than `lost_share` must be gone before a vehicle is out of the question."""
_BLURRY = 0.25
"""At least this share of the edges must be soft; where it is less than twice that, it may be a vehicle."""
_FEW_SOFT = 0.1
"""Share of the edges that must be soft where hardly one is as it was; a vehicle softens none."""
_MISTED, _CLEAR = 0.5, 0.5
"""Shares of the edges that shine through mist at least, and that are clear at most, before it is told."""
_SOFT_REST, _MUCH_LOST = 0.4, 0.5
"""Where so much is lost, such a part of the other edges must be soft: mist takes much and blurs the rest."""
_JUDGED = 0.08
"""Share of the view with structure, below which nothing is judged by it."""
_DARK = 0.07
_DARKER = 0.2
"""Half of the view must fall below this part of its usual light; a lamp among others takes less."""
_WHITE_SHARE = 0.5
_IN_PLACE = 0.08
"""More of the view as it was than a turned camera shows by accident."""
_VEILED = 0.2
"""Part of the usual light and dark that a blurred view keeps; less only shines through a cover."""
_FRESH = 0.1, 0.2
"""Share of the view, and of what usually has fine detail, with new detail when something sharp stands in it."""
_TURNED_FRESH = 0.06, 0.3
"""Share of the view, and of what usually has fine detail, that has new detail when the camera was turned."""
HINT = 0.15
"""Likeness that half of the blocks must have for the scene to be there."""
_FOUND = 0.6
"""Correlation of the middle of the usual view with some other place; views that repeat themselves reach 0.5."""
_BLOOM = 0.1, 0.4
"""Newly blown-out shares of the view that the lights of a car that waits can make."""
_ASIDE_PX = 3
"""Of the coarse plane's 96 rows; wind moves it by less."""


class TamperKind(StrEnum):
    """Why the camera cannot see; the values stand in events."""

    COVERED = "covered"
    DARK = "dark"
    BRIGHT = "bright"
    BLURRED = "blurred"
    MOVED = "moved"
    FROZEN = "frozen"


class Doubt(Enum):
    """What a symptom may be instead of a fault; the longer that takes to pass, the longer it must go on."""

    NONE = 0
    PASSING = 1
    """A bus that passes."""
    STANDING = 2
    """A vehicle that stands: what hides the view is sharp."""
    SLOW = 3
    """Weather or the evening: it did not come suddenly."""


@dataclass(frozen=True, slots=True)
class Symptom:
    """What speaks for a fault."""

    fault: TamperKind
    doubt: Doubt = Doubt.NONE


@dataclass(frozen=True, slots=True)
class Observation:
    """One look, beside those before and the usual view."""

    look: Look
    steady: Floats
    """Mean structure of the latest looks."""
    noise: Floats
    """Power in `steady` that does not stay, by block."""
    rich: float
    """Share of the view that shows something that stays, 0..1."""
    blank: bool
    """Nothing is to be seen, moving or not."""
    change: Change | None
    """None while the usual view is not known."""


def sudden(seen: Observation, before: Baseline, lost_share: float, sharpness: float) -> Symptom | None:
    """What speaks for a fault, provided that it came suddenly."""
    change = seen.change
    if change is None:
        return None
    found = _light(seen, change, before)
    if found is None and change.judged >= _JUDGED and change.lost >= _MUCH_LOST:
        found = _lost(seen, change, before, lost_share)
    return found or _blur(seen, change, before, lost_share, sharpness)


def slow(seen: Observation) -> Symptom | None:
    """However it came, nothing is left."""
    black = seen.blank and seen.look.high < _DARK
    return Symptom(TamperKind.DARK, Doubt.SLOW) if black else None


def blank(seen: Observation) -> Symptom | None:
    """Nothing is to be seen, and no view was ever known."""
    level = float(seen.look.levels.mean())
    word = TamperKind.DARK if level < 2 * _DARK else TamperKind.BRIGHT if level > 0.85 else TamperKind.COVERED
    return Symptom(word) if seen.blank else None


def _light(seen: Observation, change: Change, before: Baseline) -> Symptom | None:
    """Far too little of it, or too much."""
    look = seen.look
    half = quantile(before.levels, 0.5)
    if look.high < min(2 * _DARK, 0.35 * before.high) and look.middle < max(_DARKER * half, 0.01):
        shapes = quantile(change.like, 0.5) > HINT  # a cover takes them, a lamp only the light
        lit_cover = not shapes and change.lost > 0.5 and look.high > 0.8 * _DARK
        return Symptom(TamperKind.COVERED if lit_cover else TamperKind.DARK)
    if look.white >= _WHITE_SHARE and before.white < _WHITE_SHARE / 2:
        return Symptom(TamperKind.BRIGHT, Doubt.NONE if look.white >= _WHITE_SHARE + 0.2 else Doubt.PASSING)
    return None


def _lost(seen: Observation, change: Change, before: Baseline, lost_share: float) -> Symptom | None:
    """The structure is gone: what took it, and whether that could be a vehicle.

    In colour, no vehicle and no lamp makes the middle of the view turn up elsewhere, whatever else is lost.
    """
    large = change.lost * change.judged > lost_share + _LARGE
    coloured = baseline.coloured(before, seen.look)
    if not large and change.faintly > HINT and not coloured:
        return None  # a cover or a vehicle leaves nothing in place; infrared light does, but no colour
    if (coloured or change.lost >= lost_share) and shifted(seen.steady, before.structure):
        return Symptom(TamperKind.MOVED)
    if change.lost < lost_share:
        return None
    return Symptom(_name(seen, change, before), Doubt.NONE if large else _vehicle(seen, change, before))


def _vehicle(seen: Observation, change: Change, before: Baseline) -> Doubt:
    """How long a vehicle that explains this may stay: one in focus, or its lights, may stand."""
    sharp = change.fresh >= max(_FRESH[0], _FRESH[1] * change.crisp)
    return Doubt.STANDING if sharp or _dazzles(seen, before) else Doubt.PASSING


def _dazzles(seen: Observation, before: Baseline) -> bool:
    return _BLOOM[0] <= seen.look.white - before.white < _BLOOM[1]


def _name(seen: Observation, change: Change, before: Baseline) -> TamperKind:
    """What took the structure away."""
    gone = change.kept < 0.5
    level = float(seen.look.levels[gone].mean()) if gone.any() else 0.5
    if change.fresh >= max(_TURNED_FRESH[0], _TURNED_FRESH[1] * change.crisp) and change.in_place < _IN_PLACE:
        return TamperKind.MOVED
    if level > 0.95:
        return TamperKind.BRIGHT
    light, baseline_light = seen.look.levels, before.levels
    if baseline.correlation(light, baseline_light) > 0.8 and float(light.std()) > _VEILED * float(
        baseline_light.std()
    ):
        return TamperKind.BLURRED  # light and dark are where they were
    return TamperKind.DARK if level < 0.02 else TamperKind.COVERED


def _blur(
    seen: Observation, change: Change, before: Baseline, lost_share: float, sharpness: float
) -> Symptom | None:
    """The edges are where they were, but soft; a passing vehicle leaves none, and the others sharp."""
    blurry, clear = change.blurry(sharpness)
    hardly_one = clear <= 1 - lost_share - _LARGE and blurry >= max(_FEW_SOFT, clear)
    if hardly_one and not _dazzles(seen, before):
        return Symptom(TamperKind.BLURRED)
    if blurry >= 2 * _BLURRY:
        return Symptom(TamperKind.BLURRED, Doubt.NONE if clear <= 1 - lost_share else Doubt.PASSING)
    soft = clear <= blurry if blurry >= _BLURRY else blurry > _SOFT_REST * (blurry + clear)
    rest = _MUCH_LOST <= change.lost < lost_share  # where more is lost, that was judged already
    if soft and clear <= 1 - lost_share and (blurry >= _BLURRY or rest):
        return Symptom(TamperKind.BLURRED, _vehicle(seen, change, before))
    misted = change.misted >= _MISTED and clear <= _CLEAR and not _dazzles(seen, before)
    return Symptom(TamperKind.BLURRED, Doubt.PASSING) if misted else None


def shifted(now: Floats, before: Floats) -> bool:
    """Whether the middle of the usual view is to be found, but elsewhere."""
    rows, columns = before.shape
    top, left = rows // 4, columns // 4
    middle = before[top : rows - top, left : columns - left]
    _, best, _, place = cv2.minMaxLoc(cv2.matchTemplate(now, middle, cv2.TM_CCOEFF_NORMED))
    aside = float(np.hypot(place[0] - left, place[1] - top))
    return best > _FOUND and aside >= _ASIDE_PX
