"""agent.core.sampling.unfound_heads"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.sampling.label_changes import LabelChanges
from agent.core.sampling.missed_motion import MissedMotion
from agent.core.sampling.unfound_heads import (
    LEAST_SQUARE,
    NEAR,
    SQUARE,
    KnownScene,
    regions,
    too_near,
    unexplained,
)
from agent.core.types import Box, Detection, Motion, Sensitive, Size, StillRegion, Track
from tests.support.sampled_frames import at, track

WALKER = Box(0.4, 0.4, 0.45, 0.6)


def square(part: Sensitive) -> float:
    return part.box.height / part.rows


def square_at(parts: tuple[Sensitive, ...], x: float, y: float) -> float | None:
    """The coarsest squares over a point; None: it is shown as it is."""
    over = [
        square(each)
        for each in parts
        if each.box.left <= x <= each.box.right and each.box.top <= y <= each.box.bottom
    ]
    return max(over, default=None)


HD = Size(1280, 720)
CAR = Box(0.4, 0.4, 0.6, 0.5)
"""Three and a half times as wide as high."""


def seen(
    motion: Motion,
    *found: Detection,
    tracks: tuple[Track, ...] = (),
    lately: tuple[MissedMotion, ...] = (),
    labels: tuple[LabelChanges, ...] = (),
) -> KnownScene:
    return KnownScene(HD, motion, lately, tracks, found, labels)


def test_what_moves_and_was_not_found_is_unexplained_and_what_was_is_not() -> None:
    motion = Motion((WALKER,), 0.01)

    assert unexplained(seen(motion)) == (WALKER,)
    assert unexplained(seen(motion, Detection("person", 0.6, WALKER))) == ()
    assert unexplained(seen(motion, tracks=(track(WALKER, label="person"),))) == ()
    assert unexplained(seen(Motion((CAR,), 0.01), Detection("car", 0.9, CAR))) == ()


@pytest.mark.parametrize(
    "found",
    [
        Detection("person", 0.3, WALKER),
        Detection("dog", 0.9, WALKER),
        Detection("person", 0.9, Box(0.4, 0.5, 0.45, 0.6)),
    ],
    ids=["hardly seen", "no road user", "a half of it"],
)
def test_a_weak_or_partial_detection_explains_nothing(found: Detection) -> None:
    assert unexplained(seen(Motion((WALKER,), 0.01), found)) == (WALKER,)


def test_a_car_that_is_not_wide_may_be_a_rider_whether_it_moves_or_not() -> None:
    called = Detection("car", 0.95, WALKER)

    assert unexplained(seen(Motion((WALKER,), 0.01), called)) == (WALKER,)
    assert unexplained(seen(Motion((), 0.0), called)) == (WALKER,)
    assert unexplained(seen(Motion((), 0.0), tracks=(track(WALKER, label="bus"),))) == (WALKER,)


def test_of_a_track_whose_label_wavered_everything_is_hidden() -> None:
    wavered = track(CAR, "t", "car")

    assert unexplained(seen(Motion((), 0.0), tracks=(wavered,))) == ()
    assert unexplained(seen(Motion((), 0.0), tracks=(wavered,), labels=(LabelChanges("t", "car", 1),))) == (
        CAR,
    )


def test_who_came_and_stands_or_moved_a_moment_ago_is_hidden_too() -> None:
    standing = Motion((), 0.0, standing=(StillRegion(1, WALKER, at(0)),))
    lately = MissedMotion(Box(0.1, 0.1, 0.2, 0.3), WALKER, at(0), at(1))

    assert unexplained(seen(standing, lately=(lately,))) == (WALKER, lately.box)


def test_what_is_near_and_unexplained_lets_no_frame_be_kept() -> None:
    near = Box(0.1, 0.2, 0.5, 0.2 + NEAR)

    assert too_near(unexplained(seen(Motion((near,), 0.1))))
    assert not too_near(unexplained(seen(Motion((near,), 0.1), Detection("bus", 0.9, near))))
    assert not too_near((WALKER,))


def test_whom_the_lower_border_cuts_is_of_coarse_squares_all_over() -> None:
    (part,) = regions((Box(0.4, 0.7, 0.5, 1.0),))

    assert square(part) >= 0.3 / 8


HEIGHTS = st.floats(0.02, 0.4)
RIDER, WALKING = 0.2, 1 / 7.5
"""A head's share of the height: a rider's on a two-wheeler, a walker's."""


@given(
    high=HEIGHTS,
    wide=st.floats(0.02, 0.3),
    left=st.floats(0.05, 0.6),
    own=st.floats(0.1, 1.0),
    head=st.sampled_from([RIDER, WALKING]),
)
def test_no_head_in_a_region_is_more_than_four_squares_high_whoever_stands_in_it(
    high: float, wide: float, left: float, own: float, head: float
) -> None:
    """Somebody whose feet are at the region's end, and who is a part `own` of its height high."""
    box = Box(left, 0.5, left + wide, 0.5 + high)
    parts = regions((box,))
    top = box.bottom - own * high
    middle = top + own * high * head / 2
    found = square_at(parts, left + wide / 2, middle)

    assert found is not None
    assert own * high * head / found <= 4.0
    assert found >= min(LEAST_SQUARE, SQUARE * high) * 0.9
