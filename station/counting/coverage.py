"""How much of a time somebody counted. No clock, no database.

Invariant: what nobody counted is not nothing. A bucket of which no moment is covered has no number at all.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

SLACK_MS: Final = 36_000
"""Uncovered for no more than this, a bucket is whole: a counter that starts anew, or a camera that is opened
again, takes some seconds. It is a hundredth of an hour."""

Span = tuple[int, int]
"""From a moment until before another, in ms."""


class Covered(StrEnum):
    """How far a bucket can be believed."""

    WHOLE = "whole"
    PARTLY = "partly"
    """It is at least as many; how much is covered is told beside it."""
    UNKNOWN = "unknown"
    """Nobody counted, or what was counted is not here."""


def union(spans: Iterable[Span]) -> list[Span]:
    """The same moments, as spans that neither overlap nor touch, in order."""
    found: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found


def covered_ms(spans: Sequence[Span], start_ms: int, end_ms: int) -> int:
    """How much of [start, end) is in these spans, which `union` made."""
    covered, at = 0, bisect_right(spans, (start_ms, start_ms))
    if at and spans[at - 1][1] > start_ms:  # it began before
        covered = min(spans[at - 1][1], end_ms) - start_ms
    while at < len(spans) and spans[at][0] < end_ms:
        covered += min(spans[at][1], end_ms) - max(spans[at][0], start_ms)
        at += 1
    return max(0, covered)


def judged(covered: int, length: int) -> Covered:
    """What so many ms out of so many are."""
    if covered <= 0:
        return Covered.UNKNOWN
    return Covered.WHOLE if length - covered <= SLACK_MS else Covered.PARTLY
