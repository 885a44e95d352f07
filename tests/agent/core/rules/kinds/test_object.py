"""agent.core.rules.kinds.object"""

from __future__ import annotations

import numpy as np

from agent.core.rules.kinds.object import ObjectRule
from agent.core.types import Box, Phase, Shot
from tests.support.rule_camera import (
    RuleCamera,
    instant,
    rule_settings,
)


def test_an_object_is_told_when_confirmed_and_ends_when_it_leaves() -> None:
    camera = RuleCamera(rule_settings(ObjectRule(id="objects")))
    camera.see(camera.track(0.9, 0.5, confirmed=False))
    camera.see(camera.track(0.93, 0.5))
    camera.see(camera.track(0.98, 0.5, ended=True))
    camera.see()

    assert camera.story() == ["object start", "object end left"]
    end = camera.events[-1]
    assert end.object is not None
    assert end.object.ended == instant(0.2)


def test_an_object_that_is_lost_in_the_middle_is_waited_for_then_ends() -> None:
    camera = RuleCamera(rule_settings(ObjectRule(id="objects"), link_s=1.0))
    camera.see(camera.track(0.5, 0.5))
    camera.see(camera.track(0.5, 0.5, ended=True))
    for _ in range(12):
        camera.see()

    assert camera.story() == ["object start", "object end lost"]


def test_an_object_is_told_again_when_something_changed_or_a_minute_is_over() -> None:
    camera = RuleCamera(rule_settings(ObjectRule(id="objects")))
    for second in range(130):
        camera.see(camera.track(0.5, 0.2, stationary=second >= 10), step_s=1.0)

    seconds = [e.at.mono_s for e in camera.events]
    assert seconds == [0.0, 10.0, 70.0]


def shot(quality: float, second: float) -> Shot:
    return Shot(np.zeros((4, 4, 3), np.uint8), instant(second), Box(0, 0, 1, 1), quality)


def test_the_best_picture_is_told_when_it_is_clearly_better_and_not_too_often() -> None:
    camera = RuleCamera(rule_settings(ObjectRule(id="objects")))
    camera.see(camera.track(0.5, 0.5), shots={"one": shot(0.3, 0.0)}, step_s=1)
    camera.see(camera.track(0.5, 0.5), shots={"one": shot(0.5, 1.0)}, step_s=1)  # too soon
    camera.see(camera.track(0.5, 0.5), shots={"one": shot(0.6, 2.0)}, step_s=1)
    camera.see(camera.track(0.5, 0.5), step_s=1)
    for _ in range(8):
        camera.see(camera.track(0.5, 0.5), step_s=1)
    camera.see(camera.track(0.5, 0.5), shots={"one": shot(0.65, 12.0)}, step_s=1)  # hardly better
    camera.see(camera.track(0.99, 0.5, ended=True))

    qualities = [e.thumbnail.quality if e.thumbnail else None for e in camera.events]
    assert [e.phase for e in camera.events] == [Phase.START, Phase.UPDATE, Phase.END]
    assert qualities == [0.3, 0.6, 0.65]


def test_an_end_has_no_picture_when_the_best_one_was_told() -> None:
    camera = RuleCamera(rule_settings(ObjectRule(id="objects")))
    camera.see(camera.track(0.5, 0.5), shots={"one": shot(0.3, 0.0)})
    camera.see(camera.track(0.99, 0.5, ended=True))

    assert [e.thumbnail is None for e in camera.events] == [False, True]


def test_a_path_stays_short_however_long_the_track() -> None:
    camera = RuleCamera(rule_settings(ObjectRule(id="objects")))
    for number in range(4000):
        camera.see(camera.track(0.2 + number * 0.0001, 0.5), step_s=0.5)
    camera.close()

    path = camera.events[-1].object.path  # type: ignore[union-attr]
    assert 16 <= len(path) <= 32
    assert path[0][0] == 0.0
    assert path[-1][0] > 1700
