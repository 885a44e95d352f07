"""benchmarks.province.engine"""

from __future__ import annotations

from functools import partial
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.province.engine import Line, Timeline


def test_jobs_are_done_in_the_order_of_their_moments_and_equals_as_they_were_given() -> None:
    timeline, done = Timeline(), list[str]()
    for moment_s, name in ((2.0, "late"), (1.0, "first"), (1.0, "second"), (3.0, "beyond")):
        timeline.at(moment_s, partial(done.append, name))

    timeline.run(2.5)

    assert done == ["first", "second", "late"]
    assert timeline.now_s == 2.5


def test_what_was_due_before_now_is_done_now_and_the_clock_never_goes_back() -> None:
    timeline, seen = Timeline(), list[float]()
    timeline.at(5.0, lambda: timeline.at(1.0, lambda: seen.append(timeline.now_s)))

    timeline.run(10.0)

    assert seen == [5.0]


@given(
    st.lists(st.tuples(st.floats(0, 100), st.floats(0, 10)), max_size=60),
    st.floats(0, 120),
)
def test_whoever_enters_a_line_leaves_behind_those_before_him_and_nobody_is_lost(
    guests: list[tuple[float, float]], until_s: float
) -> None:
    timeline, left = Timeline(), list[tuple[int, float]]()
    line = Line(timeline)

    def enter(number: int, service_s: float) -> None:
        line.enter(service_s, lambda: left.append((number, timeline.now_s)))

    ordered = sorted(guests, key=lambda each: each[0])
    for number, (moment_s, service_s) in enumerate(ordered):
        timeline.at(moment_s, partial(enter, number, service_s))
    timeline.run(until_s)

    assert line.entered == sum(moment_s <= until_s for moment_s, _ in ordered)
    assert line.entered == line.left + line.waiting
    assert line.left == len(left)
    timeline.run(10_000.0)
    free_s = 0.0
    for number, (moment_s, service_s) in enumerate(ordered):
        free_s = max(free_s, moment_s) + service_s
        assert left[number] == (number, pytest.approx(free_s))
    assert line.busy_s == pytest.approx(sum(service_s for _, service_s in ordered))


@pytest.mark.parametrize("load", [0.3, 0.6, 0.8])
def test_a_line_with_arrivals_by_chance_and_equal_services_waits_as_pollaczek_and_khinchine_say(
    load: float,
) -> None:
    timeline, waits, chance = Timeline(), list[float](), Random(1)
    line, moment_s, number = Line(timeline), 0.0, 60_000

    def enter() -> None:
        came_s = timeline.now_s
        line.enter(1.0, lambda: waits.append(timeline.now_s - came_s - 1.0))

    for _ in range(number):
        moment_s += chance.expovariate(load)
        timeline.at(moment_s, enter)
    timeline.run(moment_s + number)

    assert len(waits) == number
    assert sum(waits) / number == pytest.approx(load / (2 * (1 - load)), rel=0.08)
    assert line.busy_s / moment_s == pytest.approx(load, rel=0.02)


def test_a_way_behind_a_line_holds_up_nobody() -> None:
    timeline, left = Timeline(), list[float]()
    line = Line(timeline)
    timeline.at(0.0, lambda: line.enter(1.0, lambda: left.append(timeline.now_s), 10.0))
    timeline.at(0.0, lambda: line.enter(1.0, lambda: left.append(timeline.now_s)))

    timeline.run(20.0)

    assert left == [2.0, 11.0]
