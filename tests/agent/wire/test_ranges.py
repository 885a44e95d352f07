"""agent.wire.ranges"""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agent.wire.ranges import Ranges, ranges

spans = st.tuples(st.integers(0, 60), st.integers(0, 8)).map(lambda span: (span[0], span[0] + span[1]))


@given(st.lists(spans))
def test_ranges_hold_what_a_set_holds_and_no_two_touch(added: list[tuple[int, int]]) -> None:
    taken = Ranges(added)
    numbers = {number for first, last in added for number in range(first, last + 1)}

    held = list(taken)
    assert {number for first, last in held for number in range(first, last + 1)} == numbers
    assert all(before[1] + 1 < after[0] for before, after in pairwise(held))
    assert {number for number in range(80) if number in taken} == numbers
    assert taken.total == len(numbers)
    assert ranges(numbers) == held


@given(st.lists(spans), spans)
def test_a_window_cuts_the_ranges(added: list[tuple[int, int]], window: tuple[int, int]) -> None:
    cut = Ranges(added).within(*window)

    numbers = {number for first, last in cut for number in range(first, last + 1)}
    assert numbers == {number for number in range(window[0], window[1] + 1) if number in Ranges(added)}


def test_around_gives_the_whole_range() -> None:
    taken = Ranges([(1, 4), (5, 9), (11, 11)])

    assert taken.around(7) == (1, 9)
    assert taken.around(10) is None
    assert taken.around(0) is None


def test_what_becomes_one_with_a_range_is_given_back() -> None:
    taken = Ranges([(1, 3), (5, 6), (9, 9)])

    assert taken.add(20) == []
    assert taken.add(4) == [(1, 3), (5, 6)]
    assert taken.add(2) == [(1, 6)]
    assert list(taken) == [(1, 6), (9, 9), (20, 20)]


def test_a_range_that_ends_before_it_begins_holds_nothing() -> None:
    assert list(Ranges([(9, 3), (5, 5)])) == [(5, 5)]


def test_numbers_up_to_the_largest_of_the_wire_cost_nothing() -> None:
    taken = Ranges([(2, 2**53 - 1), (1, 1)])

    assert (taken.total, 2**52 in taken, taken.highest) == (2**53 - 1, True, 2**53 - 1)
