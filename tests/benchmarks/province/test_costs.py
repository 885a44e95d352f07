"""benchmarks.province.costs"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.province.costs import Curve, Plane, set_straight


def test_a_curve_goes_through_what_was_measured_and_on_as_straight_as_it_ended() -> None:
    curve = Curve((1, 3, 10), (5.0, 9.0, 16.0))

    assert [curve.of(size) for size in (1, 2, 3, 10, 20)] == [5.0, 7.0, 9.0, 16.0, 26.0]


@pytest.mark.parametrize(
    ("sizes", "costs"), [((1,), (1.0,)), ((3, 1), (1.0, 2.0)), ((1, 1), (1.0, 2.0)), ((1, 2), (1.0,))]
)
def test_a_curve_of_less_than_two_sizes_or_out_of_order_is_refused(
    sizes: tuple[int, ...], costs: tuple[float, ...]
) -> None:
    with pytest.raises(ValueError, match="two sizes"):
        Curve(sizes, costs)


@given(st.floats(0.1, 10), st.floats(0.1, 10), st.floats(0.1, 10))
def test_a_plane_is_found_again_from_its_points(batch: float, message: float, item: float) -> None:
    truth = Plane(batch, message, item)
    points = [(m, m * n, truth.of(m, m * n)) for m, n in ((1, 1), (1, 20), (5, 2), (60, 2), (20, 20))]

    found = Plane.through(points)

    assert (found.batch, found.message, found.item) == pytest.approx((batch, message, item), rel=1e-6)


def test_no_part_of_a_plane_is_below_zero() -> None:
    found = Plane.through([(1, 1, 1.0), (2, 2, 0.9), (4, 4, 0.8), (1, 4, 1.1)])

    assert min(found.batch, found.message, found.item) >= 0.0


@pytest.mark.parametrize("cost", [Curve((1, 10), (2.0, 8.0)), Plane(1.0, 0.5, 0.25)])
@given(st.floats(0.01, 10), st.floats(0.01, 10))
def test_a_cost_is_set_straight_by_so_much_more_for_each_and_so_many_times_as_much(
    cost: Curve | Plane, more: float, factor: float
) -> None:
    sizes = [(messages, 2 * messages) for messages in (1, 4, 4, 30)]
    seen = [(*size, more + factor * cost.of(*size)) for size in sizes]

    found = set_straight(cost, seen)

    assert [found.of(*size) for size in [*sizes, (200, 400)]] == pytest.approx(
        [more + factor * cost.of(*size) for size in [*sizes, (200, 400)]], rel=1e-6
    )


@pytest.mark.parametrize("seen", [[(3, 3, 10.0), (3, 3, 14.0)], [(1, 1, 1.0), (10, 10, 23.0)]])
def test_where_that_says_nothing_it_is_as_much_in_all_as_what_was_seen(
    seen: list[tuple[int, int, float]],
) -> None:
    cost = Plane(1.0, 1.0, 0.0)

    found = set_straight(cost, seen)

    assert sum(found.of(*size) for *size, _ in seen) == pytest.approx(24.0)
    assert found.of(4, 4) / found.of(1, 1) == pytest.approx(cost.of(4, 4) / cost.of(1, 1))


def test_a_cost_of_which_nothing_was_seen_cannot_be_set_straight() -> None:
    with pytest.raises(ValueError, match="seen"):
        set_straight(Plane(1.0, 1.0, 0.0), [])
