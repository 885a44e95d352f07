"""agent.core.rules.kinds.motion"""

from __future__ import annotations

from agent.core.rules.kinds.motion import MotionRule
from agent.core.types import Box, Motion
from tests.support.rule_camera import (
    RuleCamera,
    instant,
    rule_settings,
)

MOVING = Motion((Box(0.5, 0.5, 0.6, 0.6), Box(0.1, 0.1, 0.12, 0.12)), 0.01)


def test_motion_starts_when_it_lasts_and_ends_when_it_is_quiet() -> None:
    camera = RuleCamera(rule_settings(MotionRule(id="motion")))
    for _ in range(3):
        camera.see(motion=MOVING)
    for _ in range(10):
        camera.see()
    assert camera.events == []

    for _ in range(15):
        camera.see(motion=MOVING)
    for _ in range(60):
        camera.see()
    assert camera.story() == ["motion start", "motion end left"]
    assert camera.events[0].region == MOVING.regions[0]
    assert camera.events[0].started == instant(1.3)


def test_motion_outside_the_zone_of_its_rule_is_not_told() -> None:
    camera = RuleCamera(rule_settings(MotionRule(id="motion", zone="square")))
    for _ in range(30):
        camera.see(motion=Motion((Box(0.0, 0.0, 0.2, 0.2),), 0.04))
    assert camera.events == []


def test_a_scene_that_is_being_learned_neither_starts_nor_ends_motion() -> None:
    camera = RuleCamera(rule_settings(MotionRule(id="motion")))
    learning = Motion((), 0.5, settling=True)
    for _ in range(20):
        camera.see(motion=MOVING)
    for _ in range(100):
        camera.see(motion=learning)
    assert camera.story() == ["motion start"]
    camera.see()
    assert camera.story() == ["motion start", "motion end left"]


def test_a_much_larger_region_is_told_because_it_makes_a_better_picture() -> None:
    camera = RuleCamera(rule_settings(MotionRule(id="motion")))
    for _ in range(20):
        camera.see(motion=MOVING)
    for _ in range(40):
        camera.see(motion=Motion((Box(0.4, 0.4, 0.6, 0.6),), 0.04))

    assert camera.story() == ["motion start", "motion update"]
