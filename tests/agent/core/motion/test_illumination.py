"""agent.core.motion.illumination"""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from agent.core.motion import illumination
from agent.core.types import Plane

SHAPE = (120, 200)
ROUGH = np.random.default_rng(7).integers(40, 200, (24, 40), np.uint8)
STREET: Plane = np.asarray(cv2.resize(ROUGH, (200, 120), interpolation=cv2.INTER_CUBIC), np.uint8)


@pytest.mark.parametrize("gain", [0.6, 0.8, 1.25])
def test_an_exposure_step_is_one_curve_for_all_greys(gain: float) -> None:
    after = np.clip(STREET * gain, 0, 255).astype(np.uint8)

    curve = illumination.tone_curve(STREET, after)

    assert curve is not None
    assert np.abs(curve[STREET].astype(int) - after).mean() < 4
    assert (np.diff(curve.astype(int)) >= 0).all()


@pytest.mark.parametrize("gain", [0.5, 0.7, 1.4])
def test_the_strength_of_a_step_is_the_share_by_which_the_light_changes(gain: float) -> None:
    """Of the light, that is above the luma of black."""
    grey = np.arange(256)
    curve = np.clip(16 + (grey - 16.0) * gain, 0, 255).astype(np.uint8)

    assert illumination.strength(STREET, curve) == pytest.approx(abs(gain - 1), abs=0.02)
    assert illumination.strength(STREET, grey.astype(np.uint8)) == 0


def test_the_same_view_has_no_curve_and_neither_has_another_one() -> None:
    other = np.random.default_rng(8).integers(40, 200, SHAPE, np.uint8)

    assert illumination.tone_curve(STREET, STREET) is None
    assert illumination.tone_curve(STREET, other) is None


def test_a_thing_that_covers_a_third_of_the_view_is_no_exposure_step() -> None:
    bus = STREET.copy()
    bus[30:110, 20:120] = 30

    assert illumination.tone_curve(STREET, bus) is None


def test_soft_light_leaves_what_is_fine_and_a_thing_has_edges_of_its_own() -> None:
    """Along the outline of what became brighter: a beam fades out, a car ends."""
    rows, columns = np.mgrid[:120, :200]
    beam = 60 * np.exp(-(((rows - 60) / 30.0) ** 2 + ((columns - 100) / 40.0) ** 2))
    lit = np.clip(STREET + beam, 0, 255).astype(np.uint8)
    car = STREET.copy()
    car[40:80, 70:130] = 230
    along = np.zeros((60, 100), bool)
    along[19:41, 34:66] = True
    along[22:38, 37:63] = False

    def edges(plane: Plane) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        left = illumination.unexplained(illumination.fine(STREET), illumination.fine(plane))
        return np.asarray(left[along], np.float32)

    assert illumination.only_light(edges(lit), 40.0)
    assert not illumination.only_light(edges(car), 100.0)
