"""What comes and goes over one connection, and how large it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from agent.transport.client import blank
from agent.transport.settings import Version

NO_SUBSCRIBERS: Final = 0x10


@dataclass(frozen=True, slots=True)
class Limits:
    """What the broker's CONNACK allows."""

    version: Version
    session_present: bool = False
    receive_maximum: int = 65535
    max_packet_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Puback:
    """The broker's word on a publish. It does not mean that anyone has it (docs/decisions)."""

    mid: int
    code: int
    reason: str

    @property
    def no_subscribers(self) -> bool:
        """Nobody subscribes to it; the broker has thrown it away."""
        return self.code == NO_SUBSCRIBERS

    @property
    def taken(self) -> bool:
        """It went to someone: 0x10 says that nobody subscribes, and above 0x80 it is refused."""
        return self.code == 0


@dataclass(frozen=True, slots=True)
class Suback:
    """The broker's word on our subscriptions, one code each; 0x80 and more: refused."""

    codes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class InboundPublish:
    """A message for us. It must be given to `ack` when its effect is safe."""

    topic: str
    payload: bytes
    retained: bool
    mid: int
    qos: int


InboundPacket = Puback | Suback | InboundPublish


def packet_bytes(topic: str, payload: bytes, properties: Properties | None) -> int:
    """Size of the PUBLISH packet with QoS 1 as it goes over the wire (MQTT 5, section 3.3)."""
    extra = 0 if properties is None else len(properties.pack())  # type: ignore[no-untyped-call]
    rest = 2 + len(topic.encode()) + 2 + extra + len(payload)
    return 1 + (1 if rest < 1 << 7 else 2 if rest < 1 << 14 else 3 if rest < 1 << 21 else 4) + rest


def publish_properties(
    content_type: str | None, expiry_s: int | None, user: Mapping[str, str] | None
) -> Properties:
    """What goes with a PUBLISH in MQTT 5."""
    properties = blank(PacketTypes.PUBLISH)
    if content_type is not None:
        properties.ContentType = content_type
    if expiry_s is not None:
        properties.MessageExpiryInterval = expiry_s
    if user:
        properties.UserProperty = list(user.items())
    return properties
