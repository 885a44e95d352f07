"""agent.core.sampling.missed_motion"""

from __future__ import annotations

from agent.core.sampling.missed_motion import LINGER_S, MissedMotion, follow
from agent.core.types import Box, Crop, Detection, Motion, Reason
from tests.support.sampled_frames import LOOKED, at, track

HIGH = 0.2


def box(left: float, width: float = 0.1) -> Box:
    return Box(left, 0.4, left + width, 0.4 + HIGH)


def walk(
    lefts: list[float],
    found: tuple[Detection, ...] = (),
    crops: tuple[Crop, ...] = LOOKED,
    step_s: float = 0.5,
) -> tuple[MissedMotion, ...]:
    known: tuple[MissedMotion, ...] = ()
    for number, left in enumerate(lefts):
        motion = Motion((box(left),), 0.1)
        known = follow(known, at(number * step_s), motion, crops, found, ())
    return known


def due(known: tuple[MissedMotion, ...], last_s: float) -> list[MissedMotion]:
    return [each for each in known if each.due(at(last_s), 1.5, 0.04)]


def test_what_goes_by_without_being_found_is_due_once_it_has_gone_far_and_long_enough() -> None:
    lefts = [0.1 + 0.04 * n for n in range(6)]

    assert not due(walk(lefts[:3]), 1.0), "one second is too short"
    (missed,) = due(walk(lefts), 2.5)
    assert missed.box == box(lefts[-1])
    assert missed.looks == 6


def test_a_branch_that_moves_and_goes_nowhere_is_never_due() -> None:
    assert not due(walk([0.3, 0.31] * 10), 9.5)


def test_what_is_found_or_followed_is_not_missed() -> None:
    lefts = [0.1 + 0.04 * n for n in range(6)]
    everywhere = Detection("car", 0.3, Box(0.0, 0.3, 1.0, 0.7))

    assert not walk(lefts, (everywhere,))
    motion = Motion((box(0.3),), 0.1)
    assert not follow((), at(0), motion, LOOKED, (), (track(box(0.3)),))


def test_where_the_detector_did_not_look_nothing_is_proved() -> None:
    lefts = [0.1 + 0.04 * n for n in range(6)]
    elsewhere = (Crop(Box(0.8, 0.8, 1.0, 1.0), Reason.MOTION),)

    known = walk(lefts, crops=elsewhere)
    assert [each.looks for each in known] == [0]
    assert not due(known, 2.5)


def test_what_stopped_lingers_a_while_where_it_was() -> None:
    known = walk([0.1, 0.14])
    still = follow(known, at(2.0), Motion((), 0.0), LOOKED, (), ())

    assert [each.box for each in still] == [box(0.14)]
    assert not follow(still, at(1.0 + LINGER_S + 0.1), Motion((), 0.0), LOOKED, (), ())


def test_two_that_pass_each_other_stay_two() -> None:
    known: tuple[MissedMotion, ...] = ()
    for number in range(5):
        regions = (box(0.1 + 0.03 * number), box(0.8 - 0.03 * number))
        known = follow(known, at(number * 0.5), Motion(regions, 0.1), LOOKED, (), ())

    assert len(known) == 2
    assert {round(each.first_box.left, 2) for each in known} == {0.1, 0.8}
