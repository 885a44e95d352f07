"""What a station has of each box, and so what is new, and which receipts are due. No network, no clock.

A receipt names a number together with the digest of what is kept under it. So a box forgets only what is really
kept, and one whose outbox was put back, or has a double, learns that its numbers are taken.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from agent.wire import codec
from agent.wire.payloads import EventPayload, HelloPayload, StatusPayload
from agent.wire.ranges import Ranges
from station.ingest.inbound import InboundMessage, images_of

Box = tuple[str, str]
"""Commune and device. Everything is kept by box: one box must not pass off its numbers as another's."""
Number = tuple[Box, str, int]
"""Box, stream and seq."""
Digests = Sequence[tuple[int, str]]
"""seq and digest, by seq."""

_KEPT = 5_000
"""Pictures known by hash only, and events that wait for theirs; the oldest are forgotten."""
_READ = 400
"""Events as objects, beside their bytes: of 5,000 these are 100,000, and each collection of garbage would go
through all of them, for 0.1 s every 1.4 s of a backlog."""
_EVENT_BYTES = 4_096
"""A longer one is remembered among the latest only: a box may fill each up to 64 kB; ours have 1,300."""
_DIGESTS = 20_000
"""Of the latest messages; whoever keeps messages is asked for the others."""
_PROOFS_PER_RECEIPT = 500
_PROOFS_PER_HELLO = 10_000
"""A box that holds more sends the rest again, and that is receipted as it comes."""
_SPAN = 1_000
"""Numbers in one question for digests."""
_HELLO_AGAIN_S = 10.0
"""A box that says hello more often gets a short answer: the long one costs as much as a batch."""

K = TypeVar("K")
V = TypeVar("V")


class Remembered(Protocol):
    """What was committed before the program began; each may know nothing."""

    def committed(self, commune: str, device: str, stream: str) -> Iterable[tuple[int, int]]:
        """Ranges (first, last) of seq, both included."""
        ...

    def digests(self, commune: str, device: str, stream: str, first: int, last: int, limit: int) -> Digests:
        """Of the lowest `limit` numbers from `first` to `last`, in the order of seq."""
        ...


@dataclass(frozen=True, slots=True)
class DueReceipt:
    """One receipt to be given."""

    box: Box
    stream: str
    committed: tuple[tuple[int, str], ...]
    """seq and digest of what is kept."""
    images: tuple[str, ...] = ()
    """sha256 of pictures that came without a number (MQTT 3.1.1)."""
    newest: int | None = None
    """The highest number that is kept, to a hello."""


@dataclass(frozen=True, slots=True)
class Deduplicated:
    """A batch, taken apart."""

    fresh: list[InboundMessage]
    """Not committed yet: each message once, pictures with their events."""
    copies: list[InboundMessage]
    """Came again: committed already, or twice in the batch."""
    conflicts: list[InboundMessage]
    """Under a number that is committed with other content."""


