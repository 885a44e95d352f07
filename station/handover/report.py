"""The printed report of one package: what was asked for, what it is worth and holds, who had it, who signs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import partial
from typing import Final

from agent.evidence.package.manifest import CORRECTED, PackageManifest
from agent.language import translated
from agent.printable import printable
from agent.translatable import joined, tr
from station.handover import custody_words
from station.handover.dossier import Dossier
from station.handover.drawings import BarMark, signatures, time_bar
from station.handover.moments import in_local_words, lasted, said, size, span
from station.handover.print import Imprint, PrintColumn, Sheet
from verifier import timeline
from verifier.findings import Judgement, PackageFinding
from verifier.report import MEANINGS, REASONS, RECORDED, VERDICTS

BAR_CELLS: Final = 240
MOST: Final = 200
"""Rows of one table; of the rest stands how many there are."""
MARKS: Final = {
    timeline.WHOLE: BarMark((126, 170, 158), "", tr("as signed")),
    timeline.UNRECORDED: BarMark((238, 240, 243), "", tr("not recorded")),
    timeline.ABSENT: BarMark((244, 208, 118), "?", tr("missing")),
    timeline.WRONG: BarMark((214, 110, 98), "X", tr("not as signed")),
}
TITLE: Final = tr("Report on extracted footage")
MOTTO: Final = tr("SOCIALIST REPUBLIC OF VIETNAM"), tr("Independence – Freedom – Happiness")
"""Stands above whatever an authority of the country puts on paper (decree 30/2020/NĐ-CP)."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """By whom it is handed over, when, and in which language it is written."""

    at: datetime
    """Aware, in the zone in which it is to be read."""
    by: str
    language: str
    to: str | None = None
    """None: it is printed for the file, and goes to nobody."""

    @property
    def zone(self) -> tzinfo:
        """In which its times are told."""
        assert self.at.tzinfo is not None
        return self.at.tzinfo


def report(dossier: Dossier, what: HandOver) -> bytes:
    """The PDF; the same for the same package and moment."""
    return _Report(dossier, what).bytes()


def finding_rows(judgement: Judgement, zone: tzinfo) -> Iterator[tuple[str, str, str]]:
    """Of each finding its file, its range of time, and what it is; marked for translation."""
    for finding in judgement.findings:
        where = span(finding.start, finding.end, zone) if finding.start and finding.end else tr("all of it")
        yield printable(finding.file), where, _with_bytes(finding)


def gap_rows(manifest: PackageManifest, zone: tzinfo) -> Iterator[tuple[str, str, str]]:
    """Of each range that was not recorded from when until when, how long, and why."""
    for gap in manifest.gaps:
        why = joined("; ", [REASONS.get(each, printable(each)) for each in gap.why.split("; ")])
        yield span(gap.start, gap.end, zone), lasted((gap.end - gap.start).total_seconds()), why


def grouped(digest: str) -> str:
    """A fingerprint in groups of four, as it is read out on the telephone."""
    return " ".join(digest[at : at + 4] for at in range(0, len(digest), 4))


def _with_bytes(finding: PackageFinding) -> str:
    first, end = finding.first_byte, finding.end_byte
    if first is None or end is None or end <= first:
        return finding.text
    return tr("{text}, bytes {first}-{last}", text=finding.text, first=first, last=end - 1)


class _Report:
    def __init__(self, dossier: Dossier, what: HandOver) -> None:
        self._dossier, self._what, self._zone = dossier, what, what.zone
        self._sheet = Sheet(TITLE, what.language, Imprint(what.at, what.by))

    def bytes(self) -> bytes:
        case = printable(self._dossier.request.case_number)
        self._sheet.motto(*MOTTO)
        self._sheet.title(self._upper(TITLE), tr("case {number}", number=case))
        self._case()
        self._verdict()
        self._footage()
        self._files()
        self._custody()
        self._limits()
        self._hand_over()
        return self._sheet.bytes()

    def _case(self) -> None:
        request, names = self._dossier.request, self._dossier.names
        self._sheet.heading(tr("1. What was asked for"))
        self._sheet.facts(
            [
                (tr("case number"), request.case_number),
                (tr("purpose"), request.purpose),
                (tr("officer who asked"), request.officer),
                (tr("asked at"), said(request.asked_at, self._zone)),
                (tr("box"), _named(names.box, request.device)),
                (tr("camera"), _named(names.camera, request.camera)),
                (tr("range asked for"), span(request.from_time, request.to_time, self._zone)),
                (tr("commune"), request.commune),
            ]
        )

    def _verdict(self) -> None:
        judgement, sheet = self._dossier.judgement, self._sheet
        sheet.heading(tr("2. What the verifier found"))
        sheet.answer(self._upper(VERDICTS[judgement.verdict]))
        sheet.paragraph(tr("That means: {meaning}.", meaning=MEANINGS[judgement.verdict]))
        rows = [tuple(map(self._local, row)) for row in finding_rows(judgement, self._zone)]
        columns = (PrintColumn(tr("file"), 3), PrintColumn(tr("time"), 4), PrintColumn(tr("what was found"), 7))
        sheet.table(columns, rows[:MOST], tr("Nothing was found that is not as the box signed it."))
        self._more(len(rows))
        for note in judgement.notes:
            sheet.paragraph(tr("Note: {note}.", note=self._local(note)))

    def _footage(self) -> None:
        manifest, sheet = self._dossier.judgement.manifest, self._sheet
        sheet.heading(tr("3. What is there of the range"))
        if manifest is None:
            sheet.paragraph(tr("Nobody knows: there is nothing that the box signed."))
            return
        start, end = timeline.span(manifest)
        cells = timeline.bar(manifest, self._dossier.judgement.findings, BAR_CELLS)
        ends = said(start, self._zone), said(end, self._zone)
        sheet.draw(partial(time_bar, cells=cells, marks=MARKS, ends=ends))
        films = [
            (film.name, span(film.start, film.end, self._zone), how)
            for film, how in zip(self._dossier.films, self._recorded(manifest), strict=False)
        ]
        columns = (PrintColumn(tr("film"), 3), PrintColumn(tr("shows"), 5), PrintColumn(tr("how it came"), 6))
        sheet.table(columns, films, tr("There is no film."))
        gaps = list(gap_rows(manifest, self._zone))
        columns = (
            PrintColumn(tr("not recorded"), 6),
            PrintColumn(tr("how long"), 3),
            PrintColumn(tr("why"), 5),
        )
        sheet.table(columns, gaps[:MOST], tr("All of what was asked for was recorded."))
        self._more(len(gaps))
        for clock in manifest.facts.clocks:
            sheet.paragraph(tr("The box's clock while it recorded: {vouched}.", vouched=_vouched(clock.state)))

    def _recorded(self, manifest: PackageManifest) -> Iterator[str]:
        shown = {film.number for film in self._dossier.films}
        for run in manifest.runs:
            if run.number in shown:
                masks = tr("with masks") if run.mask_sha256 else tr("without masks")
                pixels = tr("{width} × {height} pixels", width=run.width_px, height=run.height_px)
                yield joined(", ", [RECORDED[run.recorded], masks, pixels])

    def _files(self) -> None:
        sheet, dossier = self._sheet, self._dossier
        sheet.heading(tr("4. Files and keys"))
        rows = [
            (file.name, size(file.bytes), file.sha256) for file in dossier.files if file.name != "custody.log"
        ]
        columns = (
            PrintColumn(tr("file"), 4),
            PrintColumn(tr("size"), 2, right=True),
            PrintColumn("SHA-256", 9),
        )
        sheet.table(columns, rows[:MOST], tr("There is no file."))
        self._more(len(rows))
        sheet.facts(
            [
                (tr("the box's key"), grouped(dossier.box_key_sha256)),
                (tr("the station's key"), grouped(dossier.station_key_sha256)),
            ],
            name_mm=33,
        )
        sheet.paragraph(
            tr(
                "These are the SHA-256 fingerprints of the public keys. Whoever verifies the package compares "
                "them with those that the verifier shows."
            ),
            small=True,
        )

    def _custody(self) -> None:
        self._sheet.heading(tr("5. Custody log"))
        rows = [
            (str(entry.n), said(entry.at, self._zone), custody_words.act(entry),
             custody_words.done_by(entry), custody_words.detail(entry))
            for entry in self._dossier.judgement.custody
        ]  # fmt: skip
        columns = (
            PrintColumn("", 1), PrintColumn(tr("when"), 4), PrintColumn(tr("step"), 3),
            PrintColumn(tr("by whom"), 4), PrintColumn(tr("more"), 7),
        )  # fmt: skip
        self._sheet.table(columns, rows[-MOST:], tr("The station has signed nothing about it."))

    def _limits(self) -> None:
        sheet = self._sheet
        sheet.heading(tr("6. What a program cannot say"))
        for limit in LIMITS:
            sheet.paragraph(limit)

    def _hand_over(self) -> None:
        sheet, what = self._sheet, self._what
        if what.to is not None:
            sheet.heading(tr("7. Hand-over"))
            sheet.facts(
                [
                    (tr("handed over by"), what.by),
                    (tr("received by"), what.to),
                    (tr("handed over at"), said(what.at, self._zone)),
                ]
            )
        who = [(tr("Handed over by"), what.by), (tr("Received by"), what.to or "")]
        sheet.draw(partial(signatures, who=who))

    def _more(self, number: int) -> None:
        if number > MOST:
            self._sheet.paragraph(tr("and {more:,} more, which the verifier names", more=number - MOST))

    def _local(self, text: str) -> str:
        """With the moments in it as people say them."""
        return in_local_words(translated(text, into=self._what.language), self._zone)

    def _upper(self, text: str) -> str:
        return translated(text, into=self._what.language).upper()


LIMITS: Final = (
    tr("A program made this report out of files; no lawyer wrote it, and nobody watched the films for it."),
    tr(
        "It does not say what the films show, who is seen in them, or what that means. It does not prove that "
        "what was before the lens was true."
    ),
    tr(
        "The hour is as right as the box's clock was: where nobody vouched for it, hours and minutes may be "
        "wrong, durations are right."
    ),
    tr("Whether the footage may be used, and for what, is decided by those whom the law names."),
)


def _named(name: str, topic: str) -> str:
    """As people call it; with the name that stands in the package, where that is another one."""
    return name if name == topic else tr("{name} ({topic})", name=name, topic=topic)


def _vouched(state: str) -> str:
    if state == CORRECTED:
        return tr("nobody vouched for it at first; put right later in the same boot")
    words = {"ntp": tr("kept by the network's time (NTP)"), "rtc": tr("kept by its battery clock")}
    return words.get(state, tr("nobody vouched for it"))
