"""The printed hand-over of a shift: what the next one has to know, and a place for both to sign."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo
from functools import partial
from typing import Final

from agent.language import translated
from agent.printable import printable
from agent.translatable import joined, tr
from agent.wire.words import named
from station.access.audit_entry import VERBS
from station.access.roles import ROLES
from station.footage.words import STAGES, VERDICTS
from station.handover.drawings import pictures, signatures
from station.handover.moments import clock, lasted, said, span
from station.handover.print import Imprint, PrintColumn, Sheet
from station.lookup.timeline.outages import Outage, OutageSum, brief_outages, outage_sums
from station.review.states import STATE_WORDS
from station.shift.alerts import ShiftAlert
from station.shift.shift import LineCount, Shift, ShiftPerson, ShiftRequest
from station.shift.words import (
    MISSING,
    SUMMED,
    became,
    brief_words,
    judged_by,
    more_words,
    no_rows,
    numbers,
    until_words,
    went_wrong,
    what,
)
from station.store.columns import moment, ms

TITLE: Final = tr("Report on the hand-over of a shift")
MOST: Final = 300
"""Rows of one table; of the rest stands how many there are."""
MOST_PICTURES: Final = 12
Pictures = Callable[[str], bytes | None]
"""The bytes of a picture by its hash; None: it is not there."""


def shift_report(
    shift: Shift, commune: str, imprint: Imprint, language: str, picture: Pictures = lambda _: None
) -> bytes:
    """The PDF; the same for the same shift and moment. `imprint.at` has the zone in which times are told."""
    return _ShiftReport(shift, imprint, language).bytes(commune, picture)


def counted_share(line: LineCount, shift: Shift) -> str:
    """How much of the shift was counted."""
    whole = max(1, shift.range.end_ms - shift.range.start_ms)
    return tr("{percent} %", percent=min(100, round(100 * line.counted_ms / whole)))


def how_far(each: ShiftRequest) -> str:
    """How far a request is, or what its package is worth."""
    if each.state.verdict is not None:
        return VERDICTS.get(each.state.verdict, each.state.verdict)
    return STAGES[each.state.stage]


def acts(person: ShiftPerson) -> str:
    """What somebody did, each with how often."""
    stated = [
        tr("{act} ({number})", act=named(VERBS, verb), number=number) for verb, number in person.acts.items()
    ]
    return joined(", ", stated)


class _ShiftReport:
    def __init__(self, shift: Shift, imprint: Imprint, language: str) -> None:
        assert imprint.at.tzinfo is not None, "a moment on paper has its zone"
        self._shift, self._language = shift, language
        self._zone: tzinfo = imprint.at.tzinfo
        self._sheet = Sheet(TITLE, language, imprint)
        self._is_over = imprint.at >= shift.range.end
        self._until_ms = min(shift.range.end_ms, ms(imprint.at))
        brief = brief_outages(shift.outages)
        self._rows = [each for each in shift.outages if each not in brief]
        self._brief = len(shift.outages) - len(self._rows)

    def bytes(self, commune: str, picture: Pictures) -> bytes:
        shift, title = self._shift, translated(TITLE, into=self._language).upper()
        when = self._span(shift.range.start, shift.range.end)
        below = tr("{commune}: {shift}, {when}", commune=printable(commune), shift=shift.range.words, when=when)
        self._sheet.title(title, below)
        self._summary()
        self._alerts(picture)
        self._outages()
        self._requests()
        self._counts()
        self._messages()
        self._people()
        self._sign()
        return self._sheet.bytes()

    def _summary(self) -> None:
        alerts, shift = self._shift.alerts, self._shift
        self._sheet.heading(tr("1. In short"))
        by_state = [
            tr("{state} {number}", state=named(STATE_WORDS, state), number=alerts.by_state[state])
            for state in STATE_WORDS
            if state in alerts.by_state
        ]
        self._sheet.facts(
            [
                (tr("events"), f"{shift.events}"),
                (tr("alerts"), self._numbered(alerts.number, joined(", ", by_state) if by_state else "")),
                (tr("still open"), f"{alerts.open}"),
                (tr("open of the week before"), f"{alerts.open_before}"),
                (tr("outages"), self._with_brief(str(len(self._rows)), self._brief)),
                (tr("requests for footage"), f"{len(shift.requests)}"),
            ]
        )

    def _with_brief(self, words: str, brief: int) -> str:
        return tr("{words}, and {brief}", words=words, brief=brief_words(brief)) if brief else words

    def _numbered(self, number: int, more: str) -> str:
        return tr("{number}: {more}", number=number, more=more) if more else str(number)

    def _alerts(self, picture: Pictures) -> None:
        listed = self._shift.alerts.shown(MOST)
        self._sheet.heading(tr("2. Alerts, those still open first"))
        columns = (
            PrintColumn(tr("when"), 3), PrintColumn(tr("where"), 4), PrintColumn(tr("what"), 4),
            PrintColumn(tr("what became of it"), 4), PrintColumn(tr("by whom"), 3), PrintColumn(tr("note"), 5),
        )  # fmt: skip
        self._sheet.table(columns, [self._alert(each) for each in listed], tr("There was no alert."))
        self._more(self._shift.alerts.number)
        shown = [
            (data, tr("{time} {where}", time=self._clock(each.began_ms), where=each.camera))
            for each in listed[: 5 * MOST_PICTURES]
            if each.picture_sha256 and (data := picture(each.picture_sha256)) is not None
        ][:MOST_PICTURES]
        if shown:
            self._sheet.draw(partial(pictures, found=shown))

    def _alert(self, each: ShiftAlert) -> tuple[str, ...]:
        when = self._clock(each.began_ms)
        if each.is_late:
            when = tr("{time}, came late, at {came}", time=when, came=self._clock(each.received_ms))
        where = tr("{box}, {camera}", box=each.box, camera=each.camera)
        return when, where, what(each), became(each), self._by(each), each.note

    def _by(self, each: ShiftAlert) -> str:
        return judged_by(each, "" if each.reviewed_ms is None else self._clock(each.reviewed_ms))

    def _outages(self) -> None:
        self._sheet.heading(tr("3. Outages of boxes and cameras"))
        rows = [
            (
                self._which(each),
                went_wrong(each),
                self._clock(each.start_ms),
                until_words(is_over=self._is_over) if each.end_ms is None else self._clock(each.end_ms),
                lasted(each.within_ms(self._shift.range.start_ms, self._until_ms) / 1000),
            )
            for each in self._rows
        ]
        columns = (
            PrintColumn(tr("which"), 6), PrintColumn(tr("what was wrong"), 4), PrintColumn(tr("from"), 3),
            PrintColumn(tr("until"), 3), PrintColumn(tr("how long in this shift"), 3),
        )  # fmt: skip
        self._sheet.table(columns, rows[:MOST], no_rows(self._brief, self._shift.boxes))
        self._more(len(rows))
        sums = outage_sums(self._shift.outages, self._shift.range.start_ms, self._until_ms)
        if sums:
            self._sheet.paragraph(SUMMED)
            heads = PrintColumn(tr("which"), 12), PrintColumn(tr("how long in this shift"), 7)
            summed = [(self._which(each), self._summed(each)) for each in sums]
            self._sheet.table(heads, summed[:MOST], "")

    def _summed(self, each: OutageSum) -> str:
        whole = lasted(each.lasted_ms / 1000)
        return tr("{span} ({brief})", span=whole, brief=brief_words(each.brief)) if each.brief else whole

    def _which(self, each: Outage | OutageSum) -> str:
        return tr("{box}, {camera}", box=each.box, camera=each.camera) if each.camera else each.box

    def _requests(self) -> None:
        self._sheet.heading(tr("4. Requests for footage"))
        rows = [
            (
                each.request.case_number,
                tr("{box}, {camera}", box=each.box, camera=each.camera),
                self._span(each.request.from_time, each.request.to_time),
                each.request.officer,
                how_far(each),
            )
            for each in self._shift.requests
        ]
        columns = (
            PrintColumn(tr("case"), 3), PrintColumn(tr("where"), 5), PrintColumn(tr("range"), 5),
            PrintColumn(tr("officer"), 4), PrintColumn(tr("how far"), 4),
        )  # fmt: skip
        self._sheet.table(columns, rows[:MOST], tr("Nothing was asked for, and nothing is under way."))
        self._more(len(rows))

    def _counts(self) -> None:
        self._sheet.heading(tr("5. Counts"))
        lines = self._shift.counts
        rows = [
            (
                tr("{box}, {camera}", box=line.box, camera=line.camera),
                line.rule,
                tr("{number:,}", number=line.total),
                numbers(line),
                counted_share(line, self._shift),
            )
            for line in lines[:MOST]
        ]
        columns = (
            PrintColumn(tr("where"), 5), PrintColumn(tr("line"), 3), PrintColumn(tr("in all"), 2, right=True),
            PrintColumn(tr("of these"), 7), PrintColumn(tr("counted of the shift"), 3, right=True),
        )  # fmt: skip
        self._sheet.table(columns, rows, tr("No line counts."))
        self._more(len(lines))

    def _messages(self) -> None:
        self._sheet.heading(tr("6. Messages that are missing, and alarms of the station"))
        rows = [
            (each.box, tr("{number:,}", number=each.missing), named(MISSING, each.state))
            for each in self._shift.missing
        ]
        columns = (
            PrintColumn(tr("box"), 5),
            PrintColumn(tr("messages"), 2, right=True),
            PrintColumn("", 7),
        )
        self._sheet.table(columns, rows[:MOST], tr("No message is missing."))
        alarms = [
            (
                each.meaning,
                each.box or "–",
                self._clock(each.opened_ms),
                until_words(is_over=self._is_over) if each.closed_ms is None else self._clock(each.closed_ms),
            )
            for each in self._shift.alarms
        ]
        heads = (
            PrintColumn(tr("alarm"), 8), PrintColumn(tr("box"), 4), PrintColumn(tr("from"), 3),
            PrintColumn(tr("until"), 3),
        )  # fmt: skip
        self._sheet.table(heads, alarms[:MOST], tr("No alarm stood."))

    def _people(self) -> None:
        self._sheet.heading(tr("7. Who was at the screen"))
        rows = [
            (
                each.name or each.login,
                named(ROLES, each.role),
                tr("{first} – {last}", first=self._clock(each.first_ms), last=self._clock(each.last_ms)),
                acts(each),
            )
            for each in self._shift.people
        ]
        columns = (
            PrintColumn(tr("name of the person"), 4), PrintColumn(tr("role"), 3),
            PrintColumn(tr("from when until when"), 4), PrintColumn(tr("did what"), 8),
        )  # fmt: skip
        self._sheet.table(columns, rows[:MOST], tr("Nobody was logged in."))

    def _sign(self) -> None:
        self._sheet.heading(tr("8. What else the next shift has to know"))
        for _ in range(3):
            self._sheet.paragraph("." * 150, small=True)
        who = [(tr("Hands the shift over"), ""), (tr("Takes the shift over"), "")]
        self._sheet.draw(partial(signatures, who=who))

    def _more(self, number: int) -> None:
        if number > MOST:
            self._sheet.paragraph(more_words(number - MOST))

    def _clock(self, at_ms: int) -> str:
        """The time; with the day where it is outside of the shift."""
        at = moment(at_ms)
        inside = self._shift.range.start <= at < self._shift.range.end
        return clock(at, self._zone) if inside else said(at, self._zone)

    def _span(self, start: datetime, end: datetime) -> str:
        return span(start, end, self._zone)
