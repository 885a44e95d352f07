"""When events come: the hours of a day, bursts behind a traffic light, how cameras spread over communes. Pure.

Nobody has counted a day of this province yet. The hours are the shape of a road with two rushes, the spread of
the communes is drawn; both stand here to be replaced.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Final

HOURS: Final = (
    0.7, 0.4, 0.3, 0.3, 0.6, 2.0, 5.5, 8.6, 6.8, 5.2, 5.4, 6.2,
    4.6, 4.8, 5.0, 5.4, 7.2, 9.0, 7.0, 5.2, 4.0, 2.9, 1.8, 1.1,
)  # fmt: skip
"""Hundredths of a day's events in each of its hours."""
DAY_S: Final = 86_400
BURST: Final = 3.0
"""Events that come together in the mean: a light turns green."""
BURST_S: Final = 2.0
"""Within so many seconds."""
COMMUNES: Final = 332
CAMERAS: Final = 14_053
MORE_A_YEAR: Final = 500
SPREAD: Final = 3.0
"""Shape of the gamma distribution by which communes differ: the largest is some three times the mean."""


def peak() -> float:
    """Events of the busiest hour beside an hour of an even day."""
    return max(HOURS) * 24 / sum(HOURS)


def arrivals(rate: float, seconds: float, seed: int, burst: float = BURST) -> Iterator[float]:
    """Moments of events, in order: bursts come by chance (Poisson), and are of geometric size."""
    chance = Random(seed)
    waiting: list[float] = []
    begins_s = chance.expovariate(rate / burst)
    while begins_s < seconds or waiting:
        while begins_s < seconds and (not waiting or begins_s <= waiting[0]):
            more = [begins_s]
            while chance.random() < 1 - 1 / burst:
                more.append(begins_s + chance.uniform(0, BURST_S))
            waiting = sorted(waiting + more)
            begins_s += chance.expovariate(rate / burst)
        moment_s = waiting.pop(0)
        if moment_s < seconds:
            yield moment_s


def communes(cameras: int, number: int = COMMUNES, seed: int = 1) -> list[int]:
    """How many cameras each commune has, the largest first; together exactly so many.

    Raises:
        ValueError: fewer cameras than communes.
    """
    if cameras < number:
        raise ValueError(f"{cameras} cameras in {number} communes: each has one at least")
    chance = Random(seed)
    weights = [chance.gammavariate(SPREAD, 1.0) for _ in range(number)]
    shares = [weight * (cameras - number) / sum(weights) for weight in weights]
    sizes = [1 + int(share) for share in shares]
    rest = sorted(range(number), key=lambda each: shares[each] % 1, reverse=True)
    for each in rest[: cameras - sum(sizes)]:
        sizes[each] += 1
    return sorted(sizes, reverse=True)
