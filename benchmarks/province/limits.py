"""What gives way, and at how many events of a camera and day; the first of them is what breaks first. Pure.

Each limit is where a load that grows with the events meets what there is: `full` of it for processors and
links, the whole for disks and quotas.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp
from typing import Final

from benchmarks.province.capacity import sustained
from benchmarks.province.costs import CommuneCosts, Cost, ProvinceCosts, UplinkCosts
from benchmarks.province.day import COMMUNES, DAY_S, peak
from benchmarks.province.equipment import NUMBERED_SHARE, PICTURES_SHARE, QUOTA, SHARDS, Equipment
from benchmarks.province.whole import seals_of

MOST_EVENTS: Final = 10_000_000.0
"""A hundred a second, of one camera: no limit."""
SEAL_SHARE: Final = 1 + 1 / 40
"""Messages with the seals over them."""


@dataclass(frozen=True, slots=True)
class Limit:
    """Something that gives way."""

    what: str
    events: float
    """Of a camera in a day, at which it does."""
    then: str
    """What is seen, and what helps."""


def commune_limits(costs: CommuneCosts, kit: Equipment, cameras: int) -> list[Limit]:
    """Those of a commune of so many cameras and of its boxes."""
    a_second = peak() / DAY_S
    of_box, written = kit.cameras_a_box, costs.station.written.of(3, 3)
    days = kit.year_days
    return [
        Limit(
            "quota of a box: messages a day",
            QUOTA.messages_per_day / (costs.messages * SEAL_SHARE * of_box),
            "no receipts until midnight (UTC), an alarm; a higher quota",
        ),
        Limit(
            "quota of a box: bytes a day",
            min(
                PICTURES_SHARE * QUOTA.bytes_per_day / costs.quota_picture_bytes,
                NUMBERED_SHARE * QUOTA.bytes_per_day / costs.quota_bytes,
            )
            / of_box,
            "pictures wait at the box, the oldest go; a higher quota",
        ),
        Limit(
            "link of a pole",
            kit.full * kit.pole_bits_s / 8 / (costs.event_bytes * of_box * a_second),
            "pictures come hours late, events do not; smaller pictures, or fibre",
        ),
        Limit(
            "card of a box, worn out",
            kit.card_written_bytes / (costs.box_bytes * of_box * days * kit.years),
            "the box continues in memory; a card for writing, or an SSD",
        ),
        Limit(
            "intake of a station",
            kit.full * sustained(costs.station) / (costs.messages * SEAL_SHARE * cameras * a_second),
            "receipts come late, boxes hold what waits; a second commune id",
        ),
        Limit(
            "broker of a commune",
            kit.full / (costs.broker_s * costs.messages * SEAL_SHARE * cameras * a_second),
            "events come late",
        ),
        Limit(
            "disk of a station, full in a year",
            kit.disk_bytes / (costs.kept_bytes * cameras * days),
            "nothing is kept, boxes hold what waits; `retention`, which is off by default",
        ),
        Limit(
            "disk of a station, worn out",
            kit.disk_written_bytes / (written * cameras * days * kit.years),
            "the disk dies; backups, and a disk for writing",
        ),
    ]


def province_limits(costs: ProvinceCosts, uplink: UplinkCosts, kit: Equipment, cameras: int) -> list[Limit]:
    """Those of the province with so many cameras.

    An alert is two items; a commune sends one envelope a second with those of that second. A worker does best
    with one batch a second: then it is full where a batch takes as much of a second as may be full.
    """
    worker, store_s = costs.worker, costs.worker.store_s
    assert store_s is not None

    def alerts(events: float) -> float:
        """Items a second of a shard in the busiest hour."""
        return 2 * kit.alerts * events * peak() * cameras / SHARDS / DAY_S

    def seals(events: float, beside_even: float) -> tuple[float, int]:
        """Seals a second of a shard, and over how many messages each."""
        seal_s, over = seals_of(kit, events, beside_even)
        return seal_s * cameras / SHARDS / kit.cameras_a_box, over

    def envelopes(events: float) -> float:
        """A second, of a shard."""
        communes = COMMUNES / SHARDS
        return communes * (1 - exp(-alerts(events) / communes))

    def batch(events: float, of: Cost) -> float:
        """Of one batch a second."""
        seals_s, over = seals(events, peak())
        return of.of(round(envelopes(events)), round(alerts(events) + seals_s * costs.seal.items.of(over)))

    def year_bytes(events: float) -> float:
        seals_s, over = seals(events, 1.0)
        each = costs.kept_bytes.of(1, 1) * alerts(events) / peak() + costs.seal.kept_bytes.of(over) * seals_s
        return SHARDS * each * DAY_S * kit.year_days

    def link_bytes(events: float) -> float:
        seals_s, over = seals(events, peak())
        alerts_bytes = uplink.envelope_bytes.of(2) / 2 * alerts(events)
        return SHARDS * (alerts_bytes + costs.seal.link_bytes.of(over) * seals_s)

    return [
        Limit(
            f"intake of a worker, one of {SHARDS}",
            where(lambda events: batch(events, worker.deliver_s) + batch(events, worker.blocked_s), kit.full),
            "alerts reach the province late, communes hold what waits; more shards",
        ),
        Limit(
            "a node of the province's broker",
            where(lambda events: SHARDS * envelopes(events) * costs.broker_s, kit.full),
            "alerts reach the province late; more nodes",
        ),
        Limit(
            "processors of the database",
            where(lambda events: SHARDS * batch(events, store_s), kit.full * kit.processors),
            "alerts reach the province late; a larger machine",
        ),
        Limit(
            "disk of the database, full in a year",
            where(year_bytes, kit.database_disk_bytes),
            "no receipts, communes hold what waits; `retention_months`, which is off by default",
        ),
        Limit(
            "link of the province",
            where(lambda events: 8 * link_bytes(events), kit.full * kit.province_bits_s),
            "alerts reach the province late",
        ),
    ]


def where(load: Callable[[float], float], bound: float) -> float:
    """At how many events a load that grows with them meets a bound; MOST_EVENTS where it never does."""
    low, high = 0.0, MOST_EVENTS
    if load(high) < bound:
        return high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if load(middle) < bound else (low, middle)
    return high


def first(limits: Sequence[Limit]) -> list[Limit]:
    """What gives way, the first one first."""
    return sorted(limits, key=lambda each: each.events)
