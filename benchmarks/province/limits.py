"""What gives way, and at how many events of a camera and day; the first of them is what breaks first. Pure.

Each limit is where a load that grows with the events meets what there is: `full` of it for processors and
links, the whole for disks and quotas.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.province.costs import CommuneCosts, ProvinceCosts, UplinkCosts
from benchmarks.province.day import DAY_S, peak
from benchmarks.province.equipment import NUMBERED_SHARE, PICTURES_SHARE, QUOTA, SHARDS, Equipment
from benchmarks.province.intake_loop import sustained

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
            "processor of a station",
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
    """Those of the province with so many cameras; each alert is two items in envelopes of their own."""
    a_second = peak() / DAY_S
    alerts = 2 * kit.alerts
    seals = 3 / 40 * costs.seal.items
    work = alerts + seals
    day_bytes = alerts * costs.kept_bytes.of(1, 1) + 3 / 40 * costs.seal.kept_bytes
    link = alerts * uplink.envelope_bytes.of(1) + 3 / 40 * costs.seal.link_bytes
    assert costs.worker.store_s is not None
    store_s = alerts * costs.worker.store_s.of(1, 1) + seals * costs.worker.store_s.of(0, 1)
    return [
        Limit(
            f"a worker of {SHARDS}",
            kit.full * sustained(costs.worker) * SHARDS / (work * cameras * a_second),
            "alerts reach the province late, communes hold what waits; more shards",
        ),
        Limit(
            "a node of the province's broker",
            kit.full / (costs.broker_s * alerts * cameras * a_second),
            "the same; more nodes",
        ),
        Limit(
            "processors of the database",
            kit.full * kit.processors / (store_s * cameras * a_second),
            "the same; a larger machine",
        ),
        Limit(
            "disk of the database, full in a year",
            kit.database_disk_bytes / (day_bytes * cameras * kit.year_days),
            "no receipts, communes hold what waits; `retention_months`, which is off by default",
        ),
        Limit(
            "link of the province",
            kit.full * kit.province_bits_s / 8 / (link * cameras * a_second),
            "the same",
        ),
    ]


def first(limits: Sequence[Limit]) -> list[Limit]:
    """What gives way, the first one first."""
    return sorted(limits, key=lambda each: each.events)
