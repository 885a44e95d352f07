"""What a batch costs whoever takes it in: the real code of station/ingest, driven by hand, batch by batch.

Used for a station (its store on SQLite) and for a worker of the province (PostgreSQL). Sizes take turns in
blocks, so that each meets a store of every age, and its share of what the database puts off (checkpoints).
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import paho.mqtt.client as paho

from agent.errors import NgatuError
from agent.transport.client import connect
from agent.transport.settings import EndpointSettings
from benchmarks.cost.cpu import seconds
from benchmarks.province.real.written import written_bytes
from benchmarks.province.traffic import Sending
from station.ingest.batches import Batches
from station.ingest.connection import BrokerConnection
from station.ingest.handler_calls import HandlerCalls
from station.ingest.inbound import BOXES, Dialect
from station.ingest.presence import Presence
from station.ingest.settings import SubscriberSettings

ROUNDS: Final = 3
ALONE: Final = 60
LOOKS: Final = 200
LONG_S: Final = 60.0


@dataclass(slots=True)
class Handed:
    """What batches of one size cost together."""

    messages: int
    items: int = 0
    batches: int = 0
    cpu_s: float = 0.0
    written: float = 0.0
    store_s: float = 0.0
    blocked_s: list[float] = field(default_factory=list)

    def each(self, total: float) -> float:
        """Of one batch."""
        return total / self.batches


@dataclass(slots=True)
class Reads:
    """What it costs to read from the broker, for the reader and for the broker."""

    look_s: float
    wake_s: float
    read_s: float
    broker_s: float


class DrivenIntake:
    """The batches of a subscriber, with its real connection to a real broker; the caller alone turns it."""

    def __init__(self, settings: SubscriberSettings, handler: Any, dialect: Dialect = BOXES) -> None:
        calls = HandlerCalls(handler)
        self._presence = Presence(settings, calls, None, take_over=True)
        self._batches = Batches(settings, handler, calls, self._presence, dialect)
        self._connection = BrokerConnection(settings, self._hear, dialect.filters)
        self._calls, self._port = calls, settings.port
        self._client = self._connection.open(None)
        self._turn()

    def close(self) -> None:
        """Go, and have the broker keep nothing for it."""
        self._presence.say_offline(self._client)
        for _ in range(5):
            self._connection.read(self._client, 0.02)
        self._connection.leave_to_another(self._client)

    def hand_over(self, plan: Sequence[Sending], size: int, into: Handed, store: Callable[[], float]) -> None:
        """The messages of a plan in batches of a size, as if they had been read.

        Raises:
            NgatuError: the handler kept nothing.
        """
        _freeze()
        for at in range(0, len(plan) - size + 1, size):
            part = plan[at : at + size]
            for each in part:
                self._put(each)
            before = written_bytes(), store()
            began_s, cpu_s = time.monotonic(), time.thread_time()
            self._batches.deliver(self._client)
            cpu_s, lasted_s = time.thread_time() - cpu_s, time.monotonic() - began_s
            into.blocked_s.append(max(0.0, lasted_s - cpu_s))
            into.cpu_s, into.batches = into.cpu_s + cpu_s, into.batches + 1
            into.items += sum(each.items for each in part)
            into.written += written_bytes() - before[0]
            into.store_s += store() - before[1]
            self._client.loop(0.0)
        if self._calls.failing is not None:
            raise NgatuError(f"nothing was kept: {self._calls.failing}", "look at the disk and the database")
        if self._calls.counters.problems:
            raise NgatuError("messages of the plan cannot be read", "the wire has changed: mend the plan")

    def read(self, plan: Sequence[Sending], broker: int | None) -> Reads:
        """What reading costs: all of a plan at once, and the first of it one by one."""
        _freeze()
        other = connect(EndpointSettings(port=self._port), "plan-reader")
        try:
            cpu_s = time.thread_time()
            for _ in range(LOOKS):
                self._connection.read(self._client, 0.0)
            look_s = (time.thread_time() - cpu_s) / LOOKS
            began_s = seconds(broker) if broker else 0.0
            alone_s = sum(self._read_some(other, plan[at : at + 1]) for at in range(ALONE)) / ALONE
            read_s = self._read_some(other, plan[ALONE:]) / (len(plan) - ALONE)
            broker_s = (seconds(broker) - began_s) / len(plan) if broker else 0.0
        finally:
            other.disconnect()
        self._batches.drop()
        return Reads(look_s, max(0.0, alone_s - read_s), read_s, broker_s)

    def _read_some(self, other: paho.Client, part: Sequence[Sending]) -> float:
        """Processor of reading these."""
        before, ends_s = self._connection.heard, time.monotonic() + LONG_S
        sent = [other.publish(each.topic, each.body, 1, False, None) for each in part]
        while not all(each.is_published() for each in sent) and time.monotonic() < ends_s:
            other.loop(0.01)
        spent_s = 0.0
        while self._connection.heard - before < len(part):
            if time.monotonic() > ends_s:
                raise NgatuError("the broker does not hand over what it has", "look at its limits")
            cpu_s = time.thread_time()
            self._connection.read(self._client, 0.25)
            spent_s += time.thread_time() - cpu_s
        return spent_s

    def _put(self, each: Sending) -> None:
        packet = paho.MQTTMessage(topic=each.topic.encode())
        packet.payload = each.body
        packet.properties = GivenUser(list(each.user))  # type: ignore[assignment]
        _, _, commune, device, suffix = each.topic.split("/", 4)
        self._batches.put((commune, device), suffix, packet)

    def _hear(self, _client: paho.Client, _data: Any, packet: paho.MQTTMessage) -> None:
        levels = packet.topic.split("/", 4)
        if levels[3] != "station":
            self._batches.put((levels[2], levels[3]), levels[4], packet)

    def _turn(self) -> None:
        for _ in range(20):
            self._connection.read(self._client, 0.02)


@dataclass(frozen=True, slots=True)
class GivenUser:
    """A message's properties, of which only these are read."""

    UserProperty: list[tuple[str, str]]


def _freeze() -> None:
    """As the services do after their start: what is there already is no garbage that a batch has to look at."""
    gc.collect()
    gc.freeze()
