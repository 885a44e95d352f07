"""agent.core.rules.kinds.crowd"""

from __future__ import annotations

import pytest

from agent.core.rules.kinds.crowd import CrowdRule
from agent.core.types import Box, Track
from tests.support.rule_camera import (
    RuleCamera,
    instant,
    rule_settings,
)


def test_a_crowd_is_many_for_long() -> None:
    camera = RuleCamera(rule_settings(CrowdRule(id="crowd", zone="square", min_count=5, min_s=10, quiet_s=5)))

    def people(count: int) -> list[Track]:
        return [camera.track(0.35 + 0.05 * n, 0.5, f"p{n}", label="person") for n in range(count)]

    for _ in range(30):
        camera.see(*people(4), step_s=1)
    for number in range(30):
        camera.see(*people(5 if number % 4 else 4), step_s=1)
    for _ in range(30):
        camera.see(*people(3), step_s=1)

    assert camera.story() == ["crowd start", "crowd end left"]
    assert camera.events[0].region is not None


@pytest.mark.parametrize(("fewer_s", "crowd"), [(2.0, True), (3.5, False)])
def test_fewer_for_a_moment_do_not_interrupt_a_crowd_that_gathers(fewer_s: float, crowd: bool) -> None:
    rule = CrowdRule(id="crowd", zone="square", min_count=2, min_s=6, gap_s=3, quiet_s=5)
    camera = RuleCamera(rule_settings(rule, link_s=0))
    for number in range(16):
        pair = [camera.track(x, 0.5, name, label="person") for name, x in (("one", 0.4), ("two", 0.6))]
        fewer = 4 <= number / 2 < 4 + fewer_s
        camera.see(*(pair[:1] if fewer else pair), step_s=0.5)

    assert (camera.story() == ["crowd start"]) is crowd


def test_the_region_of_a_crowd_holds_all_that_are_counted_and_nobody_else() -> None:
    rule = CrowdRule(id="crowd", zone="square", min_count=2, min_s=0, quiet_s=5)
    camera = RuleCamera(rule_settings(rule))
    for _ in range(8):
        people = [camera.track(x, y, f"p{x}", label="person") for x, y in ((0.4, 0.6), (0.6, 0.5))]
        camera.see(*people, camera.track(0.35, 0.35, "car"), camera.track(0.1, 0.9, "far", label="person"))
    event = camera.events[0]
    box = Box(0.4 - 0.03, 0.5 - 0.08, 0.6 + 0.03, 0.6)

    assert (event.region, event.started, event.object) == (box, instant(0.4), None)
