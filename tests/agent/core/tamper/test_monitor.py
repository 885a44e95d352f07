"""agent.core.tamper.monitor"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from functools import cache
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from agent.core.condition_event import ConditionEvent
from agent.core.ids import Ids
from agent.core.tamper import monitor
from agent.core.tamper.classify import TamperKind
from agent.core.tamper.evidence import SEES, Visibility
from agent.core.tamper.monitor import BLIND, TamperState
from agent.core.tamper.settings import TamperSettings
from agent.core.types import Event, EventKind, Frame, Instant, Phase, Severity, Size

Plane = NDArray[np.uint8]
SETTINGS = TamperSettings()
HEIGHT, WIDTH = 180, 320
RATE = 4.0
GREY = np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8)


def frame(index: int, luma: Plane, rate: float = RATE) -> Frame:
    at = Instant(100.0 + index / rate, 1_770_000_000.0 + index / rate)
    chroma = (
        GREY if luma.shape == (HEIGHT, WIDTH) else np.full([side // 2 for side in luma.shape], 128, np.uint8)
    )
    return Frame(index, at, luma, chroma, chroma)


@cache
def street(seed: int) -> Plane:
    """A road with kerbs, marks and houses, in places that the seed chooses; drawn once, and never written."""
    chance = np.random.default_rng(seed)
    soft = cv2.resize(chance.normal(100, 25, (6, 10)), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    view = np.clip(soft, 30, 200).astype(np.uint8)
    for _ in range(60):
        x, y = int(chance.integers(0, WIDTH)), int(chance.integers(0, HEIGHT))
        w, h = (int(each) for each in chance.integers(4, 40, 2))
        cv2.rectangle(
            view, (x, y), (x + w, y + h), int(chance.integers(20, 230)), int(chance.choice([-1, 1, 2]))
        )
    view.setflags(write=False)
    return view


def grain(view: Plane, index: int, sigma: float = 1.5) -> Plane:
    noise = np.random.default_rng(index).normal(0, sigma, view.shape)
    return np.clip(view + noise, 0, 255).astype(np.uint8)


def seen(
    lumas: Iterable[Plane], state: TamperState | None = None, first: int = 0
) -> tuple[TamperState | None, list[Visibility]]:
    views = []
    for index, luma in enumerate(lumas, first):
        state, view = monitor.update(state, frame(index, luma), SETTINGS)
        views.append(view)
    return state, views


@cache
def begin(seed: int) -> tuple[TamperState | None, int]:
    """A street that was watched for twelve seconds: a state is a value, so many tests go on from it."""
    count = int(12 * RATE)
    state, views = seen(grain(street(seed), index) for index in range(count))
    assert not any(each.fault for each in views)
    return state, count


def after(change: Callable[[Plane], Plane], seconds: float = 10, seed: int = 1) -> list[Visibility]:
    """What is told while `change` is laid over a street that was known."""
    state, count = begin(seed)
    frames = (change(grain(street(seed), index)) for index in range(count, count + int(seconds * RATE)))
    return seen(frames, state, count)[1]


def blurred(view: Plane) -> Plane:
    return np.asarray(cv2.GaussianBlur(view, (0, 0), 3), np.uint8)


FAULTS: dict[TamperKind, Callable[[Plane], Plane]] = {
    TamperKind.COVERED: lambda view: grain(np.full_like(view, 90), int(view[0, 0])),
    TamperKind.DARK: lambda view: (view // 25).astype(np.uint8),
    TamperKind.BRIGHT: lambda view: np.minimum(view.astype(np.int32) * 4 + 120, 255).astype(np.uint8),
    TamperKind.BLURRED: blurred,
    TamperKind.MOVED: lambda view: np.roll(view, (20, 70), (0, 1)),
    TamperKind.FROZEN: lambda view: street(1),
}


@pytest.mark.parametrize("fault", list(TamperKind))
def test_each_fault_is_found_within_ten_seconds_and_named(fault: TamperKind) -> None:
    views = after(FAULTS[fault])

    assert views[-1].fault is fault
    assert views[-1].since is not None
    assert views[-1].since.mono_s == pytest.approx(112, abs=1.1)


@pytest.mark.parametrize("fault", list(TamperKind))
def test_a_fault_ends_when_the_view_is_back(fault: TamperKind) -> None:
    state, count = begin(1)
    state, views = seen((FAULTS[fault](grain(street(1), i)) for i in range(count, count + 48)), state, count)
    assert views[-1].fault is fault

    _, views = seen((grain(street(1), i) for i in range(count + 48, count + 80)), state, count + 48)

    assert views[-1].fault is None
    assert sum(one.fault is None and two.fault is not None for one, two in pairwise(views)) == 0


def test_a_moved_camera_stays_moved_however_long_it_stays_so() -> None:
    views = after(FAULTS[TamperKind.MOVED], seconds=240)

    assert views[-1].fault is TamperKind.MOVED
    assert sum(one.fault != two.fault for one, two in pairwise(views)) == 1


def test_uncovered_but_turned_away_becomes_moved() -> None:
    state, count = begin(1)
    state, views = seen(
        (FAULTS[TamperKind.COVERED](grain(street(1), i)) for i in range(count, count + 30)), state, count
    )
    assert views[-1].fault is TamperKind.COVERED

    _, views = seen((grain(street(2), i) for i in range(count + 30, count + 80)), state, count + 30)

    assert views[-1].fault is TamperKind.MOVED


def test_a_bus_that_hides_sixty_percent_for_eight_seconds_is_no_fault() -> None:
    def bus(view: Plane) -> Plane:
        view = view.copy()
        view[:, 40 : 40 + int(0.6 * WIDTH)] = street(7)[:, : int(0.6 * WIDTH)]
        return view

    assert not any(each.fault for each in after(bus, seconds=8))


@pytest.mark.parametrize("gain", [0.4, 0.7, 1.3])
def test_a_step_of_the_exposure_is_no_fault(gain: float) -> None:
    views = after(lambda view: np.clip(view * gain, 0, 255).astype(np.uint8), seconds=20)

    assert not any(each.fault for each in views)


def test_dusk_and_fog_are_no_fault() -> None:
    state, count = begin(3)
    whole = int(75 * RATE)

    def dusk(index: int) -> Plane:
        left = 1 - 0.85 * min(1.0, index / whole)
        return grain((16 + (street(3) - 16.0) * left).astype(np.uint8), index)

    def fog(index: int) -> Plane:
        left = 1 - 0.85 * min(1.0, index / whole)
        return grain((170 + (street(3) - 170.0) * left).astype(np.uint8), index)

    for weather in (dusk, fog):
        _, views = seen((weather(index) for index in range(whole + 40)), state, count)
        assert not any(each.fault for each in views)


def test_a_few_equal_pictures_are_not_frozen_and_a_heavily_compressed_stream_is_given_its_own_time() -> None:
    def held(seconds: float, spells: int) -> list[Visibility]:
        each = int(seconds * RATE)
        return seen(grain(street(1), index // each) for index in range(spells * each))[1]

    assert not any(view.fault for view in held(6, 6))
    assert any(view.fault is TamperKind.FROZEN for view in held(20, 2))


def test_frozen_under_a_clock_that_ticks_is_frozen() -> None:
    def clock(view: Plane, index: int) -> Plane:
        view = view.copy()
        cv2.putText(view, f"06:00:{index // 4:02}", (200, 176), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 255)
        return view

    state, count = begin(1)
    _, views = seen((clock(street(1), index) for index in range(count, count + 40)), state, count)

    assert views[-1].fault is TamperKind.FROZEN


def test_what_shines_through_tape_is_no_view() -> None:
    views = after(lambda view: (150 + (view - 150.0) * 0.06).astype(np.uint8))

    assert views[-1].fault is TamperKind.COVERED


def test_a_grey_bag_is_no_switch_to_infrared_and_infrared_is_no_fault() -> None:
    coloured, bag = (np.full_like(GREY, 150), np.full((HEIGHT, WIDTH), 100, np.uint8))
    lamp = np.linspace(1.3, 0.4, WIDTH, dtype=np.float32)

    def views_of(later: Callable[[int], Plane]) -> list[Visibility]:
        state, views = None, []
        for index in range(80):
            known = index < 40
            luma = grain(street(1) if known else later(index), index)
            plain = frame(index, luma)
            shown = Frame(index, plain.at, luma, coloured if known else GREY, GREY)
            state, view = monitor.update(state, shown, SETTINGS)
            views.append(view)
        return views

    assert views_of(lambda index: bag)[-1].fault is TamperKind.COVERED
    infrared = views_of(lambda index: np.clip(street(1) ** 0.9 * lamp, 0, 255).astype(np.uint8))
    assert not any(each.fault for each in infrared)


def test_infrared_over_nearly_grey_asphalt_is_no_fault_and_neither_is_the_day_after_it() -> None:
    tinge = np.full_like(GREY, 130)
    state: TamperState | None = None
    faults = []
    for index in range(160):
        night = 48 <= index < 104
        luma = grain(street(8 if night else 1), index)  # other shadows: hardly anything is where it was
        luma[:, : int(0.18 * WIDTH)] = grain(street(1), index)[:, : int(0.18 * WIDTH)]
        chroma = GREY if night else tinge
        state, view = monitor.update(state, Frame(index, frame(index, luma).at, luma, chroma, GREY), SETTINGS)
        faults.append(view.fault)

    assert not any(faults)


def test_breath_over_most_of_the_view_is_blurred_within_ten_seconds() -> None:
    def breath(view: Plane) -> Plane:
        misty = 150 + (cv2.GaussianBlur(view, (0, 0), 4).astype(np.float32) - 150) * 0.4
        return np.where(np.arange(WIDTH) < 0.68 * WIDTH, misty, view).astype(np.uint8)

    assert after(breath)[-1].fault is TamperKind.BLURRED


def test_a_lorry_that_stands_for_twenty_seconds_and_comes_again_is_no_fault() -> None:
    lorry, hidden = street(7), int(0.6 * WIDTH)
    state, count = begin(1)
    for _ in range(2):
        stands = [grain(street(1), index) for index in range(count, count + 80)]
        for luma in stands:
            luma[:, 40 : 40 + hidden] = lorry[:, :hidden]
        gone = [grain(street(1), index) for index in range(count + 80, count + 120)]
        state, views = seen(stands + gone, state, count)
        count += 120
        assert not any(each.fault for each in views)


def test_what_happens_while_no_pictures_come_is_found_when_they_are_back() -> None:
    state, count = begin(1)
    later = count + int(200 * RATE)

    _, views = seen((grain(street(2), index) for index in range(later, later + 40)), state, later)
    assert views[-1].fault is TamperKind.MOVED

    dim = (grain((street(1) * 0.6).astype(np.uint8), index) for index in range(later, later + 40))
    assert not any(each.fault for each in seen(dim, state, later)[1])


def test_what_one_look_shows_after_a_gap_speaks_for_no_more_than_a_moment() -> None:
    state, count = begin(1)
    later = count + int(20 * RATE)
    dazzled = np.minimum(street(1) * 2.2, 255).astype(np.uint8)
    frames = (grain(dazzled if index < later + 4 else street(1), index) for index in range(later, later + 40))

    assert not any(each.fault for each in seen(frames, state, later)[1])


def test_a_new_size_or_a_clock_that_ran_backwards_starts_afresh() -> None:
    state, count = begin(1)
    small = np.asarray(cv2.resize(street(2), (WIDTH // 2, HEIGHT)), np.uint8)
    _, views = seen((grain(small, index) for index in range(count, count + 60)), state, count)
    assert not any(each.fault for each in views)

    _, views = seen((grain(street(2), index) for index in range(60)), state, -60)
    assert not any(each.fault for each in views)


def test_between_two_looks_the_last_judgement_stands() -> None:
    state, count = begin(1)
    assert state is not None
    soon = Frame(count, Instant(state.at.mono_s + 0.1, 0), street(2), GREY, GREY)

    assert monitor.update(state, soon, SETTINGS) == (state, state.view)


def test_switched_off_it_sees_no_fault() -> None:
    off, state = TamperSettings(enabled=False), None
    for index in range(60):
        state, view = monitor.update(state, frame(index, np.zeros((HEIGHT, WIDTH), np.uint8)), off)
        assert view.fault is None


@settings(max_examples=15, deadline=None)
@given(level=st.integers(0, 255), sigma=st.sampled_from([0.0, 0.5, 2.0]))
def test_a_picture_of_nothing_is_a_fault_within_ten_seconds(level: int, sigma: float) -> None:
    blank = np.full((HEIGHT, WIDTH), level, np.uint8)
    _, views = seen(grain(blank, index, sigma) for index in range(int(10 * RATE)))

    assert views[-1].fault in {TamperKind.DARK, TamperKind.BRIGHT, TamperKind.COVERED}


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), sigma=st.floats(0.6, 5))
def test_a_still_scene_with_grain_is_never_a_fault(seed: int, sigma: float) -> None:
    view = street(seed)
    _, views = seen(grain(view, index, sigma) for index in range(int(25 * RATE)))

    assert not any(each.fault for each in views)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), changes=st.lists(st.sampled_from(list(TamperKind)), min_size=1, max_size=3))
def test_the_same_frames_give_the_same_views_and_no_state_is_changed(
    seed: int, changes: list[TamperKind]
) -> None:
    lumas = [grain(street(seed), index) for index in range(30)]
    for fault in changes:
        lumas += [FAULTS[fault](grain(street(seed), index)) for index in range(16)]
    state: TamperState | None = None
    kept: list[tuple[TamperState, TamperState]] = []
    first = []
    for index, luma in enumerate(lumas):
        state, view = monitor.update(state, frame(index, luma), SETTINGS)
        first.append(view)
        if index % 10 == 0:
            kept.append((state, copy.deepcopy(state)))

    assert seen(lumas)[1] == first
    for one, two in kept:
        np.testing.assert_equal([each.structure for each in one.looks], [each.structure for each in two.looks])
        if one.baseline is not None and two.baseline is not None:
            np.testing.assert_equal(one.baseline.structure, two.baseline.structure)
            np.testing.assert_equal(one.baseline.likeness, two.baseline.likeness)
            np.testing.assert_equal(one.baseline.detail, two.baseline.detail)


@pytest.mark.footage
@pytest.mark.parametrize(
    "name", ["jamcam-night-1.mp4", "pi-cars-truck.mp4", "person-bicycle-car-detection.mp4"]
)
def test_real_footage_is_no_fault_and_a_bag_over_it_is(shared_data: Path, name: str) -> None:
    with av.open(str(shared_data / "clips" / name)) as clip:
        step = max(1, round(float(clip.streams.video[0].average_rate or 25) / 2))
        lumas = [
            np.asarray(picture.to_ndarray(format="yuv420p")[: picture.height], np.uint8)
            for index, picture in enumerate(clip.decode(video=0))
            if index % step == 0
        ]
    state: TamperState | None = None
    for index in range(80):
        state, view = monitor.update(state, frame(index, lumas[index % len(lumas)], 2), SETTINGS)
        assert view.fault is None
    bag = np.full_like(lumas[0], 70)
    for index in range(80, 100):
        state, view = monitor.update(state, frame(index, grain(bag, index), 2), SETTINGS)

    assert view.fault is TamperKind.COVERED


COVERED = Visibility(TamperKind.COVERED, Instant(8.0, 108.0))
MOVED = Visibility(TamperKind.MOVED, Instant(8.0, 108.0))


def reports(*views: Visibility) -> tuple[ConditionEvent, list[Event]]:
    blind, ids, sent = BLIND, Ids(b"a seed of sixteen"), list[Event]()
    for second, view in enumerate(views, 10):
        blind, ids, events = monitor.report(blind, view, Instant(second, 100 + second), Size(640, 360), ids)
        sent += events
    return blind, sent


def test_a_fault_is_one_event_from_its_beginning_to_its_end() -> None:
    blind, (start, end) = reports(SEES, COVERED, COVERED, SEES, SEES)

    assert blind == BLIND
    assert (start.kind, start.phase, start.severity) == (EventKind.CAMERA_BLIND, Phase.START, Severity.ALERT)
    assert (start.detail, start.started.mono_s, start.at.mono_s) == ("covered", 8.0, 11.0)
    assert (end.id, end.phase, end.revision, end.at.mono_s) == (start.id, Phase.END, 2, 13.0)


def test_another_fault_is_an_update_of_the_same_event() -> None:
    blind, (start, update) = reports(COVERED, MOVED, MOVED)

    assert blind.last == update
    assert (update.id, update.phase, update.revision, update.detail) == (start.id, Phase.UPDATE, 2, "moved")


def test_two_faults_are_two_events() -> None:
    _, events = reports(COVERED, SEES, COVERED)

    assert len({each.id for each in events}) == 2
