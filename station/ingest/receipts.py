"""What a station has of each box, and so what is new, and which receipts are due. No network, no clock."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from agent.wire.payloads import EventPayload, HelloPayload, StatusPayload
from station.ingest.inbound import InboundMessage, images_of
from station.ingest.ranges import Ranges

Box = tuple[str, str]
"""Commune and device. Everything is kept by box: one box must not pass off its numbers as another's."""

_KEPT = 5_000
"""Pictures known by hash only, and events that wait for theirs; the oldest are forgotten."""
_RANGES_PER_RECEIPT = 500

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Due:
    """One receipt to be given."""

    box: Box
    stream: str
    committed: tuple[tuple[int, int], ...]
    images: tuple[str, ...] = ()
    """sha256 of pictures that came without a number (MQTT 3.1.1)."""


@dataclass(frozen=True, slots=True)
class Parted:
    """A batch, taken apart."""

    fresh: list[InboundMessage]
    """Not committed yet: each message once, pictures with their events."""
    copies: list[InboundMessage]
    """Committed already, or twice in the batch."""


class ReceiptLedger:
    """Numbers of each stream that are committed; `known` tells what was committed before the program began."""

    def __init__(self, known: Callable[[str, str, str], Iterable[tuple[int, int]]]) -> None:
        self._known = known
        self._ranges: dict[tuple[Box, str], Ranges] = {}
        self._streams: dict[Box, str] = {}
        self._sessions: dict[Box, str] = {}
        self._images: OrderedDict[tuple[Box, str], None] = OrderedDict()
        self._unreceipted_images: defaultdict[Box, list[str]] = defaultdict(list)
        self._events: OrderedDict[tuple[Box, str], EventPayload] = OrderedDict()

    def part(self, batch: Sequence[InboundMessage]) -> Parted:
        """What of the batch is new, and what came again; an old will that came late is neither."""
        parted = Parted([], [])
        seen: set[object] = set()
        for arrival in batch:
            if arrival.stream is not None:
                self._streams[_box(arrival)] = arrival.stream
            if self._stale(arrival):
                continue
            name = _name(arrival)
            if self.has(arrival) or name in seen:
                parted.copies.append(arrival)
                continue
            if name is not None:
                seen.add(name)
            parted.fresh.append(self._with_event(arrival))
        return parted

    def has(self, arrival: InboundMessage) -> bool:
        """Whether it is committed; False for what cannot be told apart, such as a status."""
        if arrival.stream is not None and arrival.seq is not None:
            return arrival.seq in self._have(_box(arrival), arrival.stream)
        return arrival.image_sha256 is not None and (_box(arrival), arrival.image_sha256) in self._images

    def remember(self, committed: Iterable[InboundMessage]) -> None:
        """These are committed now."""
        for arrival in committed:
            if arrival.stream is not None and arrival.seq is not None:
                self._have(_box(arrival), arrival.stream).add(arrival.seq)
            elif arrival.image_sha256 is not None:
                _keep(self._images, (_box(arrival), arrival.image_sha256), None)

    def due(self, batch: Sequence[InboundMessage]) -> list[Due]:
        """The receipts for a batch: each number that is committed, and to a hello all that are.

        A number is told with the whole range around it, which makes up for receipts that were lost.
        """
        ranges: defaultdict[tuple[Box, str], set[tuple[int, int]]] = defaultdict(set)
        for arrival in batch:
            box = _box(arrival)
            if isinstance(arrival.payload, HelloPayload):
                hello = arrival.payload
                self._streams[box] = hello.stream
                newest = -1 if hello.newest is None else hello.newest
                ranges[box, hello.stream].update(
                    self._have(box, hello.stream).within(hello.oldest or 0, newest)
                )
            elif arrival.stream is not None and arrival.seq is not None:
                around = self._have(box, arrival.stream).around(arrival.seq)
                if around is not None:
                    ranges[box, arrival.stream].add(around)
            elif arrival.image_sha256 is not None and self.has(arrival):
                self._unreceipted_images[box].append(arrival.image_sha256)
        images = self._images_due()
        return [
            Due(box, stream, tuple(committed[at : at + _RANGES_PER_RECEIPT]), () if at else images.pop(box, ()))
            for (box, stream), committed in ((key, sorted(value)) for key, value in ranges.items())
            for at in range(0, max(1, len(committed)), _RANGES_PER_RECEIPT)
        ] + [Due(box, self._streams[box], (), hashes) for box, hashes in images.items()]

    def _images_due(self) -> dict[Box, tuple[str, ...]]:
        """Pictures without a number wait until the box has told its stream, for a receipt names one."""
        known = [box for box in self._unreceipted_images if box in self._streams]
        return {box: tuple(self._unreceipted_images.pop(box)) for box in known}

    def _have(self, box: Box, stream: str) -> Ranges:
        if (box, stream) not in self._ranges:
            self._ranges[box, stream] = Ranges(self._known(*box, stream))
        return self._ranges[box, stream]

    def _with_event(self, arrival: InboundMessage) -> InboundMessage:
        """The arrival; a picture with the newest event that refers to it."""
        box = _box(arrival)
        if arrival.event is not None:
            for image in images_of(arrival.event):
                _keep(self._events, (box, image.sha256), arrival.event)
        elif arrival.image_sha256 is not None:
            return replace(arrival, event=self._events.get((box, arrival.image_sha256)))
        return arrival

    def _stale(self, arrival: InboundMessage) -> bool:
        """An offline of another session than the box's latest: an old will that came late."""
        if not isinstance(arrival.payload, StatusPayload):
            return False
        box, session = _box(arrival), arrival.payload.session
        if arrival.payload.state != "offline":
            self._sessions[box] = session
        return self._sessions.setdefault(box, session) != session


def _box(arrival: InboundMessage) -> Box:
    return arrival.commune, arrival.device


def _name(arrival: InboundMessage) -> object:
    """What tells a message apart from others; None if nothing does."""
    if arrival.stream is not None and arrival.seq is not None:
        return _box(arrival), arrival.stream, arrival.seq
    return (_box(arrival), arrival.image_sha256) if arrival.image_sha256 is not None else None


def _keep(kept: OrderedDict[K, V], key: K, value: V) -> None:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > _KEPT:
        kept.popitem(last=False)
