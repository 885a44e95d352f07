"""Simulated road users as rectangles on the ground."""

from __future__ import annotations

from math import cos, hypot, pi, sin

import numpy as np

from benchmarks.scenes.ground import Floats
from benchmarks.scenes.traffic import SIZES, User


def overlap(a: User, b: User) -> bool:
    """Do two rectangles on the ground meet? By their separating axes, a hand's breadth taken off each side."""
    reach = (hypot(*SIZES[a.label][:2]) + hypot(*SIZES[b.label][:2])) / 2
    if hypot(a.place[0] - b.place[0], a.place[1] - b.place[1]) >= reach:
        return False
    one, two = _corners(a), _corners(b)
    for heading in (a.heading, a.heading + pi / 2, b.heading, b.heading + pi / 2):
        axis = np.array([cos(heading), sin(heading)])
        if (one @ axis).max() < (two @ axis).min() or (two @ axis).max() < (one @ axis).min():
            return False
    return True


def _corners(user: User) -> Floats:
    length, width = SIZES[user.label][0] - 0.1, SIZES[user.label][1] - 0.1
    half = np.array([(length, width), (length, -width), (-length, -width), (-length, width)]) / 2
    turn = np.array([[cos(user.heading), sin(user.heading)], [-sin(user.heading), cos(user.heading)]])
    corners: Floats = half @ turn + np.array(user.place)
    return corners
