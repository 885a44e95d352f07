"""Negative map: where something moves in which the detector finds nothing (a tree, a flag, rain in the light).

The view is a coarse grid. Each look at motion that no track explains makes the cells under it duller, and
the next look there waits longer. A region that reaches into a fresh cell is looked at at once: so whatever
comes or goes is seen as soon as ever, and only what stays where it is grows dull. A place is fresh again once a
road user was found there, or after a while without such motion.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import ceil, floor

from agent.core.types import Box

COLUMNS, ROWS = 16, 9
"""A cell is about as large as a car in the middle distance."""
FORGET_S = 10.0
PATIENT = 4
"""So many looks at a place before the wait doubles: a car is often recognised only when it has come nearer."""

NegativeMap = Mapping[tuple[int, int], tuple[int, float]]
"""By cell (column, row): how many looks found nothing there, and the mono_s of the last. Never changed, only
replaced; it holds at most `COLUMNS * ROWS` cells."""


def wait_s(state: NegativeMap, region: Box, at_s: float, first_s: float, most_s: float) -> float:
    """How long from now (mono_s) a look at this region can wait; 0 where any of it lies in a fresh cell."""
    least_s = most_s
    for cell in _cells(region):
        known = state.get(cell)
        if known is None or at_s - known[1] > FORGET_S:
            return 0.0
        due_s = known[1] + min(most_s, first_s * 2.0 ** min(known[0] // PATIENT, 16))
        least_s = min(least_s, due_s - at_s)
    return max(0.0, least_s)


def looked(state: NegativeMap, regions: Sequence[Box], found: Sequence[Box], at_s: float) -> NegativeMap:
    """After a look at regions that nothing explains; `found` are the boxes of the road users that are known."""
    if not regions and not state:
        return state
    positive = {cell for box in found for cell in _cells(box)}
    after = {
        cell: known for cell, known in state.items() if cell not in positive and at_s - known[1] <= FORGET_S
    }
    for cell in {cell for region in regions for cell in _cells(region)} - positive:
        after[cell] = after.get(cell, (0, at_s))[0] + 1, at_s
    return after


def _cells(box: Box) -> Iterator[tuple[int, int]]:
    """The cells that the box touches; one at least."""
    left, right = _span(box.left, box.right, COLUMNS)
    top, bottom = _span(box.top, box.bottom, ROWS)
    return ((column, row) for row in range(top, bottom) for column in range(left, right))


def _span(low: float, high: float, count: int) -> tuple[int, int]:
    first = min(count - 1, max(0, floor(low * count)))
    return first, min(count, max(first + 1, ceil(high * count)))
