"""benchmarks.province.tables, benchmarks.province: the tables of the scenarios"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.province import whole_rows
from benchmarks.province.costs import CommuneCosts, ProvinceCosts, UplinkCosts
from benchmarks.province.equipment import RATES
from benchmarks.province.tables import cost_rows


@pytest.mark.long
def test_each_scenario_has_its_rows_and_what_breaks_first(
    commune_costs: CommuneCosts, uplink_costs: UplinkCosts, province_costs: ProvinceCosts, tmp_path: Path
) -> None:
    said = list[str]()

    rows = list(whole_rows(commune_costs, uplink_costs, province_costs, tmp_path, said.append, 4.0))

    communes = [row for row in rows if "commune" in row]
    provinces = [row for row in rows if "workers" in row]
    breaks = [row for row in rows if "breaks first" in row]
    assert (len(communes), len(provinces), len(breaks)) == (12, 6, 6)
    assert [row["events"] for row in breaks] == [rate for rate in RATES for _ in range(2)]
    assert all(row["workers"] >= 4 and row["nodes"] >= 3 for row in provinces)  # type: ignore[operator]
    limits = [row for row in rows if "gives way" in row]
    assert all(row["at events, now"] >= row["at events, in 10 years"] for row in limits)  # type: ignore[operator]
    assert {row["20,000"] for row in limits} == {"holds", "gives way"}
    assert (tmp_path / "province.svg").read_text().startswith("<svg")
    assert len(said) == 18


def test_without_a_database_the_communes_are_told_of_alone(
    commune_costs: CommuneCosts, uplink_costs: UplinkCosts, tmp_path: Path
) -> None:
    rows = list(whole_rows(commune_costs, uplink_costs, None, tmp_path, lambda _: None, 4.0))

    assert not [row for row in rows if "workers" in row]
    assert len([row for row in rows if "breaks first" in row]) == 6


def test_every_measured_cost_is_in_the_table(
    commune_costs: CommuneCosts, uplink_costs: UplinkCosts, province_costs: ProvinceCosts
) -> None:
    named = {
        str(row["measured"]): row["value"] for row in cost_rows(commune_costs, uplink_costs, province_costs)
    }

    assert named["an event on the station's disk"] == 20.0
    assert named["a seal over 40, on the database's disk"] == 4.0
    assert named["station: a batch of 1, processor"] == 4.2
    assert named["worker: a batch of 200, waiting for disk or database"] == 105.0
