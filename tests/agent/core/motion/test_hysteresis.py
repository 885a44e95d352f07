"""agent.core.motion.hysteresis"""

from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agent.core.motion.hysteresis import NOISE, Differing, grown
from agent.core.motion.regions import Thing
from agent.core.types import Plane
from tests.support.mask_parts import part

SHAPE = (120, 160)
Spot = tuple[int, int, int, int]
"""Left, top, wide, high, in pixels."""
PIECE, NEAR = (64, 46, 12, 14), (60, 42, 20, 22)
LIMIT, SURE, LESS, LIKE = 44, 60, 25, 6
"""Of pixels with a noise of `NOISY`: the limit, beyond it, beyond that of a quiet pixel, and neither."""
NOISY = 40.0


def spotted(plane: Plane, spot: Spot, value: int) -> Plane:
    left, top, wide, high = spot
    after = plane.copy()
    after[top : top + high, left : left + wide] = value
    return after


def seen(far: Plane, noise: float = NOISY, counts: Plane | None = None) -> Differing:
    return Differing(far, np.full(SHAPE, LIMIT, np.uint8), np.full(SHAPE, noise, np.float32), counts)


def before_leaves(*less: Spot) -> Plane:
    """How far each pixel is from the scene: of a car only a piece is beyond the limit."""
    far = np.full(SHAPE, LIKE, np.uint8)
    for spot in less:
        far = spotted(far, spot, LESS)
    return spotted(far, PIECE, SURE)


def window(thing: Thing) -> Spot:
    rows, columns = thing.window
    return columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start


def test_of_a_car_before_leaves_all_that_lies_close_around_the_piece_that_is_sure_is_told() -> None:
    whole = grown(part(*PIECE), seen(before_leaves(NEAR)))
    left, top, wide, high = window(whole)
    assert abs(left - NEAR[0]) <= 2 and abs(top - NEAR[1]) <= 2
    assert abs(left + wide - NEAR[0] - NEAR[2]) <= 2 and abs(top + high - NEAR[1] - NEAR[3]) <= 2
    assert whole.area_px >= 0.9 * NEAR[2] * NEAR[3]


def test_in_a_quiet_place_a_part_stays_as_it_is() -> None:
    piece = part(*PIECE)
    assert grown(piece, seen(before_leaves(NEAR), noise=NOISE)) is piece


def test_what_is_not_joined_to_a_part_is_none_of_it() -> None:
    apart = (PIECE[0] + PIECE[2] + 7, PIECE[1], 3, PIECE[3])
    assert window(grown(part(*PIECE), seen(before_leaves(apart)))) == window(part(*PIECE))


def test_where_motion_does_not_count_no_part_grows_to() -> None:
    counts = spotted(np.full(SHAPE, 255, np.uint8), (0, 0, PIECE[0], SHAPE[0]), 0)
    left, *_ = window(grown(part(*PIECE), seen(before_leaves(NEAR), counts=counts)))
    assert left >= PIECE[0] - 1


@given(
    spot=st.tuples(st.integers(0, 100), st.integers(0, 60), st.integers(5, 60), st.integers(5, 60)),
    grain=st.integers(0, 2**32 - 1),
)
def test_a_part_only_grows_and_not_far(spot: Spot, grain: int) -> None:
    piece = part(*spot)
    chance = np.random.default_rng(grain)
    far = cv2.blur(chance.integers(0, 90, SHAPE, np.uint8), (5, 5))
    noise = chance.uniform(0, 40, SHAPE).astype(np.float32)
    limit = np.asarray(noise + 4, np.uint8)
    whole = grown(piece, Differing(np.asarray(far, np.uint8), limit, noise, None))

    before, after = (np.zeros(SHAPE, np.uint8) for _ in range(2))
    before[piece.window], after[whole.window] = piece.pixels, whole.pixels
    assert not np.any(before & ~after)
    assert whole.area_px == np.count_nonzero(after) >= piece.area_px
    assert whole.pixels.any(axis=0)[[0, -1]].all() and whole.pixels.any(axis=1)[[0, -1]].all()
    again = cv2.drawContours(np.zeros(SHAPE, np.uint8), [whole.outline], -1, 255, cv2.FILLED)
    assert not np.any(after & ~again)
    most = 3 + 0.4 * max(piece.pixels.shape)
    for one, other in zip(piece.window, whole.window, strict=True):
        assert other.start >= one.start - most and other.stop <= one.stop + most
