"""How many went over which line, by hour, day or week."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query

from station.access.audit_entry import AuditVerb
from station.counting.buckets import PeriodRefused, Step
from station.counting.lines import counted_line, counted_lines
from station.counting.series import CountCell, counted
from station.store.columns import moment
from station.web.api.asker import OfficerAsks
from station.web.api.shapes import ApiCell, ApiCounts, ApiLine, ApiLines, ApiNumber, Asked
from station.web.visitor import Turned

router = APIRouter(tags=["counts"])
Day = Annotated[date, Query(ge=date(1971, 1, 1), le=date(2198, 12, 31))]
"""Local time of the station."""


@router.get("/counts/lines")
def lines(asker: OfficerAsks) -> ApiLines:
    """Every line that was ever counted at."""
    return ApiLines(
        lines=[
            ApiLine(
                box=each.box,
                camera=each.camera,
                rule=each.rule,
                first=moment(each.first_ms),
                last=moment(each.last_ms),
            )
            for each in counted_lines(asker.console.reads)
        ]
    )


@router.get("/counts")
def counts(
    asker: OfficerAsks, box: Asked, camera: Asked, rule: Asked, first: Day, last: Day, step: Step = Step.HOUR
) -> ApiCounts:
    """What was counted at a line from the first of these days to the last, both included, in local days.

    A cell of which nobody counted anything has no numbers: null is not zero.
    """
    console = asker.console
    wanted = counted_line(console.reads, box, camera, rule)
    if wanted is None:
        raise HTTPException(404)
    asker.note(AuditVerb.VIEW_COUNTS, f"{box}/{camera}/{rule}", first=first, last=last, step=step)
    try:
        found = counted(console.reads, [wanted], (first, last), step, console.zone, datetime.now(UTC))
    except PeriodRefused as error:
        raise Turned(422, error.what, error.hint) from None
    cells = [_cell(each) for each in found.cells]
    return ApiCounts(box=box, camera=camera, rule=rule, cells=cells, missing=found.missing)


def _cell(cell: CountCell) -> ApiCell:
    numbers = None
    if cell.numbers is not None:
        listed = sorted(cell.numbers.items())
        numbers = [ApiNumber(label=label, direction=way, number=number) for (label, way), number in listed]
    return ApiCell(
        since=cell.bucket.start,
        until=cell.bucket.end,
        covered=cell.share,
        numbers=numbers,
        running=cell.is_running,
    )
