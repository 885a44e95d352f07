"""station.store.gaps"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.wire.ranges import Ranges
from station.store.gaps import (
    MAX_NEW_GAPS,
    GapState,
    MessageGap,
    Range,
    StreamReport,
    changed_gaps,
    common,
    holes,
    size,
    without,
)

NUMBERS = st.sets(st.integers(1, 60))


def ranges(numbers: set[int]) -> list[Range]:
    return list(Ranges((number, number) for number in numbers))


def numbers(found: list[Range]) -> set[int]:
    return {number for first, last in found for number in range(first, last + 1)}


@given(NUMBERS)
def test_holes_are_what_is_missing_below_the_highest(have: set[int]) -> None:
    assert numbers(holes(ranges(have))) == set(range(1, max(have, default=0))) - have


@given(NUMBERS, NUMBERS)
def test_ranges_are_cut_like_sets(some: set[int], others: set[int]) -> None:
    assert numbers(common(ranges(some), ranges(others))) == some & others
    assert numbers(without(ranges(some), ranges(others))) == some - others
    assert size(ranges(some)) == len(some)


def test_a_hole_is_a_gap_only_when_it_lasts() -> None:
    assert changed_gaps([], [], [(2, 3)], StreamReport()) == []
    assert changed_gaps([], [(2, 5)], [(2, 3), (8, 9)], StreamReport()) == [MessageGap(2, 3, 2)]


def test_a_gap_is_told_once_shrinks_and_is_filled() -> None:
    gap = MessageGap(2, 5, 4, id=7)

    assert changed_gaps([gap], [(2, 5)], [(2, 5)], StreamReport()) == []
    assert changed_gaps([gap], [(2, 5)], [(3, 4)], StreamReport()) == [MessageGap(2, 5, 2, id=7)]
    assert changed_gaps([gap], [(2, 5)], [], StreamReport()) == [MessageGap(2, 5, 0, GapState.FILLED, 7)]


def test_what_lies_below_the_oldest_that_the_box_holds_is_gone() -> None:
    assert changed_gaps([], [(2, 3)], [(2, 3)], StreamReport(4)) == [MessageGap(2, 3, 2, GapState.GONE)]
    assert changed_gaps([], [(2, 3)], [(2, 3)], StreamReport(3)) == [MessageGap(2, 3, 2)]
    assert changed_gaps([MessageGap(2, 5, 4, id=7)], [], [(2, 3)], StreamReport(4)) == [
        MessageGap(2, 5, 2, GapState.GONE, 7)
    ]


def test_what_the_box_gave_up_is_gone() -> None:
    assert changed_gaps([], [(2, 5)], [(2, 5)], StreamReport(given_up=((2, 3),))) == [MessageGap(2, 5, 4)]
    assert changed_gaps([], [(2, 5)], [(2, 5)], StreamReport(given_up=((1, 6),))) == [
        MessageGap(2, 5, 4, GapState.GONE)
    ]
    assert changed_gaps([], [(2, 5)], [(2, 5)], StreamReport(5, given_up=((5, 5),))) == [
        MessageGap(2, 5, 4, GapState.GONE)
    ]


def test_as_many_holes_as_pictures_without_numbers_are_no_gap() -> None:
    assert changed_gaps([], [(2, 2), (4, 4)], [(2, 2), (4, 4)], StreamReport(unnumbered=2)) == []
    assert len(changed_gaps([], [(2, 2), (4, 4)], [(2, 2), (4, 4)], StreamReport(unnumbered=1))) == 2


def test_a_gap_is_closed_once_pictures_without_numbers_explain_all_holes() -> None:
    known = [MessageGap(2, 4, 2, GapState.GONE, 7)]
    now = [(2, 2), (4, 4)]

    (closed,) = changed_gaps(known, now, now, StreamReport(oldest=9, unnumbered=2))

    assert (closed.id, closed.state, closed.missing) == (7, GapState.FILLED, 0)
    assert changed_gaps(known, now, now, StreamReport(oldest=9, unnumbered=1)) == []


def test_very_many_gaps_are_told_as_one() -> None:
    many = [(2 * n, 2 * n) for n in range(1, MAX_NEW_GAPS + 2)]

    assert changed_gaps([], many, many, StreamReport()) == [
        MessageGap(2, 2 * MAX_NEW_GAPS + 2, MAX_NEW_GAPS + 1)
    ]


@given(st.lists(NUMBERS, min_size=1, max_size=6))
def test_whatever_is_missing_for_long_is_told_and_whatever_came_is_closed(steps: list[set[int]]) -> None:
    """As the table would have it after each scan."""
    table: dict[int, MessageGap] = {}
    have: set[int] = set()
    before: list[Range] = []
    for step in [*steps, set()]:
        have |= step
        now = holes(ranges(have))
        known = [gap for gap in table.values() if gap.state is not GapState.FILLED]
        for gap in changed_gaps(known, before, now, StreamReport()):
            id_ = len(table) if gap.id is None else gap.id
            table[id_] = MessageGap(gap.first, gap.last, gap.missing, gap.state, id_)
        before = now
    open_gaps = [gap for gap in table.values() if gap.state is GapState.OPEN]

    assert sum(gap.missing for gap in open_gaps) == size(now)
    assert numbers(now) <= {n for gap in open_gaps for n in range(gap.first, gap.last + 1)}
