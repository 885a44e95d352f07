"""agent.core.tamper.baseline"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core.tamper import baseline, features
from agent.core.tamper.baseline import Baseline, Change
from agent.core.tamper.features import Look
from agent.core.types import Frame, Instant

GREY = np.full((90, 160), 128, np.uint8)


def picture(seed: int = 1) -> NDArray[np.float32]:
    rough = np.random.default_rng(seed).normal(110, 40, (45, 80)).clip(20, 230).astype(np.float32)
    return np.asarray(cv2.resize(rough, (320, 180), interpolation=cv2.INTER_NEAREST), np.float32)


def look(luma: NDArray[np.float32], chroma: int = 128) -> Look:
    u = np.full_like(GREY, chroma)
    return features.look(Frame(0, Instant(1, 1), luma.clip(0, 255).astype(np.uint8), u, GREY))


def learned(looks: int = 20) -> Baseline:
    found = baseline.begin(look(picture()))
    for _ in range(looks):
        now = look(picture())
        found = baseline.learn(found, now, features.likeness(now.structure, found.structure), 0.5, 60)
    return found


def change(luma: NDArray[np.float32]) -> Change:
    now = look(luma)
    return baseline.compare(learned(), now, now.structure, np.zeros_like(now.levels))


def test_nothing_is_lost_of_the_usual_view_at_any_exposure() -> None:
    for gain in (0.4, 1, 1.2):
        seen = change(16 + (picture() - 16) * gain)
        assert seen.lost < 0.05
        assert seen.fresh == 0
        assert seen.in_place > 0.9


def test_what_only_shines_through_is_lost() -> None:
    assert change(100 + (picture() - 100) * 0.06).lost > 0.9
    assert change(100 + (picture() - 100) * 0.5).lost < 0.05


def test_another_view_is_lost_and_fresh_and_a_cloth_is_not_fresh() -> None:
    cloth = cv2.resize(
        np.random.default_rng(1).normal(100, 15, (6, 10)), (320, 180), interpolation=cv2.INTER_CUBIC
    )
    other, covered = change(picture(2)), change(cloth.astype(np.float32))

    assert other.lost > 0.9
    assert other.fresh > 0.6
    assert covered.lost > 0.9
    assert covered.fresh == 0


def test_a_bright_web_out_of_focus_is_not_sharp() -> None:
    strands = np.zeros((180, 320), np.float32)
    strands[:, ::40] = 255
    web = look(40 + cv2.GaussianBlur(strands, (0, 0), 5) * 8)

    assert not baseline.sharp(web.crisp, web.contrast).any()


def test_sharpness_falls_with_focus_and_not_with_fog() -> None:
    fog = 170 + (picture() - 170) * 0.5
    soft = cv2.GaussianBlur(picture(), (0, 0), 2.5)

    assert change(fog.astype(np.float32)).sharp > 0.9
    assert change(np.asarray(soft, np.float32)).sharp < 0.5


def test_mist_lets_the_view_through_without_its_detail_and_neither_light_nor_a_vehicle_does() -> None:
    soft = np.asarray(cv2.GaussianBlur(picture(), (0, 0), 2.5), np.float32)
    half = np.where(np.arange(320) < 160, 150 + (soft - 150) * 0.4, picture()).astype(np.float32)

    assert change(150 + (soft - 150) * 0.4).misted > 0.8
    assert 0.3 < change(half).misted < 0.7
    assert change(16 + (picture() - 16) * 0.3).misted < 0.05
    assert change(picture() * 1.2).misted < 0.05
    assert change(picture(2)).misted < 0.1


def test_plain_asphalt_loses_its_tinge_in_infrared_and_only_a_switch_brings_one() -> None:
    asphalt = baseline.begin(look(picture(), 130))

    assert baseline.colour_switched(asphalt, look(picture()))
    assert baseline.colour_switched(learned(), look(picture(), 130))
    assert not baseline.colour_switched(asphalt, look(picture(), 129))
    assert baseline.colourless(learned())
    assert not baseline.colourless(asphalt)


def test_only_a_view_that_had_colour_and_has_it_still_is_coloured() -> None:
    coloured = baseline.begin(look(picture(), 160))

    assert baseline.coloured(coloured, look(picture(), 140))
    assert not baseline.coloured(coloured, look(picture()))
    assert not baseline.coloured(learned(), look(picture(), 160))


def test_colours_that_go_or_come_are_a_switch_and_others_are_none() -> None:
    coloured = baseline.begin(look(picture(), 160))

    assert baseline.colour_switched(coloured, look(picture()))
    assert baseline.colour_switched(learned(), look(picture(), 160))
    assert not baseline.colour_switched(coloured, look(picture(), 100))
