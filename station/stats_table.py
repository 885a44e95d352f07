"""What the store holds, as tables that fit into 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from agent.printable import printable
from station.lookup.moments import zone
from station.stats import BoxStats, StoreStats, UnfilledGap
from station.store.alarms import StandingAlarm


def tables(found: StoreStats) -> Iterator[RenderableType]:
    """The boxes, what is amiss with them, gaps and alarms where there are any, and the sizes."""
    communes = {each.box.partition("/")[0] for each in found.boxes}
    only = communes.pop() if len(communes) == 1 else ""
    of_one = f"{only}/" if only else ""
    heading = f"{only or 'all communes'}, local time: {zone(datetime.now(UTC))}"
    yield _boxes(found.boxes, heading, of_one)
    amiss = [each for each in found.boxes if any(_wrong(each))]
    if amiss:
        yield _amiss(amiss, of_one)
    if found.gaps:
        yield _gaps(found.gaps, of_one)
    if found.alarms:
        yield Text("\nalarms", "bold")
        for alarm in found.alarms:
            yield from _alarm(alarm, of_one)
    yield Text("")
    yield Text(
        f"{found.event_messages} messages of events; {found.gaps_filled} gaps were filled; "
        f"version {found.version}"
    )
    yield Text(
        f"database {_size(found.database_bytes)}, pictures {_size(found.picture_bytes)}, "
        f"unreadable {_size(found.unreadable_bytes)}; {_size(found.disk_free_bytes)} free"
    )


def _table(title: str, *headings: str, numbers: Sequence[str] = (), folds: Sequence[str] = ()) -> Table:
    """A table without lines; what is in `folds` gives way where there is no room, and nothing else."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    for heading in (*headings, *numbers):
        right = "right" if heading in numbers else "left"
        table.add_column(heading, justify=right, no_wrap=heading not in folds, overflow="fold")  # type: ignore[arg-type]
    return table


def _boxes(boxes: Sequence[BoxStats], title: str, of_one: str) -> Table:
    numbers = ("events", "open", "pictures", "counts")
    table = _table(title, "box", "state", "last seen", numbers=numbers, folds=("box",))
    for each in boxes:
        held = (each.events, each.open_events, each.pictures, each.counts)
        name = printable(each.box.removeprefix(of_one))
        table.add_row(Text(name), each.state, _moment(each.last_seen_ms), *map(str, held))
    return table


def _wrong(each: BoxStats) -> tuple[int, int, int, int]:
    return each.missing, each.gone, each.conflicts, each.unreadable


def _amiss(boxes: Sequence[BoxStats], of_one: str) -> Table:
    numbers = ("missing", "gone", "conflicts", "unreadable")
    table = _table("\namiss", "box", numbers=numbers, folds=("box",))
    for each in boxes:
        table.add_row(Text(printable(each.box.removeprefix(of_one))), *map(str, _wrong(each)))
    return table


def _gaps(gaps: Sequence[UnfilledGap], of_one: str) -> Table:
    table = _table(
        "\ngaps",
        "box",
        "stream",
        "first",
        "last",
        "missing",
        "state",
        "since",
        folds=("box", "stream"),
    )
    for gap in gaps:
        state = gap.state if gap.cause is None else f"{gap.state}\n({gap.cause})"
        names = (Text(printable(gap.box.removeprefix(of_one))), Text(printable(gap.stream)))
        table.add_row(*names, str(gap.first), str(gap.last), str(gap.missing), state, _moment(gap.opened_ms))
    return table


def _alarm(each: StandingAlarm, of_one: str) -> Iterator[RenderableType]:
    """Since when, and below what it means: that is longer than any column."""
    box = (each.box or "").removeprefix(of_one)
    when = f"since {_moment(each.opened_ms)}, last {_moment(each.last_ms)}, count {each.count}"
    yield Text(printable("  ".join(filter(None, (each.kind, box, when)))))
    yield Padding(Text(printable(f"{each.meaning}: {each.detail}")), (0, 0, 0, 4))


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone().strftime("%m-%d %H:%M")


def _size(size_bytes: int) -> str:
    unit, name = (2**20, "MiB") if size_bytes < 2**30 else (2**30, "GiB")
    return f"{size_bytes / unit:,.1f} {name}"
