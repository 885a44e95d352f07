"""What the model says of each scenario, as rows of tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import ceil
from typing import Final

from benchmarks.province.capacity import sustained
from benchmarks.province.costs import CommuneCosts, Cost, Curve, Plane, ProvinceCosts, ServiceTimes, UplinkCosts
from benchmarks.province.day import DAY_S, communes
from benchmarks.province.equipment import SHARDS, Equipment, Scenario
from benchmarks.province.limits import Limit, commune_limits, first, province_limits
from benchmarks.province.whole import commune_peak, province_peak, seals_of
from benchmarks.table import Row

SECONDS: Final = 60.0
"""Of the busiest hour that are gone through event by event."""
SEED: Final = 20261129
LEAST_NODES: Final = 3
"""A cluster that outlives one of its nodes."""
Say = Callable[[str], None]


def cost_rows(commune: CommuneCosts, uplink: UplinkCosts, province: ProvinceCosts | None) -> Iterator[Row]:
    """What was measured, and the model is fed with."""
    yield from _service_rows("station", commune.station)
    yield _cost("mosquitto, a message in and out", 1000 * commune.broker_s, "ms")
    yield _cost("an event on the link", commune.event_bytes / 1000, "kB")
    yield _cost("an event on the station's disk", commune.kept_bytes / 1000, "kB")
    yield _cost("an event against its box's quota", commune.quota_bytes / 1000, "kB")
    yield _cost("an event, written on the box's card", commune.box_bytes / 1000, "kB")
    for alerts in (0, 1, 16):
        yield _cost(f"a look of the uplink, {alerts} new alerts", 1000 * uplink.turn_s.of(alerts), "ms")
    yield _cost(
        "an alert's start and end in one envelope, on the link", uplink.envelope_bytes.of(2) / 1000, "kB"
    )
    if province is not None:
        yield from _service_rows("worker", province.worker)
        yield _cost(f"{province.broker}, an envelope in and out", 1000 * province.broker_s, "ms")
        yield _cost("an item on the database's disk", province.kept_bytes.item / 1000, "kB")
        for over in province.seal.kept_bytes.sizes:
            kept, link = province.seal.kept_bytes.of(over), province.seal.link_bytes.of(over)
            yield _cost(f"a seal over {over}, on the database's disk", kept / 1000, "kB")
            yield _cost(f"a seal over {over}, on the link", link / 1000, "kB")


def commune_rows(
    scenario: Scenario,
    costs: CommuneCosts,
    uplink: UplinkCosts,
    kit: Equipment,
    say: Say,
    seconds: float = SECONDS,
) -> Iterator[Row]:
    """A commune of the mean, and the largest."""
    sizes = communes(scenario.cameras)
    for which, cameras in (("mean", scenario.commune_cameras), ("largest", sizes[0])):
        say(f"{scenario.name}, {scenario.rate} events, the {which} commune")
        found = commune_peak(costs, uplink, kit, cameras, scenario.rate, seconds, SEED)
        day = cameras * scenario.rate
        year = day * kit.year_days
        box_day = kit.cameras_a_box * scenario.rate
        yield {
            "when": scenario.name, "events": scenario.rate, "commune": f"{which}, {cameras} cameras",
            "station's thread, %": _short(100 * found.station_share),
            "broker, %": _short(100 * found.broker_share),
            "receipt p95, ms": _short(1000 * _at(found.took_s, 0.95)),
            "waits at the end": found.waiting,
            "pole's link, %": _short(100 * found.pole_share),
            "station keeps a year, GB": _short(year * costs.kept_bytes / 1e9),
            "full after, days": _short(kit.disk_bytes / (day * costs.kept_bytes)),
            "station writes a day, GB": _short(day * found.written_an_event / 1e9),
            "disk lasts, years": _short(kit.disk_written_bytes / (year * found.written_an_event)),
            "card lasts, years": _short(kit.card_written_bytes / (box_day * kit.year_days * costs.box_bytes)),
            "a box sends a month, GB": _short(30 * box_day * costs.event_bytes / 1e9),
        }  # fmt: skip


def province_rows(
    scenario: Scenario,
    costs: ProvinceCosts,
    uplink: UplinkCosts,
    kit: Equipment,
    say: Say,
    seconds: float = SECONDS,
) -> Iterator[Row]:
    """The province above its communes."""
    say(f"{scenario.name}, {scenario.rate} events, the province")
    sizes = communes(scenario.cameras)
    found = province_peak(costs, uplink, kit, sizes, scenario.rate, seconds, SEED)
    day = scenario.cameras * scenario.rate
    boxes = scenario.cameras / kit.cameras_a_box
    seal_s, over = seals_of(kit, scenario.rate)
    seals = DAY_S * boxes * seal_s
    kept = 2 * kit.alerts * day * costs.kept_bytes.of(1, 1) + seals * costs.seal.kept_bytes.of(over)
    logged = 2 * kit.alerts * day * costs.log_bytes.of(1, 1) + seals * costs.seal.log_bytes.of(over)
    yield {
        "when": scenario.name, "events": scenario.rate, "cameras": scenario.cameras,
        "envelopes a second": _short(found.envelopes / seconds),
        "link in, Mbit/s": _short(8 * found.link_bytes_s / 1e6),
        "broker, % of a processor": _short(100 * found.broker_share),
        "nodes": max(LEAST_NODES, ceil(found.broker_share / kit.full)),
        "busiest worker, %": _short(100 * found.worker_share),
        "workers": max(SHARDS, ceil(SHARDS * found.worker_share / kit.full)),
        "database, % of a processor": _short(100 * found.database_share),
        "alert p95, s": _short(_at(found.took_s, 0.95)),
        "waits at the end": found.waiting,
        "database keeps a year, GB": _short(kept * kit.year_days / 1e9),
        "of it seals, %": _short(100 * seals * costs.seal.kept_bytes.of(over) / kept),
        "log a day, GB": _short(logged / 1e9),
    }  # fmt: skip


def limits_of(
    scenario: Scenario,
    commune: CommuneCosts,
    uplink: UplinkCosts,
    province: ProvinceCosts | None,
    kit: Equipment,
) -> list[Limit]:
    """What gives way first in the largest commune and at the province, at any rate."""
    found = commune_limits(commune, kit, communes(scenario.cameras)[0])
    return first(found + (province_limits(province, uplink, kit, scenario.cameras) if province else []))


def limit_rows(limits: dict[str, list[Limit]], rates: Sequence[int]) -> Iterator[Row]:
    """Each limit with its rate, and whether it has given way at the rates of the scenarios."""
    (now_name, now), (later_name, later) = limits.items()
    then = {each.what: each.events for each in later}
    for each in now:
        yield {
            "gives way": each.what,
            f"at events, {now_name}": _round(each.events), f"at events, {later_name}": _round(then[each.what]),
            **{f"{rate:,}": "gives way" if each.events <= rate else "holds" for rate in rates},
            "then": each.then,
        }  # fmt: skip


def first_rows(scenario: Scenario, limits: Sequence[Limit]) -> Iterator[Row]:
    """What breaks first in a scenario, and at which rate."""
    broken = [each.what for each in limits if each.events <= scenario.rate]
    yield {
        "when": scenario.name, "events": scenario.rate, "breaks first": limits[0].what,
        "at events": _round(limits[0].events), "given way by then": "; ".join(broken) or "nothing",
    }  # fmt: skip


def _service_rows(who: str, costs: ServiceTimes) -> Iterator[Row]:
    yield _cost(f"{who}: a look at the connection for nothing", 1000 * costs.look_s, "ms")
    yield _cost(f"{who}: a look that brings something", 1000 * costs.wake_s, "ms")
    yield _cost(f"{who}: a message read", 1000 * costs.read_s, "ms")
    for name, cost, unit, factor in (
        ("processor", costs.deliver_s, "ms", 1000.0),
        ("waiting for disk or database", costs.blocked_s, "ms", 1000.0),
        ("written", costs.written, "kB", 0.001),
    ):
        for messages in _sizes(cost):
            value = factor * cost.of(messages, messages)
            if value:
                yield _cost(f"{who}: a batch of {messages}, {name}", value, unit)
    yield _cost(f"{who}: the most that it takes in", sustained(costs), "messages a second")


def _sizes(cost: Cost) -> tuple[int, ...]:
    return cost.sizes if isinstance(cost, Curve) else (1, 20, 200) if isinstance(cost, Plane) else ()


def _cost(what: str, value: float, unit: str) -> Row:
    return {"measured": what, "value": _short(value), "unit": unit}


def _at(values: Sequence[float], share: float) -> float:
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0.0


def _short(value: float) -> float:
    return float(f"{value:.3g}")


def _round(value: float) -> int:
    return round(_short(value)) if value >= 10 else round(value)
