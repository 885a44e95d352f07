"""Sheets of A4 as PDF: headings, tables that go on over pages, pictures, and on each page by whom and when.

Invariants
1. No text breaks a sheet: a letter that the font lacks is □, a word longer than its line is cut there, a row
   longer than a page goes on on the next one.
2. The same words, pictures and moment give the same bytes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, cast

from fpdf import FPDF
from fpdf.enums import MethodReturnValue, XPos, YPos

from agent.language import translated
from agent.translatable import tr
from station.handover.letters import BOX, FONTS, shown
from station.handover.moments import said

MARGIN_MM: Final = 18.0
WIDTH_MM: Final = 210 - 2 * MARGIN_MM
"""Between the margins."""
BOTTOM_MM: Final = 297 - 20.0
_SIZES: Final = {"title": 16.0, "heading": 11.5, "text": 9.5, "small": 8.0}
_HIGH_MM: Final = {"title": 7.5, "heading": 5.6, "text": 4.7, "small": 4.0}
_INK, _SOFT, _RULE, _HEAD = (28, 36, 48), (96, 104, 116), (196, 202, 210), (236, 239, 243)
_PAD_MM: Final = 1.2

Kind = Literal["title", "heading", "text", "small"]
Colour = tuple[int, int, int]
for _name in ("fontTools", "fpdf"):  # they tell each step of making a font smaller
    logging.getLogger(_name).setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class PrintColumn:
    """One column of a table."""

    heading: str
    share: float
    """Of the width, in whatever unit the others have theirs."""
    right: bool = False
    """Numbers stand right."""


@dataclass(frozen=True, slots=True)
class Imprint:
    """What stands below each page."""

    at: datetime
    """Aware, in the zone in which it is to be read."""
    by: str


class Paper(FPDF):
    """One PDF while it is drawn; everything that it is given goes through `words` first."""

    def __init__(self, title: str, language: str, imprint: Imprint, pages: int) -> None:
        super().__init__(format="A4")
        self._title, self._imprint, self._pages = title, imprint, pages
        self.language = language
        self.set_creation_date(imprint.at)
        self.set_title(self.words(title))
        self.set_lang(language)
        self.set_producer("ngatu")
        self.set_margins(MARGIN_MM, MARGIN_MM, MARGIN_MM)
        self.set_auto_page_break(False)
        self.alias_nb_pages("")  # a text that happens to be the alias stays what it is
        for style, file in FONTS.items():
            self.add_font("roboto", style, file)
        for font in self.fonts.values():
            _add_box(font)
        self.add_page()

    def words(self, text: str) -> str:
        """As it is printed."""
        return shown(translated(text, into=self.language))

    def footer(self) -> None:
        """By whom and when, and which page it is. FPDF calls it."""
        self.pen("small", colour=_SOFT)
        self.set_xy(MARGIN_MM, BOTTOM_MM + 6)
        made = tr(
            "made {time} by {by}", time=said(self._imprint.at, _zone(self._imprint.at)), by=self._imprint.by
        )
        page = self.words(tr("page {page} of {pages}", page=self.page_no(), pages=self._pages))
        wide = self.get_string_width(page) + 2
        lines = self.lines(self.words(made), WIDTH_MM - wide)
        self.cell(WIDTH_MM - wide, 4, lines[0])
        self.cell(wide, 4, page, align="R")

    def pen(self, kind: Kind, *, bold: bool = False, colour: Colour = _INK) -> float:
        """Choose how the next words look; gives back how high a line is, mm."""
        self.set_font("roboto", "B" if bold else "", _SIZES[kind])
        self.set_text_color(*colour)
        return _HIGH_MM[kind]

    def lines(self, words: str, wide_mm: float) -> list[str]:
        """Words that went through `words`, cut into lines of this width; one at least."""
        found: Any = self.multi_cell(wide_mm, 1, words, dry_run=True, output=MethodReturnValue.LINES, align="L")
        return [str(line) for line in found] or [""]

    def room(self, high_mm: float) -> bool:
        """Go on on a new page if so much does not fit on this one; whether it did."""
        if self.get_y() + high_mm <= BOTTOM_MM:
            return False
        self.add_page()
        return True

    def block(self, text: str, wide_mm: float = WIDTH_MM, high_mm: float = 4.7, align: str = "L") -> None:
        """Lines of words from the left margin on, over pages if need be."""
        for line in self.lines(self.words(text), wide_mm):
            self.room(high_mm)
            self.set_x(MARGIN_MM)
            self.cell(wide_mm, high_mm, line, align=align, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def rule(self) -> None:
        """A thin line over the width, here."""
        self.set_draw_color(*_RULE)
        self.set_line_width(0.2)
        self.line(MARGIN_MM, self.get_y(), MARGIN_MM + WIDTH_MM, self.get_y())

    @contextmanager
    def filled(self, colour: Colour) -> Iterator[None]:
        """Rectangles have this colour."""
        self.set_fill_color(*colour)
        yield
        self.set_fill_color(255, 255, 255)


class Sheet:
    """A document: told block by block, drawn at the end, when it is known how many pages there are."""

    def __init__(self, title: str, language: str, imprint: Imprint) -> None:
        """`language` is that of the document, whatever the process speaks."""
        self._head = title, language, imprint
        self._blocks: list[Callable[[Paper], object]] = []

    def draw(self, block: Callable[[Paper], object]) -> None:
        """Anything else; it is called twice, and draws from where the paper stands."""
        self._blocks.append(block)

    def title(self, text: str, below: str = "") -> None:
        """The document's name, in the middle, and a line below it."""

        def draw(paper: Paper) -> None:
            paper.block(text, high_mm=paper.pen("title", bold=True), align="C")
            if below:
                paper.block(below, high_mm=paper.pen("text", colour=_SOFT), align="C")
            paper.ln(3)

        self.draw(draw)

    def motto(self, state: str, below: str) -> None:
        """The country's name and motto, above all else."""

        def draw(paper: Paper) -> None:
            for text in (state, below):
                paper.block(text, high_mm=paper.pen("text", bold=True), align="C")
            paper.set_draw_color(*_INK)
            paper.line(
                MARGIN_MM + WIDTH_MM / 2 - 22, paper.get_y(), MARGIN_MM + WIDTH_MM / 2 + 22, paper.get_y()
            )
            paper.ln(6)

        self.draw(draw)

    def heading(self, text: str) -> None:
        """Never the last on its page."""

        def draw(paper: Paper) -> None:
            paper.room(24)
            paper.ln(3)
            paper.block(text, high_mm=paper.pen("heading", bold=True))
            paper.rule()
            paper.ln(1.2)

        self.draw(draw)

    def paragraph(self, text: str, *, small: bool = False) -> None:
        """Words over the whole width."""

        def draw(paper: Paper) -> None:
            paper.block(text, high_mm=paper.pen("small" if small else "text", colour=_SOFT if small else _INK))
            paper.ln(1)

        self.draw(draw)

    def answer(self, text: str) -> None:
        """The one line that a reader looks for, in a frame."""

        def draw(paper: Paper) -> None:
            paper.ln(1)
            top, high = paper.get_y(), paper.pen("heading", bold=True)
            lines = paper.lines(paper.words(text), WIDTH_MM - 8)
            tall = len(lines) * high + 4
            paper.set_draw_color(*_INK)
            paper.set_line_width(0.5)
            paper.rect(MARGIN_MM, top, WIDTH_MM, tall)
            for number, line in enumerate(lines):
                paper.set_xy(MARGIN_MM + 4, top + 2 + number * high)
                paper.cell(WIDTH_MM - 8, high, line)
            paper.set_xy(MARGIN_MM, top + tall + 2)

        self.draw(draw)

    def facts(self, pairs: Sequence[tuple[str, str]], name_mm: float = 46) -> None:
        """Names on the left, what they are on the right."""
        columns = (PrintColumn("", name_mm), PrintColumn("", WIDTH_MM - name_mm))
        self.draw(lambda paper: _Table(paper, columns, soft_first=True).draw(pairs))

    def table(self, columns: Sequence[PrintColumn], rows: Sequence[Sequence[str]], empty: str) -> None:
        """Rows below their headings, which stand again on each page; `empty` says that there are none."""
        if rows:
            self.draw(lambda paper: _Table(paper, columns).draw(rows))
        else:
            self.paragraph(empty)

    def bytes(self) -> bytes:
        """The PDF."""
        with self._drawn(0) as counted:
            pages = counted.pages_count  # only now it is known how many there are
        with self._drawn(pages) as paper:
            return bytes(paper.output())

    @contextmanager
    def _drawn(self, pages: int) -> Iterator[Paper]:
        paper = Paper(*self._head, pages)
        try:
            for block in self._blocks:
                block(paper)
            yield paper
        finally:
            for font in paper.fonts.values():
                cast(Any, font).ttfont.close()


