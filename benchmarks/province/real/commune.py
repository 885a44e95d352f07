"""A commune's costs, measured: the station's store on SQLite through a real mosquitto, and a box's outbox."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import closing
from math import ceil
from pathlib import Path
from statistics import fmean, median
from typing import Final

from sqlalchemy import URL

from agent.clock import SystemClock
from agent.core.types import Instant
from agent.outbox.outbox import Outbox, OutboxSettings
from agent.wire import codec
from agent.wire.message import Message, Priority
from agent.wire.payloads import PROOF_DIGITS
from benchmarks.province.costs import CommuneCosts, Cost, Curve, Plane, ServiceTimes, UplinkCosts
from benchmarks.province.real.intake import ROUNDS, DrivenIntake, Handed, Reads
from benchmarks.province.real.written import written_bytes
from benchmarks.province.traffic import Sending, commune_plan
from station.config import QuotaSettings
from station.ingest.inbound import read
from station.ingest.settings import SubscriberSettings
from station.store.quota import cost_of
from station.uplink.uplink import Uplink
from tests.support.brokers import Mosquitto
from tests.support.stores import Place
from tests.support.street_events import street_events
from tests.support.told_events import COMMUNE
from tests.support.uplinks import SETTINGS

SIZES: Final = (1, 3, 9, 30, 90, 200, 400)
MESSAGES: Final = 300
"""Of each size and round, and LEAST batches."""
LEAST: Final = 5
BOXED: Final = 60
"""Events that a box's outbox is given."""
ALERTS: Final = (0, 1, 4, 16, 64)
"""New at one look of the uplink: each is its start and its end."""
NO_QUOTA: Final = QuotaSettings(messages_per_day=100_000_000, bytes_per_day=10**12)
Say = Callable[[str], None]


def commune_costs(broker: Mosquitto, folder: Path, say: Say, share: float = 1.0) -> CommuneCosts:
    """What an event costs; with a `share` less is measured."""
    place = Place(URL.create("sqlite", database=str(folder / "station.db")), folder)
    settings = SubscriberSettings(port=broker.port, communes=(COMMUNE,), receipts=True)
    plans = _plans(share)
    with (
        closing(place),
        closing(place.open(quota=NO_QUOTA)) as store,
        closing(DrivenIntake(settings, store)) as driven,
    ):
        say("what a station reads")
        reads = driven.read(commune_plan([each / 100 for each in range(220)], 7), broker.process_id)
        handed = [Handed(size) for size in SIZES]
        for number in range(ROUNDS):
            for each in handed:
                say(f"what a station keeps, round {number + 1}, {each.messages} messages at once")
                driven.hand_over(plans[number, each.messages], each.messages, each, lambda: 0.0)
    plan = plans[0, SIZES[-1]]
    kept = sum(each.messages * each.batches for each in handed) / 3
    say("what a box keeps")
    return CommuneCosts(
        station=service_times(reads, handed, by_size=True),
        broker_s=reads.broker_s,
        hop_s=0.0,
        event_bytes=3 * fmean(each.size_bytes for each in plan),
        picture_bytes=fmean(each.size_bytes for each in plan if "/image/" in each.topic),
        messages=3.0,
        kept_bytes=_size_of(folder) / kept,
        quota_bytes=3 * fmean(_quota_bytes(each) for each in plan),
        quota_picture_bytes=fmean(_quota_bytes(each) for each in plan if "/image/" in each.topic),
        box_bytes=_boxed(folder, max(6, round(BOXED * share))),
    )


def service_times(reads: Reads, handed: list[Handed], *, by_size: bool) -> ServiceTimes:
    """What was measured, as the model takes it: by the number of messages, or by what they hold, too."""

    def cost(of: Callable[[Handed], float]) -> Cost:
        if by_size:
            return Curve(tuple(each.messages for each in handed), tuple(each.each(of(each)) for each in handed))
        found = [(each.messages, round(each.each(each.items)), each.each(of(each))) for each in handed]
        return Plane.through(found)

    ratios = [
        value / max(1e-9, fmean(each.blocked_s)) for each in handed for value in _spread(each.blocked_s, 40)
    ]
    return ServiceTimes(
        look_s=reads.look_s,
        wake_s=reads.wake_s,
        read_s=reads.read_s,
        deliver_s=cost(lambda each: each.cpu_s),
        blocked_s=Plane.through(
            [(each.messages, round(each.each(each.items)), fmean(each.blocked_s)) for each in handed]
        ),
        blocked_ratios=tuple(ratios),
        written=cost(lambda each: each.written),
        store_s=cost(lambda each: each.store_s) if any(each.store_s for each in handed) else None,
    )


