"""Who did what at the console, for supervisors: its audit log, searched, exported, and whether it is whole."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Annotated, Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query
from starlette.responses import HTMLResponse, StreamingResponse

from agent.language import translated
from agent.printable import spreadsheet_cell
from agent.translatable import tr
from station.access.audit_entry import AT_THE_MACHINE, OF_THE_PROVINCE, VERBS, AuditVerb, ConsoleEntry
from station.access.audit_log import AuditQuery
from station.access.detail_words import detail_words
from station.access.roles import ROLES
from station.boxes.order_kinds import TERMS
from station.province.requests.words import ANSWER_WORDS, KIND_WORDS
from station.province.requests.words import REASON_WORDS as REQUEST_REASONS
from station.review.states import REASON_WORDS, RIGHT_LABELS, STATE_WORDS
from station.web.visitor import LONG, Supervisor, Visitor

router = APIRouter(prefix="/audit")
Word = Annotated[str, Query(max_length=200)]
COLUMNS: Final = (
    tr("time"),
    tr("login"),
    tr("name"),
    tr("role"),
    tr("address"),
    tr("deed"),
    tr("subject"),
    tr("detail"),
)
WORDS: Final = {
    "state": STATE_WORDS,
    "reviews": STATE_WORDS,
    "reason": REASON_WORDS,
    "right_label": RIGHT_LABELS,
    "order": {str(kind): terms.name for kind, terms in TERMS.items()},
    "asked": KIND_WORDS,
    "answer": ANSWER_WORDS,
    "cause": REQUEST_REASONS,
}
"""Of details that reviews, orders and requests of the province note."""
MACHINES: Final = {AT_THE_MACHINE: tr("the station's machine"), OF_THE_PROVINCE: tr("the province")}
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{6}([0-9a-f]{6})")
_SHA256: Final = re.compile(r"\b[0-9a-f]{58}([0-9a-f]{6})\b")


class AuditForm:
    """What is asked, as it stands in the page's address."""

    def __init__(
        self,
        who: Word = "",
        verb: Word = "",
        subject: Word = "",
        since: Word = "",
        until: Word = "",
        before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    ) -> None:
        self.fields = {"who": who, "verb": verb, "subject": subject, "since": since, "until": until}
        self.before = before

    def query(self, zone: ZoneInfo) -> AuditQuery:
        """As the log is asked; a day is read in the station's zone, and one that is none is not asked."""
        since, until = (_day(self.fields[name]) for name in ("since", "until"))
        return AuditQuery(
            since_ms=_begins_ms(since, zone) if since else None,
            until_ms=_begins_ms(until, zone, days=1) if until else None,
            who=self.fields["who"].strip(),
            verb=self.fields["verb"],
            subject=self.fields["subject"],
            before=self.before,
        )

    @property
    def said(self) -> dict[str, str]:
        """What was filled in."""
        return {name: value for name, value in self.fields.items() if value}


Asked = Annotated[AuditForm, Depends()]


@router.get("")
def audit(visitor: Supervisor, asked: Asked) -> HTMLResponse:
    """A page of it, the newest first, and whether all of it is as it was written."""
    desk = visitor.console
    query = asked.query(desk.zone)
    found = desk.audit.search(query)  # before it is noted, or each search would find itself
    visitor.note(AuditVerb.VIEW_AUDIT, "", **_noted(query))
    older = {**asked.said, "before": str(found.more)} if found.more is not None else None
    return visitor.page(
        "audit.html",
        asked=asked.fields,
        is_asked=bool(asked.said),
        is_first=asked.before is None,
        rows=[_row(visitor, each) for each in found.entries],
        older=urlencode(older) if older else "",
        same=urlencode(asked.said),
        verbs=[(str(verb), VERBS[verb]) for verb in AuditVerb],
        people=desk.accounts.list(),
        standing=desk.audit_watch.standing(),
    )


@router.get("/export.csv", dependencies=[LONG])
def export(visitor: Supervisor, asked: Asked) -> StreamingResponse:
    """All that was asked, as CSV that a spreadsheet opens and does not compute."""
    query = replace(asked.query(visitor.console.zone), before=None)
    visitor.note(AuditVerb.EXPORT, "audit", format="csv", **_noted(query))
    headers = {"Content-Disposition": 'attachment; filename="audit.csv"'}
    return StreamingResponse(_csv(visitor, query), media_type="text/csv; charset=utf-8", headers=headers)


def _csv(visitor: Visitor, query: AuditQuery) -> Iterator[str]:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    out.write("\ufeff")  # without it a spreadsheet reads Vietnamese as something else
    writer.writerow([translated(each, visitor.language) for each in COLUMNS])
    for each in visitor.console.audit.every(query):
        at = visitor.console.templates.local(each.time_ms).isoformat(" ", "seconds")
        what = translated(VERBS.get(each.verb, each.verb), visitor.language)
        role = translated(ROLES.get(each.role, each.role), visitor.language)
        cells = (at, each.login, each.name, role, each.address, what, each.subject, each.detail)
        writer.writerow([spreadsheet_cell(cell) for cell in cells])
        yield out.getvalue()
        out.seek(0)
        out.truncate()
    yield out.getvalue()


def _row(visitor: Visitor, entry: ConsoleEntry) -> dict[str, Any]:
    moment = partial(visitor.console.templates.moment, visitor.language)
    return {
        "time_ms": entry.time_ms,
        "who": entry.name or entry.login or tr("somebody who is not logged in"),
        "role": ROLES.get(entry.role, ""),
        "where": MACHINES.get(entry.address, entry.address),
        "what": VERBS.get(entry.verb, entry.verb),
        "subject": _short(entry.subject),
        "whole": entry.subject,
        "details": [(name, _short(value)) for name, value in detail_words(entry, moment, WORDS)],
    }


def _short(text: str) -> str:
    """Nobody reads an id: its end tells one from another; the whole stands in the export."""
    return _SHA256.sub(r"…\1", _UUID.sub(r"…\1", text)) if _UUID.search(text) or _SHA256.search(text) else text


def _noted(query: AuditQuery) -> dict[str, Any]:
    """What was asked, as a detail of the entry about it."""
    asked = {"who": query.who, "deed": query.verb, "words": query.subject}
    moments = {"since_ms": query.since_ms, "until_ms": query.until_ms}
    return {name: value for name, value in {**asked, **moments}.items() if value}


def _day(said: str) -> date | None:
    try:
        return date.fromisoformat(said)
    except ValueError:
        return None


def _begins_ms(day: date, zone: ZoneInfo, days: int = 0) -> int | None:
    try:
        at = datetime.combine(day + timedelta(days=days), time.min, zone)
        return round(at.timestamp() * 1000)
    except (ValueError, OverflowError):  # the first or the last day of all
        return None
