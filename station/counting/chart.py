"""Counts as a picture: bars in SVG, drawn by pygal, that stand in a page under the strictest content policy.

What pygal gives has a style sheet and a script with its settings; both are taken out, and what the style said
is written on each element. Nothing in it points anywhere.
Bars that are not there and bars of nothing would look alike, so what was not counted is hatched up to the top.
Colours: Masataka Okabe and Kei Ito, "Color Universal Design", 2008: told apart by whoever sees fewer colours.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree

import pygal
from pygal.style import Style

from agent.language import translated
from agent.printable import printable
from agent.translatable import tr
from station.counting.buckets import Step
from station.counting.coverage import Covered
from station.counting.series import CountCell
from station.counting.table import CountRow, CountTable

# It puts a finder of its maps before all imports of the process, of a form that Python warns of since 3.10.
sys.meta_path[:] = [each for each in sys.meta_path if type(each).__module__ != pygal.__name__]

COLOURS: Final = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#6b6b6b")
_SOFT, _GUIDE, _GAP_INK = "#51605b", "#d3dbd8", "#8a9a95"
_LABEL_PX, _LEGEND_PX, _HOURS = 12, 13, 24
_COLOUR: Final = re.compile(r"\bcolor-(\d+)\b")
_FONT: Final = "Segoe UI, Roboto, Noto Sans, Helvetica, Arial, sans-serif"
_SVG: Final = "http://www.w3.org/2000/svg"
NOT_COUNTED: Final = tr("not counted")


@dataclass(frozen=True, slots=True)
class ChartSize:
    """In pixels of the page."""

    width: int
    height: int
    labels: int
    """Below the bars at most."""


WIDE, NARROW = ChartSize(1080, 340, 16), ChartSize(400, 320, 5)


def chart_of(table: CountTable, title: str, size: ChartSize, language: str) -> str:
    """The bars of a table as SVG; `title` says what it shows, to whoever cannot see it."""

    def words(text: str) -> str:
        return printable(translated(text, language))

    top = _top(table)
    gaps = [_gap(row.cell, sum(row.values or ()), top) for row in table.rows]
    has_gaps = any(gaps) or not table.groups
    chart = pygal.StackedBar(_config(size, top, words))
    chart.x_labels = _labels(table, size.labels)
    for at, group in enumerate(table.groups):
        chart.add(words(group), [None if row.values is None else row.values[at] for row in table.rows])
    if has_gaps:
        chart.add(words(NOT_COUNTED), gaps)
    tree = ElementTree.fromstring(chart.render(is_unicode=True))  # noqa: S314 (we have just made it)
    hatch = f"not-counted-{size.width}"  # two pictures of one page have ids of their own
    _strip(tree)
    _paint(tree, gap_series=len(table.groups) if has_gaps else None, hatch=hatch)
    _name(tree, words(title), size, hatch)
    return ElementTree.tostring(tree, encoding="unicode")


def _config(size: ChartSize, top: int, words: Callable[[str], str]) -> pygal.Config:
    return pygal.Config(
        width=size.width,
        height=size.height,
        style=Style(label_font_size=_LABEL_PX, legend_font_size=_LEGEND_PX),
        css=[],
        js=[],
        disable_xml_declaration=True,
        legend_at_bottom=True,
        legend_at_bottom_columns=max(2, size.width // 150),
        show_x_guides=False,
        range=(0, top),
        y_labels=_marks(top),
        value_formatter=lambda number: words(tr("{number:,.0f}", number=number)),
        margin=8,
        margin_bottom=26,
        spacing=8,
        no_data_text="",
        truncate_legend=-1,
        truncate_label=-1,
    )


def _top(table: CountTable) -> int:
    """Of the axis: the highest bar, rounded up to what can be parted into whole steps; 4 at least."""
    highest = max((sum(row.values) for row in table.rows if row.values is not None), default=0)
    unit = int(10 ** max(0, len(str(highest)) - 1))
    return next((unit * times for times in (1, 2, 4, 5, 8, 10) if unit * times >= max(highest, 4)), unit * 10)


def _marks(top: int) -> list[int]:
    """At most five, all of them whole."""
    parts = next(parts for parts in (4, 5, 2, 1) if top % parts == 0)
    return [top * part // parts for part in range(parts + 1)]


def _gap(cell: CountCell, total: int, top: int) -> float | None:
    """How high the hatch is: all the way where nobody counted, above a bar by the share that is missing."""
    if cell.covered is Covered.WHOLE or cell.is_running:
        return None
    return float(top) if cell.covered is Covered.UNKNOWN else min(top - total, (1 - cell.share) * top)


def _labels(table: CountTable, most: int) -> list[str]:
    """Of as many bars as there is room for; of the first hour of days where there are several."""
    rows = table.rows
    is_long = table.step is Step.HOUR and len(rows) > 2 * _HOURS
    firsts = (
        [at for at, row in enumerate(rows) if row.cell.bucket.start.hour == 0] if is_long else range(len(rows))
    )
    every = -(-len(firsts) // most)
    shown = set(firsts[::every]) if firsts else set[int]()
    return [_label(row, is_long=is_long) if at in shown else "" for at, row in enumerate(rows)]


def _label(row: CountRow, *, is_long: bool) -> str:
    return f"{row.cell.bucket.start:%d/%m}" if is_long else str(row.short)


def _strip(tree: ElementTree.Element) -> None:
    """Leave out what is no picture: scripts, styles, what a script would show, and guides without a label."""
    for parent in list(tree.iter()):
        for child in list(parent):
            name, kind = child.tag.rpartition("}")[2], child.get("class", "")
            text = child.find(f"{{{_SVG}}}text")
            is_empty = kind == "guides" and text is not None and not (text.text or "").strip()
            if name in ("defs", "script", "style", "desc", "title") or "overlay" in kind or is_empty:
                parent.remove(child)


def _paint(tree: ElementTree.Element, gap_series: int | None, hatch: str) -> None:
    """What a style sheet would say, on each element."""
    for element, kinds in _within(tree, ()):
        name, own = element.tag.rpartition("}")[2], kinds[-1] if kinds else ""
        if name == "text":
            side = "end" if "axis y" in " ".join(kinds) else "start" if "legends" in kinds else "middle"
            size = _LEGEND_PX if "legends" in kinds else _LABEL_PX
            element.attrib |= {"fill": _SOFT, "font-size": str(size), "text-anchor": side}
        elif name == "path":
            element.attrib |= {"stroke": _SOFT if "axis" in own.split() else _GUIDE, "fill": "none"}
        elif name == "rect" and "background" in own:
            element.set("fill", "none")
        elif name == "rect":
            element.attrib |= _fill(kinds, gap_series, hatch)


def _within(
    element: ElementTree.Element, kinds: tuple[str, ...]
) -> Iterator[tuple[ElementTree.Element, tuple[str, ...]]]:
    """Each element with the classes of those around it, and its own at the end."""
    around = (*kinds, element.get("class", ""))
    yield element, around
    for child in element:
        yield from _within(child, around)


def _fill(kinds: tuple[str, ...], gap_series: int | None, hatch: str) -> dict[str, str]:
    number = next(int(found[1]) for kind in reversed(kinds) if (found := _COLOUR.search(kind)))
    if number == gap_series:
        return {"fill": f"url(#{hatch})", "stroke": _GAP_INK, "stroke-width": "0.5"}
    return {"fill": COLOURS[number % len(COLOURS)]}


def _name(tree: ElementTree.Element, title: str, size: ChartSize, hatch: str) -> None:
    """A name for whoever cannot see it, and the hatch."""
    for noise in ("id", "class"):
        for element in tree.iter():
            element.attrib.pop(noise, None)
    tree.attrib |= {"role": "img", "width": str(size.width), "height": str(size.height), "font-family": _FONT}
    named = ElementTree.Element(f"{{{_SVG}}}title")
    named.text = title
    look = {"id": hatch, "width": "6", "height": "6", "patternUnits": "userSpaceOnUse"}
    pattern = ElementTree.Element(f"{{{_SVG}}}pattern", look)
    ElementTree.SubElement(pattern, f"{{{_SVG}}}rect", {"width": "6", "height": "6", "fill": "#eef1f0"})
    lines = {"d": "M-1 1l2 -2M0 6l6 -6M5 7l2 -2", "stroke": _GAP_INK, "stroke-width": "0.8"}
    ElementTree.SubElement(pattern, f"{{{_SVG}}}path", lines)
    tree.insert(0, named)
    tree.insert(1, pattern)


ElementTree.register_namespace("", _SVG)
