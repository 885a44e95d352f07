"""agent.core.tamper.classify"""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from agent.core.tamper import baseline, classify, features
from agent.core.tamper.baseline import Baseline
from agent.core.tamper.classify import Doubt, Observation, Symptom, TamperKind
from agent.core.types import Frame, Instant

GREY = np.full((90, 160), 128, np.uint8)


def picture(seed: int = 1) -> NDArray[np.float32]:
    rough = np.random.default_rng(seed).normal(110, 40, (45, 80)).clip(20, 230).astype(np.float32)
    return np.asarray(cv2.resize(rough, (320, 180), interpolation=cv2.INTER_NEAREST), np.float32)


def cloth(level: float) -> NDArray[np.float32]:
    rough = np.random.default_rng(3).normal(level, 6, (6, 10))
    return np.asarray(cv2.resize(rough, (320, 180), interpolation=cv2.INTER_CUBIC), np.float32)


def look(luma: NDArray[np.float32], chroma: int = 128) -> features.Look:
    u = np.full_like(GREY, chroma)
    return features.look(Frame(0, Instant(1, 1), luma.clip(0, 255).astype(np.uint8), u, GREY))


def learned(chroma: int = 128) -> Baseline:
    found = baseline.begin(look(picture(), chroma))
    for _ in range(20):
        now = look(picture(), chroma)
        found = baseline.learn(found, now, features.likeness(now.structure, found.structure), 0.5, 60)
    return found


def symptom(luma: NDArray[np.float32], chroma: int = 128) -> Symptom | None:
    before, now = learned(chroma), look(luma, chroma)
    nothing = np.zeros_like(now.levels)
    change = baseline.compare(before, now, now.structure, nothing)
    return classify.sudden(Observation(now, now.structure, nothing, 1.0, False, change), before, 0.65, 0.5)


def over(share: float, thing: NDArray[np.float32]) -> NDArray[np.float32]:
    view = picture()
    view[:, : int(share * 320)] = thing[:, : int(share * 320)]
    return view


@pytest.mark.parametrize(
    ("luma", "fault"),
    [
        (cloth(90), TamperKind.COVERED),
        (cloth(35), TamperKind.COVERED),
        (16 + (picture() - 16) * 0.05, TamperKind.DARK),
        (np.full((180, 320), 16, np.float32), TamperKind.DARK),
        (picture() * 4 + 100, TamperKind.BRIGHT),
        (cv2.GaussianBlur(picture(), (0, 0), 2.5), TamperKind.BLURRED),
        (picture(2), TamperKind.MOVED),
        (np.roll(picture(), 60, 1), TamperKind.MOVED),
    ],
)
def test_what_takes_all_of_the_view_is_named(luma: NDArray[np.float32], fault: TamperKind) -> None:
    assert symptom(luma) == Symptom(fault)


def test_the_usual_view_and_a_lamp_that_goes_out_among_others_are_no_symptom() -> None:
    assert symptom(picture()) is None
    assert symptom(16 + (picture() - 16) * 0.3) is None


def test_what_hides_a_part_may_pass_and_what_is_sharp_may_stand() -> None:
    assert symptom(over(0.5, cloth(90))) is None
    assert symptom(over(0.75, cloth(90))) == Symptom(TamperKind.COVERED, Doubt.PASSING)
    sharp = symptom(over(0.75, picture(2)))
    assert sharp is not None
    assert sharp.doubt is Doubt.STANDING


def test_a_view_is_found_again_only_where_it_went() -> None:
    here, aside = look(picture()).structure, look(np.roll(picture(), 40, 1)).structure

    assert classify.shifted(aside, here)
    assert not classify.shifted(here, here)
    assert not classify.shifted(look(picture(2)).structure, here)


def test_mist_over_most_of_the_view_is_a_blur_and_over_a_third_it_is_none() -> None:
    mist = 150 + (np.asarray(cv2.GaussianBlur(picture(), (0, 0), 2.5), np.float32) - 150) * 0.4

    assert symptom(over(0.6, mist)) == Symptom(TamperKind.BLURRED, Doubt.PASSING)
    assert symptom(over(0.35, mist)) is None


def test_where_hardly_an_edge_is_as_it_was_soft_ones_are_a_blur_at_once_but_not_beside_headlights() -> None:
    view = over(0.9, cloth(90))
    view[:, :140] = cv2.GaussianBlur(picture(), (0, 0), 2.5)[:, :140]
    lit = view.copy()
    lit[:, 210:280] = 255

    assert symptom(view) == Symptom(TamperKind.BLURRED)
    dazzled = symptom(lit)
    assert dazzled is not None
    assert dazzled.doubt is Doubt.STANDING


def test_what_turns_up_elsewhere_has_moved_if_colour_rules_infrared_out() -> None:
    view = picture()
    view[:, 70:260] = np.roll(picture(), 14, 1)[:, 70:260]

    assert symptom(view, 160) == Symptom(TamperKind.MOVED)
    assert symptom(view) != Symptom(TamperKind.MOVED)
