"""Which numbers of a stream are missing, and which of these are gaps. No clock, no database.

A hole is normal for a while: live events overtake a backlog, and pictures come last. A hole that was there at
two scans is a gap. It is `open` until what is missing has come (`filled`) or the box says that it has
nothing so old any more, or that it gave it up (`gone`): then it was evicted there, receipted by an earlier
store of this station, or saved into a later stream.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

Range = tuple[int, int]
"""First and last, both included; a list of them is sorted and without overlaps."""
FIRST_SEQ = 1
"""A stream begins with it."""
MAX_NEW_GAPS = 100
"""More gaps at once are told as one: a long backlog of pictures leaves a hole after each event."""


class GapState(StrEnum):
    """How a gap stands."""

    OPEN = "open"
    GONE = "gone"
    FILLED = "filled"


@dataclass(frozen=True, slots=True)
class MessageGap:
    """Numbers that did not come while later ones did."""

    first: int
    last: int
    missing: int
    state: GapState = GapState.OPEN
    id: int | None = None
    """Of its row; None: it is new."""


def holes(have: Iterable[Range], let_go: int = 0) -> list[Range]:
    """What is missing below the highest number that is there, or that the box holds no longer.

    After an older copy of the store was brought back, what the box let go of may lie above all that is here.
    """
    found, expected = [], FIRST_SEQ
    for first, last in have:
        if first > expected:
            found.append((expected, first - 1))
        expected = max(expected, last + 1)
    if let_go >= expected:
        found.append((expected, let_go))
    return found


def common(some: Sequence[Range], others: Sequence[Range]) -> list[Range]:
    """What is in both."""
    found, i, j = [], 0, 0
    while i < len(some) and j < len(others):
        first, last = max(some[i][0], others[j][0]), min(some[i][1], others[j][1])
        if first <= last:
            found.append((first, last))
        if some[i][1] < others[j][1]:
            i += 1
        else:
            j += 1
    return found


def without(some: Sequence[Range], others: Sequence[Range]) -> list[Range]:
    """What is in `some` and not in `others`."""
    found, j = [], 0
    for first, last in some:
        at = first
        while j < len(others) and others[j][1] < first:
            j += 1
        k = j
        while k < len(others) and others[k][0] <= last:
            if others[k][0] > at:
                found.append((at, others[k][0] - 1))
            at = others[k][1] + 1
            k += 1
        if at <= last:
            found.append((at, last))
    return found


def size(ranges: Iterable[Range]) -> int:
    """How many numbers."""
    return sum(last - first + 1 for first, last in ranges)


@dataclass(frozen=True, slots=True)
class StreamReport:
    """What the box has reported about a stream."""

    oldest: int | None = None
    """The lowest number that it still holds."""
    unnumbered: int = 0
    """Pictures that came without their numbers (MQTT 3.1.1): as many holes mean nothing."""
    given_up: tuple[Range, ...] = ()
    """What will not come."""

    def state(self, left: Sequence[Range]) -> GapState:
        """Of a gap in which this is left."""
        if not left:
            return GapState.FILLED
        may_come = without(left, self.given_up)
        if self.oldest is not None:
            may_come = [missing for missing in may_come if missing[1] >= self.oldest]
        return GapState.OPEN if may_come else GapState.GONE


def changed_gaps(
    known: Sequence[MessageGap], before: Sequence[Range], now: Sequence[Range], report: StreamReport
) -> list[MessageGap]:
    """The gaps that are new, and those of the `known` that have changed.

    `before` and `now` are the holes of the last scan and of this one.
    """
    changed = []
    explained = size(now) <= report.unnumbered  # also what was told while these pictures were on their way
    for gap in known:
        left = [] if explained else common([(gap.first, gap.last)], now)
        renewed = replace(gap, missing=size(left), state=report.state(left))
        if renewed != gap:
            changed.append(renewed)
    if explained:
        return changed
    lasting = without(common(before, now), sorted((gap.first, gap.last) for gap in known))
    if len(lasting) > MAX_NEW_GAPS:
        whole = MessageGap(lasting[0][0], lasting[-1][1], size(lasting), report.state(lasting))
        return [*changed, whole]
    return changed + [MessageGap(*hole, size([hole]), report.state([hole])) for hole in lasting]
