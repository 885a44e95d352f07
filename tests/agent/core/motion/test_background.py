"""agent.core.motion.background"""

from __future__ import annotations

import numpy as np
import pytest

from agent.core.motion import background
from agent.core.motion.background import SAMPLES
from agent.core.types import Plane

SHAPE = (40, 60)
STREET = np.random.default_rng(5).integers(60, 160, SHAPE, np.uint8)
EVERYWHERE = np.full(SHAPE, 255, np.uint8)


def learned(plane: Plane, times: int, model: background.Background | None = None) -> background.Background:
    model = model or background.begin(STREET)
    for _ in range(times):
        model = background.learn(model, plane, EVERYWHERE, 1.0)
    return model


def test_a_scene_is_known_from_its_first_picture_and_a_thing_stands_out_by_its_difference() -> None:
    with_car = STREET.copy()
    with_car[10:20, 10:20] += 60
    smooth = background.begin(np.full(SHAPE, 100, np.uint8))

    assert background.distance(smooth, np.full(SHAPE, 130, np.uint8)).min() == 30
    assert (background.distance(background.begin(STREET), with_car) > 0)[10:20, 10:20].mean() > 0.8


def test_two_remembered_values_are_both_background_as_those_of_a_leaf_that_swings() -> None:
    other = STREET + 50
    model = background.begin(STREET)
    for turn in range(6 * SAMPLES):
        model = background.learn(model, other if turn % 2 else STREET, EVERYWHERE, 0.7)

    assert np.median(background.distance(model, STREET)) == 0
    assert np.median(background.distance(model, other)) == 0


def test_only_what_is_quiet_is_learned() -> None:
    quiet = EVERYWHERE.copy()
    quiet[:, 30:] = 0
    model, other = background.begin(STREET), STREET + 50
    for _ in range(3 * SAMPLES):
        model = background.learn(model, other, quiet, 1.0)

    far = background.distance(model, other)
    assert np.median(far[:, :25]) == 0
    assert np.median(far[:, 35:]) > 20


def test_what_stands_is_adopted_once_two_samples_have_its_value() -> None:
    thing = np.zeros(SHAPE, np.uint8)
    thing[5:15, 5:15] = 255
    parked = np.where(thing > 0, 250, STREET).astype(np.uint8)
    model = background.begin(STREET)

    after = background.adopt(model, parked, thing)

    assert background.distance(after, parked)[6:14, 6:14].max() == 0
    assert background.adopt(model, parked, np.zeros(SHAPE, np.uint8)) is model


def test_a_pixel_that_is_noisy_is_given_a_wider_limit_than_a_quiet_one() -> None:
    model, chance = background.begin(STREET), np.random.default_rng(1)
    for _ in range(60):
        plane = STREET.copy()
        plane[:, :30] = (plane[:, :30] + chance.integers(-9, 10, (40, 30))).clip(0, 255)
        model = background.tune(model, plane, EVERYWHERE, np.zeros(SHAPE, np.uint8), 0.1)

    limit = background.limits(model, 4.0, 1.0, 0.1)
    assert limit[:, :25].mean() > limit[:, 35:].mean() + 2


def test_a_tremble_brings_greys_of_the_neighbours_and_a_thing_brings_its_own() -> None:
    model = learned(STREET, 3 * SAMPLES)
    limit = np.full(SHAPE, 6, np.uint8)
    trembled = np.roll(STREET, 1, axis=1)
    thing = np.full(SHAPE, 250, np.uint8)

    assert background.beyond(model, trembled, limit)[2:-2, 2:-2].mean() < 0.05 * 255
    assert background.beyond(model, thing, limit).min() == 255


def test_an_exposure_step_moves_all_that_is_remembered() -> None:
    curve = np.clip(np.arange(256) * 1.3, 0, 255).astype(np.uint8)
    model = background.begin(STREET)
    brighter = curve[STREET]

    after = background.toned(model, curve, brighter, background.distance(model, brighter))

    assert np.median(background.distance(after, brighter)) < np.median(background.distance(model, brighter))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_chance_picks_the_share_of_the_pixels_that_was_asked_for_and_the_same_ones_again(share: float) -> None:
    masks = [background.chance((200, 300), turn, share) for turn in range(4)]

    for mask in masks:
        assert (mask == 255).mean() == pytest.approx(share, abs=0.02)
    assert np.array_equal(masks[1], background.chance((200, 300), 1, share))
    assert share in (0.0, 1.0) or not np.array_equal(masks[0], masks[1])


def test_planes_of_before_are_left_as_they_were() -> None:
    model = background.begin(STREET)
    copies = [sample.copy() for sample in model.samples]

    learned(STREET + 40, SAMPLES, model)

    assert all(np.array_equal(a, b) for a, b in zip(copies, model.samples, strict=True))
