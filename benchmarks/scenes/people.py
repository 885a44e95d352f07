"""How the simulated people walk: they wait at the kerb, pause where they like, and make room for each other."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, hypot, sin
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.scenes.traffic import User

KERB_M = 11.0
"""Metres from the middle of the road at which they wait."""
ROOM_M = 0.8
"""Nobody comes nearer to another."""
ASIDE_M = 0.12
"""How far one steps aside in a tenth of a second to pass another."""
WIDEST_M = 1.2
PATIENCE_S = 5.0
"""Who was held up so long squeezes past at half his speed; else a few who meet block each other for good."""


def step(walkers: Sequence[User], green_s: float, step_s: float) -> None:
    """Everyone walks for `step_s` seconds; people may cross for `green_s` more, 0 or less if not."""
    for user in walkers:
        if _pauses(user, step_s) or _waits(user, green_s):
            user.speed = 0.0
        elif user.held_s < PATIENCE_S and _blocked(user, walkers):
            user.speed = 0.0
            user.held_s += step_s
            _step_aside(user, walkers)
        else:
            user.held_s = max(0.0, user.held_s - step_s)
            user.speed = user.wish
            user.along += user.wish * step_s
            user.offset = max(user.keeps, user.offset - ASIDE_M / 4)
        user.settle()


def near(user: User, users: Sequence[User]) -> bool:
    """Is there somebody where it wants to come in?"""
    return any(
        other.label == "person"
        and hypot(other.place[0] - user.place[0], other.place[1] - user.place[1]) < 1.5 * ROOM_M
        for other in users
    )


def _pauses(user: User, step_s: float) -> bool:
    if not user.pauses or user.along < user.pauses[0][0]:
        return False
    user.paused_s += step_s
    if user.paused_s >= user.pauses[0][1]:
        user.pauses.pop(0)
        user.paused_s = 0.0
    return True


def _waits(user: User, green_s: float) -> bool:
    """At the kerb, while there is not the time to cross."""
    at_kerb = 0.0 <= user.way.stop_m - user.along < 0.3
    return user.way.light is not None and at_kerb and green_s < 2 * KERB_M / user.wish


def _blocked(user: User, walkers: Sequence[User]) -> bool:
    for other in walkers:
        dx, dy = other.place[0] - user.place[0], other.place[1] - user.place[1]
        if other is user or abs(dx) > 1.5 or abs(dy) > 1.5:
            continue
        ahead = dx * cos(user.heading) + dy * sin(user.heading)
        aside = abs(-dx * sin(user.heading) + dy * cos(user.heading))
        first = ahead > 0.05 or (ahead > -0.05 and other.name < user.name)
        if first and aside < 0.6 and ahead < ROOM_M:
            return True
    return False


def _step_aside(user: User, walkers: Sequence[User]) -> None:
    before = user.offset
    user.offset = min(before + ASIDE_M, user.keeps + WIDEST_M)
    user.settle()
    for other in walkers:
        apart = hypot(other.place[0] - user.place[0], other.place[1] - user.place[1])
        if other is not user and apart < 0.6 * ROOM_M:
            user.offset = before
