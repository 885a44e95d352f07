"""agent.core.rules.crossing"""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.rules.crossing import IN, OUT, Line, Passage, band, finish, step, trailed
from agent.core.types import Instant

LINE = Line((0.2, 0.5), (0.8, 0.5), 0.05)
"""From left to right: `in` goes down, `out` goes up."""

inside_band = st.floats(-0.0499, 0.0499)
along = st.floats(0.25, 0.75)


def pass_by(points: list[tuple[float, float]], ends: bool = True) -> list[str]:
    passage, directions = Passage(), []
    for number, point in enumerate(points):
        passage, direction = step(passage, point, LINE, Instant(float(number), 0.0))
        directions += [direction] if direction else []
    if ends:
        passage, direction = finish(passage)
        directions += [direction] if direction else []
    return directions


@given(st.lists(st.tuples(along, inside_band), min_size=1, max_size=60))
def test_trembling_within_the_band_never_counts(steps: list[tuple[float, float]]) -> None:
    assert pass_by([(x, 0.5 + dy) for x, dy in steps]) == []


@given(
    st.lists(st.tuples(along, st.floats(0.06, 0.4)), min_size=1, max_size=5),
    st.lists(st.tuples(along, inside_band), max_size=60),
    st.lists(st.tuples(along, st.floats(0.06, 0.4)), min_size=1, max_size=5),
    st.booleans(),
)
def test_from_far_to_far_counts_once_whatever_lies_between(
    before: list[tuple[float, float]],
    between: list[tuple[float, float]],
    after: list[tuple[float, float]],
    down: bool,
) -> None:
    sign = 1 if down else -1
    points = [(x, 0.5 - sign * d) for x, d in before]
    points += [(x, 0.5 + dy) for x, dy in between]
    points += [(x, 0.5 + sign * d) for x, d in after]

    assert pass_by(points) == [IN if down else OUT]


@given(st.lists(st.tuples(along, st.floats(-0.3, 0.3)), max_size=80))
def test_directions_alternate_between_the_ends(steps: list[tuple[float, float]]) -> None:
    directions = pass_by([(x, 0.5 + dy) for x, dy in steps])

    assert all(a != b for a, b in pairwise(directions))


def test_who_goes_around_an_end_is_not_counted() -> None:
    assert pass_by([(0.9, 0.3), (0.9, 0.48), (0.9, 0.52), (0.9, 0.7), (0.9, 0.8)]) == []
    assert pass_by([(0.5, 0.4), (0.75, 0.46), (0.85, 0.48), (0.85, 0.52), (0.7, 0.6), (0.5, 0.7)]) == []


def test_a_u_turn_counts_in_then_out_only_after_the_whole_band_was_left() -> None:
    over = [(0.5, 0.3), (0.5, 0.6), (0.5, 0.62)]

    assert pass_by([*over, (0.5, 0.53), (0.5, 0.47), (0.5, 0.6)]) == [IN]
    assert pass_by([*over, (0.5, 0.53), (0.5, 0.4), (0.5, 0.3)]) == [IN, OUT]


def test_one_stray_box_on_the_other_side_is_not_a_crossing() -> None:
    assert pass_by([(0.5, 0.3), (0.5, 0.35), (0.5, 0.7), (0.5, 0.36), (0.5, 0.37)]) == []


def test_a_track_that_ends_with_its_first_sighting_beyond_has_crossed() -> None:
    assert pass_by([(0.5, 0.3), (0.5, 0.7)], ends=False) == []
    assert pass_by([(0.5, 0.3), (0.5, 0.7)], ends=True) == [IN]


def test_who_begins_in_the_band_has_not_come_from_anywhere() -> None:
    assert pass_by([(0.5, 0.5), (0.5, 0.6), (0.5, 0.7)]) == []


@pytest.mark.parametrize(
    ("size", "half"),
    [(0.01, 0.008), (0.2, 0.05), (2.0, 0.06)],
)
def test_the_band_grows_with_the_box_between_bounds(size: float, half: float) -> None:
    assert band(size, 0.25, 0.008) == pytest.approx(half)


