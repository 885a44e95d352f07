"""Curves of a training, as points of an SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe and Ito, "Color Universal Design", 2008."""
WIDE, HIGH = 600, 220


@dataclass(frozen=True, slots=True)
class Curve:
    """A line through a picture of `WIDE` by `HIGH` pixels.

    Attributes:
        points: "x,y x,y …", as a polyline has them.
        colour: As CSS has it.
        name: What it shows.
        last: Its last value, to be read.
    """

    points: str
    colour: str
    name: str
    last: str


def curve(places: Sequence[float], values: Sequence[float], most: float, colour: str, name: str) -> Curve:
    """Values over places, none below zero; the largest place at the right, `most` at the top."""
    right = max(places, default=0.0) or 1.0
    points = [
        f"{WIDE * place / right:.1f},{HIGH * (1 - value / most):.1f}"
        for place, value in zip(places, values, strict=True)
    ]
    return Curve(" ".join(points), colour, name, f"{values[-1]:.2f}" if values else "")
