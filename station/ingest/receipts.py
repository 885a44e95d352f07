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
class DueReceipt:
    """One receipt to be given."""

    box: Box
    stream: str
    committed: tuple[tuple[int, int], ...]
    images: tuple[str, ...] = ()
    """sha256 of pictures that came without a number (MQTT 3.1.1)."""


@dataclass(frozen=True, slots=True)
class Deduplicated:
    """A batch, taken apart."""

    fresh: list[InboundMessage]
    """Not committed yet: each message once, pictures with their events."""
    copies: list[InboundMessage]
    """Committed already, or twice in the batch."""


class Receipts:
    """Numbers of each stream that are committed; `known` tells what was committed before the program began."""

    def __init__(self, known: Callable[[str, str, str], Iterable[tuple[int, int]]]) -> None:
        self._known = known
        self._ranges: dict[tuple[Box, str], Ranges] = {}
        self._streams: dict[Box, str] = {}
        self._sessions: dict[Box, str] = {}
        self._images: OrderedDict[tuple[Box, str], None] = OrderedDict()
        self._unreceipted_images: defaultdict[Box, list[str]] = defaultdict(list)
        self._events: OrderedDict[tuple[Box, str], EventPayload] = OrderedDict()

    def deduplicate(self, batch: Sequence[InboundMessage]) -> Deduplicated:
        """What of the batch is new, and what came again; an old will that came late is neither."""
        deduplicated = Deduplicated([], [])
        seen: set[object] = set()
        for message in batch:
            if message.stream is not None:
                self._streams[_box(message)] = message.stream
            if self._stale(message):
                continue
            name = _name(message)
            if self.has(message) or name in seen:
                deduplicated.copies.append(message)
                continue
            if name is not None:
                seen.add(name)
            deduplicated.fresh.append(self._with_event(message))
        return deduplicated

    def has(self, message: InboundMessage) -> bool:
        """Whether it is committed; False for what cannot be told apart, such as a status."""
        if message.stream is not None and message.seq is not None:
            return message.seq in self._have(_box(message), message.stream)
        return message.image_sha256 is not None and (_box(message), message.image_sha256) in self._images

    def remember(self, committed: Iterable[InboundMessage]) -> None:
        """These are committed now."""
        for message in committed:
            if message.stream is not None and message.seq is not None:
                self._have(_box(message), message.stream).add(message.seq)
            elif message.image_sha256 is not None:
                _keep(self._images, (_box(message), message.image_sha256), None)

    def due(self, batch: Sequence[InboundMessage]) -> list[DueReceipt]:
        """The receipts for a batch: each number that is committed, and to a hello all that are.

        A number is told with the whole range around it, which makes up for receipts that were lost.
        """
        ranges: defaultdict[tuple[Box, str], set[tuple[int, int]]] = defaultdict(set)
        for message in batch:
            box = _box(message)
            if isinstance(message.payload, HelloPayload):
                hello = message.payload
                self._streams[box] = hello.stream
                newest = -1 if hello.newest is None else hello.newest
                ranges[box, hello.stream].update(
                    self._have(box, hello.stream).within(hello.oldest or 0, newest)
                )
            elif message.stream is not None and message.seq is not None:
                around = self._have(box, message.stream).around(message.seq)
                if around is not None:
                    ranges[box, message.stream].add(around)
            elif message.image_sha256 is not None and self.has(message):
                self._unreceipted_images[box].append(message.image_sha256)
        images = self._images_due()
        return [
            DueReceipt(
                box, stream, tuple(committed[at : at + _RANGES_PER_RECEIPT]), () if at else images.pop(box, ())
            )
            for (box, stream), committed in ((key, sorted(value)) for key, value in ranges.items())
            for at in range(0, max(1, len(committed)), _RANGES_PER_RECEIPT)
        ] + [DueReceipt(box, self._streams[box], (), hashes) for box, hashes in images.items()]

    def _images_due(self) -> dict[Box, tuple[str, ...]]:
        """Pictures without a number wait until the box has told its stream, for a receipt names one."""
        known = [box for box in self._unreceipted_images if box in self._streams]
        return {box: tuple(self._unreceipted_images.pop(box)) for box in known}

    def _have(self, box: Box, stream: str) -> Ranges:
        if (box, stream) not in self._ranges:
            self._ranges[box, stream] = Ranges(self._known(*box, stream))
        return self._ranges[box, stream]

    def _with_event(self, message: InboundMessage) -> InboundMessage:
        """The message; a picture with the newest event that refers to it."""
        box = _box(message)
        if message.event is not None:
            for image in images_of(message.event):
                _keep(self._events, (box, image.sha256), message.event)
        elif message.image_sha256 is not None:
            return replace(message, event=self._events.get((box, message.image_sha256)))
        return message

    def _stale(self, message: InboundMessage) -> bool:
        """An offline of another session than the box's latest: an old will that came late."""
        if not isinstance(message.payload, StatusPayload):
            return False
        box, session = _box(message), message.payload.session
        if message.payload.state != "offline":
            self._sessions[box] = session
        return self._sessions.setdefault(box, session) != session


def _box(message: InboundMessage) -> Box:
    return message.commune, message.device


def _name(message: InboundMessage) -> object:
    """What tells a message apart from others; None if nothing does."""
    if message.stream is not None and message.seq is not None:
        return _box(message), message.stream, message.seq
    return (_box(message), message.image_sha256) if message.image_sha256 is not None else None


def _keep(kept: OrderedDict[K, V], key: K, value: V) -> None:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > _KEPT:
        kept.popitem(last=False)
