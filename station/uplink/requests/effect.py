"""How a request is done: in parts, each of which may be done once more after a crash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from agent.wire.message import Priority
from station.uplink.envelope import UpItem
from station.uplink.requests.answer import SentFile
from station.uplink.requests.order import ProvinceRequest, RequestReason

WAIT_S: Final = 30.0
"""Between two looks at what cannot be done yet."""


@dataclass(frozen=True, slots=True)
class RequestPart:
    """What a step of a request brings."""

    items: Sequence[UpItem] = ()
    mark: str = ""
    """Where the next step begins. Not empty: the request has begun, and may go on after its end."""
    size_bytes: int = 0
    """What it takes of the day's bytes."""
    is_last: bool = False
    reason: RequestReason | None = None
    """Of the last: why it failed; None: it is done. Of any other: why it waits."""
    files: Sequence[SentFile] = ()
    """Of the last: everything that was sent."""
    counts: dict[str, int] = field(default_factory=dict)
    wait_s: float = WAIT_S
    """Of one that brings nothing yet: until when it is left alone."""


class RequestEffect(Protocol):
    """Does one kind of request."""

    priority: Priority
    """Of what it brings, in the uplink's outbox."""

    def part(self, request: ProvinceRequest, mark: str) -> RequestPart:
        """The step that begins at a mark; empty: at the beginning.

        Raises:
            NgatuError, SQLAlchemyError, OSError: it cannot be done now; it is tried again.
        """
        ...