def uplink_costs(folder: Path, say: Say, share: float = 1.0) -> UplinkCosts:
    """What a look of the uplink costs the station, and how large envelopes are."""
    place = Place(URL.create("sqlite", database=str(folder / "station.db")), folder)
    times = max(2, round(8 * share))
    spent, sizes = dict[int, float](), dict[int, float]()
    at_ms = round(time.time() * 1000) - 3_600_000
    street = street_events(times * sum(ALERTS), at_ms, alerts=True, seed=3, boxes=11)
    with closing(place), closing(place.open(quota=NO_QUOTA)) as store:
        uplink = Uplink(SETTINGS, COMMUNE, folder, place.engine)
        with closing(uplink):
            uplink.turn()
            for alerts in ALERTS:
                say(f"the uplink, {alerts} alerts at once")
                took = []
                for _ in range(times):
                    if messages := [next(street) for _ in range(2 * alerts)]:
                        store.commit(messages)
                    began_s = time.thread_time()
                    uplink.turn()
                    took.append(time.thread_time() - began_s)
                    waiting = uplink.outbox.waiting(1_000, Instant(time.monotonic(), time.time()))
                    sizes[2 * alerts] = sum(_on_link(len(each.message.body)) for each in waiting)
                    proofs = [(each.seq, each.sha256[:PROOF_DIGITS]) for each in waiting]
                    uplink.outbox.acknowledge(uplink.outbox.stream, proofs)
                spent[alerts] = median(took)
    counts = [alerts for alerts in ALERTS if alerts]
    return UplinkCosts(
        Curve(ALERTS, tuple(spent[alerts] for alerts in ALERTS)),
        Curve(tuple(2 * each for each in counts), tuple(sizes[2 * each] for each in counts)),
    )


def _plans(share: float) -> dict[tuple[int, int], list[Sending]]:
    """For each round and size messages of their own, as they come when boxes tell in turns."""
    plans = {}
    for number in range(ROUNDS):
        for size in SIZES:
            messages = max(MESSAGES * share, size * max(2.0, LEAST * share))
            moments = [each * 0.05 for each in range(ceil(messages / 3) + 1)]
            plans[number, size] = commune_plan(moments, 1_000 * (number + 1) + size)
    return plans


def _spread(values: list[float], most: int) -> list[float]:
    """Of many values so many, evenly over their order: each size counts alike."""
    ordered = sorted(values)
    return [ordered[round(at * (len(ordered) - 1) / (most - 1))] for at in range(most)]


def _quota_bytes(each: Sending) -> int:
    return cost_of(read(each.topic, each.body, dict(each.user)))


def _boxed(folder: Path, events: int) -> float:
    """What the system writes for each event on the card of a box, until it was receipted and is overwritten."""
    plan = commune_plan([each / 10 for each in range(events)], 9, boxes=1)
    with closing(Outbox(folder / "outbox.db", OutboxSettings(), SystemClock())) as outbox:
        before = written_bytes()
        for at, each in enumerate(plan):
            now = Instant(time.monotonic(), time.time())
            picture = "/image/" in each.topic
            kind, priority = (codec.JPEG, Priority.IMAGE) if picture else (codec.JSON, Priority.EVENT)
            outbox.put([Message(each.topic.split("/", 4)[4], each.body, kind, priority, now)])
            if at % 3 == 2:
                waiting = outbox.waiting(10, now)
                outbox.acknowledge(
                    outbox.stream, [(stored.seq, stored.sha256[:PROOF_DIGITS]) for stored in waiting]
                )
        outbox.tend()
    os.sync()
    return (written_bytes() - before) / events


def _on_link(body_bytes: int) -> int:
    return (
        Sending(
            0.0, "ngatu-up/v1/s01/hai-ninh/envelope", b"x" * body_bytes, (), 0, 1, 1, timed=False
        ).size_bytes
        + 130
    )


def _size_of(folder: Path) -> int:
    """On the disk, of the database and the pictures."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".log"]
    return sum(path.stat().st_blocks * 512 for path in files if "outbox" not in path.name)
