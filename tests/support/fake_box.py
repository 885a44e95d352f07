"""A box as a station sees it: it publishes through the agent's own wire and keeps the receipts."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from agent.core.types import Box, Event, EventKind, Instant, ObjectState, Phase, Severity, Shot, Size
from agent.publishing.compose import Sender, event_messages
from agent.wire import codec
from agent.wire.channels import MessageKind
from agent.wire.message import Message, Stored
from agent.wire.payloads import ReceiptPayload
from agent.wire.topics import Topics
from station.watch.embedded import Address
from tests.support.brokers import until

MQTT_5, MQTT_311 = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311


def an_event(number: int, *, picture: bool = False, alert: bool = True, revision: int = 1) -> Event:
    at = Instant(time.monotonic(), time.time())
    image = np.random.default_rng(number).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    rider = ObjectState(
        f"t-{number}", "motorcycle", 0.8, 0.9, 2, Box(0.4, 0.5, 0.5, 0.7), at, None, False, (), (), ()
    )
    return Event(
        f"e-{number}", revision, EventKind.LINE_CROSSED, Phase.START,
        Severity.ALERT if alert else Severity.INFO, at, "stop-line", "line", at, Size(640, 480), rider,
        direction="in", thumbnail=Shot(image, at, Box(0.2, 0.2, 0.8, 0.8), 0.7) if picture else None,
    )  # fmt: skip


@dataclass
class FakeBox:
    """Publishes as the agent does, through the agent's own wire, and keeps the receipts."""

    address: Address
    version: MQTTProtocolVersion = MQTT_5
    commune: str = "hai-ninh"
    device: str = "north-01"
    stream: str = "s-1"
    receipts: list[ReceiptPayload] = field(default_factory=list)
    station_online: list[bool] = field(default_factory=list)
    seq: int = 0

    def __enter__(self) -> FakeBox:
        self.topics = Topics(self.commune, self.device)
        self._sender = Sender(self.commune, self.device, "north", "boot-1", "yolox-nano", "a" * 64)
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self.device,
            protocol=self.version,
            reconnect_on_failure=False,
        )
        ready: list[bool] = []
        self._client.on_message = self._hear
        self._client.on_subscribe = lambda *_: ready.append(True)
        port = self.address.port if self.version == MQTT_5 else self.address.port_311
        self._client.connect(self.address.host, port)
        self._client.loop_start()
        until(self._client.is_connected)
        self._client.subscribe(
            [(self.topics.of(MessageKind.RECEIPT), 1), (self.topics.of(MessageKind.STATION_STATUS), 1)]
        )
        until(lambda: ready)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def tell(self, event: Event) -> list[Stored]:
        """Publish an event with its pictures; gives back what lies in the outbox."""
        return [self.publish(stored) for stored in self.put(event)]

    def put(self, event: Event) -> list[Stored]:
        """Give an event and its pictures their numbers, as the outbox does."""
        return [self._numbered(message) for message in event_messages(event, self._sender)]

    def _numbered(self, message: Message) -> Stored:
        self.seq += 1
        return Stored(self.seq, message, sha256(message.body).hexdigest(), message.at)

    def send(self, stored: Stored, now: Instant) -> None:
        """Publish without waiting for the broker."""
        properties = Properties(PacketTypes.PUBLISH)
        properties.UserProperty = list(codec.properties(stored, self.stream).items())
        body = codec.finish(stored, self.stream, now)
        self._client.publish(self.topics.below(stored.message.topic), body, 1, False, properties)

    def publish(self, stored: Stored, *, promised: str | None = None) -> Stored:
        now = Instant(time.monotonic(), time.time())
        properties = None
        if self.version == MQTT_5:
            properties = Properties(PacketTypes.PUBLISH)
            user_properties = codec.properties(stored, self.stream) | ({"sha256": promised} if promised else {})
            properties.UserProperty = list(user_properties.items())
        body = codec.finish(stored, self.stream, now)
        self.raw(stored.message.topic, body, properties=properties)
        return stored

    def raw(
        self, suffix: str, body: bytes, *, retain: bool = False, properties: Properties | None = None
    ) -> None:
        self._client.publish(self.topics.below(suffix), body, 1, retain, properties).wait_for_publish(5)

    def beyond(self, topic: str, body: bytes) -> None:
        """Publish where no box may, retained."""
        self._client.publish(topic, body, 1, True).wait_for_publish(5)

    def hello(self) -> None:
        now = Instant(time.monotonic(), time.time())
        self.raw("hello", codec.hello("life-1", self.stream, 1, self.seq, now))

    def receipted(self) -> set[int]:
        """Every number of the current stream that was receipted."""
        return {
            number
            for receipt in list(self.receipts)
            if receipt.stream == self.stream
            for first, last in receipt.committed
            for number in range(first, last + 1)
        }

    def _hear(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        if message.topic == self.topics.of(MessageKind.STATION_STATUS):
            self.station_online.append(codec.says_online(bytes(message.payload)))
        else:
            self.receipts.append(codec.parse(ReceiptPayload, bytes(message.payload)))
