"""agent.core.rules.kinds.motion"""

from __future__ import annotations

import pytest

from agent.core.rules.kinds.motion import MotionRule
from agent.core.types import Box, Motion, Phase
from tests.support.rule_camera import (
    RuleCamera,
    instant,
    rule_settings,
)

MOVING = Motion((Box(0.5, 0.5, 0.6, 0.6),), 0.01)


def walking(step: int, left: float = 0.1) -> Box:
    """Somebody who goes to the right."""
    return Box(left + 0.018 * step, 0.5, left + 0.05 + 0.018 * step, 0.7)


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
    for _ in range(60):
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


def test_who_goes_slowly_while_the_pole_sways_is_told_where_the_frame_shows_him() -> None:
    camera = RuleCamera(rule_settings(MotionRule(id="motion")))
    for step in range(20):
        x, y = ((0.05, 0.04), (-0.05, -0.03), (0.0, 0.05))[step % 3]
        walker = Box(0.3 + 0.006 * step, 0.5, 0.33 + 0.006 * step, 0.56).moved(x, y)
        camera.see(motion=Motion((walker,), 0.01, shift=(x, y)))
        if camera.events:
            break
    assert camera.story() == ["motion start"]
    region = camera.events[0].region
    assert region is not None
    assert (region.left, region.bottom) == pytest.approx((walker.left, walker.bottom))


def test_what_a_sway_brings_out_of_the_frame_is_told_within_it() -> None:
    camera = RuleCamera(rule_settings(MotionRule(id="motion")))
    for step in range(80):
        x = 0.05 if step % 2 else 0.0
        camera.see(motion=Motion((Box(0.9 + x, 0.5, min(1.0, 0.99 + x), 0.6),), 0.01, shift=(x, 0.0)))
    assert camera.story() == ["motion start"]
    assert all(event.region is not None and event.region.right <= 1 for event in camera.events)


@pytest.mark.parametrize(("x", "y"), [(0.06, 0.0), (-0.06, 0.0), (0.0, 0.06), (0.0, -0.06)])
def test_what_a_sway_brings_wholly_out_of_the_frame_still_has_a_region(x: float, y: float) -> None:
    camera = RuleCamera(rule_settings(MotionRule(id="motion")))
    at = Box(0.0 if x < 0 else 0.96, 0.0 if y < 0 else 0.96, 0.04 if x < 0 else 1.0, 0.04 if y < 0 else 1.0)
    for _ in range(200):
        camera.see(motion=Motion((at,), 0.01))
    for _ in range(200):
        camera.see(motion=Motion((), 0.0, shift=(x, y)))

    assert len(camera.events) > 1
    for event in camera.events:
        assert event.region is not None
        assert event.region.area > 0
        assert min(event.region.left, event.region.top) >= 0
        assert max(event.region.right, event.region.bottom) <= 1


def test_what_has_no_room_for_an_event_of_its_own_shares_one() -> None:
    camera = RuleCamera(rule_settings(MotionRule(id="motion", own_events=1)))
    for step in range(30):
        three = (walking(step), walking(step, left=0.4), walking(step, left=0.7))
        camera.see(motion=Motion(three, 0.02))

    assert camera.story() == ["motion start", "motion start"]


def test_on_a_busy_street_no_more_than_so_many_in_ten_minutes_have_one_of_their_own() -> None:
    camera = RuleCamera(rule_settings(MotionRule(id="motion", own_events=3)))
    for passer in range(20):
        for step in range(25):
            camera.see(motion=Motion((walking(step, left=0.05 + 0.2 * (passer % 3)),), 0.01))
    starts = [event for event in camera.events if event.phase is Phase.START]
    assert len(starts) == 4


def test_road_users_that_are_followed_share_one_event_and_a_stranger_has_his_own() -> None:
    camera = RuleCamera(rule_settings(MotionRule(id="motion")))
    for step in range(30):
        users = [walking(step), walking(step, left=0.35)]
        tracks = [camera.track(0.0, 0.0, f"user-{n}", box=box) for n, box in enumerate(users)]
        stranger = [walking(step, left=0.65)] if step >= 10 else []
        camera.see(*tracks, motion=Motion((*users, *stranger), 0.05))

    assert camera.story() == ["motion start", "motion start"]
    assert camera.events[1].region == walking(20, left=0.65)


def test_who_moves_before_a_parked_car_is_not_explained_by_it() -> None:
    camera = RuleCamera(rule_settings(MotionRule(id="motion", own_events=1)))
    parked = Box(0.0, 0.3, 0.9, 0.9)
    for step in range(30):
        car = camera.track(0.0, 0.0, "car", box=parked, stationary=True)
        two = walking(step), walking(step, left=0.5)
        camera.see(car, motion=Motion(two, 0.02))
    assert camera.story() == ["motion start", "motion start"]


def test_motion_outside_the_zone_of_its_rule_is_not_told() -> None:
    camera = RuleCamera(rule_settings(MotionRule(id="motion", zone="square")))
    for _ in range(30):
        camera.see(motion=Motion((Box(0.0, 0.0, 0.2, 0.2),), 0.04))
    assert camera.events == []


def test_a_scene_that_is_being_learned_neither_starts_nor_ends_motion() -> None:
    camera = RuleCamera(rule_settings(MotionRule(id="motion")))
    learning = Motion((), 0.5, settling=True)
    for _ in range(65):
        camera.see(motion=MOVING)
    for _ in range(100):
        camera.see(motion=learning)
    assert camera.story() == ["motion start"]
    camera.see()
    assert camera.story() == ["motion start", "motion end left"]


def test_a_much_larger_region_is_told_because_it_makes_a_better_picture() -> None:
    camera = RuleCamera(rule_settings(MotionRule(id="motion")))
    for _ in range(65):
        camera.see(motion=MOVING)
    for _ in range(40):
        camera.see(motion=Motion((Box(0.4, 0.4, 0.6, 0.6),), 0.04))

    assert camera.story() == ["motion start", "motion update"]
