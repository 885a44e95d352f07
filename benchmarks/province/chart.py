"""The limits as a picture: how many events a camera may tell in a day before each part gives way. SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import log10
from typing import Final

from benchmarks.province.limits import Limit

LEFT, TOP, WIDTH, ROW, FOOT = 290, 46, 560, 26, 40
LEAST, MOST = 1.0, 7.0
"""Powers of ten that the axis shows."""
BAR: Final = 8


def chart(limits: Mapping[str, Sequence[Limit]], rates: Sequence[int]) -> str:
    """One row of bars for each limit, a bar for each scenario of cameras; lines where the rates are."""
    (first, *others) = limits.items()
    names = [each.what for each in first[1]]
    height = TOP + ROW * len(names) + FOOT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 40} {height}" '
        'font-family="sans-serif" font-size="12">',
        "<title>Events of a camera and day at which each part gives way</title>",
        f'<rect width="{LEFT + WIDTH + 40}" height="{height}" fill="#ffffff"/>',
    ]
    for power in range(int(LEAST), int(MOST) + 1):
        parts.append(_line(_at(10.0**power), height, "#dddddd", f"{10**power:,}", height - 18))
    for rate in rates:
        parts.append(_line(_at(rate), height, "#b00020", f"{rate:,}", TOP - 14))
    for row, name in enumerate(names):
        y = TOP + ROW * row
        parts.append(f'<text x="{LEFT - 8}" y="{y + 15}" text-anchor="end">{escape(name)}</text>')
        for number, (_, found) in enumerate((first, *others)):
            events = next(each.events for each in found if each.what == name)
            colour = "#1f5f8b" if number == 0 else "#8bb8d6"
            width = max(1.0, _at(events) - LEFT)
            parts.append(
                f'<rect x="{LEFT}" y="{y + 3 + number * (BAR + 1)}" width="{width:.1f}" height="{BAR}" '
                f'fill="{colour}"/>'
            )
    for number, (name, _) in enumerate((first, *others)):
        colour = "#1f5f8b" if number == 0 else "#8bb8d6"
        x = 12 + 120 * number
        parts.append(f'<rect x="{x}" y="12" width="{BAR}" height="{BAR}" fill="{colour}"/>')
        parts.append(f'<text x="{x + 14}" y="20">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _at(events: float) -> float:
    """Where a number of events lies from the left."""
    power = min(max(log10(max(events, 1e-9)), LEAST), MOST)
    return LEFT + WIDTH * (power - LEAST) / (MOST - LEAST)


def _line(x: float, height: int, colour: str, text: str, y: float) -> str:
    ink = "#666666" if colour == "#dddddd" else colour
    return (
        f'<line x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{height - FOOT + 8}" stroke="{colour}"/>'
        f'<text x="{x:.1f}" y="{y}" text-anchor="middle" fill="{ink}">{text}</text>'
    )
