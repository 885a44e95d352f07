"""A box's outbox and forwarder without cameras, the station's subscriber, and a plain client that looks on."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from agent.clock import Clock, SystemClock
from agent.mqtt.forwarder import Forwarder
from agent.mqtt.inbound import OnCommand
from agent.mqtt.live import LivePictures
from agent.mqtt.settings import BrokerSettings
from agent.outbox.outbox import Outbox, OutboxSettings
from agent.wire import codec as wire
from agent.wire.message import Message, Priority
from agent.wire.topics import Topics
from station.ingest.inbound import InboundMessage
from station.ingest.subscriber import Subscriber, SubscriberSettings
from tests.support.brokers import until
from tests.support.jpegs import jpeg
from tests.support.outboxes import proofs

CLOCK = SystemClock()


def event(n: int | str, priority: Priority = Priority.EVENT, size: int = 400) -> Message:
    body = b'{"id":"%s","pad":"%s"}' % (str(n).encode(), b"x" * size)
    return Message("camera/north/event", body, wire.JSON, priority, CLOCK.now(), str(n), 1)


def picture(n: int | str, size: int = 3000) -> Message:
    body = jpeg(str(n).encode().ljust(size, b"."))
    return Message(f"camera/north/image/{n}/thumbnail", body, wire.JPEG, Priority.IMAGE, CLOCK.now(), str(n), 1)


@dataclass
class Notes:
    """A station's store in memory: what was committed, in order."""

    arrivals: list[InboundMessage] = field(default_factory=list)
    failing: bool = False
    refused: set[int] = field(default_factory=set)

    def commit(self, arrivals: Sequence[InboundMessage]) -> None:
        if self.failing:
            self.refused |= {arrival.seq for arrival in arrivals if arrival.seq is not None}
            raise OSError("the station's disk is full")
        self.arrivals += arrivals

    def seqs(self) -> list[int]:
        return [arrival.seq for arrival in self.arrivals if arrival.seq is not None]


@dataclass
class Box:
    """An outbox and its forwarder, without cameras."""

    folder: Path
    port: int
    topics: Topics
    more: dict[str, object]
    clock: Clock = CLOCK
    trusted: bool = True
    """Whether the day that this clock shows is believed."""
    commands: list[tuple[str, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.file = self.folder / "outbox.db"
        self.outbox = Outbox(self.file, OutboxSettings(ballast_bytes=0), self.clock)
        self.on_command: OnCommand | None = None
        self.beats = 0
        self.live = LivePictures()
        self.forwarder = self.new_forwarder()

    def new_forwarder(self) -> Forwarder:
        quick = {"backoff_min_s": 0.2, "backoff_max_s": 1.0, "port": self.port, **self.more}
        return Forwarder(
            self.outbox,
            BrokerSettings.model_validate(quick),
            self.topics,
            f"s-{uuid4().hex[:8]}",
            self.clock,
            on_command=lambda *args: self.on_command(*args) if self.on_command else args[3](),
            beat=self.beat,
            trusted=lambda: self.trusted,
            live=self.live,
        )

    def restart_forwarder(self) -> None:
        """What it knew is forgotten; the outbox goes on."""
        assert self.forwarder.stop()
        self.forwarder = self.new_forwarder()
        self.forwarder.start()

    def beat(self) -> None:
        self.beats += 1

    def pending(self) -> int:
        return self.outbox.stats().pending

    def close(self) -> None:
        assert self.forwarder.stop()
        self.outbox.close()


def of_file(box: Box, *bounds: tuple[int, int]) -> list[tuple[int, str]]:
    """What proves that a station has these; of a receipt the digest is cut by who writes it."""
    return proofs(box.file, *bounds)


@contextmanager
def station(box: Box, notes: Notes, port: int | None = None) -> Iterator[Subscriber]:
    """The real subscriber in a thread."""
    settings = SubscriberSettings(port=port or box.port, communes=(box.topics.commune,), receipts=True)
    subscriber = Subscriber(settings, notes)
    thread = threading.Thread(target=subscriber.run, daemon=True)
    thread.start()
    until(lambda: subscriber.connected)
    try:
        yield subscriber
    finally:
        subscriber.stop()
        thread.join(10)


@contextmanager
def client(port: int, *topics: str) -> Iterator[tuple[paho.Client, list[paho.MQTTMessage]]]:
    """A plain client: it can look on, and publish what it likes."""
    seen: list[paho.MQTTMessage] = []
    ready = threading.Event()
    plain = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"spy-{uuid4().hex[:8]}", protocol=paho.MQTTv5)
    plain.on_message = lambda _c, _u, message: seen.append(message)
    plain.on_connect = lambda c, *_: c.subscribe([(topic, 1) for topic in topics]) if topics else ready.set()
    plain.on_subscribe = lambda *_: ready.set()
    plain.connect("127.0.0.1", port)
    plain.loop_start()
    assert ready.wait(10)
    yield plain, seen
    plain.disconnect()
    plain.loop_stop()
