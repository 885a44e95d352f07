"""Counts summed up by the hours of UTC: what a chart of a month reads instead of every interval. Pure.

Invariant: cells made of these are the cells that the intervals themselves give, wherever buckets begin and end
at whole hours of UTC. So a border is parted by the same rounding (`share_of`), an hour keeps which moments were
counted, and says whether much was parted at its ends.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from station.counting.coverage import SLACK_MS, Span, union
from station.counting.intervals import CountedInterval, Numbers, numbers_in
from station.store.columns import HOUR_MS


@dataclass(frozen=True, slots=True)
class CountedHour:
    """What was counted at one line within one hour."""

    hour_ms: int
    """Where it begins."""
    numbers: Numbers
    spans: tuple[Span, ...]
    """The moments of this hour that were counted."""
    is_parted: tuple[bool, bool] = (False, False)
    """Whether much was counted over its begin, over its end."""

    def as_text(self) -> str:
        """For a row: JSON of numbers as on the wire, spans from the hour's begin, and what is parted."""
        counts: dict[str, dict[str, int]] = {}
        for (label, direction), number in sorted(self.numbers.items()):
            counts.setdefault(label, {})[direction] = number
        spans = [[start - self.hour_ms, end - self.hour_ms] for start, end in self.spans]
        said = {"counts": counts, "spans": spans, "parted": list(self.is_parted)}
        return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def share_of(interval: CountedInterval, start_ms: int, end_ms: int) -> Numbers:
    """What of an interval belongs between two moments, by time and in whole numbers.

    By what has been counted until each border, evenly: so the parts of all buckets add up to the whole, and a
    day's is the sum of its hours'.
    """
    until_end, until_start = _until(interval, end_ms), _until(interval, start_ms)
    parts = {entry: until_end[entry] - until_start[entry] for entry in interval.numbers}
    return {entry: number for entry, number in parts.items() if number}


def added(several: Iterable[Numbers]) -> Numbers:
    """Their sum."""
    total: dict[tuple[str, str], int] = {}
    for numbers in several:
        add(total, numbers)
    return total


def add(total: dict[tuple[str, str], int], numbers: Numbers) -> None:
    """Add these numbers to a sum."""
    if not total:  # one hour in one cell: nearly all of a month
        total.update(numbers)
        return
    for entry, number in numbers.items():
        total[entry] = total.get(entry, 0) + number


def _until(interval: CountedInterval, at_ms: int) -> Mapping[tuple[str, str], int]:
    length = interval.end_ms - interval.start_ms
    if length <= 0:  # a moment: it belongs where it begins
        return {entry: number if at_ms > interval.start_ms else 0 for entry, number in interval.numbers.items()}
    passed = min(max(at_ms - interval.start_ms, 0), length)
    return {entry: (2 * number * passed + length) // (2 * length) for entry, number in interval.numbers.items()}


def read_hour(hour_ms: int, text: str) -> CountedHour:
    """What `as_text` wrote."""
    said = json.loads(text)
    spans = tuple([(hour_ms + start, hour_ms + end) for start, end in said["spans"]])
    before, after = said["parted"]
    return CountedHour(hour_ms, numbers_in(said.get("counts", {})), spans, (before, after))


def hour_from(hour_ms: int, intervals: Iterable[CountedInterval]) -> CountedHour | None:
    """The part of these that is within one hour; None: one is longer than an hour, and is to be read itself.

    What reaches over more than one border would be parted otherwise by a day than by its hours.
    """
    end_ms = hour_ms + HOUR_MS
    listed = [each for each in intervals if _touches(each, hour_ms, end_ms)]
    if any(each.end_ms - each.start_ms > HOUR_MS for each in listed):
        return None
    numbers = added(share_of(each, hour_ms, end_ms) for each in listed)
    spans = union((max(each.start_ms, hour_ms), min(each.end_ms, end_ms)) for each in listed)
    parted = tuple(any(_is_over(each, border) for each in listed) for border in (hour_ms, end_ms))
    return CountedHour(hour_ms, numbers, tuple(spans), (parted[0], parted[1]))


def _touches(interval: CountedInterval, start_ms: int, end_ms: int) -> bool:
    """A moment without length belongs where it begins."""
    if interval.start_ms == interval.end_ms:
        return start_ms <= interval.start_ms < end_ms
    return interval.start_ms < end_ms and interval.end_ms > start_ms


def _is_over(interval: CountedInterval, border_ms: int) -> bool:
    """Whether so much of it lies on either side that it matters."""
    sides = border_ms - interval.start_ms, interval.end_ms - border_ms
    return bool(interval.numbers) and min(sides) > SLACK_MS
