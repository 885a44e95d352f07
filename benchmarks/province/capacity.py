"""How much an intake takes in, found by trying in the model. Pure."""

from __future__ import annotations

from functools import cache, partial
from random import Random

from benchmarks.province.costs import ServiceTimes
from benchmarks.province.engine import Timeline
from benchmarks.province.intake_loop import BATCH, BATCH_S, Arrived, IntakeLoop

TRIED_S, SENDERS, HALVINGS = 10.0, 11, 6
"""Of each rate that is tried: for so long, of so many boxes, and how often the span is halved."""


def most(costs: ServiceTimes, items: float = 1.0) -> float:
    """Messages a second that no loop can take in more of, each with so many items: every batch is full.

    Between two batches what came is read, and for BATCH_S what comes besides.
    """
    cpu_s, blocked_s = (cost.of(BATCH, round(BATCH * items)) for cost in (costs.deliver_s, costs.blocked_s))
    return BATCH / (cpu_s + blocked_s + max(BATCH * costs.read_s, BATCH_S))


@cache
def sustained(costs: ServiceTimes, items: int = 1, seed: int = 1) -> float:
    """Messages a second that are taken in for as long as they come, found by trying: less than `most`."""
    low, high = 0.0, most(costs, items)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _keeps_up(costs, middle, items, seed) else (low, middle)
    return low


def _keeps_up(costs: ServiceTimes, rate: float, items: int, seed: int) -> bool:
    timeline, chance = Timeline(), Random(seed)
    loop, moment_s = IntakeLoop(timeline, costs, seed, rate=rate), 0.0
    while moment_s < TRIED_S:
        moment_s += chance.expovariate(rate)
        message = Arrived(chance.randrange(SENDERS), 4_000, items, moment_s, moment_s, timed=False)
        timeline.at(moment_s, partial(loop.arrive, message))
    timeline.run(TRIED_S / 2)
    before = loop.waiting
    timeline.run(TRIED_S)
    return loop.waiting <= max(2 * BATCH, before)
