"""models.train.pictures.weather"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.random import Generator, default_rng

from agent.core.types import Image
from models.train.pictures.weather import at_night, coloured, in_rain, packed, softened, weathered

NOBODY = np.zeros((0, 4), np.float32)


def grey() -> Image:
    """A road with some pattern."""
    return np.asarray(default_rng(1).integers(80, 160, (60, 90, 3)), np.uint8)


@pytest.mark.parametrize("paint", [coloured, in_rain, softened, packed])
def test_a_painted_picture_is_another_one_of_the_same_size(paint: Callable[[Image, Generator], Image]) -> None:
    for seed in range(8):
        picture = paint(grey(), default_rng(seed))
        assert picture.shape == grey().shape
        assert picture.dtype == np.uint8
        assert not np.array_equal(picture, grey())


def test_night_is_dark() -> None:
    darker = [at_night(grey(), NOBODY, default_rng(seed)).mean() < grey().mean() for seed in range(20)]

    assert all(darker)


def test_headlights_shine_where_vehicles_are() -> None:
    lamp = np.array([[30, 20, 60, 50]], np.float32)

    def light(boxes: np.ndarray) -> float:
        nights = [at_night(grey(), boxes, default_rng(seed))[20:55, 25:65].mean() for seed in range(30)]
        return float(np.mean(nights))

    assert light(lamp) > light(NOBODY) + 5


def test_softness_takes_away_detail() -> None:
    assert np.mean([softened(grey(), default_rng(seed)).std() for seed in range(9)]) < grey().std()


def test_the_same_chance_brings_the_same_weather() -> None:
    one, other = (weathered(grey(), NOBODY, default_rng(4)) for _ in range(2))

    assert np.array_equal(one, other)


def test_some_pictures_stay_as_they_are() -> None:
    same = [np.array_equal(weathered(grey(), NOBODY, default_rng(seed)), grey()) for seed in range(60)]

    assert 0 < np.mean(same) < 0.4
