"""benchmarks.province.whole, benchmarks.province.equipment"""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.province.costs import CommuneCosts, ProvinceCosts, UplinkCosts
from benchmarks.province.day import DAY_S, communes, peak
from benchmarks.province.equipment import Equipment, scenarios
from benchmarks.province.whole import commune_peak, province_peak, seals_of

KIT = Equipment()


def test_the_scenarios_are_now_and_in_ten_years_at_three_rates() -> None:
    found = {(each.name, each.cameras, each.rate) for each in scenarios()}

    assert {rate for _, _, rate in found} == {50, 1_000, 20_000}
    assert {(name, cameras) for name, cameras, _ in found} == {("now", 14_053), ("in 10 years", 19_053)}
    assert len(found) == 6


def test_a_commune_takes_what_comes_and_says_the_same_twice(
    commune_costs: CommuneCosts, uplink_costs: UplinkCosts
) -> None:
    first, second = (commune_peak(commune_costs, uplink_costs, KIT, 42, 20_000, 60.0, 5) for _ in range(2))

    assert first == second
    assert first.events == pytest.approx(60 * 42 * 20_000 * peak() / DAY_S, rel=0.2)
    assert first.kept + first.waiting == 3 * first.events
    assert first.waiting < 0.05 * first.kept
    assert 0 < first.station_share < 1
    assert first.took_s[0] > KIT.link_delay_s + commune_costs.hop_s


def test_more_events_take_more_of_everything(commune_costs: CommuneCosts, uplink_costs: UplinkCosts) -> None:
    few, many = (commune_peak(commune_costs, uplink_costs, KIT, 42, rate, 60.0, 5) for rate in (2_000, 20_000))

    assert many.station_share > few.station_share
    assert many.broker_share > few.broker_share
    assert many.pole_share > few.pole_share
    assert many.written_an_event < few.written_an_event  # more of them in one batch


def test_a_narrow_link_of_the_poles_holds_up_what_the_station_never_sees(
    commune_costs: CommuneCosts, uplink_costs: UplinkCosts
) -> None:
    narrow = replace(KIT, pole_bits_s=100_000.0)

    found = commune_peak(commune_costs, uplink_costs, narrow, 42, 20_000, 60.0, 5)

    assert found.pole_share > 1
    assert found.waiting > found.kept


def test_the_province_takes_what_its_communes_send_and_says_the_same_twice(
    province_costs: ProvinceCosts, uplink_costs: UplinkCosts
) -> None:
    sizes = communes(14_053)
    first, second = (province_peak(province_costs, uplink_costs, KIT, sizes, 1_000, 20.0, 5) for _ in range(2))

    alerts_s = 14_053 * 1_000 * KIT.alerts * peak() / DAY_S
    assert first == second
    assert first.items >= 0.8 * 2 * alerts_s * 20
    assert first.kept + first.waiting == first.envelopes
    assert first.took_s[0] > KIT.link_delay_s
    assert 0 < first.worker_share < 1


def test_a_box_seals_every_forty_messages_and_a_quiet_one_every_five_minutes() -> None:
    (busy_s, full), (quiet_s, few) = seals_of(KIT, 20_000), seals_of(KIT, 50)

    assert busy_s == pytest.approx(4 * 20_000 * 3 / 40 / DAY_S)
    assert 4 * 50 * 3 / 40 / DAY_S < quiet_s < 1 / 300
    assert (full, few) == (40, 2)
    assert seals_of(KIT, 0) == (0, 1)
