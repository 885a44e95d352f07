"""agent.core.rules.kinds.wrong_way"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import cos, radians, sin

import numpy as np
import pytest

from agent.core.rules.kinds import wrong_way
from agent.core.rules.kinds.wrong_way import Against, WrongWayRule
from agent.core.types import Box, EventKind, Instant, Size, Track
from tests.support.rule_camera import (
    RuleCamera,
    instant,
    rule_settings,
    starts,
)

RULE = WrongWayRule(id="wrong", zone="road", direction_deg=0)
FRAME = Size(1000, 1000)


def sight(second: float, y: float, speed: float) -> Track:
    at = Instant(second, second)
    box = Box(0.48, y - 0.08, 0.52, y)
    return Track("one", "motorcycle", 0.8, 0.9, box, (0.0, speed), at, at, seen=True, confirmed=True)


def followed(sights: Iterable[Track], rule: WrongWayRule) -> Against:
    now: Against | None = None
    last: Track | None = None
    for each in sights:
        now = wrong_way.update(now, last or each, each, rule, FRAME)
        last = each
    assert now is not None
    return now


def follow(sights: Iterable[Track]) -> Against:
    return followed(sights, RULE)


@pytest.mark.parametrize("hidden_s", [0.1, 0.5, 1.0])
def test_who_was_on_his_way_before_he_was_hidden_goes_on_the_wrong_way(hidden_s: float) -> None:
    first = [sight(0.1 * n, 0.3 + 0.01 * n, 0.1) for n in range(4)]
    then = [sight(0.3 + hidden_s + 0.1 * n, 0.33 + 0.1 * hidden_s + 0.01 * n, 0.1) for n in range(8)]
    now = follow([*first, *then])

    assert now.wrong


@pytest.mark.parametrize("hidden_s", [0.1, 0.5, 1.0])
def test_who_stood_and_is_elsewhere_after_he_was_hidden_did_not_go_there(hidden_s: float) -> None:
    stood = [sight(0.1 * n, 0.3, 0.0) for n in range(10)]
    slid = [sight(1.0 + hidden_s + 0.1 * n, y, 0.02) for n, y in enumerate((0.36, 0.38, 0.39, 0.39, 0.39))]
    now = follow([*stood, *slid])

    assert now.reached < RULE.min_distance
    assert not now.wrong


def test_the_right_way_begins_anew() -> None:
    down = [sight(0.1 * n, 0.3 + 0.01 * n, 0.1) for n in range(6)]
    up = [sight(0.6 + 0.1 * n, 0.35 - 0.02 * n, -0.2) for n in range(6)]

    assert follow([*down, *up]) == Against((0.5, pytest.approx(0.25)), pytest.approx((0.17, 0.25)))


WRONG = WrongWayRule(id="wrong", zone="square", direction_deg=180)


@pytest.mark.parametrize(
    ("dx", "dy", "wrong"),
    [(0.0, 0.01, False), (0.0, -0.01, True), (0.01, 0.0, False), (0.002, -0.01, True), (0.01, -0.003, False)],
)
def test_only_the_opposite_way_is_wrong(dx: float, dy: float, wrong: bool) -> None:
    camera = RuleCamera(rule_settings(WRONG))
    for number in range(30):
        camera.see(
            camera.track(0.45 + number * dx, 0.5 + number * dy, velocity=(dx / 0.2, dy / 0.2)), step_s=0.2
        )

    assert (len(camera.events) > 0) is wrong


def test_a_vehicle_that_trembles_in_a_zone_does_not_go_the_wrong_way() -> None:
    camera = RuleCamera(rule_settings(WRONG))
    rng = np.random.default_rng(1)
    for _ in range(500):
        camera.see(camera.track(0.5 + rng.normal(0, 0.005), 0.5 + rng.normal(0, 0.008)))
    assert camera.events == []


def test_a_box_that_slides_to_the_neighbour_behind_did_not_go_the_wrong_way() -> None:
    """In a queue a track goes on with the one behind when its own road user is covered."""
    camera = RuleCamera(rule_settings(WRONG))
    for _ in range(20):
        camera.see(camera.track(0.5, 0.6))
    camera.second += 0.5
    for y in (0.54, 0.52, 0.505, 0.5, 0.5, 0.5):
        camera.see(camera.track(0.5, y, velocity=(0.0, -0.05)))

    assert camera.events == []


def test_a_bus_that_stands_and_whose_box_shrinks_from_one_end_did_not_go_there() -> None:
    def bus(second: float, bottom: float, top: float = 0.2) -> Track:
        at, box = Instant(second, second), Box(0.4, top, 0.6, bottom)
        return Track("one", "bus", 0.8, 0.9, box, (0.0, -0.1), at, at, seen=True, confirmed=True)

    rule = WrongWayRule(id="wrong", zone="road", direction_deg=180)
    shrinks = [bus(0.1 * n, 0.8 - 0.012 * n) for n in range(30)]
    goes = [bus(0.1 * n, 0.8 - 0.012 * n, 0.2 - 0.003 * n) for n in range(30)]
    assert not followed(shrinks, rule).wrong
    assert followed(goes, rule).wrong


def test_the_double_of_one_who_was_told_going_the_wrong_way_is_not_told() -> None:
    """A part of a motorbike becomes a track of its own, and the tracker goes on with that one."""
    camera = RuleCamera(rule_settings(WRONG))
    for n in range(12):
        camera.see(camera.track(0.5, 0.65 - 0.015 * n, velocity=(0.0, -0.15)))
    started = instant(camera.second - 0.2)
    for n in range(12, 22):
        y = 0.65 - 0.015 * n
        camera.see(
            camera.track(0.5, y, velocity=(0.0, -0.15), seen=False, last_seen=instant(1.1)),
            camera.track(0.51, y, "two", velocity=(0.0, -0.15), started=started),
        )

    assert starts(camera, EventKind.WRONG_WAY) == ["one"]


def test_two_who_go_the_wrong_way_side_by_side_are_both_told() -> None:
    camera = RuleCamera(rule_settings(WRONG))
    for n in range(22):
        y = 0.68 - 0.015 * n
        pair = [camera.track(x, y, name, velocity=(0.0, -0.15)) for name, x in (("one", 0.45), ("two", 0.55))]
        camera.see(*pair)

    assert starts(camera, EventKind.WRONG_WAY) == ["one", "two"]


def test_one_who_follows_close_behind_another_that_was_told_is_told_too() -> None:
    camera = RuleCamera(rule_settings(WRONG))
    for n in range(26):
        first = camera.track(0.5, 0.68 - 0.015 * n, velocity=(0.0, -0.15))
        second = camera.track(
            0.53, 0.66 - 0.015 * max(0, n - 3), "two", velocity=(0.0, -0.15 if n > 3 else 0.0)
        )
        camera.see(first, second)

    assert starts(camera, EventKind.WRONG_WAY) == ["one", "two"]
    assert camera.events[0].started == instant(0)


@pytest.mark.parametrize("direction_deg", [0, 30, 90, 135, 200, 315])
@pytest.mark.parametrize(("off_deg", "wrong"), [(0, True), (43, True), (-43, True), (47, False), (-47, False)])
def test_wrong_is_the_opposite_way_give_or_take_an_angle_on_a_wide_picture_too(
    direction_deg: int, off_deg: int, wrong: bool
) -> None:
    rule, frame = WrongWayRule(id="wrong", zone="road", direction_deg=direction_deg), Size(1600, 900)
    heading = radians(direction_deg + 180 + off_deg)
    step = 0.01 * sin(heading) * frame.height_px / frame.width_px, -0.01 * cos(heading)
    now: Against | None = None
    last: Track | None = None
    for n in range(30):
        x, y = 0.5 + step[0] * n, 0.5 + step[1] * n
        box, at = Box(x - 0.02, y - 0.06, x + 0.02, y), Instant(0.1 * n, 0.1 * n)
        track = Track(
            "one", "car", 0.8, 0.9, box, (step[0] * 10, step[1] * 10), at, at, seen=True, confirmed=True
        )
        now, last = wrong_way.update(now, last or track, track, rule, frame), track

    assert now is not None
    assert now.wrong is wrong


def test_it_takes_a_distance_and_several_steps() -> None:
    sights = [sight(0.1 * n, 0.3 + 0.01 * n, 0.1) for n in range(30)]
    reached = [follow(sights[: n + 1]) for n in range(30)]
    first = next(n for n, each in enumerate(reached) if each is not None and each.wrong)

    assert sights[first].box.bottom - 0.3 == pytest.approx(RULE.min_distance)
    assert follow(sights[: first + 1]) == follow(sights), "told once, it stays so until it leaves the zone"
    far = follow([sights[0], replace(sights[9], velocity=(0.0, 0.5)), replace(sights[20], velocity=(0.0, 0.5))])
    assert far is not None
    assert not far.wrong, "two steps are none, however far"
