"""agent.core.downscale"""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from agent.core.downscale import half, shrink


@pytest.mark.parametrize(
    ("height", "width", "shrunk"),
    [
        (360, 640, (180, 320)),
        (576, 768, (144, 192)),
        (1080, 1920, (180, 320)),
        (100, 160, (100, 160)),
        (181, 3, (90, 1)),
    ],
)
def test_the_plane_is_at_most_as_high_as_set(height: int, width: int, shrunk: tuple[int, int]) -> None:
    plane = shrink(np.full((height, width), 77, np.uint8), 180)
    assert plane.shape == shrunk
    assert np.all(plane == 77)


@pytest.mark.parametrize("by", [1, 2, 3, 4, 5, 6])
def test_every_value_is_the_mean_of_its_pixels(by: int) -> None:
    luma = np.random.default_rng(4).integers(0, 256, (60 * by, 80 * by), np.uint8)
    means = cv2.resize(luma.astype(np.float64), (80, 60), interpolation=cv2.INTER_AREA)
    # Halving twice rounds twice.
    assert np.max(np.abs(shrink(luma, 60) - means)) <= 1.01


def test_what_fits_is_copied_for_the_memory_of_a_frame_is_used_again() -> None:
    luma = np.full((60, 80), 7, np.uint8)
    assert not np.shares_memory(shrink(luma, 60), luma)


def test_a_half_is_the_mean_of_its_squares() -> None:
    luma = np.random.default_rng(4).integers(0, 256, (120, 200), np.uint8)
    means = luma.reshape(60, 2, 100, 2).mean(axis=(1, 3))
    assert np.abs(half(luma) - means).max() <= 0.5
