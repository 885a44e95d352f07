"""Every channel of the wire, version 1, in one table: what goes where, from whom, how, and how urgently.

From it come the topics, their reading and what each side subscribes to (topics.py), messages for the outbox
(codec.py), the AsyncAPI document (asyncapi.py), the reference's table and the broker's rules (describe.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from agent.settings.base import NAME_IN_WORDS, NAME_PATTERN
from agent.wire import payloads
from agent.wire.message import Priority
from agent.wire.payloads import Payload
from agent.wire.pieces import FILE_PATTERN


class MessageKind(StrEnum):
    """What a message is: one for each channel."""

    STATUS = "status"
    INFO = "info"
    HEALTH = "health"
    CAMERA_STATUS = "camera_status"
    EVENT = "event"
    COUNT = "count"
    IMAGE = "image"
    SNAPSHOT = "snapshot"
    LOOK = "look"
    EVIDENCE = "evidence"
    CHUNK = "chunk"
    ACK = "ack"
    AUDIT = "audit"
    CLOCK_MAP = "clock_map"
    CHAIN = "chain"
    RECORDING = "recording"
    HELLO = "hello"
    RECEIPT = "receipt"
    COMMAND = "command"
    STATION_STATUS = "station_status"
    UNKNOWN = "unknown"
    """By a topic of no channel: of a newer version, or of none."""


Side = Literal["box", "station"]


class Format(StrEnum):
    """What is no JSON."""

    JPEG = "jpeg"
    BYTES = "bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One kind of message, always with QoS 1."""

    kind: MessageKind
    topic: str
    """Below the device, or below the commune's station; names in braces stand in PARAMETERS."""
    what: str
    payload: type[Payload] | Format
    sender: Side = "box"
    below: Literal["device", "station"] = "device"
    retained: bool = False
    priority: Priority | None = None
    """Its usual class in the outbox, where it is kept until a receipt comes; None: it never lies there."""
    live: bool = False
    """Worth something for seconds only, to whoever asked: a station does not subscribe to it."""
    qos: Literal[1] = 1

    @property
    def kept(self) -> bool:
        """Whether it lies in the outbox."""
        return self.priority is not None

    @property
    def suffix(self) -> str:
        """The topic as seen from the device."""
        return self.topic if self.below == "device" else f"../station/{self.topic}"


@dataclass(frozen=True, slots=True)
class TopicParameter:
    """What a name in braces may be in a topic."""

    what: str
    pattern: str = r"[^/]+"


_ID: Final = r"(?!\.+(?:/|$))[A-Za-z0-9._-]{1,64}"
"""As `Id` of the payloads."""

PARAMETERS: Final[Mapping[str, TopicParameter]] = {
    "commune": TopicParameter(f"The commune's id: {NAME_IN_WORDS}.", NAME_PATTERN),
    "device": TopicParameter("The box's id, also its MQTT client id; not 'station'.", NAME_PATTERN),
    "camera": TopicParameter("The camera's id in the box.", NAME_PATTERN),
    "rule": TopicParameter("The counting rule's id."),
    "event_id": TopicParameter("The event's id.", _ID),
    "kind": TopicParameter("thumbnail or scene.", r"[a-z]{1,32}"),
    "request_id": TopicParameter("The id of the command that asked.", _ID),
    "file": TopicParameter("A file of the package.", FILE_PATTERN),
    "chunk": TopicParameter("Counts the pieces of a file from 0.", r"(?:0|[1-9][0-9]{0,5})"),
    "command_id": TopicParameter("The command's id.", _ID),
    "number": TopicParameter("Counts the pictures of a look from 1.", r"[0-9]{1,6}"),
    "verb": TopicParameter("What to do."),
}

