"""What a subscriber asks of whoever keeps what arrives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable

import structlog

from station.ingest.alarms import AlarmKind
from station.ingest.inbound import InboundMessage, MessageKind

log = structlog.get_logger("station.ingest.handler")
T = TypeVar("T")


class Handler(Protocol):
    """Keeps what arrives.

    `commit` keeps all of it durably, or raises and keeps nothing that a second call would double. The same
    message may come again after an exception or a restart: store events by (id, revision), pictures by hash.
    """

    def commit(self, messages: Sequence[InboundMessage], /) -> None:
        """Keep these. When it returns, the boxes are told to forget them."""
        ...


@runtime_checkable
class RemembersSeqs(Protocol):
    """A handler may also tell what it has of a stream, so that nothing comes twice after a restart."""

    def committed(self, commune: str, device: str, stream: str) -> Iterable[tuple[int, int]]:
        """Ranges (first, last) of seq, both included."""
        ...

    def digests(
        self, commune: str, device: str, stream: str, first: int, last: int, limit: int
    ) -> Sequence[tuple[int, str]]:
        """Seq and `InboundMessage.digest` of the lowest `limit` messages from `first` to `last`, by seq.

        What cannot be told comes again, and is handed over once more.
        """
        ...


@runtime_checkable
class Compares(Protocol):
    """A handler may also look at what came again: the same number must not bring other content."""

    def compare(self, copies: Sequence[InboundMessage], /) -> None:
        """Look at these; when it raises they are not receipted, and come once more."""
        ...


@runtime_checkable
class Attends(Protocol):
    """A handler may also have work of its own, in the thread that commits."""

    def attend(self) -> None:
        """Called about once a second while a broker is connected; what it raises is logged."""
        ...


@runtime_checkable
class LimitsBoxes(Protocol):
    """A handler may also say of which messages it has enough; these have no receipt, and stay at the box."""

    def refuses(self, commune: str, device: str, kind: MessageKind, size_bytes: int, /) -> bool:
        """Whether it takes nothing more of this kind of this box; asked of each message before it is read."""
        ...

    def admitted(self, messages: Sequence[InboundMessage], /) -> Sequence[InboundMessage]:
        """Those that it would keep, in their order; asked once they are read. It may raise, as commit."""
        ...


@runtime_checkable
class RaisesAlarms(Protocol):
    """A handler may also be told of what is wrong and lasts; `box` is commune and device, or None."""

    def raise_alarm(self, kind: AlarmKind, box: tuple[str, str] | None, detail: str, count: int = 1, /) -> None:
        """It is so, or still so; as often as it is noticed."""
        ...

    def close_alarm(self, kind: AlarmKind, box: tuple[str, str] | None, /) -> None:
        """It is over, if it ever was."""
        ...


@dataclass(frozen=True, slots=True)
class OutboundCommand:
    """A command for a box, signed by whoever gives it."""

    box: tuple[str, str]
    """Commune and device, as in the topic."""
    verb: str
    body: bytes
    life_s: float
    """So long the broker keeps it for a box that is away."""


@runtime_checkable
class GivesCommands(Protocol):
    """A handler may also have commands to be carried to boxes."""

    def commands(self) -> Sequence[OutboundCommand]:
        """Those that are to go out now; asked about once a second. It may raise, as commit.

        One that is lost on its way is the handler's to give again.
        """
        ...


class Memory:
    """What a handler remembers of a stream: nothing where it does not, or cannot now. Then some come twice."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    def committed(self, commune: str, device: str, stream: str) -> Sequence[tuple[int, int]]:
        """Ranges (first, last) of seq, both included."""
        handler = self._handler
        if not isinstance(handler, RemembersSeqs):
            return ()
        return _told(lambda: tuple(handler.committed(commune, device, stream)), device, stream)

    def digests(
        self, commune: str, device: str, stream: str, first: int, last: int, limit: int
    ) -> Sequence[tuple[int, str]]:
        """Seq and digest of the lowest `limit` messages from `first` to `last`, by seq."""
        handler = self._handler
        if not isinstance(handler, RemembersSeqs):
            return ()
        return _told(lambda: handler.digests(commune, device, stream, first, last, limit), device, stream)


def _told(ask: Callable[[], Sequence[T]], device: str, stream: str) -> Sequence[T]:
    try:
        return ask()
    except Exception:  # a handler bears what comes twice
        log.exception("committed_failed", device=device, stream=stream)
        return ()
