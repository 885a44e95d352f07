"""station.counting.lines"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime

import pytest

from station.counting.lines import CountedLine, camera_lines, counted_line, counted_lines, predecessors
from tests.station.counting.counts import QUARTER, quarters
from tests.support.stores import Place

NINE = datetime(2026, 11, 27, 9, tzinfo=UTC)
NINE_MS = round(NINE.timestamp() * 1000)
HOUR_MS = 3_600_000


def test_every_line_of_every_box_is_found_once_with_its_first_and_last_interval(place: Place) -> None:
    with closing(place.open()) as store:
        store.commit(quarters(NINE, 5))
        store.commit(quarters(NINE, 2, 6, rule="another"))
        store.commit(quarters(NINE + QUARTER, 1, 8, camera="south"))
        store.commit(quarters(NINE, 1, device="a-box"))
        found = counted_lines(place.engine)
        of_one = counted_lines(place.engine, [found[0].box_id])

    assert [(line.box, line.camera, line.rule) for line in found] == [
        ("a-box", "north", "the-line"),
        ("north-01", "north", "another"),
        ("north-01", "north", "the-line"),
        ("north-01", "south", "the-line"),
    ]
    assert (found[2].first_ms, found[2].last_ms) == (NINE_MS, NINE_MS + HOUR_MS)
    assert of_one == found[:1]


def test_of_a_period_those_lines_are_found_that_counted_in_it(place: Place) -> None:
    with closing(place.open()) as store:
        store.commit(quarters(NINE, 2))
        store.commit(quarters(NINE - 2 * QUARTER, 1, 3, rule="before-and-after"))
        store.commit(quarters(NINE + 2 * QUARTER, 1, 4, rule="before-and-after"))
        found = counted_lines(place.engine, within_ms=(NINE_MS, NINE_MS + HOUR_MS // 2))

    assert [(each.rule, each.last_ms) for each in found] == [("the-line", NINE_MS + HOUR_MS // 4)]


def test_of_one_box_no_more_lines_are_read_than_are_asked_for(place: Place) -> None:
    with closing(place.open()) as store:
        for at, (camera, rule) in enumerate((camera, rule) for camera in ("north", "south") for rule in "abc"):
            store.commit(quarters(NINE, 1, 1 + at, camera=camera, rule=rule))
        store.commit(quarters(NINE, 1, device="other"))
        found = counted_lines(place.engine, most=4)
        whole = counted_lines(place.engine)
        south = camera_lines(place.engine, whole[0].box_id, "south")
        of_south = camera_lines(place.engine, whole[0].box_id, "south", 2)

    assert [(each.box, each.camera, each.rule) for each in found] == [
        ("north-01", "north", "a"),
        ("north-01", "north", "b"),
        ("north-01", "north", "c"),
        ("north-01", "south", "a"),
        ("other", "north", "the-line"),
    ]
    assert len(whole) == 7
    assert list(south) == [each for each in whole if each.camera == "south"] and of_south == south[:2]


def test_one_line_is_found_by_its_name_and_one_that_never_counted_is_not(place: Place) -> None:
    with closing(place.open()) as store:
        store.commit([*quarters(NINE, 5), *quarters(NINE, 1, 6, rule="another")])
        assert counted_line(place.engine, "north-01", "north", "the-line") == counted_lines(place.engine)[1]
        for name in (("north-01", "north", "a-line"), ("north-02", "north", "the-line"), ("a", "b", "c\0d")):
            assert counted_line(place.engine, *name) is None


def test_without_counts_there_is_no_line(place: Place) -> None:
    with closing(place.open()):
        assert counted_lines(place.engine) == ()


def line(rule: str, first_h: float, last_h: float, camera: str = "north") -> CountedLine:
    first, last = (NINE_MS + round(each * HOUR_MS) for each in (first_h, last_h))
    return CountedLine(1, "north-01", camera, rule, first, last)


def test_a_line_that_begins_where_another_one_ends_seems_to_be_its_new_name() -> None:
    old, new, other = line("old", 0, 10), line("new", 10.25, 40), line("other", 10.25, 40, camera="south")

    assert predecessors([old, new, other]) == {new: old}


@pytest.mark.parametrize(
    "lines",
    [
        [line("a", 0, 10), line("b", 5, 20)],
        [line("a", 0, 10), line("b", 12, 20)],
        [line("a", 0, 10), line("b", 0, 10), line("c", 10.25, 20)],
        [line("a", 0, 10), line("b", 10.25, 20), line("c", 10.5, 20)],
        [line("a", 0, 0), line("b", 0, 0)],
    ],
    ids=["both at once", "hours later", "two ended", "two began", "two are new"],
)
def test_where_it_is_not_clear_nothing_is_guessed(lines: list[CountedLine]) -> None:
    assert predecessors(lines) == {}


class Compared(CountedLine):
    """A line that knows how often one was compared with another."""

    times = 0

    def __eq__(self, other: object) -> bool:
        Compared.times += 1
        return super().__eq__(other)

    __hash__ = CountedLine.__hash__


def test_four_times_the_lines_are_compared_four_times_as_often_and_not_sixteen_times() -> None:
    """A box invents as many as it likes."""
    often = []
    for number in (500, 2000):
        Compared.times = 0
        lines = [Compared(1, "north-01", "north", f"r{at}", NINE_MS + at, NINE_MS + at) for at in range(number)]
        assert predecessors(lines) == {}
        often.append(Compared.times)

    assert often[1] <= 5 * often[0]
