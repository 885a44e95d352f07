"""Costs that a model is fed with, made up and round; and programs that are tried without a long rest."""

from __future__ import annotations

import pytest

from benchmarks.province.costs import (
    CommuneCosts,
    Curve,
    Plane,
    ProvinceCosts,
    SealCosts,
    ServiceTimes,
    UplinkCosts,
)
from benchmarks.province.real import runs


@pytest.fixture
def hardly_any_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program is not watched for long before it is sent anything."""
    for name, value in (("SETTLE_S", 0.1), ("CALM", 1.0), ("IDLE_S", 0.5)):
        monkeypatch.setattr(runs, name, value)


@pytest.fixture
def times() -> ServiceTimes:
    """A batch takes 4 ms and 0.2 ms for each message, and waits 5 ms for the disk; always the same."""
    return ServiceTimes(
        look_s=0.0001,
        wake_s=0.0001,
        read_s=0.00005,
        deliver_s=Curve((1, 201), (0.0042, 0.0442)),
        blocked_s=Curve((1, 201), (0.005, 0.005)),
        blocked_ratios=(1.0,),
        written=Curve((1, 201), (100_000.0, 2_100_000.0)),
    )


@pytest.fixture
def commune_costs(times: ServiceTimes) -> CommuneCosts:
    return CommuneCosts(
        station=times, broker_s=0.00005, hop_s=0.001, event_bytes=16_600.0, picture_bytes=12_800.0,
        messages=3.0, kept_bytes=20_000.0, quota_bytes=23_500.0, quota_picture_bytes=17_400.0,
        box_bytes=130_000.0,
    )  # fmt: skip


@pytest.fixture
def uplink_costs() -> UplinkCosts:
    return UplinkCosts(Curve((0, 1, 64), (0.0003, 0.004, 0.07)), Curve((2, 128), (900.0, 18_000.0)))


@pytest.fixture
def province_costs(times: ServiceTimes) -> ProvinceCosts:
    worker = ServiceTimes(
        times.look_s, times.wake_s, times.read_s, Plane(0.004, 0.0003, 0.0001),
        Plane(0.005, 0.0005, 0.0), (1.0,),
        Plane(0.0, 0.0, 0.0), store_s=Plane(0.002, 0.0002, 0.00005),
    )  # fmt: skip
    seal = SealCosts(
        Curve((2, 40), (90.0, 1_900.0)), Curve((2, 40), (700.0, 4_000.0)), Curve((2, 40), (800.0, 4_200.0)),
        Curve((2, 40), (1.0, 1.0)),
    )  # fmt: skip
    return ProvinceCosts(
        worker, 0.00005, "mosquitto", 0.001, Plane(0.0, 400.0, 2_000.0), Plane(400.0, 900.0, 2_200.0), seal
    )
