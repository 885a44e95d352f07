"""The busiest stretch of a commune and of the province, event by event. Pure; the same for the same seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil, exp, fsum
from random import Random
from typing import Final

from agent.outbox.seals import SEAL_AFTER_S, SEAL_EVERY
from benchmarks.province.costs import CommuneCosts, ProvinceCosts, UplinkCosts
from benchmarks.province.day import DAY_S, arrivals, peak
from benchmarks.province.engine import Line, Timeline
from benchmarks.province.equipment import SHARDS, Equipment
from benchmarks.province.intake_loop import Arrived, IntakeLoop

LOOK_S: Final = 1.0
"""The uplink looks so often (station/uplink/uplink.py)."""
STATES_S: Final = 600.0
"""How its boxes stand goes up so often, whatever happens."""
BULK_S, BULK_ITEMS = 300.0, 200
HOURS: Final = 3600.0


@dataclass(frozen=True, slots=True)
class CommunePeak:
    """How a commune does in the busiest hour of a day."""

    events: int
    kept: int
    waiting: int
    """Messages sent and not kept at the end."""
    station_share: float
    """Of one processor."""
    broker_share: float
    pole_share: float
    """Of the busiest pole's link."""
    written_an_event: float
    took_s: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ProvincePeak:
    """How the province does in the busiest hour of a day."""

    envelopes: int
    items: int
    kept: int
    waiting: int
    worker_share: float
    """Of one processor, of the busiest shard."""
    database_share: float
    """Of one processor, of all shards together."""
    broker_share: float
    link_share: float
    link_bytes_s: float
    took_s: tuple[float, ...]
    """Of envelopes with an alert, from their packing to their receipt at the station."""


def commune_peak(
    costs: CommuneCosts,
    uplink: UplinkCosts,
    kit: Equipment,
    cameras: int,
    rate: float,
    seconds: float,
    seed: int,
) -> CommunePeak:
    """A commune of so many cameras, each with so many events a day, in its busiest hour."""
    timeline, chance = Timeline(), Random(seed)
    boxes = [Line(timeline) for _ in range(ceil(cameras / kit.cameras_a_box))]
    events_s = cameras * rate * peak() / DAY_S
    broker, loop = Line(timeline), IntakeLoop(timeline, costs.station, seed, rate=costs.messages * events_s)
    text = (costs.event_bytes - costs.picture_bytes) / (costs.messages - 1)
    sent, begun = 0, 0
    alerts = [0] * (ceil(seconds) + 1)

    def send(box: int, size_bytes: float, *, timed: bool) -> None:
        sent_s = timeline.now_s
        message = Arrived(box, round(size_bytes), 1, sent_s, sent_s, timed)

        def at_broker() -> None:
            broker.enter(costs.broker_s, partial(loop.arrive, message), costs.hop_s)

        boxes[box].enter(8 * size_bytes / kit.pole_bits_s, at_broker, kit.link_delay_s)

    def look(second: int) -> None:
        loop.borrow(uplink.turn_s.of(alerts[second]))

    for moment_s in arrivals(events_s, seconds, seed):
        box = chance.randrange(len(boxes))
        timeline.at(moment_s, partial(send, box, text, timed=True))
        timeline.at(moment_s, partial(send, box, costs.picture_bytes, timed=False))
        ends_s = min(seconds, moment_s + chance.uniform(0.6, 9.0))
        timeline.at(ends_s, partial(send, box, text, timed=False))
        begun, sent = begun + 1, sent + 3
        alerts[int(moment_s)] += chance.random() < kit.alerts
    for second in range(int(seconds)):
        timeline.at(second + LOOK_S, partial(look, second))
    timeline.run(seconds)
    busy = seconds or 1.0
    idle_bytes = costs.station.idle_bytes_s * seconds
    return CommunePeak(
        events=begun,
        kept=loop.kept,
        waiting=sent - loop.kept,
        station_share=loop.cpu_s / busy + costs.station.idle_share,
        broker_share=broker.busy_s / busy,
        pole_share=max((each.busy_s for each in boxes), default=0.0) / busy,
        written_an_event=(loop.written_bytes + idle_bytes) / max(1, begun),
        took_s=tuple(sorted(loop.took_s)),
    )


