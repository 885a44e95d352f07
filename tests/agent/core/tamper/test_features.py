"""agent.core.tamper.features"""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from agent.core.tamper import features
from agent.core.tamper.features import Look
from agent.core.types import Frame, Instant

GREY = np.full((90, 160), 128, np.uint8)


def picture(seed: int = 1) -> NDArray[np.uint8]:
    rough = np.random.default_rng(seed).normal(110, 40, (45, 80)).clip(20, 230).astype(np.uint8)
    return np.asarray(cv2.resize(rough, (320, 180), interpolation=cv2.INTER_NEAREST), np.uint8)


def look(luma: NDArray[np.uint8], full_range: bool = False) -> Look:
    return features.look(Frame(0, Instant(1, 1), luma, GREY, GREY, full_range))


def test_half_the_light_leaves_the_structure_as_it_was() -> None:
    bright, dim = look(picture()), look((16 + (picture() - 16.0) / 2).astype(np.uint8))

    assert float(features.likeness(dim.structure, bright.structure).min()) > 0.9
    assert dim.middle == pytest.approx(bright.middle / 2, abs=0.01)


def test_another_view_is_not_alike() -> None:
    assert float(features.likeness(look(picture(2)).structure, look(picture()).structure).mean()) < 0.2


def test_what_is_out_of_focus_has_no_fine_detail_and_grain_is_none() -> None:
    soft = cv2.GaussianBlur(picture(), (0, 0), 4) + np.random.default_rng(1).normal(0, 2, (180, 320))

    assert float(np.median(look(picture()).crisp)) > 10
    assert float(np.median(look(soft.clip(0, 255).astype(np.uint8)).crisp)) < 0.5


def test_black_and_white_are_those_of_the_stream() -> None:
    assert look(np.full((180, 320), 235, np.uint8)).white == 1
    assert look(np.full((180, 320), 230, np.uint8), full_range=True).white == 0
    assert look(np.full((180, 320), 16, np.uint8)).high == 0


@pytest.mark.parametrize("line_px", [4, 160])
def test_a_picture_is_the_same_though_a_clock_ticks_on_it(line_px: int) -> None:
    ticked = picture()
    ticked[line_px : line_px + 14, 200:280] = 235

    assert features.same(look(picture()), look(ticked))


def test_a_picture_in_which_anything_else_changed_is_another() -> None:
    walker, grain = picture(), picture()
    walker[80:110, 150:160] = 20
    grain[::7, ::5] += 1

    assert features.same(look(picture()), look(picture()))
    assert not features.same(look(picture()), look(walker))
    assert not features.same(look(picture()), look(grain))
