"""What a sheet shows beside words: a bar of time, places for signatures, pictures side by side."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from PIL import Image, UnidentifiedImageError

from agent.translatable import tr
from station.handover.print import BOTTOM_MM, MARGIN_MM, WIDTH_MM, Colour, Paper

HIGH_MM: Final = 7.0
_EDGE: Final[Colour] = (120, 128, 140)
_SIGN_MM: Final = 38.0
_PER_ROW, _GAP_MM, _PICTURE_MM, _CAPTION_LINES = 4, 4.0, 30.0, 3
MAX_PIXELS: Final = 4096 * 4096
"""Of a larger picture nothing is shown: it would take all memory."""


@dataclass(frozen=True, slots=True)
class BarMark:
    """How one kind of stretch looks: they differ in lightness, and in a letter for whoever prints in grey."""

    colour: Colour
    letter: str
    meaning: str


def time_bar(paper: Paper, cells: str, marks: dict[str, BarMark], ends: tuple[str, str]) -> None:
    """Cells of equal length, each a key of `marks`; below it begin and end, then what each mark means."""
    paper.room(HIGH_MM + 14)
    paper.ln(1)
    top, left = paper.get_y(), MARGIN_MM
    paper.pen("small", bold=True)
    for key, group in groupby(cells):
        wide = len(list(group)) / len(cells) * WIDTH_MM
        with paper.filled(marks[key].colour):
            paper.rect(left, top, wide, HIGH_MM, style="F")
        if marks[key].letter and wide > 3:
            paper.set_xy(left, top)
            paper.cell(wide, HIGH_MM, marks[key].letter, align="C")
        left += wide
    paper.set_draw_color(*_EDGE)
    paper.rect(MARGIN_MM, top, WIDTH_MM, HIGH_MM)
    high = paper.pen("small")
    paper.set_xy(MARGIN_MM, top + HIGH_MM + 0.8)
    paper.cell(WIDTH_MM / 2, high, paper.words(ends[0]))
    paper.cell(WIDTH_MM / 2, high, paper.words(ends[1]), align="R")
    paper.set_xy(MARGIN_MM, top + HIGH_MM + high + 2.4)
    for key in dict.fromkeys(cells):
        _legend(paper, marks[key], high)
    paper.set_xy(MARGIN_MM, paper.get_y() + high + 2)


def _legend(paper: Paper, mark: BarMark, high: float) -> None:
    words = paper.words(mark.meaning)
    wide = paper.get_string_width(words)
    if paper.get_x() + wide + 10 > MARGIN_MM + WIDTH_MM:
        paper.set_xy(MARGIN_MM, paper.get_y() + high + 1)
    with paper.filled(mark.colour):
        paper.rect(paper.get_x(), paper.get_y() + 0.4, 5, high - 0.8, style="FD")
    if mark.letter:
        paper.cell(5, high, mark.letter, align="C")
        paper.set_x(paper.get_x() - 5)
    paper.set_x(paper.get_x() + 6)
    paper.cell(wide + 5, high, words)


def signatures(paper: Paper, who: Sequence[tuple[str, str]]) -> None:
    """A place for each to sign: what he is, and his name where it is known. All of them on one page."""
    paper.room(_SIGN_MM + 6)
    paper.ln(4)
    top, wide = paper.get_y(), WIDTH_MM / len(who)
    for number, (role, name) in enumerate(who):
        left = MARGIN_MM + number * wide
        lines = [(role, True, 0.0), (tr("(sign, and write the full name)"), False, 5.0), (name, True, 32.0)]
        for text, bold, below in lines:
            high = paper.pen("text" if bold else "small", bold=bold)
            paper.set_xy(left, top + below)
            paper.cell(wide, high, paper.lines(paper.words(text), wide - 4)[0], align="C")
    paper.set_xy(MARGIN_MM, top + _SIGN_MM)


def pictures(paper: Paper, found: Sequence[tuple[bytes, str]]) -> None:
    """JPEG pictures, four side by side, each with a line below it; of a broken one stands that it is broken."""
    wide = (WIDTH_MM - (_PER_ROW - 1) * _GAP_MM) / _PER_ROW
    tall = _PICTURE_MM + _CAPTION_LINES * 4.0 + 3
    for number, (data, caption) in enumerate(found):
        column = number % _PER_ROW
        if column == 0:
            paper.room(tall)
            top = paper.get_y()
        left = MARGIN_MM + column * (wide + _GAP_MM)
        _picture(paper, data, left, top, wide)
        high = paper.pen("small")
        for at, line in enumerate(paper.lines(paper.words(caption), wide)[:_CAPTION_LINES]):
            paper.set_xy(left, top + _PICTURE_MM + 1 + at * high)
            paper.cell(wide, high, line)
        paper.set_xy(MARGIN_MM, min(top + tall, BOTTOM_MM))


def _picture(paper: Paper, data: bytes, left: float, top: float, wide: float) -> None:
    drawn = _plain(data)
    paper.set_draw_color(*_EDGE)
    paper.rect(left, top, wide, _PICTURE_MM)
    if drawn is not None:
        paper.image(drawn, left, top, wide, _PICTURE_MM, keep_aspect_ratio=True)
        return
    high = paper.pen("small")
    paper.set_xy(left, top + _PICTURE_MM / 2 - high / 2)
    paper.cell(wide, high, paper.words(tr("no picture")), align="C")


def _plain(data: bytes) -> io.BytesIO | None:
    """Decoded and encoded again: a sheet carries nothing of a file that a box made but its points."""
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as found:
            if found.width * found.height > MAX_PIXELS:
                return None
            found.draft("RGB", (480, 480))
            drawn = found.convert("RGB")
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError):
        return None
    drawn.thumbnail((480, 480))
    file = io.BytesIO()
    drawn.save(file, "JPEG", quality=85)
    file.seek(0)
    return file