# courses and slides


def follow(ys: list[float], step_s: float = 0.1) -> list[tuple[float, str]]:
    """What is told of one that is seen at these heights, ten times a second: (second, direction)."""
    passage, trail, directions = Passage(), (), []
    for number, y in enumerate(ys):
        at = Instant(round(number * step_s, 3), 0.0)
        passage, direction = step(passage, (0.5, y), LINE, at, trail)
        trail = trailed(trail, (0.5, y), at)
        directions += [(at.mono_s, direction)] if direction else []
    return directions


def slide(start: float, end: float) -> list[float]:
    """As the tracker's box follows a detection that is elsewhere all at once."""
    return [end + (start - end) * 0.6**n for n in range(1, 12)]


@given(
    st.floats(0.06, 0.12),
    st.floats(0.06, 0.12),
    st.integers(1, 30),
    st.lists(st.floats(-0.004, 0.004), min_size=40, max_size=40),
    st.booleans(),
)
def test_neighbours_in_a_queue_that_change_their_boxes_do_not_cross(
    before: float, after: float, wait: int, tremble: list[float], down: bool
) -> None:
    sign = 1 if down else -1
    start, end = 0.5 - sign * before, 0.5 + sign * after
    rest = [start] * (wait + 15), [end] * 60
    ys = [*rest[0], *slide(start, end), *rest[1]]
    ys = [y + tremble[n % 40] for n, y in enumerate(ys)]

    assert follow(ys) == []


def test_after_the_change_each_of_the_two_crosses_when_it_goes() -> None:
    stood = [0.42] * 20
    over = [0.58 + 0.02 * n for n in range(10)]
    back = [0.58] * 20 + slide(0.58, 0.42) + stood * 3 + [0.42 + 0.02 * n for n in range(40)]
    forth = stood + slide(0.42, 0.58) + [0.58] * 40 + over

    assert [way for _, way in follow(back)] == [IN]
    assert follow(forth) == []


@given(st.floats(0.06, 0.12), st.floats(0.008, 0.04), st.integers(0, 40))
def test_who_stood_before_the_line_and_drives_on_counts_soon(before: float, pace: float, wait: int) -> None:
    stood = [0.5 - before] * (wait + 15)
    drive = [0.5 - before + pace * n for n in range(1, int(0.4 / pace) + 22)]
    directions = follow(stood + drive)
    beyond_s = (wait + 15 + (before + LINE.band) / pace) / 10

    assert [way for _, way in directions] == [IN]
    assert directions[0][0] <= beyond_s + 2.5


@given(
    st.lists(st.tuples(st.floats(-0.049, 0.0), st.floats(-0.006, 0.006)), min_size=30, max_size=120),
    st.booleans(),
)
def test_who_comes_on_a_course_and_waits_before_the_line_is_not_told(
    waits: list[tuple[float, float]], down: bool
) -> None:
    sign, stands = (1 if down else -1), waits[0][0]
    drives = [0.5 - sign * (0.3 - 0.02 * n) for n in range(12)]
    ys = [*drives, *(0.5 + sign * (stands + tremble) for _, tremble in waits)]

    assert follow(ys) == []


@pytest.mark.parametrize(("behind", "directions"), [(0.02, [IN]), (0.005, [])])
def test_who_drives_over_the_line_and_waits_behind_it_has_crossed(behind: float, directions: list[str]) -> None:
    """Within the band, where a tremble would not count: two seconds in the mean are no tremble."""
    drives = [0.3 + 0.02 * n for n in range(10)]
    waits = [0.5 + behind + (0.006 if n % 2 else -0.006) for n in range(60)]
    crossed = follow(drives + waits)

    assert [way for _, way in crossed] == directions
    assert all(at_s <= 1.0 + 3.0 for at_s, _ in crossed)


