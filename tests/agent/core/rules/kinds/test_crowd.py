"""agent.core.rules.kinds.crowd"""

from __future__ import annotations

from agent.core.rules.kinds.crowd import CrowdRule
from agent.core.types import Track
from tests.support.rule_camera import (
    RuleCamera,
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
