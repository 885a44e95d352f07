"""What single batches, waits and ways took in a real program, and how the model draws from them. Pure.

A batch, a wait and a way each have a distribution of their own, not only a mean: what a receipt waits for is
the slow one of them. They come from the real program at rates at which it is not judged (real/calibration.py).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, TypeVar

BESIDE: Final = 12
"""So many batches that are smaller, and as many that are larger, are drawn from as well."""
STRETCH: Final = 40
"""So many ways are drawn in a row, as they were seen: what delays one message delays those behind it. Each
drawn by itself, the longest of them would hold up all that come after it once more. (Moving blocks: Künsch,
"The jackknife and the bootstrap for general stationary observations", 1989.)"""


@dataclass(frozen=True, slots=True)
class BatchSample:
    """One batch as it was."""

    messages: int
    items: int
    cpu_s: float
    """Of the thread that reads and commits."""
    lasted_s: float
    """From its taking to its last receipt."""
    written_bytes: float = 0.0
    """That the process had the system write, since the end of the batch before."""


@dataclass(frozen=True, slots=True)
class SeenBatches:
    """Batches at one load.

    One of as many messages costs less the busier a program is: of a station's batches with 64 to 127, a message
    a quarter less at four fifths of what it takes in than at half. Why was not measured.
    """

    rate: float
    """Messages a second."""
    samples: tuple[BatchSample, ...]
    """The smallest first."""

    def near(self, messages: int, chance: Random) -> BatchSample:
        """One of those of that size, or of the nearest on either side."""
        first = bisect_left(self.samples, messages, key=_size)
        last = bisect_right(self.samples, messages, key=_size)
        return self.samples[chance.randrange(max(0, first - BESIDE), min(len(self.samples), last + BESIDE))]


@dataclass(frozen=True, slots=True)
class Ways:
    """From a sender to the program and back, at one load."""

    rate: float
    """Messages a second."""
    in_s: tuple[float, ...]
    """From the sending to the moment at which a program that waits is woken; in the order of sending."""
    out_s: tuple[float, ...]
    """From the end of a batch to the moment at which the sender has its receipt; below nothing where it has it
    while others of the batch are still receipted."""


_OfRate = TypeVar("_OfRate", SeenBatches, Ways)


@dataclass(frozen=True, slots=True)
class Phases:
    """Everything that was seen of one program; nothing of it is empty.

    Raises:
        ValueError: something is, or the batches or rates do not grow.
    """

    batches: tuple[SeenBatches, ...]
    """The lowest rate first."""
    quiet_s: tuple[float, ...]
    """How long the wait for another message lasted when none came."""
    attend_s: tuple[float, ...]
    """How long the loop stood still for what a program does once a second."""
    ways: tuple[Ways, ...]
    """The lowest rate first."""
    beside_s: float
    """Processor of the program that nothing else here has, for each message …"""
    beside_batch_s: float = 0.0
    """… and for each batch: of its other threads, and of looks that the connection is given while it writes."""

    def __post_init__(self) -> None:
        for of_rates in (self.batches, self.ways):
            rates = [each.rate for each in of_rates]
            if not rates or rates != sorted(rates):
                raise ValueError("batches and ways, those of the lowest rate first")
        sizes = [[each.messages for each in found.samples] for found in self.batches]
        samples = [self.quiet_s, self.attend_s, *sizes, *(each.in_s for each in self.ways)]
        if not all(samples) or any(each != sorted(each) for each in sizes):
            raise ValueError("batches, the smallest first, and a sample of each wait")

    def batch(self, messages: int, rate: float, chance: Random) -> BatchSample:
        """One of nearly that size, seen at a rate beside this one."""
        return _beside(self.batches, rate, chance).near(messages, chance)

    def ways_of(self, rate: float, messages: int, chance: Random) -> Iterator[tuple[float, float]]:
        """The way there and back of each of so many messages, in the order of sending."""
        for done in range(0, messages, STRETCH):
            seen = self.way(rate, chance)
            first = chance.randrange(len(seen.in_s))
            for number in range(first, first + min(STRETCH, messages - done)):
                yield seen.in_s[number % len(seen.in_s)], chance.choice(seen.out_s)

    def way(self, rate: float, chance: Random) -> Ways:
        """Those of a rate that was tried, beside this one."""
        return _beside(self.ways, rate, chance)


def _beside(found: Sequence[_OfRate], rate: float, chance: Random) -> _OfRate:
    """Of the two rates beside this one the nearer, the more often."""
    at = bisect_left(found, rate, key=lambda each: each.rate)
    if at in (0, len(found)):
        return found[max(0, at - 1)]
    low, high = found[at - 1], found[at]
    return high if chance.random() < (rate - low.rate) / (high.rate - low.rate) else low


def _size(batch: BatchSample) -> int:
    return batch.messages


def in_order(moments_s: Sequence[float], ways_s: Sequence[float]) -> list[float]:
    """When each arrives: after its way, and after those that were sent before it, for TCP keeps their order."""
    arrived, latest_s = [], 0.0
    for sent_s, way_s in zip(moments_s, ways_s, strict=True):
        latest_s = max(latest_s, sent_s + way_s)
        arrived.append(latest_s)
    return arrived