def test_who_waits_at_the_line_half_covered_and_trembles_over_it_is_not_told() -> None:
    drives = [0.3 + 0.02 * n for n in range(10)]
    waits = [0.5 + (0.035, 0.03, -0.01)[n % 3] for n in range(120)]

    assert follow(drives + waits) == []


def test_who_waited_behind_the_line_is_not_told_again_when_he_goes_on() -> None:
    drives = [0.3 + 0.02 * n for n in range(10)]
    goes_on = [0.52 + 0.01 * n for n in range(40)]

    assert [way for _, way in follow(drives + [0.52] * 60 + goes_on)] == [IN]


def test_a_lorry_that_sets_out_before_the_line_and_turns_along_it_has_crossed() -> None:
    """It left its side out of rest, and once over it comes no farther."""
    stood = [0.4445] * 30
    sets_out = [0.4445 + 0.012 * (n / 10) ** 2 for n in range(1, 34)]
    along_it = [sets_out[-1] + 0.002 * (n % 2) for n in range(60)]

    assert [way for _, way in follow(stood + sets_out + along_it)] == [IN]


def test_a_swarm_that_drives_on_carries_a_box_back_over_the_line_in_vain() -> None:
    ys = [0.2 + 0.03 * n for n in range(13)]
    ys += slide(0.58, 0.40)[:5] + [0.43 + 0.03 * n for n in range(12)]

    assert [way for _, way in follow(ys)] == [IN]


def test_who_turns_round_behind_the_line_and_comes_back_counts_both_ways() -> None:
    there = [0.3 + 0.02 * n for n in range(20)]
    back = [0.68 - 0.02 * n for n in range(30)]

    assert [way for _, way in follow(there + back)] == [IN, OUT]


@pytest.mark.parametrize(("hidden_s", "directions"), [(0.3, []), (1.2, [IN])])
def test_who_stood_may_go_over_while_it_is_hidden_for_a_second(hidden_s: float, directions: list[str]) -> None:
    passage, trail, ways = Passage(), (), []
    times = [0.1 * n for n in range(20)]
    times += [times[-1] + hidden_s + 0.1 * n for n in range(30)]
    for number, second in enumerate(times):
        y = 0.42 if number < 20 else 0.58
        passage, way = step(passage, (0.5, y), LINE, Instant(second, 0.0), trail)
        trail = trailed(trail, (0.5, y), Instant(second, 0.0))
        ways += [way] if way else []

    assert ways == directions


def test_the_trail_is_short_however_long_it_is_followed() -> None:
    trail = ()
    for n in range(10_000):
        trail = trailed(trail, (0.5, 0.5), Instant(n / 30, 0.0))

    assert len(trail) <= 12


def test_who_turns_round_at_once_is_followed_from_where_it_was_believed() -> None:
    assert pass_by([(0.5, 0.3), (0.5, 0.6), (0.5, 0.62), (0.5, 0.4), (0.5, 0.38)]) == [IN, OUT]


@pytest.mark.parametrize(("rests_at", "directions"), [(0.79, []), (0.81, [IN])])
def test_so_far_from_the_line_stands_no_neighbour(rests_at: float, directions: list[str]) -> None:
    """Six half widths of the band."""
    ways = follow([0.42] * 20 + slide(0.42, rests_at) + [rests_at] * 40)

    assert [way for _, way in ways] == directions


@pytest.mark.parametrize(("speed", "directions"), [(0.0115, []), (0.0135, [IN])])
def test_who_creeps_towards_the_line_is_on_a_course_from_a_quarter_of_the_band_a_second(
    speed: float, directions: list[str]
) -> None:
    creeps = [0.38 + speed * 0.1 * n for n in range(30)]

    assert [way for _, way in follow(creeps + slide(creeps[-1], 0.58) + [0.58] * 40)] == directions


def test_the_band_is_never_wider_than_can_be_left_inside_the_picture_but_for_a_wider_least() -> None:
    assert band(1.0, 0.25, 0.1) == 0.1
    assert band(0.24, 0.25, 0.008) == pytest.approx(0.06)
