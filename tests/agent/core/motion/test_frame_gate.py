"""agent.core.motion.frame_gate"""

from __future__ import annotations

import numpy as np
import pytest

from agent.core.motion import frame_gate
from agent.core.motion.frame_gate import FIRST, LEAST, FrameGate, FrameGateSettings
from agent.core.types import Frame, Instant, Plane

DEFAULT = FrameGateSettings()
SHAPE = (432, 768)


def road(seed: int = 0, noise: float = 2.0) -> Plane:
    """A road with a sensor's noise."""
    luma = np.tile(np.linspace(60, 160, SHAPE[1]), (SHAPE[0], 1))
    return np.clip(luma + np.random.default_rng(seed).normal(0, noise, SHAPE), 0, 255).astype(np.uint8)


def frame(at_s: float, luma: Plane) -> Frame:
    chroma = np.full((luma.shape[0] // 2, luma.shape[1] // 2), 128, np.uint8)
    return Frame(round(at_s * 10), Instant(at_s, 1_770_000_000 + at_s), luma, chroma, chroma)


def used_to_it(looks: int = 20) -> FrameGate:
    """After so many whole looks at an empty road, one a second; the last at its own second."""
    known = None
    for number in range(looks):
        known = frame_gate.after(known, frame(float(number), road(number)), DEFAULT)
    assert known is not None
    return known


def with_square(luma: Plane, side_px: int, contrast: int) -> Plane:
    luma = luma.copy()
    luma[200 : 200 + side_px, 300 : 300 + side_px] += np.uint8(contrast)
    return luma


def test_a_frame_that_shows_what_the_last_one_showed_is_not_worth_a_look() -> None:
    known = used_to_it()
    for number in range(1, 10):
        assert frame_gate.passed(known, frame(known.at.mono_s + number / 10, road(100 + number)), DEFAULT)


@pytest.mark.parametrize(("side_px", "contrast"), [(24, 30), (16, 60), (60, 20)])
def test_whoever_comes_into_view_is_worth_a_look_at_once(side_px: int, contrast: int) -> None:
    known = used_to_it()
    assert not frame_gate.passed(
        known, frame(known.at.mono_s + 0.2, with_square(road(7), side_px, contrast)), DEFAULT
    )


def test_single_squares_here_and_there_call_for_no_look_and_as_many_in_one_place_do() -> None:
    known = used_to_it()
    at_s = known.at.mono_s + 0.2
    scattered, together = road(7), road(7)
    for number in range(6):
        leaf = slice(8 + 64 * number, 16 + 64 * number), slice(8 + 120 * number, 16 + 120 * number)
        scattered[leaf] += np.uint8(40)
    together[200:216, 304:328] += np.uint8(40)

    assert frame_gate.passed(known, frame(at_s, scattered), DEFAULT)
    assert not frame_gate.passed(known, frame(at_s, together), DEFAULT)


def test_a_whole_look_is_due_after_a_while_whatever_is_seen() -> None:
    known = used_to_it()
    assert not frame_gate.passed(known, frame(known.at.mono_s + DEFAULT.look_s, road(7)), DEFAULT)


def test_after_a_change_every_frame_is_worth_a_look_for_a_while() -> None:
    """Else what comes slowly would be compared with itself, a tenth of a second ago."""
    known = used_to_it()
    came = with_square(road(7), 60, 40)
    after = frame_gate.after(known, frame(known.at.mono_s + 0.2, came), DEFAULT)
    assert not frame_gate.passed(after, frame(known.at.mono_s + 0.3, came), DEFAULT)
    assert frame_gate.passed(after, frame(known.at.mono_s + 1.0, came), DEFAULT)


def test_what_swings_all_the_time_is_usual_and_the_rest_is_not() -> None:
    known = None
    for number in range(20):
        known = frame_gate.after(
            known, frame(number * 0.5, with_square(road(number), 80, 40 * (number % 2))), DEFAULT
        )
    assert known is not None
    at_s = known.at.mono_s + 0.6
    assert frame_gate.passed(known, frame(at_s, with_square(road(50), 80, 0)), DEFAULT)
    elsewhere = road(50)
    elsewhere[20:60, 20:60] += np.uint8(40)
    assert not frame_gate.passed(known, frame(at_s, elsewhere), DEFAULT)


def test_noise_at_night_does_not_call_for_looks() -> None:
    known = None
    for number in range(20):
        known = frame_gate.after(known, frame(float(number), road(number, noise=12.0)), DEFAULT)
    assert known is not None
    assert frame_gate.passed(known, frame(known.at.mono_s + 0.2, road(99, noise=12.0)), DEFAULT)


def test_what_parked_while_nobody_compared_is_not_taken_for_usual() -> None:
    known = used_to_it()
    later = frame_gate.after(known, frame(known.at.mono_s + 60, with_square(road(7), 80, 60)), DEFAULT)
    assert later.limit.max() <= max(LEAST, FIRST)


def test_another_size_is_a_new_beginning() -> None:
    known = used_to_it()
    other = frame(known.at.mono_s + 0.2, road()[:240, :320].copy())
    assert not frame_gate.passed(known, other, DEFAULT)
    assert frame_gate.after(known, other, DEFAULT).plane.shape != known.plane.shape


def test_a_slow_change_of_light_is_followed_and_calls_for_no_look() -> None:
    known: FrameGate | None = used_to_it()
    assert known is not None
    start_s = known.at.mono_s
    for number in range(1, 8):
        brighter = np.clip(road(number).astype(int) + 2 * number, 0, 255).astype(np.uint8)
        known = frame_gate.passed(known, frame(start_s + number / 4, brighter), DEFAULT)
        assert known is not None, f"after {number} glimpses"


def test_whoever_comes_in_slowly_is_not_followed() -> None:
    """A pixel further with each glimpse: a pedestrian far away."""
    known: FrameGate | None = used_to_it()
    assert known is not None
    start_s, seen = known.at.mono_s, 0
    while known is not None:
        seen += 1
        walked = road(seen)
        walked[200:240, :seen] += np.uint8(40)
        known = frame_gate.passed(known, frame(start_s + seen / 4, walked), DEFAULT)
    assert seen / 4 < DEFAULT.look_s - 0.5


def test_looks_that_a_jump_brings_do_not_make_it_forget_the_jump() -> None:
    """Limits fall by the second: ten looks within one would else undo what a minute had taught."""
    known = used_to_it()
    for number in range(10):
        jumped = with_square(road(number), 80, 30 * (number % 2))
        known = frame_gate.after(known, frame(known.at.mono_s + 0.5, jumped), DEFAULT)
    learned = known.limit.max()
    for number in range(10):
        known = frame_gate.after(known, frame(known.at.mono_s + 0.1, road(number)), DEFAULT)
    assert known.limit.max() >= learned - 1


def test_a_look_that_comes_a_little_late_still_tells_what_is_usual() -> None:
    """Frames do not come when a look is due: the next whole look is a fraction of a second later."""
    known = used_to_it()
    late = frame_gate.after(known, frame(known.at.mono_s + DEFAULT.look_s + 0.3, road(7)), DEFAULT)
    assert frame_gate.passed(late, frame(late.at.mono_s + 0.25, road(8)), DEFAULT)


def test_a_clock_that_ran_backwards_is_worth_a_look() -> None:
    known = used_to_it()
    assert not frame_gate.passed(known, frame(known.at.mono_s - 5, road(7)), DEFAULT)


def test_the_frames_memory_may_be_reused() -> None:
    for luma in (road(), road()[:100, :160].copy()):
        known = frame_gate.after(None, frame(0.0, luma), DEFAULT)
        kept = known.plane.copy()
        luma[:] = 0
        assert np.array_equal(known.plane, kept)
