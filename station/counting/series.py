"""Counts over time: a cell for each hour, day or week, with how much of it was counted.

Invariants
1. A cell of which nothing is covered has no numbers; one that is covered has all of them, zero included.
2. Cells of hours add up to the cell of their day: what was counted over a border is parted by time, and none of
   it is lost or doubled.
3. An interval counts once, however often it came: the store has it once, by stream and number.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

from sqlalchemy import Connection, Engine, Float, cast, func, select
from sqlalchemy.exc import SQLAlchemyError

from station.counting.buckets import Bucket, Step, buckets
from station.counting.coverage import SLACK_MS, Covered, covered_ms, judged, union
from station.counting.hour_rows import KeptCounts, kept_counts
from station.counting.hours import CountedHour, add, added, share_of
from station.counting.intervals import NONE_UNDATED, CountedInterval, Numbers, Undated, intervals_of
from station.counting.lines import CountedLine
from station.store.columns import HOUR_MS
from station.store.database import in_words
from station.store.gaps import GapState
from station.store.schema import gap, stream

NO_TIME: Final = timedelta(0)
NOTHING_KEPT: Final = KeptCounts((), (), NONE_UNDATED)


@dataclass(frozen=True, slots=True)
class CountCell:
    """What was counted in one bucket."""

    bucket: Bucket
    covered_ms: int
    """How much of the bucket somebody counted."""
    numbers: Numbers | None
    """(label, direction) -> how many, without zeros; None: nobody counted."""
    is_parted: bool = False
    """Some of it was counted over a border and parted by time."""
    is_running: bool = False
    """The bucket is not over yet."""

    @property
    def covered(self) -> Covered:
        """How far it can be believed."""
        found = judged(self.covered_ms, self.bucket.length_ms)
        if self.numbers is None:
            return Covered.UNKNOWN
        return Covered.PARTLY if found is Covered.UNKNOWN else found

    @property
    def share(self) -> float:
        """How much is covered, 0..1."""
        return min(1.0, self.covered_ms / self.bucket.length_ms)

    @property
    def total(self) -> int | None:
        """Of all labels and directions; None: nobody counted."""
        return None if self.numbers is None else sum(self.numbers.values())


@dataclass(frozen=True, slots=True)
class Series:
    """What was counted at one line, under whatever names it had."""

    lines: tuple[CountedLine, ...]
    step: Step
    cells: tuple[CountCell, ...]
    undated: Undated = NONE_UNDATED
    """What came in this time and cannot be put anywhere."""
    missing: int = 0
    """Messages of its boxes that did not come yet, counts perhaps among them."""

    @property
    def numbers(self) -> Numbers:
        """Of all cells together."""
        return added(cell.numbers for cell in self.cells if cell.numbers is not None)


@dataclass(frozen=True, slots=True)
class ReadCounts:
    """What the store has of a time, to be put into buckets."""

    lines: tuple[CountedLine, ...]
    buckets: tuple[Bucket, ...]
    """Of the time that is asked for, as far as it has begun."""
    kept: KeptCounts
    missing: int
    now_ms: int

    def series(self, step: Step) -> Series:
        """The cells of these buckets."""
        return Series(self.lines, step, self.cells(self.buckets), self.kept.undated, self.missing)

    def cells(self, wanted: Sequence[Bucket]) -> tuple[CountCell, ...]:
        """What these buckets have, of the time that was read."""
        return cells_of(wanted, self.kept.intervals, self.now_ms, self.kept.hours) if wanted else ()


def read_counts(
    engine: Engine,
    lines: Sequence[CountedLine],
    days: tuple[date, date],
    step: Step,
    zone: tzinfo,
    now: datetime,
    back: timedelta = NO_TIME,
) -> ReadCounts:
    """What is known of these days, and of so long before them; nothing after `now`.

    Raises:
        PeriodRefused: the days are the wrong way round, or too many.
        StoreError: the store cannot be read.
    """
    now_ms = round(now.timestamp() * 1000)
    wanted = buckets(*days, step, zone)
    borders = _borders(wanted)
    wanted = wanted[: bisect_right(borders[:-1], now_ms)]
    if not wanted or not lines:
        return ReadCounts(tuple(lines), (), NOTHING_KEPT, 0, now_ms)
    back_ms = round(back.total_seconds() * 1000)
    try:
        with engine.connect() as connection, connection.begin():
            since_ms, until_ms = borders[0], borders[len(wanted)]
            if _are_whole_hours(wanted[0].start - back, borders):
                kept = kept_counts(connection, lines, since_ms, until_ms, back_ms)
            else:
                kept = KeptCounts((), *intervals_of(connection, lines, since_ms, until_ms, back_ms))
            missing = _missing(connection, sorted({line.box_id for line in lines}))
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error
    return ReadCounts(tuple(lines), wanted, kept, missing, now_ms)


def counted(
    engine: Engine,
    lines: Sequence[CountedLine],
    days: tuple[date, date],
    step: Step,
    zone: tzinfo,
    now: datetime,
) -> Series:
    """What was counted from the first of these days to the last. Raises as `read_counts` does."""
    return read_counts(engine, lines, days, step, zone, now).series(step)


def cells_of(
    wanted: Sequence[Bucket],
    intervals: Iterable[CountedInterval],
    now_ms: int,
    hours: Iterable[CountedHour] = (),
) -> tuple[CountCell, ...]:
    """These intervals in these buckets, in a row, with hours that lie in them."""
    listed, summed = list(intervals), list(hours)
    counted = [(each.start_ms, each.end_ms) for each in listed]
    spans = union([*counted, *(span for each in summed for span in each.spans)])
    sums: list[dict[tuple[str, str], int]] = [{} for _ in wanted]
    borders = _borders(wanted)
    starts, ends = borders[:-1], borders[1:]
    parted = _put_hours(sums, summed, starts, ends)
    for interval in listed:
        first = max(0, bisect_right(starts, interval.start_ms) - 1)
        last = max(first, bisect_left(starts, interval.end_ms) - 1)
        if first == last and starts[first] <= interval.start_ms and interval.end_ms <= ends[first]:
            add(sums[first], interval.numbers)  # nearly all of them
            continue
        for at in range(first, min(last, len(wanted) - 1) + 1):
            add(sums[at], share_of(interval, starts[at], ends[at]))
            if _is_parted(interval, starts[at], ends[at]):
                parted.add(at)
    return tuple(
        _cell(bucket, covered_ms(spans, starts[at], ends[at]), sums[at], at in parted, ends[at] > now_ms)
        for at, bucket in enumerate(wanted)
    )


def _put_hours(
    sums: Sequence[dict[tuple[str, str], int]],
    hours: Iterable[CountedHour],
    starts: Sequence[int],
    ends: Sequence[int],
) -> set[int]:
    """Each hour into its bucket; the buckets at whose border much of one was parted."""
    parted: set[int] = set()
    for hour in hours:
        hour_ms = hour.hour_ms
        at = bisect_right(starts, hour_ms) - 1
        if at < 0 or hour_ms >= ends[at]:
            continue
        add(sums[at], hour.numbers)
        before, after = hour.is_parted
        if (before and hour_ms == starts[at]) or (after and hour_ms + HOUR_MS == ends[at]):
            parted.add(at)
    return parted


def _is_parted(interval: CountedInterval, start_ms: int, end_ms: int) -> bool:
    """Whether so much of it lies on either side of a border that it matters."""
    inside = min(end_ms, interval.end_ms) - max(start_ms, interval.start_ms)
    outside = interval.end_ms - interval.start_ms - inside
    return bool(interval.numbers) and inside > SLACK_MS and outside > SLACK_MS


def _borders(wanted: Sequence[Bucket]) -> list[int]:
    """Where they begin, and where the last one ends: to ask a bucket takes a while, and they are many."""
    return [*(each.start_ms for each in wanted), *(each.end_ms for each in wanted[-1:])]


def _cell(bucket: Bucket, covered: int, sums: Numbers, is_parted: bool, is_running: bool) -> CountCell:
    return CountCell(bucket, covered, sums if covered > 0 or sums else None, is_parted, is_running)


def _are_whole_hours(first: datetime, borders: Sequence[int]) -> bool:
    """Whether all that may be asked between these borders and from `first` on begins at whole hours of UTC."""
    offset = first.utcoffset() or NO_TIME
    return not offset % timedelta(hours=1) and not any(border % HOUR_MS for border in borders)


def _missing(connection: Connection, box_ids: Sequence[int]) -> int:
    number = func.sum(cast(gap.c.missing, Float))  # whole numbers beyond 64 bits are an error to SQLite
    query = select(number).join(stream, stream.c.id == gap.c.stream_id)
    query = query.where(gap.c.closed_ms.is_(None), gap.c.state == str(GapState.OPEN))
    return int(connection.scalar(query.where(stream.c.box_id.in_(box_ids))) or 0)
