"""Adds floats alike on every Python.

`sum` of floats rounds otherwise since Python 3.12 (it compensates, after Neumaier 1974), and now and then a
last digit decides on which side of a limit something lies. A replay must give the same bytes on boards of
either.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import add


def plain_sum(values: Iterable[float]) -> float:
    """The values added from the first to the last, each time rounded; 0.0 of none."""
    return reduce(add, values, 0.0)
