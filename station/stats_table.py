"""What the store holds, as tables that fit into 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from agent.cli.moments import zone
from agent.language import translated
from agent.printable import printable
from agent.translatable import joined, tr
from agent.wire.words import BOX_STATES, named
from station.stats import BoxStats, StoreStats, UnfilledGap
from station.store.alarms import StandingAlarm
from station.store.columns import moment
from station.words import ALARMS, GAP_STATES


def tables(found: StoreStats) -> Iterator[RenderableType]:
    """The boxes, what is amiss with them, gaps and alarms where there are any, and the sizes."""
    communes = {each.box.partition("/")[0] for each in found.boxes}
    only = communes.pop() if len(communes) == 1 else ""
    of_one = f"{only}/" if only else ""
    heading = tr(
        "{commune}, local time: {zone}", commune=only or tr("all communes"), zone=zone(datetime.now(UTC))
    )
    yield _boxes(found.boxes, heading, of_one)
    amiss = [each for each in found.boxes if any(_wrong(each))]
    if amiss:
        yield _amiss(amiss, of_one)
    if found.gaps:
        yield _gaps(found.gaps, of_one)
    if found.alarms:
        yield Text("\n" + translated(tr("alarms")), "bold")
        for alarm in found.alarms:
            yield from _alarm(alarm, of_one)
    yield Text("")
    messages = tr(
        "{messages} messages of events; {filled} gaps were filled; version {version}",
        messages=found.event_messages,
        filled=found.gaps_filled,
        version=found.version,
    )
    sizes = tr(
        "database {database}, pictures {pictures}, unreadable {unreadable}; {free} free",
        database=_size(found.database_bytes),
        pictures=_size(found.picture_bytes),
        unreadable=_size(found.unreadable_bytes),
        free=_size(found.disk_free_bytes),
    )
    yield Text(translated(messages))
    yield Text(translated(sizes))


def _table(title: str, *headings: str, numbers: Sequence[str] = (), folds: Sequence[str] = ()) -> Table:
    """A table without lines; what is in `folds` gives way where there is no room, and nothing else."""
    table = Table(
        title=translated(title), title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0)
    )
    for heading in (*headings, *numbers):
        right = "right" if heading in numbers else "left"
        table.add_column(translated(heading), justify=right, no_wrap=heading not in folds, overflow="fold")  # type: ignore[arg-type]
    return table


def _boxes(boxes: Sequence[BoxStats], title: str, of_one: str) -> Table:
    numbers = (tr("events"), tr("open"), tr("pictures"), tr("counts"))
    table = _table(title, tr("box"), tr("state"), tr("last seen"), numbers=numbers, folds=("box",))
    for each in boxes:
        held = (each.events, each.open_events, each.pictures, each.counts)
        name = printable(each.box.removeprefix(of_one))
        state = translated(named(BOX_STATES, each.state))
        table.add_row(Text(name), state, _moment(each.last_seen_ms), *map(str, held))
    return table


def _wrong(each: BoxStats) -> tuple[int, int, int, int]:
    return each.missing, each.gone, each.conflicts, each.unreadable


def _amiss(boxes: Sequence[BoxStats], of_one: str) -> Table:
    numbers = (tr("missing"), tr("gone"), tr("conflicts"), tr("unreadable"))
    table = _table(joined("", ("\n", tr("amiss"))), tr("box"), numbers=numbers, folds=("box",))
    for each in boxes:
        table.add_row(Text(printable(each.box.removeprefix(of_one))), *map(str, _wrong(each)))
    return table


def _gaps(gaps: Sequence[UnfilledGap], of_one: str) -> Table:
    table = _table(
        joined("", ("\n", tr("gaps"))),
        tr("box"),
        tr("stream"),
        tr("first"),
        tr("last"),
        tr("missing"),
        tr("state"),
        tr("since"),
        folds=("box", "stream"),
    )
    for gap in gaps:
        state = translated(named(GAP_STATES, gap.state))
        if gap.cause is not None:
            state += f"\n({translated(named(ALARMS, gap.cause))})"
        names = (Text(printable(gap.box.removeprefix(of_one))), Text(printable(gap.stream)))
        table.add_row(*names, str(gap.first), str(gap.last), str(gap.missing), state, _moment(gap.opened_ms))
    return table


def _alarm(each: StandingAlarm, of_one: str) -> Iterator[RenderableType]:
    """Since when, and below what it means: that is longer than any column."""
    box = (each.box or "").removeprefix(of_one)
    when = tr(
        "since {opened}, last {last}, count {count}",
        opened=_moment(each.opened_ms),
        last=_moment(each.last_ms),
        count=each.count,
    )
    head = joined("  ", filter(None, (named(ALARMS, each.kind), box, when)))
    what = tr("{meaning}: {detail}", meaning=each.meaning, detail=each.detail)
    yield Text(translated(printable(head)))
    yield Padding(Text(translated(printable(what))), (0, 0, 0, 4))


def _moment(at_ms: int) -> str:
    return moment(at_ms).astimezone().strftime("%m-%d %H:%M")


def _size(size_bytes: int) -> str:
    unit, name = (2**20, "MiB") if size_bytes < 2**30 else (2**30, "GiB")
    return tr("{size:,.1f} {unit}", size=size_bytes / unit, unit=name)