CHANNELS: Final = (
    Channel(
        kind=MessageKind.STATUS,
        topic="status",
        what="Whether the box is there; also its will.",
        payload=payloads.StatusPayload,
        retained=True,
    ),
    Channel(
        kind=MessageKind.INFO,
        topic="info",
        what="Birth: what the box is.",
        payload=payloads.InfoPayload,
        retained=True,
    ),
    Channel(
        kind=MessageKind.HEALTH,
        topic="health",
        what="What the box says about itself.",
        payload=payloads.HealthPayload,
        retained=True,
    ),
    Channel(
        kind=MessageKind.CAMERA_STATUS,
        topic="camera/{camera}/status",
        what="Whether the camera sees.",
        payload=payloads.CameraStatusPayload,
        retained=True,
    ),
    Channel(
        kind=MessageKind.EVENT,
        topic="camera/{camera}/event",
        what="The life of an event.",
        payload=payloads.EventPayload,
        priority=Priority.EVENT,  # updates: UPDATE
    ),
    Channel(
        kind=MessageKind.COUNT,
        topic="camera/{camera}/count/{rule}",
        what="A closed interval.",
        payload=payloads.CountPayload,
        priority=Priority.COUNT,
    ),
    Channel(
        kind=MessageKind.IMAGE,
        topic="camera/{camera}/image/{event_id}/{kind}",
        what="A picture of an event; kind is thumbnail or scene.",
        payload=Format.JPEG,
        priority=Priority.IMAGE,  # of an alert: ALERT_IMAGE
    ),
    Channel(
        kind=MessageKind.SNAPSHOT,
        topic="camera/{camera}/snapshot",
        what="A picture on command.",
        payload=Format.JPEG,
        priority=Priority.ALERT_IMAGE,  # somebody waits for it
    ),
    Channel(
        kind=MessageKind.LOOK,
        topic="look/{command_id}/{number}",
        what="A small picture of a look, for whoever asked for it; not kept, and gone after seconds.",
        payload=Format.JPEG,
        live=True,
    ),
    Channel(
        kind=MessageKind.EVIDENCE,
        topic="evidence/{request_id}",
        what="The state of a request.",
        payload=payloads.EvidencePayload,
        priority=Priority.EVENT,
    ),
    Channel(
        kind=MessageKind.CHUNK,
        topic="evidence/{request_id}/{file}/{chunk}",
        what="A piece of footage, or of frames for training.",
        payload=Format.BYTES,
        priority=Priority.EVIDENCE,
    ),
    Channel(
        kind=MessageKind.ACK,
        topic="ack/{command_id}",
        what="What became of a command.",
        payload=payloads.AckPayload,
        priority=Priority.EVENT,
    ),
    Channel(
        kind=MessageKind.AUDIT,
        topic="audit",
        what="What was asked of the box and what left it, line by line.",
        payload=payloads.AuditPayload,
        priority=Priority.EVENT,
    ),
    Channel(
        kind=MessageKind.CLOCK_MAP,
        topic="camera/box/clock_map",
        what="Which time belongs to which moment, once the clock is synchronised.",
        payload=payloads.ClockMapPayload,
        priority=Priority.EVENT,
    ),
    Channel(
        kind=MessageKind.CHAIN,
        topic="chain",
        what="A seal: messages by hash.",
        payload=payloads.ChainPayload,
        priority=Priority.COUNT,
    ),
    Channel(
        kind=MessageKind.RECORDING,
        topic="camera/{camera}/recording",
        what="The newest link of a recording's chain.",
        payload=payloads.RecordingPayload,
        priority=Priority.COUNT,
    ),
    Channel(
        kind=MessageKind.HELLO,
        topic="hello",
        what="What the outbox holds, at each connect.",
        payload=payloads.HelloPayload,
    ),
    Channel(
        kind=MessageKind.RECEIPT,
        topic="receipt",
        what="What the station has committed.",
        payload=payloads.ReceiptPayload,
        sender="station",
    ),
    Channel(
        kind=MessageKind.COMMAND,
        topic="command/{verb}",
        what="An order; never retained.",
        payload=payloads.CommandPayload,
        sender="station",
    ),
    Channel(
        kind=MessageKind.STATION_STATUS,
        topic="status",
        what="Whether receipts are given.",
        payload=payloads.StationStatusPayload,
        sender="station",
        below="station",
        retained=True,
    ),
)
"""In the order of the reference."""

CHANNEL: Final[Mapping[MessageKind, Channel]] = {channel.kind: channel for channel in CHANNELS}


def models() -> tuple[type[Payload], ...]:
    """The payloads that are JSON, in the order of the reference."""
    return tuple(channel.payload for channel in CHANNELS if isinstance(channel.payload, type))
