"""agent.core.tracking.main_shot: the same road user in more pixels, or nothing."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from agent.core.tracking import best_shot, main_shot
from agent.core.tracking.best_shot import BestShotSettings
from agent.core.types import WHOLE, Box, Frame, Instant, Sensitive, SensitiveKind, Shot, Size
from tests.support.strategies import boxes

AT = Instant(100.0, 1e9)
MOST_PX = 320


def view(width: int, height: int, left: float, seed: int = 3) -> Frame:
    """Ground with a grain, and a road user of a grain of its own, whose left edge is at this fraction."""
    chance = np.random.default_rng(seed)
    large = cv2.resize(chance.integers(60, 120, (45, 80), np.uint8), (1280, 720), interpolation=cv2.INTER_CUBIC)
    large[::2] -= 10  # what the smaller picture cannot show
    user = cv2.resize(chance.integers(90, 250, (12, 12), np.uint8), (160, 160), interpolation=cv2.INTER_CUBIC)
    large[280:440, round(left * 1280) :][:, :160] = user
    luma = np.asarray(cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    grey: NDArray[np.uint8] = np.full((height // 2, width // 2), 128, np.uint8)
    return Frame(0, AT, luma, grey, grey)


def box(left: float) -> Box:
    return Box(left, 280 / 720, left + 160 / 1280, 440 / 720)


def shot(left: float = 0.4, private: tuple[Sensitive, ...] = ()) -> Shot:
    return best_shot.crop(view(320, 180, left), box(left), 0.7, BestShotSettings(), private=private)


def cut(frame: Frame, part: Box) -> Frame:
    """The part of a frame, in even pixels."""
    high, wide = frame.luma.shape
    rows, columns = (
        (round(part.top * high), round(part.bottom * high)),
        (round(part.left * wide), round(part.right * wide)),
    )
    halves = slice(rows[0] // 2, rows[1] // 2), slice(columns[0] // 2, columns[1] // 2)
    return Frame(0, AT, frame.luma[slice(*rows), slice(*columns)], frame.u[halves], frame.v[halves])


def around(lefts: tuple[float, ...], of: Shot) -> list[Frame]:
    assert of.part is not None
    return [cut(view(1280, 720, left), of.part) for left in lefts]


def test_the_frame_that_shows_the_same_is_taken_whatever_its_place() -> None:
    small = shot(0.4)
    assert small.part is not None
    for place in range(4):
        lefts = [0.37, 0.38, 0.42, 0.43]
        lefts[place] = 0.4
        found = main_shot.best(small, around(tuple(lefts), small), small.part, MOST_PX)
        assert found is not None
        assert found[1] == place
        assert found[0].from_main
        assert max(found[0].image.shape) == min(MOST_PX, 4 * max(small.image.shape))
        assert (found[0].at, found[0].quality) == (small.at, small.quality)


def test_the_box_stays_on_the_road_user_when_the_part_is_a_little_larger() -> None:
    small = shot(0.4)
    assert small.part is not None
    part = Box(small.part.left - 0.00625, small.part.top, small.part.right, small.part.bottom + 8 / 720)
    found = main_shot.best(small, [cut(view(1280, 720, 0.4), part)], part, 4000)
    assert found is not None
    image, own = found[0].image, found[0].box
    expected = (0.4 - part.left) * 1280, (280 / 720 - part.top) * 720
    assert (own.left * image.shape[1], own.top * image.shape[0]) == pytest.approx(expected, abs=1.5)


def test_another_moment_or_another_view_is_not_taken() -> None:
    small = shot(0.4)
    assert small.part is not None
    assert main_shot.best(small, around((0.3, 0.5), small), small.part, MOST_PX) is None
    other = cut(view(1280, 720, 0.4, seed=9), small.part)
    assert main_shot.best(small, [other], small.part, MOST_PX) is None
    assert main_shot.best(small, [], small.part, MOST_PX) is None


def test_nothing_is_taken_for_like_where_all_is_plain() -> None:
    small = shot(0.4)
    assert small.part is not None
    plain = cut(view(1280, 720, 0.4), small.part)
    flat = Frame(0, AT, np.full_like(plain.luma, 90), plain.u, plain.v)
    assert main_shot.best(small, [flat], small.part, MOST_PX) is None


def test_another_exposure_is_the_same_road_user() -> None:
    small = shot(0.4)
    assert small.part is not None
    frame = cut(view(1280, 720, 0.4), small.part)
    brighter = Frame(0, AT, (frame.luma // 2 + 90).astype(np.uint8), frame.u, frame.v)
    assert main_shot.best(small, [brighter], small.part, MOST_PX) is not None


def test_what_may_have_to_be_hidden_is_hidden_with_room_to_move() -> None:
    head = Sensitive(SensitiveKind.HEAD, Box(0.42, 0.40, 0.46, 0.45), 6)
    small = shot(0.4, (head,))
    assert small.part is not None
    found = main_shot.best(small, around((0.4,), small), small.part, MOST_PX)
    assert found is not None
    (before,), (after,) = small.sensitive, found[0].sensitive
    assert after.kind is before.kind
    assert after.rows == before.rows
    more = main_shot.MOVED * before.box.height
    assert after.box.left == pytest.approx(before.box.left - more)
    assert after.box.bottom == pytest.approx(before.box.bottom + more)


def test_alone_only_the_road_user_is_shown_in_more_pixels() -> None:
    small = shot(0.4)
    assert small.part is not None
    frames = around((0.4,), small)
    whole = main_shot.best(small, frames, small.part, 4000)
    alone = main_shot.best(small, frames, small.part, 4000, alone=True)
    assert whole is not None
    assert alone is not None
    (high, wide), own = alone[0].image.shape[:2], alone[0].box
    rows = slice(round(own.top * high), round(own.bottom * high))
    columns = slice(round(own.left * wide), round(own.right * wide))
    assert np.array_equal(alone[0].image[rows, columns], whole[0].image[rows, columns])
    elsewhere = np.ones((high, wide), bool)
    elsewhere[rows, columns] = False
    enlarged = cv2.resize(small.image, (wide, high), interpolation=cv2.INTER_LINEAR)
    differs = np.abs(alone[0].image.astype(int) - enlarged).max(axis=2)
    assert differs[elsewhere].max() <= 3, "as it was, only larger"
    assert (np.abs(whole[0].image.astype(int) - enlarged).max(axis=2))[elsewhere].max() > 3


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1), boxes, boxes, st.booleans())
def test_whatever_a_child_gives_is_a_picture_within_bounds_or_none(
    half_width: int, half_height: int, seed: int, of: Box, part: Box, alone: bool
) -> None:
    chance = np.random.default_rng(seed)
    luma = chance.integers(0, 256, (2 * half_height, 2 * half_width), np.uint8)
    grey = np.full((half_height, half_width), 128, np.uint8)
    ours = Box(min(of.left, of.right), min(of.top, of.bottom), max(of.left, of.right), max(of.top, of.bottom))
    image = np.full((20, 30, 3), 90, np.uint8)
    image[:, ::2] = luma[0, 0]
    small = Shot(image, AT, ours, 0.5, (), Box(0.2, 0.3, 0.5, 0.6))
    found = main_shot.best(small, [Frame(0, AT, luma, grey, grey)], part, MOST_PX, alone)
    if found is not None:
        assert max(found[0].image.shape) <= MOST_PX


def test_more_pixels_are_asked_for_only_where_more_may_be_sent() -> None:
    small = shot(0.4)
    assert main_shot.gains(small, MOST_PX)
    assert not main_shot.gains(small, max(small.image.shape[:2]))
    assert not main_shot.gains(Shot(small.image, AT, WHOLE, 0.5), MOST_PX), "of an unknown part"
    assert small.part is not None
    found = main_shot.best(small, around((0.4,), small), small.part, MOST_PX)
    assert found is not None
    assert not main_shot.gains(found[0], 4000)
    assert main_shot.best(small, [cut(view(320, 180, 0.4), small.part)], small.part, MOST_PX) is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ((640, 360), (2560, 1440), True),
        ((640, 352), (1920, 1080), True),
        ((640, 480), (1920, 1080), False),
        ((704, 576), (1920, 1080), False),
    ],
)
def test_pictures_of_one_view_have_one_shape(one: tuple[int, int], other: tuple[int, int], same: bool) -> None:
    assert main_shot.same_shape(Size(*one), Size(*other)) is same
