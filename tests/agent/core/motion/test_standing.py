"""agent.core.motion.standing"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from agent.core.motion import detector
from agent.core.motion.settings import MotionSettings
from agent.core.types import Frame, Instant, Motion, StillRegion

Grey = NDArray[np.float32]
Scene = Callable[[Grey, float], Grey]
HIGH, WIDE, FPS = 90, 160, 5
GROUND = (110 + 6 * np.random.default_rng(1).normal(size=(HIGH, WIDE)).repeat(2, 1)[:, :WIDE]).astype(
    np.float32
)
BAG = 60 + 10 * np.random.default_rng(2).normal(size=(12, 14)).astype(np.float32)


def watch(scene: Scene, seconds: float, *, grain: float = 1.0) -> Iterator[tuple[float, Motion]]:
    """What the motion stage says of each frame; the scene draws on a copy of the ground."""
    rng, state = np.random.default_rng(3), None
    chroma = np.full((HIGH // 2, WIDE // 2), 128, np.uint8)
    for n in range(int(seconds * FPS)):
        second = n / FPS
        view = scene(GROUND.copy(), second) + rng.normal(0, grain, GROUND.shape)
        luma = np.clip(view, 16, 235).astype(np.uint8)
        frame = Frame(n, Instant(second, second), luma, chroma, chroma)
        state, motion = detector.update(state, frame, MotionSettings())
        yield second, motion


def standing(scene: Scene, seconds: float) -> dict[float, tuple[StillRegion, ...]]:
    return {second: motion.standing for second, motion in watch(scene, seconds)}


def with_bag(view: Grey, x: int = 70, y: int = 50) -> Grey:
    view[y : y + 12, x : x + 14] = BAG
    return view


def bag_from(begin: float, end: float) -> Scene:
    return lambda view, second: with_bag(view) if begin <= second < end else view


def test_what_comes_and_stays_stands_and_keeps_its_number_long_after_the_scene_took_it_in() -> None:
    seen = standing(bag_from(8, 200), 190)

    assert not any(regions for second, regions in seen.items() if second < 8)
    assert {each.number for second, regions in seen.items() if second > 14 for each in regions} == {1}
    assert all(regions for second, regions in seen.items() if second > 14)
    (last,) = seen[max(seen)]
    assert last.since.mono_s == pytest.approx(9, abs=1.5)
    assert last.box.left == pytest.approx(70 / WIDE, abs=0.03)
    assert last.box.bottom == pytest.approx(62 / HIGH, abs=0.03)


def test_what_is_taken_away_stands_no_more_even_after_the_scene_took_it_in() -> None:
    seen = standing(bag_from(8, 120), 150)

    assert seen[119.0]
    assert not any(regions for second, regions in seen.items() if second > 124)


def test_what_was_there_from_the_beginning_and_leaves_is_no_thing_that_came() -> None:
    seen = standing(bag_from(0, 20), 80)

    assert not any(seen.values())


def lamp(view: Grey, second: float) -> Grey:
    if second < 8:
        return view
    down, across = np.indices(view.shape)
    return view * (1 + 0.4 * np.exp(-(((across - 80) / 25) ** 2) - ((down - 50) / 18) ** 2)).astype(np.float32)


def shadow(view: Grey, second: float) -> Grey:
    if second >= 8:
        view[30:60, 50:100] *= 0.7
    return view


def exposure(view: Grey, second: float) -> Grey:
    return view * np.float32(1.0 if second < 8 else 1.25)


def switch(view: Grey, second: float) -> Grey:
    return view if second < 8 else 220 - view


@pytest.mark.parametrize("light", [lamp, shadow, exposure, switch])
def test_light_is_no_thing(light: Scene) -> None:
    assert not any(standing(light, 75).values())


@pytest.mark.parametrize("light", [lamp, exposure])
def test_a_thing_stands_on_under_another_light(light: Scene) -> None:
    seen = standing(lambda view, second: light(bag_from(8, 999)(view, second), second - 20), 60)

    assert {each.number for each in seen[59.0]} == {1}


def test_who_passes_before_a_thing_does_not_take_it_away() -> None:
    def scene(view: Grey, second: float) -> Grey:
        view = bag_from(8, 999)(view, second)
        if second >= 12:
            x = int(20 * (second % 9))
            view[30:66, x : x + 16] = 200
        return view

    seen = standing(scene, 60)
    assert {each.number for second, regions in seen.items() if second > 30 for each in regions} == {1}
    assert all(regions for second, regions in seen.items() if second > 30)


def test_what_is_left_of_two_who_stood_together_is_found_after_the_scene_took_both_in() -> None:
    def scene(view: Grey, second: float) -> Grey:
        view = bag_from(8, 999)(view, second)
        if 8 <= second < 100:
            view[26:62, 84:96] = 190
        return view

    seen = standing(scene, 120)
    (left,) = seen[119.0]
    assert left.box.right == pytest.approx(84 / WIDE, abs=0.03)
    assert left.since.mono_s > 99


@settings(max_examples=8, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 140), st.integers(0, 75)), max_size=24))
def test_there_are_never_more_than_a_few_and_their_boxes_lie_in_the_picture(
    things: list[tuple[int, int, int]],
) -> None:
    def scene(view: Grey, second: float) -> Grey:
        for begin, x, y in things:
            if second >= 6 + begin / 4:
                view = with_bag(view, x, y)
        return view

    for _, motion in watch(scene, 20):
        assert len(motion.standing) <= 16
        assert len({each.number for each in motion.standing}) == len(motion.standing)
        for each in motion.standing:
            assert 0 <= each.box.left < each.box.right <= 1
            assert 0 <= each.box.top < each.box.bottom <= 1