def province_peak(
    costs: ProvinceCosts,
    uplink: UplinkCosts,
    kit: Equipment,
    communes: Sequence[int],
    rate: float,
    seconds: float,
    seed: int,
) -> ProvincePeak:
    """Communes of these sizes, each camera with so many events a day, in the busiest hour; all shards."""
    timeline, chance = Timeline(), Random(seed)
    items_a_look = [2 * cameras * rate * kit.alerts * peak() / DAY_S * LOOK_S for cameras in communes]
    envelopes_s = fsum(1 - exp(-each) for each in items_a_look) / LOOK_S / SHARDS
    workers = [IntakeLoop(timeline, costs.worker, seed + shard, rate=envelopes_s) for shard in range(SHARDS)]
    link, broker = Line(timeline), Line(timeline)
    own = [Line(timeline) for _ in communes]
    sent = [0, 0, 0.0]

    def send(commune: int, items: int, seals: tuple[float, int] = (0.0, 1), *, timed: bool) -> None:
        size_bytes = uplink.envelope_bytes.of(items) + seals[0] * costs.seal.link_bytes.of(seals[1])
        items += round(seals[0] * costs.seal.items.of(seals[1]))
        sent[0], sent[1], sent[2] = sent[0] + 1, sent[1] + items, sent[2] + size_bytes
        message = Arrived(commune, round(size_bytes), items, timeline.now_s, timeline.now_s, timed)
        worker = workers[commune % SHARDS]

        def at_broker() -> None:
            broker.enter(costs.broker_s, partial(worker.arrive, message), costs.hop_s)

        def at_province() -> None:
            link.enter(8 * size_bytes / kit.province_bits_s, at_broker)

        own[commune].enter(8 * size_bytes / kit.commune_bits_s, at_province, kit.link_delay_s)

    for commune, cameras in enumerate(communes):
        moment_s = chance.uniform(0, LOOK_S)
        while moment_s < seconds:
            if items := _poisson(items_a_look[commune], chance):
                timeline.at(moment_s, partial(send, commune, items, timed=True))
            moment_s += LOOK_S
        boxes = cameras / kit.cameras_a_box
        seal_s, over = seals_of(kit, rate, peak())
        states_s, seals_s = boxes / STATES_S + cameras / HOURS, boxes * seal_s
        every_s = min(BULK_S, BULK_ITEMS / (states_s + seals_s))
        moment_s = chance.uniform(0, every_s)
        while moment_s < seconds:
            bulk = partial(
                send, commune, max(1, round(states_s * every_s)), (seals_s * every_s, over), timed=False
            )
            timeline.at(moment_s, bulk)
            moment_s += every_s
    timeline.run(seconds)
    kept = sum(each.kept for each in workers)
    return ProvincePeak(
        envelopes=round(sent[0]),
        items=round(sent[1]),
        kept=kept,
        waiting=round(sent[0]) - kept,
        worker_share=max(each.cpu_s for each in workers) / seconds + costs.worker.idle_share,
        database_share=sum(each.store_s for each in workers) / seconds,
        broker_share=broker.busy_s / seconds,
        link_share=link.busy_s / seconds,
        link_bytes_s=sent[2] / seconds,
        took_s=tuple(sorted(took_s for each in workers for took_s in each.took_s)),
    )


def seals_of(kit: Equipment, rate: float, beside_even: float = 1.0) -> tuple[float, int]:
    """Seals a second of a box whose cameras tell so many events a day, and over how many messages each.

    One for each forty messages, and every five minutes in which something was told.
    """
    messages_s = 3 * kit.cameras_a_box * rate * beside_even / DAY_S
    seals_s = max(messages_s / SEAL_EVERY, (1 - exp(-messages_s * SEAL_AFTER_S)) / SEAL_AFTER_S)
    return seals_s, max(1, round(messages_s / seals_s)) if seals_s else 1


def _poisson(mean: float, chance: Random) -> int:
    """How many come, by multiplying chances (Knuth, The Art of Computer Programming 2, 3.4.1)."""
    least, product, number = exp(-min(mean, 500.0)), chance.random(), 0
    while product > least:
        product *= chance.random()
        number += 1
    return number
