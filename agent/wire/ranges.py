"""Whole numbers as ranges: what is there of a stream, or not there, small however many they are. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator


class Ranges:
    """A set of whole numbers; neighbours are kept as one range. Ranges are (first, last), both included."""

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._ranges: list[tuple[int, int]] = []
        for first, last in sorted(ranges):  # then each is put at the end
            self.add(first, last)

    def add(self, first: int, last: int | None = None) -> list[tuple[int, int]]:
        """Take in first..last, or the one number; the ranges that have become one with it.

        A range that ends before it begins holds nothing.
        """
        last = first if last is None else last
        if last < first:
            return []
        # Those that overlap or touch first..last lie between `begin` and `end`, and become one with it.
        begin = bisect_right(self._ranges, first - 1, key=lambda r: r[0])
        if begin and self._ranges[begin - 1][1] >= first - 1:
            begin -= 1
        end = bisect_right(self._ranges, last + 1, key=lambda r: r[0])
        touched = self._ranges[begin:end]
        if touched:
            first, last = min(first, touched[0][0]), max(last, touched[-1][1])
        self._ranges[begin:end] = [(first, last)]
        return touched

    def around(self, number: int) -> tuple[int, int] | None:
        """The range that holds the number, or None."""
        at = bisect_right(self._ranges, number, key=lambda r: r[0]) - 1
        return self._ranges[at] if at >= 0 and self._ranges[at][1] >= number else None

    @property
    def highest(self) -> int:
        """The highest number; 0: there is none."""
        return self._ranges[-1][1] if self._ranges else 0

    @property
    def total(self) -> int:
        """How many numbers there are; more than `len` may say."""
        return sum(last - first + 1 for first, last in self._ranges)

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and self.around(number) is not None

    def within(self, first: int, last: int) -> list[tuple[int, int]]:
        """The ranges cut to first..last."""
        return [(max(a, first), min(b, last)) for a, b in self._ranges if b >= first and a <= last]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self._ranges)


def ranges(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Whole numbers as ranges, both ends included."""
    return list(Ranges((number, number) for number in numbers))
