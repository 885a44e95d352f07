"""agent.core.attention.negative_map"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.core.attention import negative_map
from agent.core.attention.negative_map import COLUMNS, FORGET_S, ROWS, NegativeMap
from agent.core.types import Box

TREE = Box(0.5, 0.1, 0.6, 0.3)
FIRST_S, MOST_S = 0.2, 1.0


def waited(state: NegativeMap, region: Box, at_s: float) -> float:
    return negative_map.wait_s(state, region, at_s, FIRST_S, MOST_S)


def dull(looks: int) -> NegativeMap:
    """After so many looks at the tree, one a second, the last at 0."""
    state: NegativeMap = {}
    for number in range(looks):
        state = negative_map.looked(state, [TREE], [], float(number - looks + 1))
    return state


def test_a_fresh_place_is_not_waited_for() -> None:
    assert waited({}, TREE, 0.0) == 0


def test_the_wait_doubles_with_every_few_looks_up_to_the_most() -> None:
    waits = [round(waited(dull(n), TREE, 0.0), 3) for n in (1, 3, 4, 7, 8, 12, 50)]
    assert waits == [0.2, 0.2, 0.4, 0.4, 0.8, 1.0, 1.0]


def test_the_wait_passes() -> None:
    assert waited(dull(50), TREE, 0.4) == MOST_S - 0.4
    assert waited(dull(50), TREE, 1.5) == 0


def test_a_region_that_reaches_into_a_fresh_cell_is_fresh() -> None:
    assert waited(dull(50), Box(TREE.left, TREE.top, TREE.right + 0.07, TREE.bottom), 0.1) == 0


def test_a_place_where_a_road_user_was_found_is_fresh_again() -> None:
    after = negative_map.looked(dull(50), [], [TREE], 0.1)
    assert waited(after, TREE, 0.1) == 0


def test_a_place_without_such_motion_is_forgotten() -> None:
    assert waited(dull(50), TREE, FORGET_S + 0.1) == 0
    assert negative_map.looked(dull(50), [], [], FORGET_S + 0.1) == {}


numbers = st.floats(-0.5, 1.5)


@given(st.lists(st.builds(Box, numbers, numbers, numbers, numbers), max_size=20))
def test_no_region_whatever_its_place_breaks_the_bounds(regions: list[Box]) -> None:
    state: NegativeMap = {}
    for number, region in enumerate(regions):
        assert 0 <= waited(state, region, number / 10) <= MOST_S
        state = negative_map.looked(state, [region], [], number / 10)
    assert len(state) <= COLUMNS * ROWS
    assert all(0 <= column < COLUMNS and 0 <= row < ROWS for column, row in state)