class Receipts:
    """What is committed of each stream."""

    def __init__(self, remembered: Remembered, now_s: Callable[[], float] = lambda: 0.0) -> None:
        """`now_s` is a clock that never steps; one that stands still answers each hello in full."""
        self._remembered, self._now_s = remembered, now_s
        self._ranges: dict[tuple[Box, str], Ranges] = {}
        self._digests: OrderedDict[Number, str] = OrderedDict()
        self._names: dict[tuple[Box, str], tuple[Box, str]] = {}
        """One object for each box and stream: with 20,000 numbers, each by names of its own, 4 MB more."""
        self._answered_s: dict[Box, float] = {}
        self._streams: dict[Box, str] = {}
        self._sessions: dict[Box, str] = {}
        self._images: OrderedDict[tuple[Box, str], None] = OrderedDict()
        self._unreceipted_images: defaultdict[Box, list[str]] = defaultdict(list)
        self._events: OrderedDict[tuple[Box, str], bytes] = OrderedDict()
        """By picture the newest event that refers to it, as it came."""
        self._read: OrderedDict[tuple[Box, str], EventPayload] = OrderedDict()
        """What was read of the latest of these: their pictures come next."""

    def deduplicate(self, batch: Sequence[InboundMessage]) -> Deduplicated:
        """What of the batch is new, and what came again; an old will that came late is neither."""
        deduplicated = Deduplicated([], [], [])
        self._look_up(batch)
        seen: dict[object, str] = {}
        for message in batch:
            if message.stream is not None:
                self._streams[_box(message)] = message.stream
            if self._stale(message):
                continue
            name = _name(message)
            kept = seen.get(name) if name in seen else self._kept(message)
            if kept is None:
                if name is not None:
                    seen[name] = message.digest
                deduplicated.fresh.append(self._with_event(message))
            elif kept == message.digest:
                deduplicated.copies.append(message)
            else:
                deduplicated.conflicts.append(self._with_event(message))
        return deduplicated

    def has(self, message: InboundMessage) -> bool:
        """Whether this message is committed; False for what cannot be told apart, such as a status."""
        return self._kept(message) == message.digest

    def remember(self, committed: Iterable[InboundMessage]) -> None:
        """These are committed now; the first of two with one number is what its receipt proves."""
        for message in committed:
            number = _number(message)
            if number is not None:
                self._have(*number[:2]).add(number[2])
                self._note(number, message.digest)
            elif message.image_sha256 is not None:
                _keep(self._images, (_box(message), message.image_sha256), None, _KEPT)

    def due(self, batch: Sequence[InboundMessage]) -> list[DueReceipt]:
        """The receipts for a batch: its numbers that are committed; to a hello those that the box still holds.

        What is told is the digest of what is kept, also where another message came under its number.
        """
        proofs: defaultdict[tuple[Box, str], dict[int, str]] = defaultdict(dict)
        newest: dict[tuple[Box, str], int] = {}
        for message in batch:
            box, number = _box(message), _number(message)
            if isinstance(message.payload, HelloPayload):
                hello = message.payload
                self._streams[box] = hello.stream
                newest[box, hello.stream] = self._have(box, hello.stream).highest
                proofs[box, hello.stream].update(self._answer(box, hello))
            elif number is not None:
                kept = self._digests.get(number)
                if kept is not None:
                    proofs[box, number[1]][number[2]] = kept
            elif message.image_sha256 is not None and self.has(message):
                self._unreceipted_images[box].append(message.image_sha256)
        images = self._images_due()
        return [
            DueReceipt(
                box,
                stream,
                tuple(committed[at : at + _PROOFS_PER_RECEIPT]),
                () if at else images.pop(box, ()),
                None if at else newest.get((box, stream)),
            )
            for (box, stream), committed in ((key, sorted(value.items())) for key, value in proofs.items())
            for at in range(0, max(1, len(committed)), _PROOFS_PER_RECEIPT)
        ] + [DueReceipt(box, self._streams[box], (), hashes) for box, hashes in images.items()]

    # --------------------------------------------------------------------------------------------- the inside

    def _answer(self, box: Box, hello: HelloPayload) -> Digests:
        """What of it the box may forget: the lowest numbers that it holds and that are committed."""
        now_s, answered_s = self._now_s(), self._answered_s.get(box)
        if hello.newest is None or (answered_s is not None and 0 < now_s - answered_s < _HELLO_AGAIN_S):
            return ()
        self._answered_s[box] = now_s
        first, last = hello.oldest or 0, hello.newest
        if not self._have(box, hello.stream).within(first, last):
            return ()
        kept = dict(self._remembered.digests(*box, hello.stream, first, last, _PROOFS_PER_HELLO))
        if not kept:  # nobody keeps messages: then what came lately is all that can be proven
            kept = {
                seq: digest
                for (of, stream, seq), digest in self._digests.items()
                if (of, stream) == (box, hello.stream) and first <= seq <= last
            }
        return sorted(kept.items())[:_PROOFS_PER_HELLO]

    def _look_up(self, batch: Sequence[InboundMessage]) -> None:
        """Have the digests of what is committed under the numbers of this batch, as far as they are known."""
        wanted: defaultdict[tuple[Box, str], set[int]] = defaultdict(set)
        for message in batch:
            number = _number(message)
            if number is not None and number not in self._digests and number[2] in self._have(*number[:2]):
                wanted[number[:2]].add(number[2])
        for (box, stream), seqs in wanted.items():
            for first, last in _spans(sorted(seqs)):
                for seq, digest in self._remembered.digests(*box, stream, first, last, _SPAN):
                    if seq in seqs:
                        self._note((box, stream, seq), digest)

    def _kept(self, message: InboundMessage) -> str | None:
        """The digest of what is committed under its name; None: nothing is, or nobody knows what."""
        number = _number(message)
        if number is not None:
            return self._digests.get(number)
        known = message.image_sha256 is not None and (_box(message), message.image_sha256) in self._images
        return message.digest if known else None

    def _note(self, number: Number, digest: str) -> None:
        if number in self._digests:
            self._digests.move_to_end(number)
        else:
            of, seq = number[:2], number[2]
            _keep(self._digests, (*self._names.setdefault(of, of), seq), digest, _DIGESTS)

    def _images_due(self) -> dict[Box, tuple[str, ...]]:
        """Pictures without a number wait until the box has told its stream, for a receipt names one."""
        known = [box for box in self._unreceipted_images if box in self._streams]
        return {box: tuple(self._unreceipted_images.pop(box)) for box in known}

    def _have(self, box: Box, stream: str) -> Ranges:
        if (box, stream) not in self._ranges:
            self._ranges[box, stream] = Ranges(self._remembered.committed(*box, stream))
        return self._ranges[box, stream]

    def _with_event(self, message: InboundMessage) -> InboundMessage:
        """The message; a picture with the newest event that refers to it."""
        box = _box(message)
        if message.event is not None:
            for image in images_of(message.event):
                key = box, image.sha256
                _keep(self._events, key, message.raw if len(message.raw) <= _EVENT_BYTES else b"", _KEPT)
                _keep(self._read, key, message.event, _READ)
        elif message.image_sha256 is not None:
            key = box, message.image_sha256
            event, raw = self._read.pop(key, None), self._events.get(key)
            if event is not None or raw:
                return replace(message, event=event or codec.parse(EventPayload, raw or b""))
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


def _number(message: InboundMessage) -> Number | None:
    if message.stream is None or message.seq is None:
        return None
    return _box(message), message.stream, message.seq


def _name(message: InboundMessage) -> object:
    """What tells a message apart from others; None if nothing does."""
    number = _number(message)
    if number is not None or message.image_sha256 is None:
        return number
    return _box(message), message.image_sha256


def _spans(seqs: Sequence[int]) -> list[tuple[int, int]]:
    """Few ranges that cover these, none longer than one question may ask for."""
    found: list[tuple[int, int]] = []
    for seq in seqs:
        if found and seq < found[-1][0] + _SPAN:
            found[-1] = (found[-1][0], seq)
        else:
            found.append((seq, seq))
    return found


def _keep(kept: OrderedDict[K, V], key: K, value: V, most: int) -> None:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > most:
        kept.popitem(last=False)