class _Table:
    """Rows on paper; invariant 1 holds for each cell."""

    def __init__(self, paper: Paper, columns: Sequence[PrintColumn], *, soft_first: bool = False) -> None:
        whole = sum(column.share for column in columns)
        self._paper, self._columns, self._soft = paper, columns, soft_first
        self._widths = [column.share / whole * WIDTH_MM for column in columns]
        self._headed = any(column.heading for column in columns)

    def draw(self, rows: Sequence[Sequence[str]]) -> None:
        self._paper.ln(0.6)
        self._paper.room(14)
        self._headings()
        for row in rows:
            self._row(row)
        self._paper.ln(1.5)

    def _headings(self) -> None:
        if not self._headed:
            return
        paper, high = self._paper, self._paper.pen("small", bold=True)
        cells = self._cells([column.heading for column in self._columns])
        tall = max(map(len, cells)) * high + 2 * _PAD_MM
        with paper.filled(_HEAD):
            paper.rect(MARGIN_MM, paper.get_y(), WIDTH_MM, tall, style="F")
        self._lines(cells, high)

    def _row(self, row: Sequence[str]) -> None:
        paper = self._paper
        high = paper.pen("text" if not self._headed else "small")
        cells = self._cells(row)
        most = int((BOTTOM_MM - MARGIN_MM - 20) / high)
        while any(cells):
            now = [cell[:most] for cell in cells]
            if paper.room(max(map(len, now)) * high + 2 * _PAD_MM):
                self._headings()
                paper.pen("text" if not self._headed else "small")
            self._lines(now, high)
            if self._headed:
                paper.rule()
            cells = [cell[most:] for cell in cells]

    def _cells(self, texts: Sequence[str]) -> list[list[str]]:
        return [
            self._paper.lines(self._paper.words(text), wide - 2 * _PAD_MM)
            for text, wide in zip(texts, self._widths, strict=True)
        ]

    def _lines(self, cells: Sequence[Sequence[str]], high_mm: float) -> None:
        paper, left, top = self._paper, MARGIN_MM, self._paper.get_y()
        pad = _PAD_MM if self._headed else 0.3
        for number, (cell, wide, column) in enumerate(zip(cells, self._widths, self._columns, strict=True)):
            paper.set_text_color(*(_SOFT if self._soft and not number else _INK))
            for at, line in enumerate(cell):
                paper.set_xy(left + _PAD_MM, top + pad + at * high_mm)
                paper.cell(wide - 2 * _PAD_MM, high_mm, line, align="R" if column.right else "L")
            left += wide
        paper.set_xy(MARGIN_MM, top + 2 * pad + max(map(len, cells)) * high_mm)


def _add_box(font: Any) -> None:
    """The font's own sign for what it lacks, under the name of □: so it is found as □ in the text, too."""
    code = ord(BOX)
    font.cmap[code], font.glyph_ids[code], font.cw[code] = ".notdef", 0, font.desc.missing_width


def _zone(at: datetime) -> Any:
    assert at.tzinfo is not None, "a moment on paper has its zone"
    return at.tzinfo
