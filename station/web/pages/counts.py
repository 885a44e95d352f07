"""How many went over a line: charts, tables and CSV, right where nobody counted."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import groupby, islice
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query
from markupsafe import Markup
from sqlalchemy import Engine
from starlette.responses import HTMLResponse, Response

from agent.translatable import joined, tr
from station.access.audit_entry import AuditVerb
from station.counting.buckets import PeriodRefused, Step, buckets
from station.counting.chart import NARROW, WIDE, chart_of
from station.counting.compare import Comparison, beside_the_week_before
from station.counting.coverage import Covered
from station.counting.export import write_csv
from station.counting.lines import (
    MOST_LINES,
    CountedLine,
    camera_lines,
    counted_line,
    counted_lines,
    predecessors,
)
from station.counting.series import Series, counted
from station.counting.table import By, CountTable, table_of
from station.lookup.places import BoxPlace, read_places
from station.web.visitor import Officer, Visitor

router = APIRouter()
STEPS: Final = {Step.HOUR: tr("by hour"), Step.DAY: tr("by day"), Step.WEEK: tr("by week")}
BYS: Final = {By.DIRECTION: tr("directions"), By.LABEL: tr("kinds of road users")}
PERIODS: Final = (
    (tr("Today"), 0, 0, Step.HOUR),
    (tr("Yesterday"), 1, 1, Step.HOUR),
    (tr("7 days"), 6, 0, Step.DAY),
    (tr("28 days"), 27, 0, Step.DAY),
    (tr("12 weeks"), 83, 0, Step.WEEK),
)
"""Name, days back of the first and of the last day, step."""
Word = Annotated[str, Query(max_length=4300)]


@dataclass(frozen=True, slots=True)
class CountWish:
    """What is asked for."""

    line: str
    """BOX/CAMERA/LINE; empty: none is there."""
    first: date
    last: date
    step: Step
    by: By
    earlier: bool
    """With what was counted under an earlier name."""

    def href(self, page: str = "/counts", **more: object) -> str:
        """The address of it."""
        said = {
            "line": self.line, "first": self.first, "last": self.last, "step": self.step, "by": self.by,
            "earlier": "1" if self.earlier else "",
        }  # fmt: skip
        words = {name: str(value) for name, value in {**said, **more}.items() if value}
        return f"{page}?{urlencode(words)}"


@dataclass(frozen=True, slots=True)
class AskedCounts:
    """What an address of this page or of its table asks for, and of which lines."""

    now: datetime
    listed: Sequence[CountedLine]
    """In the order in which they are offered, with the chosen one."""
    cut: Collection[int]
    """Boxes of which more lines were counted at than are listed."""
    places: Mapping[int, BoxPlace]
    """Of the boxes of all these lines."""
    wanted: CountWish
    chosen: Sequence[CountedLine]
    """The line, behind its earlier names if they are wanted."""
    older: CountedLine | None
    """What the line itself seems to have been called before."""


def asked_counts(
    visitor: Officer,
    line: Word = "",
    first: Word = "",
    last: Word = "",
    step: Word = "",
    by: Word = "",
    earlier: bool = False,
) -> AskedCounts:
    """What the address says; what it does not say, or says amiss, is the last seven days."""
    now, reads = datetime.now(UTC), visitor.console.reads
    listed, cut = _listed(reads)
    known = _known(reads, listed, line)
    listed = list(dict.fromkeys((*listed, *known)))
    with reads.connect() as connection, connection.begin():
        places = read_places(connection, {each.box_id for each in listed})
    listed.sort(key=lambda each: _where(each, places))
    wanted = _wanted(visitor, (first, last, step, by), earlier=earlier, now=now)
    found = known[0] if known else _opening(reads, listed, wanted, visitor.console.zone)
    before = _earlier(reads, found) if found is not None else []
    chosen = [*(before if earlier else []), found] if found is not None else []
    wanted = replace(wanted, line=_name(found) if found is not None else "")
    return AskedCounts(now, listed, cut, places, wanted, chosen, before[-1] if before else None)


Asked = Annotated[AskedCounts, Depends(asked_counts)]


@router.get("/counts")
def counts_page(
    visitor: Officer,
    asked: Asked,
) -> HTMLResponse:
    """Counts of one line as a chart and a table, beside the week before."""
    desk, now, wanted, chosen = visitor.console, asked.now, asked.wanted, asked.chosen
    places = asked.places
    problem: PeriodRefused | None = None
    series, comparison = Series((), wanted.step, ()), None
    if chosen:
        visitor.note(AuditVerb.VIEW_COUNTS, wanted.line, first=str(wanted.first), last=str(wanted.last))
        days = wanted.first, wanted.last
        try:
            series, comparison = beside_the_week_before(desk.reads, chosen, days, wanted.step, desk.zone, now)
        except PeriodRefused as error:
            problem = error
    table = table_of(series, wanted.by)
    return visitor.page(
        "counts.html",
        422 if problem else 200,
        wanted=wanted,
        problem=problem,
        lines=_by_place(asked.listed, places),
        cut=[(places[each].title, MOST_LINES) for each in places if each in asked.cut],
        title=_title(chosen, places),
        earlier_name=None if asked.older is None else _rule_title(asked.older, places),
        series=series,
        table=table,
        charts=_charts(table, _title(chosen, places), visitor.language) if table.rows else [],
        has_gaps=any(row.cell.covered is not Covered.WHOLE and not row.cell.is_running for row in table.rows),
        comparison=comparison,
        changes=_changes(comparison) if comparison else None,
        steps=STEPS,
        bys=BYS,
        periods=_periods(wanted, now.astimezone(desk.zone).date()),
    )


@router.get("/counts.csv")
def counts_csv(
    visitor: Officer,
    asked: Asked,
) -> Response:
    """The same for a spreadsheet; 422: the period is too long for its step."""
    desk, now, wanted, chosen = visitor.console, asked.now, asked.wanted, asked.chosen
    visitor.note(
        AuditVerb.EXPORT, "counts.csv", line=wanted.line, first=str(wanted.first), last=str(wanted.last)
    )
    try:
        series = counted(desk.reads, chosen, (wanted.first, wanted.last), wanted.step, desk.zone, now)
    except PeriodRefused as error:
        return visitor.page("trouble.html", 422, what=error.what, hint=error.hint or "")
    out = io.StringIO()
    write_csv(series, out)
    name = f"counts-{wanted.first:%Y%m%d}-{wanted.last:%Y%m%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(out.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _listed(reads: Engine) -> tuple[list[CountedLine], set[int]]:
    """(lines of each box, as many as are listed; the boxes that have more)."""
    found = counted_lines(reads, most=MOST_LINES + 1)
    numbers = Counter(each.box_id for each in found)
    cut = {box_id for box_id, number in numbers.items() if number > MOST_LINES}
    kept = [each for _, group in groupby(found, lambda each: each.box_id) for each in islice(group, MOST_LINES)]
    return kept, cut


def _known(reads: Engine, listed: Sequence[CountedLine], said: str) -> list[CountedLine]:
    """The line of this name, listed or not; empty: there is none."""
    known = next((each for each in listed if _name(each) == said), None)
    if known is None and said.count("/") >= 2:
        known = counted_line(reads, *said.split("/", 2))
    return [known] if known is not None else []


def _opening(
    reads: Engine, listed: Sequence[CountedLine], wanted: CountWish, zone: tzinfo
) -> CountedLine | None:
    """Where nobody asks for a line: the first that counted in the period shown; where none did, the first.

    Which one counted last is no question to ask: a box that dates itself ahead would always be the answer.
    """
    try:
        shown = buckets(wanted.first, wanted.last, wanted.step, zone)
    except PeriodRefused:  # the page says so
        return next(iter(listed), None)
    within = counted_lines(reads, most=MOST_LINES, within_ms=(shown[0].start_ms, shown[-1].end_ms))
    names = {_name(each) for each in within}
    return next((each for each in listed if _name(each) in names), next(iter(listed), None))


def _wanted(
    visitor: Visitor,
    said: tuple[str, str, str, str],
    *,
    earlier: bool,
    now: datetime,
) -> CountWish:
    """What an address asks for, but the line; what it does not say, or says amiss, is the last seven days."""
    first, last, step, by = said
    today = now.astimezone(visitor.console.zone).date()
    return CountWish(
        "",
        _date(first) or (_date(last) or today) - timedelta(days=6),
        _date(last) or today,
        Step(step) if step in set(Step) else Step.DAY,
        By(by) if by in set(By) else By.DIRECTION,
        earlier,
    )


def _date(said: str) -> date | None:
    try:
        found = date.fromisoformat(said)
    except ValueError:
        return None
    return found if 1971 <= found.year <= 2199 else None


def _name(line: CountedLine) -> str:
    return f"{line.box}/{line.camera}/{line.rule}"


def _earlier(reads: Engine, line: CountedLine) -> list[CountedLine]:
    """What it seems to have been called before, oldest first; of a camera with very many lines nothing."""
    beside = camera_lines(reads, line.box_id, line.camera, MOST_LINES + 1)
    if len(beside) > MOST_LINES:
        return []
    before = predecessors(beside)
    found = [line]
    while (older := before.get(found[0])) is not None:
        found.insert(0, older)
    return found[:-1]


def _where(line: CountedLine, places: Mapping[int, BoxPlace]) -> tuple[str, str]:
    """(what lines are ordered by, the place as it is shown)."""
    place = places[line.box_id]
    where = f"{place.title} · {place.camera_title(line.camera)}"
    return where.casefold(), where


def _by_place(
    listed: Sequence[CountedLine], places: Mapping[int, BoxPlace]
) -> list[tuple[str, list[tuple[str, str]]]]:
    """(place, [(name, what is shown)]) by place: what a list of choices shows."""
    return [
        (where, [(_name(each), _rule_title(each, places)) for each in group])
        for (_, where), group in groupby(listed, lambda each: _where(each, places))
    ]


def _rule_title(line: CountedLine, places: Mapping[int, BoxPlace]) -> str:
    return places[line.box_id].rule_title(line.camera, line.rule)


def _title(chosen: Sequence[CountedLine], places: Mapping[int, BoxPlace]) -> str:
    if not chosen:
        return ""
    place, line = places[chosen[-1].box_id], chosen[-1]
    return joined(
        " · ", (place.title, place.camera_title(line.camera), place.rule_title(line.camera, line.rule))
    )


def _charts(table: CountTable, title: str, language: str) -> list[tuple[str, Markup]]:
    """(for which screens, SVG): it is ours, and every text in it is escaped."""
    name = tr("Chart of the counts: {title}. The table below says the same.", title=title)
    sizes = {"wide": WIDE, "phone": NARROW}
    drawn = {kind: chart_of(table, name, size, language) for kind, size in sizes.items()}
    return [(kind, Markup(svg)) for kind, svg in drawn.items()]  # noqa: S704 (that is its work)


def _changes(comparison: Comparison) -> dict[str, Any]:
    change = comparison.change
    return {
        "now": sum(comparison.now.values()),
        "before": sum(comparison.before.values()),
        "percent": None if change is None else round(change * 100),
    }


def _periods(wanted: CountWish, today: date) -> list[tuple[str, str, bool]]:
    """(name, address, whether it is what is shown)."""
    found: list[tuple[str, str, bool]] = []
    for name, first, last, step in PERIODS:
        asked = replace(
            wanted, first=today - timedelta(days=first), last=today - timedelta(days=last), step=step
        )
        found.append((name, asked.href(), asked == wanted))
    return found
