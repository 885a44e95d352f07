"""agent.core.rules.kinds.zone"""

from __future__ import annotations

from agent.core.rules.kinds.zone import ZoneRule
from tests.support.rule_camera import (
    RuleCamera,
    instant,
    rule_settings,
)


def test_a_zone_is_entered_once_and_left_once() -> None:
    camera = RuleCamera(rule_settings(ZoneRule(id="enter", zone="square")))
    for number in range(60):
        camera.see(camera.track(0.1 + number * 0.015, 0.5))
    assert camera.story() == ["zone_entered start", "zone_entered end left"]
    entered = camera.events[0]
    assert (entered.started, entered.at) == (instant(1.4), instant(1.8)), "it was inside for 0.4 s"
    assert camera.events[0].object.zones == ("square",)  # type: ignore[union-attr]
    assert camera.events[1].object.zones == ()  # type: ignore[union-attr]
    assert camera.events[1].object.entered_zones == ("square",)  # type: ignore[union-attr]


def test_a_predicted_box_enters_nothing() -> None:
    camera = RuleCamera(rule_settings(ZoneRule(id="enter", zone="square")))
    for _ in range(20):
        camera.see(camera.track(0.5, 0.5, seen=False))
    assert camera.events == []
