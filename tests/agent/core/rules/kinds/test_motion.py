"""agent.core.rules.kinds.motion"""

from __future__ import annotations

from agent.core.rules.kinds.motion import MotionRule
from agent.core.types import Box, Motion
from tests.support.rule_camera import (
    RuleCamera,
    instant,
    rule_settings,
)

MOVING = Motion((Box(0.5, 0.5, 0.6, 0.6),), 0.01)


def walking(step: int, left: float = 0.1) -> Box:
    """Somebody who goes to the right."""
    return Box(left + 0.01 * step, 0.5, left + 0.05 + 0.01 * step, 0.7)


def test_motion_starts_when_it_lasts_and_ends_when_it_is_quiet() -> None:
    camera = RuleCamera(rule_settings(MotionRule(id="motion")))
    for _ in range(3):
        camera.see(motion=MOVING)
    for _ in range(10):
        camera.see()
    assert camera.events == []

    for step in range(15):
        camera.see(motion=Motion((walking(step),), 0.01))
    for _ in range(60):
        camera.see()
    assert camera.story() == ["motion start", "motion end left"]
    assert camera.events[0].region == walking(11)
    assert camera.events[0].started == instant(1.3)


def test_what_goes_nowhere_is_told_when_it_lasted_longer() -> None:
    camera = RuleCamera(rule_settings(MotionRule(id="motion")))
    for _ in range(40):
        camera.see(motion=MOVING)
    assert camera.events == []

    camera.see(motion=MOVING)
    assert camera.story() == ["motion start"]
    assert camera.events[0].started == instant(0.0)


def test_two_that_move_are_two_events_each_with_its_region() -> None:
    camera = RuleCamera(rule_settings(MotionRule(id="motion")))
    for step in range(30):
        both = (walking(step), *((walking(step, left=0.6),) if step >= 10 else ()))
        camera.see(motion=Motion(both, 0.02))

    assert camera.story() == ["motion start", "motion start"]
    assert [event.region for event in camera.events] == [walking(10), walking(20, left=0.6)]


def test_who_walks_through_what_flits_has_the_only_event() -> None:
    camera = RuleCamera(rule_settings(MotionRule(id="motion")))
    for step in range(30):
        x, y = (step * 37 % 90) / 100, (step * 53 % 40) / 100
        insect = Box(x, y, x + 0.02, y + 0.02)
        camera.see(motion=Motion((walking(step), insect), 0.02))

    assert camera.story() == ["motion start"]
    assert camera.events[0].region == walking(10)


def test_no_more_events_are_open_at_once_than_the_rule_allows() -> None:
    camera = RuleCamera(rule_settings(MotionRule(id="motion", max_events=1)))
    for step in range(30):
        camera.see(motion=Motion((walking(step), walking(step, left=0.6)), 0.02))

    assert camera.story() == ["motion start"]


def test_motion_outside_the_zone_of_its_rule_is_not_told() -> None:
    camera = RuleCamera(rule_settings(MotionRule(id="motion", zone="square")))
    for _ in range(30):
        camera.see(motion=Motion((Box(0.0, 0.0, 0.2, 0.2),), 0.04))
    assert camera.events == []


def test_a_scene_that_is_being_learned_neither_starts_nor_ends_motion() -> None:
    camera = RuleCamera(rule_settings(MotionRule(id="motion")))
    learning = Motion((), 0.5, settling=True)
    for _ in range(45):
        camera.see(motion=MOVING)
    for _ in range(100):
        camera.see(motion=learning)
    assert camera.story() == ["motion start"]
    camera.see()
    assert camera.story() == ["motion start", "motion end left"]


def test_a_much_larger_region_is_told_because_it_makes_a_better_picture() -> None:
    camera = RuleCamera(rule_settings(MotionRule(id="motion")))
    for _ in range(45):
        camera.see(motion=MOVING)
    for _ in range(40):
        camera.see(motion=Motion((Box(0.4, 0.4, 0.6, 0.6),), 0.04))

    assert camera.story() == ["motion start", "motion update"]
