"""The province's costs, measured: a worker's store on PostgreSQL with syncs, and the broker's part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Final

from agent.outbox.seals import SEAL_EVERY
from benchmarks.province.costs import Curve, Plane, ProvinceCosts, SealCosts
from benchmarks.province.real.commune import service_times
from benchmarks.province.real.intake import ROUNDS, DrivenIntake, Handed
from benchmarks.province.real.postgresql import SyncingServer
from benchmarks.province.real.rabbitmq import rabbit_node
from benchmarks.province.traffic import SHARD, seal_plan, uplink_plan
from station.ingest.inbound import InboundMessage
from station.ingest.settings import SubscriberSettings
from station.province.inbound import STATIONS
from station.province.store import ProvinceStore, upgrade
from station.store.database import engine_of
from station.uplink.settings import UP_ROOT
from tests.support.brokers import Mosquitto

SHAPES: Final = ((1, 1), (1, 20), (5, 2), (20, 2), (60, 2), (20, 20))
"""Envelopes at once, and items in each."""
ENVELOPES: Final = 120
"""Of each shape and round, and LEAST batches."""
LEAST: Final = 4
SHARD_COMMUNES: Final = 83

MOSQUITTO: Final = "mosquitto"
SEALS: Final = 20
"""In one envelope."""
SEALED: Final = (2, SEAL_EVERY)
"""Messages under one of them: of a quiet box, and of a busy one."""

Say = Callable[[str], None]


def province_costs(broker: Mosquitto, server: SyncingServer, say: Say, share: float = 1.0) -> ProvinceCosts:
    """What an envelope costs; with a `share` less is measured."""
    engine = engine_of(server.url)
    upgrade(engine)
    settings = SubscriberSettings(
        port=broker.port, root=UP_ROOT, communes=(SHARD,), station="province", client_id="driven", receipts=True
    )
    store = ProvinceStore(engine, SHARD)
    store.lock.take()
    store.attend()
    handed = [Handed(envelopes) for envelopes, _ in SHAPES]
    kept, logged = list[tuple[int, int, float]](), list[tuple[int, int, float]]()
    with closing(store), closing(DrivenIntake(settings, store, STATIONS)) as driven:
        say("what a worker reads")
        reads = driven.read(uplink_plan([0.0] * 200, 7, SHARD_COMMUNES, 2), broker.process_id)
        for number in range(ROUNDS):
            for (envelopes, items), each in zip(SHAPES, handed, strict=True):
                say(f"what a worker keeps, round {number + 1}, {envelopes} envelopes of {items}")
                batches = max(LEAST, round(ENVELOPES * share / envelopes))
                seed = 100 * (number + 1) + SHAPES.index((envelopes, items))
                plan = uplink_plan([0.0] * (batches * envelopes), seed, SHARD_COMMUNES, items)
                before = server.kept_bytes(), server.logged_bytes()
                cpu_s = server.cpu_s()
                driven.hand_over(plan, envelopes, each, lambda: 0.0)
                each.store_s += server.cpu_s() - cpu_s
                logged.append((envelopes, envelopes * items, (server.logged_bytes() - before[1]) / batches))
                kept.append((envelopes, envelopes * items, (server.kept_bytes() - before[0]) / batches))
        worker = service_times(reads, handed, by_size=False)
        assert isinstance(worker.deliver_s, Plane)
        say("what a worker keeps of seals")
        seals = _seal_costs(driven, server, worker.deliver_s)
    return ProvinceCosts(
        worker=worker,
        broker_s=reads.broker_s,
        broker=MOSQUITTO,
        hop_s=0.0,
        kept_bytes=Plane.through(kept),
        log_bytes=Plane.through(logged),
        seal=seals,
    )


def with_rabbit(costs: ProvinceCosts, say: Say) -> ProvinceCosts:
    """The same with a node of RabbitMQ for its broker, where there is one."""
    say("what a node of RabbitMQ passes on")
    with rabbit_node() as node:
        if node is None:
            return costs
        settings = SubscriberSettings(
            port=node.port,
            root=UP_ROOT,
            communes=(SHARD,),
            station="province",
            client_id="driven",
            receipts=True,
        )
        with closing(DrivenIntake(settings, KeepsNothing(), STATIONS)) as driven:
            for seed in (8, 9):  # the first warms up what Erlang compiles as it runs
                reads = driven.read(uplink_plan([0.0] * 300, seed, SHARD_COMMUNES, 2), node.process_id)
    return replace(costs, broker_s=reads.broker_s, broker="RabbitMQ")


class KeepsNothing:
    """A handler for whoever wants to read only."""

    def commit(self, messages: Sequence[InboundMessage], /) -> None:
        """Nothing is handed over here."""
        raise AssertionError(messages)


def _seal_costs(driven: DrivenIntake, server: SyncingServer, worker: Plane) -> SealCosts:
    found = list[tuple[float, float, float, float]]()
    for over in SEALED:
        plan, handed = seal_plan(16, SEALS, 5 + over, SHARD_COMMUNES, over), Handed(4)
        before = server.kept_bytes(), server.logged_bytes()
        driven.hand_over(plan, handed.messages, handed, lambda: 0.0)
        beside_s = handed.batches * worker.of(handed.messages, 0)
        size_bytes = sum(each.size_bytes for each in plan)
        kept_bytes, logged_bytes = server.kept_bytes() - before[0], server.logged_bytes() - before[1]
        items = max(0.0, handed.cpu_s - beside_s) / worker.item if worker.item else handed.items
        found.append(tuple(each / handed.items for each in (size_bytes, kept_bytes, logged_bytes, items)))  # type: ignore[arg-type]
    return SealCosts(*(Curve(SEALED, each) for each in zip(*found, strict=True)))
