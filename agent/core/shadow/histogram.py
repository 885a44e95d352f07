"""Times in buckets, each a tenth longer than the one before: quantiles of any number of them in little room."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

STEP: Final = 1.1
"""A quantile is at most a tenth off; the bounds that decide are factors of two."""
LEAST_MS, MOST_MS = 0.01, 1e7


@dataclass(frozen=True, slots=True)
class TimeHistogram:
    """How often which time was needed."""

    buckets: Mapping[int, int] = field(default_factory=dict)
    """Exponent of STEP -> how many; the bucket holds STEP**n up to STEP**(n+1) milliseconds."""

    @property
    def count(self) -> int:
        """How many times."""
        number = 0
        for many in self.buckets.values():
            number += many
        return number

    def add(self, ms: float) -> TimeHistogram:
        """With one time more; nonsense counts as the longest."""
        ms = min(max(ms, LEAST_MS), MOST_MS) if math.isfinite(ms) else MOST_MS
        place = math.floor(math.log(ms, STEP))
        return TimeHistogram({**self.buckets, place: self.buckets.get(place, 0) + 1})

    def quantile_ms(self, share: float) -> float | None:
        """The time below which this share of them lies, 0..1; None without any.

        The nearest rank (Hyndman and Fan, "Sample quantiles in statistical packages", 1996, definition 1), and
        the middle of its bucket.
        """
        rank, passed = max(1, math.ceil(share * self.count)), 0
        for place in sorted(self.buckets):
            passed += self.buckets[place]
            if passed >= rank:
                return float(STEP ** (place + 0.5))
        return None
