"""agent.core.tracking.best_shot"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.tracking import best_shot
from agent.core.tracking.best_shot import BestShotSettings
from agent.core.types import (
    Box,
    ColourWord,
    Detection,
    Event,
    EventKind,
    Frame,
    Instant,
    Phase,
    Sensitive,
    SensitiveKind,
    Severity,
    Size,
    Track,
)

WIDTH, HEIGHT = 640, 360
SETTINGS = BestShotSettings()


def frame(second: float = 0.0, blur: float = 0.0, seed: int = 1) -> Frame:
    """A textured picture, blurred on request."""
    rng = np.random.default_rng(seed)
    small = rng.integers(30, 220, (HEIGHT // 8, WIDTH // 8), dtype=np.uint8)
    luma = cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)
    if blur:
        luma = cv2.GaussianBlur(luma, (0, 0), blur)
    chroma = np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8)
    luma.setflags(write=False)
    return Frame(0, Instant(second, second), np.asarray(luma, np.uint8), chroma, chroma.copy())


def track(box: Box, name: str = "one", **more: object) -> Track:
    at = Instant(0.0, 0.0)
    known = Track(name, "car", 0.8, 0.8, box, (0.0, 0.0), at, at, seen=True, confirmed=True)
    return replace(known, **more)  # type: ignore[arg-type]


MIDDLE = Box(0.4, 0.4, 0.5, 0.6)


def quality(box: Box = MIDDLE, blur: float = 0.0, **more: object) -> float:
    return best_shot.update(None, frame(blur=blur), [track(box, **more)], SETTINGS)[1]["one"].quality


def test_a_better_picture_is_large_sharp_whole_and_sure() -> None:
    best = quality()

    assert 0 < best <= 1
    assert quality(Box(0.4, 0.4, 0.43, 0.46)) < best
    assert quality(blur=6) < best
    assert quality(Box(0.0, 0.4, 0.1, 0.6)) < best
    assert quality(score=0.3) < best


def painted(u: int, v: int) -> Frame:
    """A grey view with something of one colour in `MIDDLE`."""
    blank = frame()
    left, right, top, bottom = int(0.4 * WIDTH), int(0.5 * WIDTH), int(0.4 * HEIGHT), int(0.6 * HEIGHT)
    luma, planes = blank.luma.copy(), [blank.u.copy(), blank.v.copy()]
    luma[top:bottom, left:right] = 90
    for plane, value in zip(planes, (u, v), strict=True):
        plane[top // 2 : bottom // 2, left // 2 : right // 2] = value
        plane[:40] += 6  # trees on top: by infrared the whole view is grey
    return replace(blank, luma=luma, u=planes[0], v=planes[1])


def test_a_picture_comes_with_the_colour_of_what_it_shows() -> None:
    red = painted(90, 220)

    shot = best_shot.update(None, red, [track(MIDDLE)], SETTINGS)[1]["one"]
    unasked = best_shot.update(None, red, [track(MIDDLE)], replace_setting(colours=False))[1]["one"]

    assert shot.colours is not None and shot.colours.vehicle is not None
    assert (shot.colours.vehicle.word, shot.colours.clothes) == (ColourWord.RED, None)
    assert unasked.colours is None


def replace_setting(**more: object) -> BestShotSettings:
    return SETTINGS.model_copy(update=more)


def test_what_stands_in_front_makes_the_picture_worse_and_what_stands_behind_does_not() -> None:
    in_front = track(Box(0.42, 0.5, 0.5, 0.7), "two")
    behind = track(Box(0.42, 0.3, 0.5, 0.5), "two")
    alone = quality()

    assert best_shot.update(None, frame(), [track(MIDDLE), in_front], SETTINGS)[1]["one"].quality < alone
    assert best_shot.update(None, frame(), [track(MIDDLE), behind], SETTINGS)[1]["one"].quality == alone


def test_a_picture_is_replaced_only_by_a_clearly_better_one_and_not_too_often() -> None:
    state, better = best_shot.update(None, frame(0.0, blur=4), [track(MIDDLE)], SETTINGS)
    assert "one" in better
    state, better = best_shot.update(state, frame(0.1), [track(MIDDLE)], SETTINGS)
    assert better == {}  # too soon
    state, better = best_shot.update(state, frame(0.5), [track(MIDDLE)], SETTINGS)
    assert "one" in better
    kept = state.best["one"].shot
    state, better = best_shot.update(state, frame(1.0), [track(MIDDLE, score=0.85)], SETTINGS)
    assert better == {}
    assert state.best["one"].shot is kept


def test_predicted_and_unconfirmed_tracks_are_not_pictured() -> None:
    guesses = [track(MIDDLE, seen=False), track(MIDDLE, "two", confirmed=False)]

    assert best_shot.update(None, frame(), guesses, SETTINGS)[1] == {}


def test_pictures_of_ended_tracks_are_dropped() -> None:
    state, _ = best_shot.update(None, frame(), [track(MIDDLE), track(MIDDLE, "two")], SETTINGS)
    state, _ = best_shot.update(state, frame(1.0), [track(MIDDLE, ended=True)], SETTINGS)

    assert state.best == {}


def test_memory_is_bounded() -> None:
    few = BestShotSettings(max_tracks=2)
    many = [track(MIDDLE, f"t{n}") for n in range(5)]

    assert len(best_shot.update(None, frame(), many, few)[0].best) == 2


def test_a_picture_is_a_copy_with_space_around_the_object_which_it_points_out() -> None:
    source = frame()
    shot = best_shot.crop(source, MIDDLE, 0.5, SETTINGS)
    height, width = shot.image.shape[:2]

    assert not np.shares_memory(shot.image, source.luma)
    assert max(width, height) <= SETTINGS.max_side_px
    assert shot.box.left > 0.05
    assert shot.box.right < 0.95
    assert shot.box.width * width == pytest.approx(MIDDLE.width * WIDTH, abs=3)
    assert shot.box.height * height == pytest.approx(MIDDLE.height * HEIGHT, abs=3)


def test_a_large_object_is_shrunk_to_the_longest_side() -> None:
    shot = best_shot.crop(frame(), Box(0, 0, 1, 1), 0.5, BestShotSettings(max_side_px=100))

    assert shot.image.shape == (56, 100, 3)


@pytest.mark.parametrize("box", [Box(-0.2, -0.2, 0.0, 0.0), Box(0.99, 0.99, 1.4, 1.4), Box(0.5, 0.5, 0.5, 0.5)])
def test_a_box_at_or_over_the_border_still_gives_a_picture(box: Box) -> None:
    shot = best_shot.crop(frame(), box, 0.5, SETTINGS)

    assert shot.image.size > 0
    assert 0 <= shot.box.left <= shot.box.right <= 1


def event(**more: object) -> Event:
    at = Instant(0.0, 0.0)
    plain = Event("e1", 1, EventKind.MOTION, Phase.START, Severity.INFO, at, "motion", "motion", at)
    return replace(plain, frame=Size(WIDTH, HEIGHT), region=MIDDLE, **more)  # type: ignore[arg-type]


def test_an_event_without_a_road_user_gets_a_crop_of_where_it_moves() -> None:
    start = best_shot.illustrate(event(), frame(), SETTINGS)
    end = best_shot.illustrate(event(phase=Phase.END), frame(), SETTINGS)

    assert start.thumbnail is not None
    assert start.scene is None
    assert end.thumbnail is None


def test_an_alert_starts_with_the_whole_view_that_says_where() -> None:
    alert = best_shot.illustrate(event(severity=Severity.ALERT), frame(), BestShotSettings(scene_width_px=320))
    later = best_shot.illustrate(event(severity=Severity.ALERT, phase=Phase.UPDATE), frame(), SETTINGS)

    assert alert.scene is not None
    assert alert.scene.image.shape == (180, 320, 3)
    assert alert.scene.box == MIDDLE
    assert later.scene is None


def test_the_picture_is_of_what_was_detected_and_not_of_a_box_that_lags_behind() -> None:
    found = Detection("car", 0.9, Box(0.36, 0.4, 0.56, 0.7))
    neighbour = Detection("car", 0.9, Box(0.7, 0.4, 0.8, 0.6))

    _, better = best_shot.update(None, frame(), [track(MIDDLE)], SETTINGS, [neighbour, found])
    _, alone = best_shot.update(None, frame(), [track(found.box)], SETTINGS)

    assert np.array_equal(better["one"].image, alone["one"].image)
    assert better["one"].box == alone["one"].box


def test_a_detection_is_of_one_track_only_and_one_that_is_far_off_of_none() -> None:
    found = Detection("car", 0.9, Box(0.41, 0.41, 0.51, 0.61))
    near, other = track(MIDDLE), track(Box(0.45, 0.45, 0.58, 0.68), "two")
    _, better = best_shot.update(None, frame(), [near, other], SETTINGS, [found])
    _, plain = best_shot.update(None, frame(), [near, other], SETTINGS)

    assert not np.array_equal(better["one"].image, plain["one"].image)
    assert np.array_equal(better["two"].image, plain["two"].image)


def test_a_small_road_user_is_shown_in_its_surroundings() -> None:
    small = Box(0.5, 0.5, 0.53, 0.6)
    corner = Box(0.95, 0.0, 1.0, 0.08)
    for box in (small, corner):
        shot = best_shot.crop(frame(), box, 0.5, SETTINGS)
        height, width = shot.image.shape[:2]
        assert min(height, width) >= SETTINGS.min_side_px - 2
    tiny = best_shot.crop(frame(), Box(0.5, 0.5, 0.51, 0.52), 0.5, SETTINGS)
    assert max(tiny.image.shape[:2]) <= 26  # three times its size, or nobody knows which one is meant
    assert best_shot.crop(frame(), small, 0.5, SETTINGS).box.center == pytest.approx((0.5, 0.5), abs=0.05)
    bare = best_shot.crop(frame(), small, 0.5, BestShotSettings(min_side_px=0))
    assert max(bare.image.shape[:2]) < 50


@pytest.mark.parametrize("kernel", [(15, 1), (1, 15)])
def test_motion_blur_shows_in_either_direction(kernel: tuple[int, int]) -> None:
    plain = frame()
    smeared = replace(plain, luma=cv2.blur(plain.luma, kernel))
    large = [track(Box(0.3, 0.3, 0.6, 0.8))]
    crisp = best_shot.update(None, plain, large, SETTINGS)[1]["one"].quality

    assert best_shot.update(None, smeared, large, SETTINGS)[1]["one"].quality < 0.9 * crisp


def test_sharpness_does_not_depend_on_contrast() -> None:
    plain = frame()
    dim = replace(plain, luma=(plain.luma // 8 + 20).astype(np.uint8))
    bright = best_shot.update(None, plain, [track(MIDDLE)], SETTINGS)[1]["one"].quality

    assert best_shot.update(None, dim, [track(MIDDLE)], SETTINGS)[1]["one"].quality == pytest.approx(
        bright, rel=0.1
    )


def test_who_is_only_believed_to_stand_in_front_hides_nobody() -> None:
    in_front = track(Box(0.42, 0.5, 0.5, 0.7), "two", seen=False)

    _, better = best_shot.update(None, frame(), [track(MIDDLE), in_front], SETTINGS)

    assert better["one"].quality == quality()


@given(
    st.floats(0, 0.99),
    st.floats(0, 0.99),
    st.floats(0.001, 1),
    st.floats(0.001, 1),
    st.integers(0, 480),
    st.floats(0, 1),
)
def test_any_box_gives_a_picture_that_holds_it(
    left: float, top: float, width: float, height: float, least_px: int, margin: float
) -> None:
    box = Box(left, top, min(1.0, left + width), min(1.0, top + height))
    shot = best_shot.crop(frame(), box, 0.5, BestShotSettings(min_side_px=least_px, margin=margin))

    rows, columns = shot.image.shape[:2]
    assert max(rows, columns) <= 480
    assert 0 <= shot.box.left <= shot.box.right <= 1
    assert 0 <= shot.box.top <= shot.box.bottom <= 1
    assert min(rows, columns) >= 2


def test_pictures_know_where_heads_are_in_them() -> None:
    head = Sensitive(SensitiveKind.HEAD, Box(MIDDLE.left, MIDDLE.top, MIDDLE.right, MIDDLE.top + 0.05), 6)
    elsewhere = Sensitive(SensitiveKind.HEAD, Box(0.0, 0.0, 0.01, 0.01), 6)
    _, better = best_shot.update(None, frame(), [track(MIDDLE)], SETTINGS, private=(head, elsewhere))
    shot = better["one"]
    (own,) = shot.sensitive
    alert = best_shot.illustrate(event(severity=Severity.ALERT), frame(), SETTINGS, (head, elsewhere))

    assert (own.box.left, own.box.top) == pytest.approx((shot.box.left, shot.box.top), abs=0.02)
    assert alert.scene is not None
    assert alert.scene.sensitive == (head, elsewhere)
