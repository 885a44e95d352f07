"""agent.core.motion.detector"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from agent.core.motion import detector
from agent.core.motion.detector import MotionState
from agent.core.motion.settings import MotionSettings
from agent.core.types import Box, Frame, Instant, Motion, Plane

HEIGHT, WIDTH = 240, 320
RATE = 10.0
DEFAULT = MotionSettings()

Grey = NDArray[np.float64]
Scene = Callable[[float, np.random.Generator], Grey]
"""(seconds, chance) -> luma as the world sends it."""


def street(height: int = HEIGHT, width: int = WIDTH) -> Grey:
    """A still view with soft and sharp parts."""
    chance = np.random.default_rng(8)
    soft = cv2.resize(chance.uniform(60, 150, (6, 8)), (width, height), interpolation=cv2.INTER_CUBIC)
    for x in range(20, width, 60):
        cv2.line(soft, (x, 0), (x + 40, height), 210, 3)
    cv2.rectangle(soft, (width // 2, 10), (width // 2 + 60, 50), 40, cv2.FILLED)
    return np.asarray(soft, np.float64)


STREET = street()


def car(view: Grey, x: float, y: int = 130, wide: int = 40, high: int = 22) -> Grey:
    """The view with a two-tone car whose left edge is at x."""
    with_car = view.copy()
    left, right = max(0, int(x)), min(view.shape[1], int(x) + wide)
    if left < right:
        with_car[y : y + high // 2, left:right] = 50
        with_car[y + high // 2 : y + high, left:right] = 190
    return with_car


def film(scene: Scene, long_s: float, rate: float = RATE, noise: float = 1.5) -> Iterator[Frame]:
    chance = np.random.default_rng(11)
    chroma = np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8)
    for index in range(round(long_s * rate)):
        at_s = index / rate
        light = scene(at_s, chance)
        luma = np.clip(light + chance.normal(0, noise, light.shape), 0, 255).astype(np.uint8)
        luma.setflags(write=False)
        yield Frame(index, Instant(500 + at_s, 1_770_000_000 + at_s), luma, chroma, chroma)


def watch(
    frames: Iterable[Frame], wanted: MotionSettings = DEFAULT, state: MotionState | None = None
) -> list[tuple[Frame, MotionState, Motion]]:
    looks = []
    for frame in frames:
        state, found = detector.update(state, frame, wanted)
        looks.append((frame, state, found))
    return looks


def moving(looks: list[tuple[Frame, MotionState, Motion]], from_s: float = 3.0) -> int:
    """On how many frames after `from_s` something moved."""
    return sum(bool(found.regions) for frame, _, found in looks if frame.at.mono_s - 500 >= from_s)


def test_a_first_frame_settles_and_tells_nothing() -> None:
    looks = watch(film(lambda t, c: STREET, 3))
    assert looks[0][2] == Motion((), 0.0, settling=True)
    assert not looks[-1][2].settling
    assert not any(found.regions for _, _, found in looks)


@pytest.mark.parametrize("rate", [1.0, 5.0, 15.0, 30.0])
def test_a_car_is_boxed_at_any_frame_rate(rate: float) -> None:
    looks = watch(film(lambda t, c: car(STREET, (t - 6) * 60 - 40), 12, rate))
    hits = seen = 0
    for frame, _, found in looks:
        x = (frame.at.mono_s - 506) * 60 - 40
        if 0 <= x <= WIDTH - 40:
            seen += 1
            middle_x, middle_y = (x + 20) / WIDTH, 141 / HEIGHT
            hits += any(
                b.left <= middle_x <= b.right and b.top <= middle_y <= b.bottom and b.width < 0.4
                for b in found.regions
            )
    # At one frame a second a car that has just appeared has no second sighting to wait for.
    assert hits >= 0.9 * seen - (1 if rate > 1 else 0)
    assert moving(looks, 3) <= seen + 2 + 1.5 * rate  # on its way in and out, and nothing else moves


@pytest.mark.parametrize("noise", [0.5, 3.0, 9.0])
def test_noise_alone_is_no_motion(noise: float) -> None:
    assert moving(watch(film(lambda t, c: STREET, 12, noise=noise))) == 0


def rain(view: Grey, chance: np.random.Generator) -> Grey:
    layer = np.zeros(view.shape, np.uint8)
    for _ in range(40):
        x, y = int(chance.integers(0, WIDTH)), int(chance.integers(0, HEIGHT))
        cv2.line(layer, (x, y), (x + 2, y + 14), 60, 1)
    return view + layer


def beam(view: Grey, part: float) -> Grey:
    """Soft light that has come `part` of the way over a dark view."""
    x, y = (part * 1.8 - 0.4) * WIDTH, 0.6 * HEIGHT
    far = ((np.arange(WIDTH) - x) / 50)[None] ** 2 + ((np.arange(HEIGHT) - y) / 50)[:, None] ** 2
    light = np.exp(-far / 2)
    return view * 0.4 * (1 + 1.5 * light) + 10 * light


def shaken(view: Grey, at_s: float) -> Grey:
    x, y = 2.0 * np.sin(2 * np.pi * 1.3 * at_s), 1.0 * np.sin(2 * np.pi * 2.1 * at_s)
    move = np.array([[1, 0, x], [0, 1, y]])
    return np.asarray(cv2.warpAffine(view, move, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT), np.float64)


def stepped(view: Grey, at_s: float) -> Grey:
    return view * (1.0, 0.7, 1.2, 0.85)[int(at_s // 4) % 4]


NUISANCES: dict[str, Callable[[Grey, float, np.random.Generator], Grey]] = {
    "rain": lambda view, t, c: rain(view, c),
    "a headlight's beam": lambda view, t, c: beam(view, t % 6 / 3) if t >= 6 else view * 0.4,
    "a shaking pole": lambda view, t, c: shaken(view, t),
    "exposure steps": lambda view, t, c: stepped(view, t),
    "slow light": lambda view, t, c: view * (0.7 + 0.3 * np.cos(t / 4)),
    "infrared grain": lambda view, t, c: view * 0.4 + c.normal(0, 8, view.shape),
    "an insect in single frames": lambda view, t, c: (
        cv2.circle(view.copy(), (int(c.integers(20, 300)), int(c.integers(20, 220))), 9, 230, cv2.FILLED)
        if int(t * RATE) % 4 == 0
        else view
    ),
}


@pytest.mark.parametrize("name", NUISANCES)
def test_a_nuisance_alone_is_no_motion(name: str) -> None:
    looks = watch(film(lambda t, c: NUISANCES[name](STREET, t, c), 20))
    assert moving(looks) <= 2


@pytest.mark.parametrize("name", NUISANCES)
def test_a_car_is_found_during_a_nuisance(name: str) -> None:
    looks = watch(film(lambda t, c: NUISANCES[name](car(STREET, (t - 8) * 60 - 40), t, c), 14))
    assert moving(looks, 8) >= 15


def test_somebody_small_who_goes_his_own_width_in_two_frames_is_found() -> None:
    looks = watch(film(lambda t, c: car(STREET, (t - 4) * 90, 100, 10, 24), 8))
    assert moving(looks, 4) >= 25


def faint_walker(view: Grey, x: float) -> Grey:
    """A few pixels that hardly stand out of the dark."""
    return np.where(car(np.zeros_like(view), x, 100, 10, 16) > 0, view + 6, view)


@pytest.mark.parametrize("rate", [8.0, 10.0, 25.0])
def test_somebody_small_and_faint_is_found_by_where_he_goes(rate: float) -> None:
    dark = STREET * 0.4
    looks = watch(film(lambda t, c: faint_walker(dark, 60 + (t - 4) * 15) if t >= 4 else dark, 9, rate))
    seen = [
        any(box.left <= (65 + (frame.at.mono_s - 504) * 15) / WIDTH <= box.right for box in found.regions)
        for frame, _, found in looks
        if frame.at.mono_s >= 505
    ]
    assert np.mean(seen) >= 0.5


def test_somebody_faint_who_stands_is_no_motion() -> None:
    dark = STREET * 0.4
    looks = watch(film(lambda t, c: faint_walker(dark, 60) if t >= 4 else dark, 9))
    assert moving(looks) == 0


def test_a_bus_that_passed_while_the_scene_was_learned_leaves_no_motion_behind() -> None:
    looks = watch(film(lambda t, c: car(STREET, t * 100 - 80, 60, 120, 110), 12))
    assert moving(looks, 4.2) == 0
    assert not looks[-1][2].settling


def test_a_scene_that_never_rests_is_known_all_the_same() -> None:
    looks = watch(film(lambda t, c: car(STREET, (t * 240) % 320 - 60, 60, 120, 110), 8))
    assert any(found.settling for frame, _, found in looks if frame.at.mono_s >= 503)
    assert not any(found.settling for frame, _, found in looks if frame.at.mono_s >= 504.5)


def test_a_light_switch_is_relearned_within_seconds_and_tells_no_region() -> None:
    other = 230 - STREET[::-1, ::-1] * 0.8
    looks = watch(film(lambda t, c: STREET if t < 5 else other, 12))
    assert moving(looks) == 0
    settling = [frame.at.mono_s - 500 for frame, _, found in looks if found.settling]
    assert any(5 <= at_s < 5.5 for at_s in settling)
    assert not any(at_s > 5 + DEFAULT.settle_s + 0.5 for at_s in settling)


def test_who_drives_through_a_scene_that_is_learned_is_not_told_but_shown_to_the_detector() -> None:
    looks = watch(film(lambda t, c: car(STREET, t * 90), 1.5))
    assert not any(found.regions for _, _, found in looks)
    for frame, _, found in looks[3:]:
        left = (frame.at.mono_s - 500) * 90 / WIDTH
        on_it = [box for box in found.changing if box.left < left + 40 / WIDTH and box.right > left]
        assert on_it
        assert all(box.width < 0.3 for box in on_it)
        assert found.everywhere == ()


def test_of_a_scene_that_is_known_nothing_changes_but_what_moves() -> None:
    looks = watch(film(lambda t, c: car(STREET, (t - 6) * 60 - 40), 9))
    assert not any(found.changing for _, _, found in looks if not found.settling)
    assert not any(found.relit for _, _, found in looks)


@pytest.mark.parametrize("times", [0.5, 1.6])
def test_an_exposure_step_is_said_for_a_second(times: float) -> None:
    looks = watch(film(lambda t, c: STREET * (times if t >= 5 else 1), 8))
    relit = [frame.at.mono_s - 500 for frame, _, found in looks if found.relit]
    assert relit == pytest.approx([5 + n / RATE for n in range(10)])
    assert not any(found.settling for frame, _, found in looks if frame.at.mono_s >= 505)


def test_a_camera_that_adjusts_itself_is_no_other_light_and_neither_is_a_car() -> None:
    adjusted = watch(film(lambda t, c: STREET * (0.7 if t >= 5 else 1), 7))
    assert not any(found.relit for _, _, found in adjusted)
    large = watch(film(lambda t, c: car(STREET, (t - 5) * 90 - 90, 60, 90, 80), 8))
    assert not any(found.relit for _, _, found in large)


def test_a_bus_that_fills_half_the_view_bit_by_bit_is_no_light_switch() -> None:
    looks = watch(film(lambda t, c: car(STREET, (t - 5) * 90 - 200, 40, 200, 180), 9))
    assert not any(found.settling for frame, _, found in looks if frame.at.mono_s >= 503)
    assert moving(looks, 5.5) >= 20


def test_what_stands_does_not_move_and_is_still_in_the_mask() -> None:
    looks = watch(film(lambda t, c: car(STREET, min((t - 4) * 60, 120)), 12))
    assert not any(found.regions for frame, _, found in looks if frame.at.mono_s >= 508.5)
    _, state, found = looks[-1]
    row, column = (edge * state.mask.shape[0] // HEIGHT for edge in (141, 140))
    assert state.mask[row, column] == 255
    assert found.share > 0.005


def test_what_stands_long_becomes_part_of_the_scene_and_leaving_shows_no_ghost() -> None:
    wanted = MotionSettings(absorb_s=5)
    looks = watch(film(lambda t, c: car(STREET, 120) if 3 < t < 40 else STREET, 50, 5), wanted)
    at_s = [frame.at.mono_s - 500 for frame, _, _ in looks]
    assert looks[at_s.index(39.0)][2].share < 0.003
    assert looks[-1][2].share < 0.003
    assert not looks[-1][2].regions


def test_nothing_moves_under_an_ignored_polygon() -> None:
    band = ((0.0, 0.5), (1.0, 0.5), (1.0, 0.7), (0.0, 0.7))
    wanted = MotionSettings(ignore=(band,))
    looks = watch(film(lambda t, c: car(STREET, (t - 4) * 60), 8), wanted)
    assert moving(looks) == 0
    assert moving(watch(film(lambda t, c: car(STREET, (t - 4) * 60), 8))) > 20


def test_small_regions_do_not_count() -> None:
    wanted = MotionSettings(min_area=0.05)
    assert moving(watch(film(lambda t, c: car(STREET, (t - 4) * 60), 8), wanted)) == 0


def test_regions_are_at_most_as_many_as_allowed_and_largest_first() -> None:
    def scene(t: float, c: np.random.Generator) -> Grey:
        view = STREET
        for number in range(5):
            view = car(view, (t - 4) * 60, 10 + 45 * number, 20 + 8 * number, 16 + 2 * number)
        return view

    looks = watch(film(scene, 7))
    assert max(len(found.regions) for _, _, found in looks) >= 5
    for _, _, found in looks:
        areas = [box.area for box in found.regions]
        assert areas == sorted(areas, reverse=True)
    few = watch(film(scene, 7), MotionSettings(max_regions=2))
    assert max(len(found.regions) for _, _, found in few) == 2


def arrays(value: object) -> Iterator[Plane]:
    if isinstance(value, np.ndarray):
        yield value
    elif is_dataclass(value):
        for field in fields(value):
            yield from arrays(getattr(value, field.name))
    elif isinstance(value, tuple):
        for part in value:
            yield from arrays(part)


def scene_of_everything(t: float, c: np.random.Generator) -> Grey:
    return stepped(rain(car(STREET, (t - 3) * 60), c), t)


def test_the_state_is_a_value() -> None:
    frames = list(film(scene_of_everything, 9))
    state: MotionState | None = None
    for frame in frames:
        if state is None:
            state, _ = detector.update(state, frame, DEFAULT)
            continue
        before = [plane.copy() for plane in arrays(state)]
        first, looks = detector.update(state, frame, DEFAULT)
        assert all(np.array_equal(a, b) for a, b in zip(before, arrays(state), strict=True))
        second, again = detector.update(state, frame, DEFAULT)
        assert looks == again
        assert all(np.array_equal(a, b) for a, b in zip(arrays(first), arrays(second), strict=True))
        state = first


def test_the_state_keeps_no_memory_of_the_frame() -> None:
    for height, width in ((HEIGHT, WIDTH), (120, 160)):
        shared = np.full((height, width), 90, np.uint8)
        chroma = np.full((height // 2, width // 2), 128, np.uint8)
        state, _ = detector.update(None, Frame(0, Instant(1, 1), shared, chroma, chroma), DEFAULT)
        for plane in arrays(state):
            assert not np.shares_memory(plane, shared)


@pytest.mark.parametrize("passed_s", [-5.0, 3600.0])
def test_a_gap_or_a_clock_that_ran_backwards_starts_afresh(passed_s: float) -> None:
    frames = list(film(lambda t, c: STREET, 5))
    looks = watch(frames)
    last = frames[-1]
    at = Instant(last.at.mono_s + passed_s, last.at.wall_s)
    _, found = detector.update(looks[-1][1], Frame(99, at, last.luma, last.u, last.v), DEFAULT)
    assert found.settling


def test_another_size_or_another_mask_starts_afresh() -> None:
    looks = watch(film(lambda t, c: STREET, 5))
    frame, state, _ = looks[-1]
    after = Instant(frame.at.mono_s + 0.1, frame.at.wall_s + 0.1)
    small = Frame(99, after, frame.luma[:200].copy(), frame.u, frame.v)
    assert detector.update(state, small, DEFAULT)[1].settling
    masked = MotionSettings(ignore=(((0, 0), (1, 0), (1, 1)),))
    assert detector.update(state, Frame(99, after, frame.luma, frame.u, frame.v), masked)[1].settling


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.integers(8, 90), st.integers(8, 120), st.sampled_from([0.03, 0.2, 1.0, 40.0])
)
def test_any_pictures_give_boxes_inside_the_frame(seed: int, height: int, width: int, step_s: float) -> None:
    chance = np.random.default_rng(seed)
    state: MotionState | None = None
    chroma = np.zeros((1, 1), np.uint8)
    for index in range(12):
        luma = chance.integers(0, 256, (height, width), np.uint8)
        luma[: height // 2] = index * 20
        at = Instant(index * step_s, 0)
        state, found = detector.update(
            state, Frame(index, at, luma, chroma, chroma), MotionSettings(settle_s=0.2)
        )
        assert 0 <= found.share <= 1
        assert not (found.settling and found.regions)
        for box in found.regions:
            assert 0 <= box.left < box.right <= 1
            assert 0 <= box.top < box.bottom <= 1


def clip_frames(path: Path) -> Iterator[Frame]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        rate = float(stream.average_rate or 25)
        for index, picture in enumerate(container.decode(stream)):
            yuv = np.asarray(picture.to_ndarray(format="yuv420p"), np.uint8)
            luma = np.ascontiguousarray(yuv[: picture.height])
            yield Frame(index, Instant(index / rate, index / rate), luma, luma[:1, :1], luma[:1, :1])


@pytest.mark.footage
def test_masks_on_highway_reach_the_bar(shared_data: Path) -> None:
    folder = shared_data / "motion" / "highway"
    roi = np.asarray(cv2.imread(str(folder / "ROI.bmp"), 0)) > 127
    chroma = np.zeros((1, 1), np.uint8)
    state: MotionState | None = None
    right = false = missed = 0
    for number in range(300, 900):
        bgr = cv2.imread(str(folder / f"input/in{number:06}.jpg"))
        luma = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420)[: bgr.shape[0]], np.uint8)
        at = Instant(number / 25, number / 25)
        state, _ = detector.update(state, Frame(number, at, luma, chroma, chroma), DEFAULT)
        if number < 470 or number % 3:
            continue
        truth = np.asarray(cv2.imread(str(folder / f"groundtruth/gt{number:06}.png"), 0))
        found = cv2.resize(state.mask, truth.shape[::-1], interpolation=cv2.INTER_LINEAR) > 127
        judged, thing = roi & np.isin(truth, (0, 50, 255)), truth == 255
        right += np.count_nonzero(found & thing & judged)
        false += np.count_nonzero(found & ~thing & judged)
        missed += np.count_nonzero(~found & thing & judged)
    assert 2 * right / (2 * right + false + missed) >= 0.88


@pytest.mark.footage
def test_vehicles_at_night_give_regions(shared_data: Path) -> None:
    looks = watch(clip_frames(shared_data / "clips" / "jamcam-night-1.mp4"))
    known = [found for _, _, found in looks if not found.settling]
    assert sum(bool(found.regions) for found in known) >= 0.9 * len(known)


def test_boxes_of_motion_are_where_it_is() -> None:
    looks = watch(film(lambda t, c: car(STREET, (t - 4) * 60), 7))
    frame, _, found = next(entry for entry in looks if entry[0].at.mono_s >= 506)
    x = (frame.at.mono_s - 504) * 60
    wanted = Box(x / WIDTH, 130 / HEIGHT, (x + 40) / WIDTH, 152 / HEIGHT)
    (box,) = found.regions
    for edge in ("left", "top", "right", "bottom"):
        assert getattr(box, edge) == pytest.approx(getattr(wanted, edge), abs=0.035)


def leaves(at_s: float, chance: np.random.Generator) -> Grey:
    """A crown before the sky in the upper left: leaves that swing by some pixels, each at its own time."""
    view = STREET.copy()
    view[:110, :150] = 200
    places = np.random.default_rng(4).uniform((5, 5, 0, 0.2), (140, 100, 6.3, 0.6), (160, 4))
    for x, y, phase, pace in places:
        swing = 9 * np.sin(2 * np.pi * pace * at_s + phase) * max(0.2, np.sin(at_s / 3 + phase / 6))
        cv2.ellipse(view, (round(x + swing), round(y + 0.4 * swing)), (7, 4), phase * 57, 0, 360, 70, -1)
    return view


def test_what_a_tree_does_is_not_told_but_handed_to_the_detector() -> None:
    looks = watch(film(leaves, 40))[200:]
    assert sum(bool(found.regions) for _, _, found in looks) <= 0.05 * len(looks)
    assert sum(bool(found.restless) for _, _, found in looks) >= 0.2 * len(looks)
    assert all(set(found.everywhere) == {*found.regions, *found.restless} for _, _, found in looks)


def test_who_passes_before_a_tree_is_told_once_he_went_far() -> None:
    def passed(at_s: float, chance: np.random.Generator) -> Grey:
        view = leaves(at_s, chance)
        return car(view, 300 - 60 * (at_s - 20), 60) if at_s >= 20 else view

    tellable = [found for frame, _, found in watch(film(passed, 26)) if frame.at.mono_s >= 520]
    assert any(150 <= WIDTH * box.right <= 260 for found in tellable for box in found.regions)
    assert any(WIDTH * box.right < 110 for found in tellable for box in found.regions)


def test_who_passes_before_a_view_that_shakes_is_told_where_the_frame_shows_him() -> None:
    def shaken(at_s: float, chance: np.random.Generator) -> Grey:
        view = car(STREET, 20 + 30 * (at_s - 12)) if at_s >= 12 else STREET
        move = np.float32([[1, 0, 7 * np.sin(8 * at_s)], [0, 1, 5 * np.sin(11 * at_s)]])
        return np.asarray(cv2.warpAffine(view, move, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT))

    looks = watch(film(shaken, 20))
    before = [found for frame, _, found in looks if 504 <= frame.at.mono_s < 512]
    assert not any(found.regions for found in before)
    hits = []
    for frame, _, found in looks:
        at_s = frame.at.mono_s - 500
        if 13 <= at_s < 20:
            x = 40 + 30 * (at_s - 12) + 7 * np.sin(8 * at_s)
            hits.append(any(abs(WIDTH * box.center[0] - x) <= 8 for box in found.regions))
    assert sum(hits) >= 0.8 * len(hits)


def test_a_car_before_leaves_is_told_whole_though_only_its_front_is_unlike_any_leaf() -> None:
    """It is as bright as the brightest leaves, and its front brighter than any."""

    def crowned(at_s: float, chance: np.random.Generator) -> Grey:
        view = cv2.resize(chance.uniform(30, 160, (HEIGHT // 4, WIDTH // 4)), (WIDTH, HEIGHT))
        x = round(160 * (at_s - 14))
        if 0 <= x <= WIDTH - 80:
            view[100:140, x : x + 80] = 150
            view[100:140, x + 50 : x + 80] = 245
        return np.asarray(view, np.float64)

    shares, missed_px = [], []
    for frame, state, found in watch(film(crowned, 15.4)):
        x = round(160 * (frame.at.mono_s - 500 - 14))
        if 120 <= x <= WIDTH - 80:  # before, it has not gone far enough to be no leaf
            plane = cv2.resize(state.mask, (WIDTH, HEIGHT))[100:140, x : x + 80]
            shares.append(np.count_nonzero(plane) / plane.size)
            missed_px.append(min(region.left for region in found.regions) * WIDTH - x)
    assert np.median(shares) > 0.95
    assert np.median(missed_px) <= 0  # its tail, which is the less sure end
