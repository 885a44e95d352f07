"""A time beside the week before: only hours that were counted in both, so that a gap is no rise and no fall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

from sqlalchemy import Engine

from station.counting.buckets import LONGEST, Bucket, Step, buckets
from station.counting.coverage import Covered
from station.counting.hours import added
from station.counting.intervals import Numbers
from station.counting.lines import CountedLine
from station.counting.series import CountCell, Series, read_counts

WEEK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was counted in cells that are whole in both weeks."""

    step: Step
    """Of the cells that were paired: hours; of a long time, days."""
    paired: int
    of: int
    """How many cells there are that are over."""
    now: Numbers
    before: Numbers

    @property
    def change(self) -> float | None:
        """How much more than before: 0.1 is a tenth more; None: there is nothing to compare with."""
        before, now = sum(self.before.values()), sum(self.now.values())
        return (now - before) / before if before else None


def beside_the_week_before(
    engine: Engine,
    lines: Sequence[CountedLine],
    days: tuple[date, date],
    step: Step,
    zone: tzinfo,
    now: datetime,
) -> tuple[Series, Comparison]:
    """These days by this step, and beside the same ones a week earlier; all of it read at once.

    Raises:
        PeriodRefused: the days are the wrong way round, or too many.
        StoreError: the store cannot be read.
    """
    # A day more than a week: it is an hour longer where clocks are set.
    found = read_counts(engine, lines, days, step, zone, now, WEEK + timedelta(days=1))
    finer = Step.HOUR if days[1] - days[0] < LONGEST[Step.HOUR] else Step.DAY

    def cells(first: date, last: date) -> Series:
        wanted = [each for each in buckets(first, last, finer, zone) if each.start <= now]
        return Series((), finer, found.cells(wanted))

    series = found.series(step)
    present = series if step is finer else cells(*days)
    return series, compared(present, cells(days[0] - WEEK, days[1] - WEEK))


def compared(now: Series, before: Series) -> Comparison:
    """Two series of one step; `before` is a week earlier.

    The clock on the wall says what is the same hour: at nine people do the same in summer and in winter.
    An hour that comes twice or is left out in one of the weeks is paired with its like only.
    """
    known = {_on_the_wall(cell.bucket): cell for cell in before.cells}
    over = [cell for cell in now.cells if not cell.is_running]
    pairs = [
        (cell, other)
        for cell in over
        if (other := known.get(_on_the_wall(cell.bucket, WEEK))) is not None and _are_whole(cell, other)
    ]
    return Comparison(
        now.step,
        len(pairs),
        len(over),
        added(cell.numbers or {} for cell, _ in pairs),
        added(other.numbers or {} for _, other in pairs),
    )


def _on_the_wall(bucket: Bucket, back: timedelta = timedelta(0)) -> tuple[datetime, int]:
    """What a clock shows where a bucket begins, and whether it shows it for the second time that night."""
    return bucket.start.replace(tzinfo=None, fold=0) - back, bucket.start.fold


def _are_whole(one: CountCell, other: CountCell) -> bool:
    return one.covered is Covered.WHOLE and other.covered is Covered.WHOLE and not other.is_running
