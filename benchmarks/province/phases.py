"""What single batches, waits and ways took in a real program, and how the model draws from them. Pure.

A batch, a wait and a way each have a distribution of their own, not only a mean: what a receipt waits for is
the slow one of them. They come from the real program at rates at which it is not judged (real/calibration.py).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

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
class Ways:
    """From a sender to the program and back, at one load."""

    rate: float
    """Messages a second."""
    in_s: tuple[float, ...]
    """From the sending to the moment at which a program that waits is woken; in the order of sending."""
    out_s: tuple[float, ...]
    """From the end of a batch to the moment at which the sender has its receipt; below nothing where it has it
    while others of the batch are still receipted."""


@dataclass(frozen=True, slots=True)
class Phases:
    """Everything that was seen of one program; nothing of it is empty.

    Raises:
        ValueError: something is, or the batches or rates do not grow.
    """

    batches: tuple[BatchSample, ...]
    """The smallest first."""
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
        sizes, rates = [each.messages for each in self.batches], [each.rate for each in self.ways]
        samples = [self.quiet_s, self.attend_s, *(each.in_s for each in self.ways)]
        if not sizes or not rates or sizes != sorted(sizes) or rates != sorted(rates) or not all(samples):
            raise ValueError("batches and ways, the smallest first, and a sample of each wait")

    def batch(self, messages: int, chance: Random) -> BatchSample:
        """One of those of that size, or of the nearest on either side."""
        first = bisect_left(self.batches, messages, key=_size)
        last = bisect_right(self.batches, messages, key=_size)
        return self.batches[chance.randrange(max(0, first - BESIDE), min(len(self.batches), last + BESIDE))]

    def ways_of(self, rate: float, messages: int, chance: Random) -> Iterator[tuple[float, float]]:
        """The way there and back of each of so many messages, in the order of sending."""
        for done in range(0, messages, STRETCH):
            seen = self.way(rate, chance)
            first = chance.randrange(len(seen.in_s))
            for number in range(first, first + min(STRETCH, messages - done)):
                yield seen.in_s[number % len(seen.in_s)], chance.choice(seen.out_s)

    def way(self, rate: float, chance: Random) -> Ways:
        """Those of a rate that was tried: the nearer of the two beside this one, the more often."""
        at = bisect_left(self.ways, rate, key=lambda each: each.rate)
        if at in (0, len(self.ways)):
            return self.ways[max(0, at - 1)]
        low, high = self.ways[at - 1], self.ways[at]
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
