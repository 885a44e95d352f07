"""agent.core.rules.zones"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from agent.core.debounce import NEVER, Debounce
from agent.core.rules import zones
from agent.core.rules.zones import Anchor, Zone
from agent.core.types import Box, Instant, Size

FRAME = Size(1600, 900)
SQUARE = Zone(id="square", polygon=((0.4, 0.4), (0.6, 0.4), (0.6, 0.6), (0.4, 0.6)))


def standing_at(x: float, y: float, height: float = 0.1) -> Box:
    return Box(x - 0.02, y - height, x + 0.02, y)


def walk(points: list[tuple[float, float]], zone: Zone = SQUARE, every_s: float = 0.2) -> list[bool]:
    now, out = NEVER, []
    for number, (x, y) in enumerate(points):
        now = zones.stay(now, zone, standing_at(x, y), FRAME, Instant(number * every_s, 0.0))
        out.append(now.on)
    return out


def test_who_is_inside_for_long_enough_is_in_and_who_passes_is_not() -> None:
    assert walk([(0.5, 0.5)] * 4) == [False, False, True, True]
    assert walk([(0.5, 0.5), (0.7, 0.5), (0.5, 0.5), (0.7, 0.5)]) == [False] * 4


def test_who_trembles_on_the_edge_enters_once_and_stays() -> None:
    inside = walk([(0.5, 0.59)] * 3 + [(0.5, 0.61), (0.5, 0.595)] * 40)

    assert inside[2:] == [True] * 81


def test_who_trembles_over_the_edge_for_a_sighting_comes_in_and_who_goes_off_does_not() -> None:
    edge = [(0.5, 0.59), (0.5, 0.59), (0.5, 0.605)] * 3
    off = [(0.5, 0.59), (0.5, 0.59), (0.5, 0.7)] * 3

    assert walk(edge, every_s=0.1)[-1] is True
    assert not any(walk(off, every_s=0.1))


def test_who_stands_outside_and_trembles_inside_now_and_then_is_not_in() -> None:
    assert not any(walk([(0.5, 0.595), *[(0.5, 0.605)] * 3] * 20, every_s=0.1))


def test_who_goes_away_is_out_after_a_while() -> None:
    inside = walk([(0.5, 0.5)] * 5 + [(0.5, 0.8)] * 8)

    assert inside[5:10] == [True] * 5
    assert inside[-1] is False


def test_the_anchor_decides_which_point_counts() -> None:
    box = Box(0.45, 0.45, 0.55, 0.75)
    by_center = Zone(id="center", polygon=SQUARE.polygon, anchor=Anchor.CENTER, enter_after_s=0)
    by_foot = Zone(id="foot", polygon=SQUARE.polygon, enter_after_s=0)

    assert zones.stay(NEVER, by_center, box, FRAME, Instant(0, 0)).on is False  # center at 0.6: a lower edge
    assert zones.stay(NEVER, by_center, Box(0.45, 0.4, 0.55, 0.7), FRAME, Instant(0, 0)).on is True
    assert zones.stay(NEVER, by_foot, box, FRAME, Instant(0, 0)).on is False


@given(st.floats(0, 0.3), st.lists(st.floats(-1, 1), min_size=1, max_size=30))
def test_trembling_less_than_the_margin_never_leaves(size: float, tremble: list[float]) -> None:
    box = standing_at(0.5, 0.6, max(size, 0.01))
    reach = 0.9 * SQUARE.margin * zones.size_of(box, FRAME)
    now = Debounce(Instant(0, 0), Instant(0, 0), True)

    for number, share in enumerate(tremble, start=1):
        moved = Box(box.left, box.top + share * reach, box.right, box.bottom + share * reach)
        now = zones.stay(now, SQUARE, moved, FRAME, Instant(number * 10.0, 0.0))
        assert now.on


@pytest.mark.parametrize(
    ("polygon", "says"),
    [
        ([(0.1, 0.1), (0.9, 0.9)], "at least 3"),
        ([(0.1, 0.1), (0.9, 0.9), (0.9, 0.1), (0.1, 0.9)], "edges 1 and 3 cross"),
        ([(0.1, 0.1), (0.1, 0.1), (0.9, 0.1), (0.1, 0.9)], "corner 1 is given twice"),
        ([(0.1, 0.1), (0.5, 0.5), (0.9, 0.9)], "enclose nothing"),
        ([(0.1, 0.1), (1.5, 0.5), (0.9, 0.1)], "less than or equal to 1"),
    ],
)
def test_a_polygon_that_is_none_is_refused_in_words(polygon: list[tuple[float, float]], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Zone.model_validate({"id": "bad", "polygon": polygon})


@pytest.mark.parametrize("name", ["a", "Junction", "two words", "x" * 33, "ngã-tư"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        Zone.model_validate({"id": name, "polygon": SQUARE.polygon})


@pytest.mark.parametrize(
    ("box", "touch"),
    [
        (Box(0.45, 0.45, 0.5, 0.5), True),  # inside
        (Box(0.0, 0.0, 1.0, 1.0), True),  # around
        (Box(0.3, 0.45, 0.7, 0.5), True),  # across, no corner of one in the other
        (Box(0.0, 0.0, 0.3, 0.3), False),
    ],
)
def test_touching_is_sharing_ground(box: Box, touch: bool) -> None:
    assert zones.touches(box, SQUARE.polygon) is touch


@pytest.mark.parametrize(
    ("x", "y", "stays"),
    [
        # The margin is 0.2 of a box of 0.1 by 0.1 of a square frame: 0.02.
        (0.5, 0.619, True), (0.5, 0.621, False), (0.5, 0.381, True), (0.5, 0.379, False),
        (0.619, 0.5, True), (0.621, 0.5, False), (0.381, 0.5, True), (0.379, 0.5, False),
        # Beyond a corner it is the way to the corner.
        (0.613, 0.613, True), (0.615, 0.615, False), (0.387, 0.387, True), (0.385, 0.385, False),
        (0.613, 0.387, True), (0.615, 0.385, False), (0.387, 0.613, True), (0.385, 0.615, False),
    ],
)  # fmt: skip
def test_who_is_in_stays_in_within_the_margin_on_all_sides(x: float, y: float, stays: bool) -> None:
    now, box = Debounce(Instant(0, 0), Instant(0, 0), True), Box(x - 0.05, y - 0.1, x + 0.05, y)
    for second in (1, 2, 3):
        now = zones.stay(now, SQUARE, box, Size(1000, 1000), Instant(second, 0.0))

    assert now.on is stays


@pytest.mark.parametrize(("x", "stays"), [(0.609, True), (0.611, False)])
def test_the_margin_is_as_wide_as_it_looks_on_a_wide_picture(x: float, stays: bool) -> None:
    now, box = Debounce(Instant(0, 0), Instant(0, 0), True), Box(x - 0.025, 0.4, x + 0.025, 0.5)
    for second in (1, 2, 3):  # a side of 0.1 heights, so a margin of 0.02 of them
        now = zones.stay(now, SQUARE, box, Size(2000, 1000), Instant(second, 0.0))

    assert zones.size_of(box, Size(2000, 1000)) == pytest.approx(0.1)
    assert zones.metric((0.5, 0.5), Size(2000, 1000)) == (1.0, 0.5)
    assert now.on is stays
