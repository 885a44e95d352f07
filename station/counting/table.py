"""Counts as rows and columns: what a chart draws and a table says, so that both say the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from agent.translatable import joined, tr
from agent.wire.words import DIRECTIONS, LABELS, named
from station.counting.buckets import Step
from station.counting.coverage import Covered
from station.counting.series import CountCell, Series

MOST_GROUPS: Final = 6
"""Columns of their own; what is rarer stands together: a model may know many labels, and colours are few."""
OTHERS: Final = tr("others")


class By(StrEnum):
    """What the columns are."""

    DIRECTION = "direction"
    LABEL = "label"


@dataclass(frozen=True, slots=True)
class CountRow:
    """One time."""

    when: str
    """In full: 14:00 27/11/2026."""
    short: str
    """Where there is little room: 14:00."""
    cell: CountCell
    values: tuple[int, ...] | None
    """By group, in their order; None: nobody counted."""
    note: str
    """What is to be known of it; empty: it is whole."""


@dataclass(frozen=True, slots=True)
class CountTable:
    """A series by groups."""

    step: Step
    groups: tuple[str, ...]
    """As people call them; without one, nothing was ever counted."""
    totals: tuple[int, ...]
    rows: tuple[CountRow, ...]

    @property
    def total(self) -> int:
        """Of everything that was counted."""
        return sum(self.totals)


def table_of(series: Series, by: By) -> CountTable:
    """A series as a table; the largest group first."""
    words, at = (LABELS, 0) if by is By.LABEL else (DIRECTIONS, 1)
    sums: Counter[str] = Counter()
    for entry, number in series.numbers.items():
        sums[entry[at]] += number
    ordered = [name for name, _ in sorted(sums.items(), key=lambda each: (-each[1], each[0]))]
    own, rest = ordered[:MOST_GROUPS], ordered[MOST_GROUPS:]
    rows = tuple(_row(cell, series.step, own, at, has_rest=bool(rest)) for cell in series.cells)
    groups = [named(words, name) for name in own] + ([OTHERS] if rest else [])
    totals = [sums[name] for name in own] + ([sum(sums[name] for name in rest)] if rest else [])
    return CountTable(series.step, tuple(groups), tuple(totals), rows)


def _row(cell: CountCell, step: Step, own: Sequence[str], at: int, *, has_rest: bool) -> CountRow:
    values: tuple[int, ...] | None = None
    if cell.numbers is not None:
        sums: Counter[str] = Counter()
        for entry, number in cell.numbers.items():
            sums[entry[at] if entry[at] in own else ""] += number
        values = tuple(sums[name] for name in own) + ((sums[""],) if has_rest else ())
    return CountRow(*_when(cell, step), cell, values, note_of(cell))


def note_of(cell: CountCell) -> str:
    """What is to be known of a cell, in words; empty: nothing."""
    notes: list[str] = []
    if cell.covered is Covered.UNKNOWN:
        notes.append(tr("not counted yet") if cell.is_running else tr("not counted"))
    elif cell.is_running:
        notes.append(tr("until now"))
    elif cell.covered is Covered.PARTLY:
        notes.append(tr("only {share} % of the time counted", share=max(1, min(99, round(cell.share * 100)))))
    if cell.is_parted and cell.covered is not Covered.UNKNOWN:
        notes.append(tr("parted by time: an interval goes over its border"))
    return joined("; ", notes) if notes else ""


def _when(cell: CountCell, step: Step) -> tuple[str, str]:
    start, end = cell.bucket.start, cell.bucket.end
    if step is Step.HOUR:
        hour = f"{start:%H:%M}"
        if start.fold:  # clocks were set back: it comes for the second time
            hour = tr("{hour} again", hour=hour)
        return joined(" ", (hour, f"{start:%d/%m/%Y}")), hour
    if step is Step.DAY:
        return f"{start:%d/%m/%Y}", f"{start:%d/%m}"
    last = end - timedelta(hours=12)  # a day before, also where its end is no midnight
    return f"{start:%d/%m}–{last:%d/%m/%Y}", f"{start:%d/%m}"
