"""agent.cameras.decode.footage.timestamps"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Any

import pytest
from av.packet import Packet
from hypothesis import given
from hypothesis import strategies as st

from agent.cameras.decode.footage.timestamps import AHEAD_S, BEHIND_S, REORDERED_S, Times, tick_of

TICKS = 90_000
BASE = Fraction(1, TICKS)
STAMP = st.none() | st.integers(-(2**40), 2**40)
GAPS = st.lists(st.floats(0.0, 40.0) | st.floats(0.0, 0.1), min_size=1, max_size=60)
STEPS = st.lists(st.integers(900, TICKS), min_size=2, max_size=60)
"""Ticks between pictures of a camera: 100 a second to one."""


def packet(dts: int | None, pts: int | None) -> Any:
    made: Any = Packet(1)
    made.dts, made.pts = dts, pts
    return made


def stamped(
    stamps: list[tuple[int | None, int | None]], came_s: list[float] | None = None
) -> tuple[Times, list[Any]]:
    times, packets = Times(BASE), [packet(*each) for each in stamps]
    for number, each in enumerate(packets):
        times.stamp(each, came_s[number] if came_s else None)
    return times, packets


@given(st.data(), st.lists(st.tuples(STAMP, STAMP), min_size=1, max_size=60), st.booleans())
def test_time_increases_whatever_a_cameras_clock_does(
    data: st.DataObject, stamps: list[tuple[int | None, int | None]], live: bool
) -> None:
    gaps = data.draw(st.lists(st.floats(0.0, 40.0), min_size=len(stamps), max_size=len(stamps)))
    times, packets = stamped(stamps, list(accumulate(gaps)) if live else None)
    assert all(one.dts < other.dts for one, other in pairwise(packets))
    assert all(each.dts <= each.pts <= each.dts + REORDERED_S * TICKS for each in packets)
    assert times.written_s == pytest.approx(max(0, *(each.pts for each in packets)) / TICKS)


@given(st.data(), GAPS)
def test_what_is_recorded_takes_as_long_as_it_took_whatever_a_cameras_clock_does(
    data: st.DataObject, gaps: list[float]
) -> None:
    came_s = [100.0 + each for each in accumulate(gaps)]
    stamps = data.draw(st.lists(st.tuples(STAMP, STAMP), min_size=len(gaps), max_size=len(gaps)))
    _, packets = stamped(stamps, came_s)
    for number, each in enumerate(packets):
        passed_s, slack_s = came_s[number] - came_s[0], REORDERED_S + (number + 1) / TICKS + 1e-6
        assert passed_s - BEHIND_S - slack_s <= each.dts / TICKS <= passed_s + AHEAD_S + slack_s


@given(st.data(), STEPS, st.integers(-(2**40), 2**40))
def test_a_clock_that_runs_as_time_does_is_followed_to_the_tick_however_late_the_pictures_come(
    data: st.DataObject, steps: list[int], first: int
) -> None:
    clock = list(accumulate(steps, initial=first))
    taken_s = [(each - first) / TICKS for each in clock]
    delays = data.draw(st.lists(st.floats(0, 9) | st.just(0.0), min_size=len(clock), max_size=len(clock)))
    delays[0] = min(delays[0], 1.0)
    came_s = list(accumulate((t + d for t, d in zip(taken_s, delays, strict=True)), max))
    times, packets = stamped([(each, each) for each in clock], came_s)
    assert [each.pts for each in packets] == [each - first for each in clock]
    assert times.jumps == 0


@given(st.data(), STEPS, st.booleans())
def test_a_jump_or_a_step_back_costs_no_more_than_the_network_is_uneven(
    data: st.DataObject, steps: list[int], decoded_when_shown: bool
) -> None:
    """Each picture may come 50 ms late; before some the camera's clock is set, by minutes to years."""
    came_s = list(accumulate((step / TICKS for step in steps), initial=7.0))
    late = data.draw(st.lists(st.floats(0, 0.05), min_size=len(came_s), max_size=len(came_s)))
    set_by = st.just(0) | st.integers(60 * TICKS, 2**42) | st.integers(-(2**42), -60 * TICKS)
    sets = data.draw(st.lists(set_by, min_size=len(came_s), max_size=len(came_s)))
    clock = [round(t * TICKS) + offset for t, offset in zip(came_s, accumulate(sets), strict=True)]
    ordered = list(accumulate((t + d for t, d in zip(came_s, late, strict=True)), max))
    times, packets = stamped([(each if decoded_when_shown else None, each) for each in clock], ordered)
    jumped = sum(by != 0 for by in sets[1:])
    assert times.jumps == jumped
    assert packets[-1].pts / TICKS == pytest.approx(came_s[-1] - came_s[0], abs=0.051 * (jumped + 1))


def test_a_clock_that_stands_still_is_replaced_by_when_the_pictures_came() -> None:
    times, packets = stamped([(5, 5)] * 100, [n * 0.04 for n in range(100)])
    assert [each.pts / TICKS for each in packets] == pytest.approx([n * 0.04 for n in range(100)], abs=0.001)
    assert times.jumps == 99


def test_pictures_of_the_past_that_a_camera_begins_with_keep_their_distances() -> None:
    clock = [n * 3600 for n in range(100)]
    came_s = [max(0.0, n - 50) * 0.04 for n in range(100)]
    times, packets = stamped([(each, each) for each in clock], came_s)
    assert ([each.pts for each in packets], times.jumps) == (clock, 0)


def test_a_cut_in_a_file_is_no_time_that_passed() -> None:
    clock = [0, 3600, 7200, 7200 + 3600 * TICKS, 10_800 + 3600 * TICKS, 50, 3650]
    _, packets = stamped([(each, each) for each in clock])
    assert [each.pts for each in packets] == [n * 3600 for n in range(7)]


def test_pictures_that_are_shown_in_another_order_than_they_come_in_stay_so() -> None:
    shown = [0, 4, 2, 1, 3, 8, 6, 5, 7]
    decoded = range(-2, 7)
    for known in (True, False):
        stamps = [(d * 3600 if known else None, s * 3600) for d, s in zip(decoded, shown, strict=True)]
        times, packets = stamped(stamps, [n * 0.04 for n in range(9)])
        assert ([each.pts // 3600 for each in packets], times.jumps) == (shown, 0)


@dataclass(frozen=True)
class _Rational:
    """As PyAV's from 19 on: no number to Python, and never None."""

    numerator: int
    denominator: int


def test_a_tick_is_known_by_whatever_rational_pyav_gives() -> None:
    assert tick_of(Fraction(1, 25)) == tick_of(_Rational(1, 25)) == Fraction(1, 25)


def test_a_tick_that_nobody_has_said_is_none() -> None:
    assert tick_of(None) is tick_of(_Rational(0, 1)) is tick_of(_Rational(1, 0)) is None
    assert tick_of(Packet(1).time_base) is None
