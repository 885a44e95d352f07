"""station.ingest.ranges"""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from station.ingest.ranges import Ranges

spans = st.tuples(st.integers(0, 60), st.integers(0, 8)).map(lambda span: (span[0], span[0] + span[1]))


@given(st.lists(spans))
def test_ranges_hold_what_a_set_holds_and_no_two_touch(added: list[tuple[int, int]]) -> None:
    ranges = Ranges(added)
    numbers = {number for first, last in added for number in range(first, last + 1)}

    held = list(ranges)
    assert {number for first, last in held for number in range(first, last + 1)} == numbers
    assert all(before[1] + 1 < after[0] for before, after in pairwise(held))
    assert {number for number in range(80) if number in ranges} == numbers


@given(st.lists(spans), spans)
def test_a_window_cuts_the_ranges(added: list[tuple[int, int]], window: tuple[int, int]) -> None:
    cut = Ranges(added).within(*window)

    numbers = {number for first, last in cut for number in range(first, last + 1)}
    assert numbers == {number for number in range(window[0], window[1] + 1) if number in Ranges(added)}


def test_around_gives_the_whole_range() -> None:
    ranges = Ranges([(1, 4), (5, 9), (11, 11)])

    assert ranges.around(7) == (1, 9)
    assert ranges.around(10) is None
    assert ranges.around(0) is None


def test_what_becomes_one_with_a_range_is_given_back() -> None:
    ranges = Ranges([(1, 3), (5, 6), (9, 9)])

    assert ranges.add(20) == []
    assert ranges.add(4) == [(1, 3), (5, 6)]
    assert ranges.add(2) == [(1, 6)]
    assert list(ranges) == [(1, 6), (9, 9), (20, 20)]
