"""agent.core.rules.movers"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.core.rules import movers
from agent.core.rules.movers import Lasting, MoverInput, Movers
from agent.core.types import Box, Instant, Size

FRAME = Size(1280, 720)
LASTING = Lasting(min_s=1.0, stay_s=4.0, gap_s=0.6, quiet_s=5.0)


def box(x: float, y: float = 0.5, wide: float = 0.05, high: float = 0.2) -> Box:
    return Box(x, y, x + wide, y + high)


def followed(frames: Sequence[Sequence[Box]], step_s: float = 0.125, known: Movers | None = None) -> Movers:
    known = known or Movers()
    begin_s = known.at.mono_s + step_s if known.at else 0.0
    for index, regions in enumerate(frames):
        at_s = begin_s + index * step_s
        known = movers.follow(known, MoverInput(Instant(at_s, at_s), FRAME, regions, ()), LASTING)
    return known


def test_somebody_who_goes_stays_one_mover_at_any_frame_rate() -> None:
    for step_s in (0.04, 0.125, 1.0):
        known = followed([[box(0.1 + 0.1 * n * step_s)] for n in range(round(5 / step_s))], step_s)
        assert known.counted == 1
        assert known.known[0].lasts.on
        assert known.known[0].went


def test_whoever_comes_elsewhere_soon_after_is_another() -> None:
    first = followed([[box(0.1 + 0.01 * n)] for n in range(20)])
    both = followed([*[[]] * 16, *[[box(0.7 + 0.01 * n)] for n in range(12)]], known=first)
    assert both.counted == 2


def test_who_rests_for_a_moment_and_goes_on_is_the_same() -> None:
    first = followed([[box(0.1 + 0.01 * n)] for n in range(20)])
    assert followed([*[[]] * 16, [box(0.31)]], known=first).counted == 1


def test_parts_of_somebody_are_no_movers_of_their_own() -> None:
    known = followed([[box(0.1 + 0.01 * n), box(0.11 + 0.01 * n, 0.69, 0.02, 0.02)] for n in range(20)])
    assert known.counted == 1


def test_what_was_quiet_for_long_is_forgotten() -> None:
    first = followed([[box(0.1 + 0.01 * n)] for n in range(20)])
    assert followed([[]] * 60, known=first).known == ()


def test_a_region_that_road_users_cover_is_theirs_and_one_beside_them_is_not() -> None:
    users = [box(0.1), box(0.16)]
    assert movers.explained(Box(0.09, 0.48, 0.22, 0.74), users)
    assert not movers.explained(box(0.3), users)
    assert not movers.explained(box(0.1), [])


def test_who_was_followed_once_stays_a_road_user() -> None:
    known = Movers()
    for n in range(20):
        users = [box(0.1 + 0.01 * n)] if n == 5 else []
        seen = MoverInput(Instant(n / 8, n / 8), FRAME, [box(0.1 + 0.01 * n)], users)
        known = movers.follow(known, seen, LASTING)
    assert known.known[0].followed


def test_what_hovers_goes_nowhere_however_long_its_way_is() -> None:
    lamp = [[box(0.5 + 0.03 * np.sin(2.9 * n), 0.2 + 0.03 * np.sin(2.1 * n), 0.02, 0.03)] for n in range(24)]
    known = followed(lamp)
    assert not any(mover.went for mover in known.known)


def test_who_comes_nearer_goes_somewhere() -> None:
    coming = [[box(0.5 - 0.002 * n, 0.5 - 0.004 * n, 0.05 + 0.004 * n, 0.1 + 0.008 * n)] for n in range(20)]
    assert followed(coming).known[0].went
