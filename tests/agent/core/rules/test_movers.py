"""agent.core.rules.movers"""

from __future__ import annotations

from collections.abc import Sequence

from agent.core.rules import movers
from agent.core.rules.movers import Lasting, Movers
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
        known = movers.follow(known, regions, Instant(at_s, at_s), FRAME, LASTING)
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
