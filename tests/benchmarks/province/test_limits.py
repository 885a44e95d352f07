"""benchmarks.province.limits"""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.province.costs import CommuneCosts, ProvinceCosts, UplinkCosts
from benchmarks.province.equipment import Equipment
from benchmarks.province.limits import MOST_EVENTS, commune_limits, first, province_limits, where
from benchmarks.province.whole import commune_peak

KIT = Equipment()


def test_what_gives_way_first_stands_first(commune_costs: CommuneCosts) -> None:
    found = first(commune_limits(commune_costs, KIT, 125))

    assert [each.events for each in found] == sorted(each.events for each in found)
    assert all(each.events > 0 and each.then for each in found)


def test_twice_the_cameras_halve_the_limits_of_a_commune_and_not_those_of_a_box(
    commune_costs: CommuneCosts,
) -> None:
    small, large = (
        {each.what: each.events for each in commune_limits(commune_costs, KIT, cameras)}
        for cameras in (50, 100)
    )

    for what, events in small.items():
        of_box = "box" in what or "pole" in what
        assert large[what] == pytest.approx(events if of_box else events / 2), what


@pytest.mark.long
def test_the_limit_of_a_pole_is_where_the_model_finds_its_link_full(
    commune_costs: CommuneCosts, uplink_costs: UplinkCosts
) -> None:
    kit = replace(KIT, pole_bits_s=200_000.0)
    (limit,) = (each for each in commune_limits(commune_costs, kit, 44) if "pole" in each.what)

    found = commune_peak(commune_costs, uplink_costs, kit, 44, limit.events, 900.0, 3)

    assert found.pole_share == pytest.approx(kit.full, rel=0.25)  # the busiest of eleven poles


def test_more_cameras_lower_every_limit_of_the_province(
    province_costs: ProvinceCosts, uplink_costs: UplinkCosts
) -> None:
    now, later = (
        {each.what: each.events for each in province_limits(province_costs, uplink_costs, KIT, cameras)}
        for cameras in (14_053, 19_053)
    )

    assert all(later[what] < events or events == MOST_EVENTS for what, events in now.items())
    assert any(events < MOST_EVENTS for events in now.values())


def test_where_a_load_meets_its_bound_is_found_whatever_its_shape() -> None:
    assert where(lambda events: 3 * events + 5, 35.0) == pytest.approx(10.0)
    assert where(lambda events: events**0.5, 30.0) == pytest.approx(900.0)
    assert where(lambda _: 1.0, 2.0) == MOST_EVENTS
