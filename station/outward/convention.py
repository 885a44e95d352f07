"""What a convention is to whoever publishes by it: messages for a connection, for states, for an event."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

from agent.core.types import Phase
from agent.transport.client import Will
from station.outward.boxes_now import BoxNow
from station.outward.feed import OutEvent
from station.store.schema import LATE_MS

MOST_KEPT_BYTES = 65_536
"""Of one retained message: the station's broker keeps no larger ones."""


@dataclass(frozen=True, slots=True)
class OutMessage:
    """To be published with QoS 1."""

    topic: str
    payload: bytes
    retained: bool = False


@dataclass(frozen=True, slots=True)
class Beside:
    """What the store knows beside an event at the moment."""

    others_open: bool
    """Another event of the same rule of the same camera goes on."""


class Convention(Protocol):
    """One way to say it. It remembers nothing of events: a restart changes nothing that it says."""

    @property
    def wants_pictures(self) -> bool:
        """Whether it shows the picture of a road user."""
        ...

    @property
    def name(self) -> str:
        """For the log and the client id."""
        ...

    @property
    def will(self) -> Will | None:
        """What the broker says when the station is gone."""
        ...

    def greeting(self) -> Iterable[OutMessage]:
        """At each connection."""
        ...

    def states(self, boxes: Sequence[BoxNow]) -> Iterable[OutMessage]:
        """Everything that is retained about these boxes, as it is now; what has not changed is not sent."""
        ...

    def event(self, out: OutEvent, beside: Beside) -> Iterable[OutMessage]:
        """What to say of a message of an event that is news."""
        ...

    def picture(self, out: OutEvent, jpeg: bytes) -> Iterable[OutMessage]:
        """What to say once the picture of that message is here; it comes behind it."""
        ...


def is_news(out: OutEvent, now_ms: int) -> bool:
    """Whether to say it at all: these conventions have no word for what is late.

    What began long before it came here, and what a box or the station held back, would look as if it were
    now. The end of what was told as new is told however late it comes.
    """
    if out.late:
        return False
    if out.payload.phase is Phase.END and out.before is not None:
        return True
    return not out.payload.replayed and now_ms - out.received_ms <= LATE_MS


def level(text: str) -> str:
    """A name as one level of a topic, whatever it holds; common names stay as they are."""
    return quote(text, safe="") or "-"


def as_json(value: Mapping[str, Any]) -> bytes:
    """Compact JSON in ASCII."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False).encode()
