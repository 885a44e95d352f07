"""What lies in the outbox: one message, ready but for what is only known when it is sent."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from agent.core.types import Instant


class Priority(IntEnum):
    """Classes of messages in the order in which they are sent.

    Eviction goes the other way round, with one exception: updates go before the images of alerts (wire.md).
    """

    EVENT = 0
    """Starts, ends and integrity events."""
    COUNT = 1
    """Counts, and the seals of the chain."""
    UPDATE = 2
    """Only the newest of an event waits."""
    ALERT_IMAGE = 3
    IMAGE = 4
    EVIDENCE = 5


@dataclass(frozen=True, slots=True)
class Message:
    """One message for the station.

    `body` is a JSON object without `seq`, `stream`, `published_at` and `replayed`, which are added at each
    sending, or the bytes of a JPEG, which are sent as they are.
    """

    topic: str
    """Below the device, such as camera/north/event."""
    body: bytes
    content_type: str
    """application/json or image/jpeg."""
    priority: Priority
    at: Instant
    """When the thing happened."""
    event_id: str | None = None
    revision: int = 0
    opens: bool = False
    """A start or update: should the agent die, this event must be closed at the next start."""
    closes: bool = False
    """An end."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A message as it lies in the outbox."""

    seq: int
    """Without gaps within the stream."""
    message: Message
    sha256: str
    """Of `message.body`, lower-case hex."""
    put_at: Instant
    """`mono_s` is of the boot in which it was put: compare only within one boot."""
    stream: str = ""
    """Within which `seq` counts: the outbox's may change at any moment, this message's does not."""
