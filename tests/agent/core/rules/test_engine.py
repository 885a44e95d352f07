"""agent.core.rules.engine"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.rules.kinds.crowd import CrowdRule
from agent.core.rules.kinds.line import LineRule
from agent.core.rules.kinds.loitering import LoiteringRule
from agent.core.rules.kinds.motion import MotionRule
from agent.core.rules.kinds.object import ObjectRule
from agent.core.rules.kinds.stopped_vehicle import StoppedVehicleRule
from agent.core.rules.kinds.wrong_way import WrongWayRule
from agent.core.rules.kinds.zone import ZoneRule
from agent.core.rules.places import MOST_PLACES
from agent.core.rules.schedule import TimeWindow
from agent.core.types import Box, Count, EndReason, EventKind, Motion, Phase, Track
from tests.support.rule_camera import (
    STILL,
    RuleCamera,
    check_lives,
    drive,
    instant,
    rule_settings,
    starts,
)

LINE = LineRule(id="line", start=(0.2, 0.5), end=(0.8, 0.5))
MOVING = Motion((Box(0.5, 0.5, 0.6, 0.6), Box(0.1, 0.1, 0.12, 0.12)), 0.01)
WRONG = WrongWayRule(id="wrong", zone="square", direction_deg=180)
WORLD = rule_settings(
    MotionRule(id="motion"),
    ObjectRule(id="objects"),
    ZoneRule(id="enter", zone="square", cooldown_s=2),
    LINE.model_copy(update={"cooldown_s": 1.0}),
    LoiteringRule(id="loiter", zone="square", min_stay_s=2, labels=("car", "person")),
    StoppedVehicleRule(id="stopped", zone="square", min_s=2, keep_s=1),
    WRONG,
    CrowdRule(id="crowd", zone="square", min_count=2, min_s=1, gap_s=0.5, quiet_s=1, labels=("car", "person")),
)


def test_a_road_user_that_comes_back_under_a_new_id_is_one_event() -> None:
    camera = RuleCamera(rule_settings(ObjectRule(id="objects"), ZoneRule(id="enter", zone="square")))
    for _ in range(6):
        camera.see(camera.track(0.5, 0.5))
    camera.see(camera.track(0.5, 0.5, seen=False, ended=True))
    for _ in range(6):
        camera.see(camera.track(0.505, 0.5, "two"))
    camera.close()

    assert [e.phase for e in camera.events if e.kind is EventKind.OBJECT].count(Phase.START) == 1
    assert [e.phase for e in camera.events if e.kind is EventKind.ZONE_ENTERED].count(Phase.START) == 1
    assert {e.object.track_id for e in camera.events if e.object} == {"one"}


def behind_a_bus(camera: RuleCamera, frames: int) -> Track:
    """One drives down to the line and is hidden; half a second later two comes up beyond it.

    It is seen for so many frames. Returns the hidden track as it is led on.
    """
    for n in range(10):
        camera.see(camera.track(0.5, 0.3 + 0.015 * n, velocity=(0.0, 0.15)))
    lost = camera.track(0.5, 0.44, velocity=(0.0, 0.1), seen=False, last_seen=instant(0.9))
    for _ in range(5):
        camera.see(lost)
    for n in range(frames):
        camera.see(lost, out_of_hiding(camera, n))
    return lost


def out_of_hiding(camera: RuleCamera, n: int) -> Track:
    return camera.track(0.5, 0.53 + 0.015 * n, "two", velocity=(0.0, 0.15), started=instant(1.5))


def test_who_comes_out_from_behind_a_bus_under_a_new_id_went_over_the_line_once() -> None:
    """It is known to be the same one when the tracker gives up the track that it led on blindly."""
    camera = RuleCamera(rule_settings(ObjectRule(id="objects"), LINE))
    lost = behind_a_bus(camera, 8)
    assert starts(camera, EventKind.OBJECT) == ["one"]

    camera.see(replace(lost, ended=True), out_of_hiding(camera, 8))
    for n in range(9, 14):
        camera.see(out_of_hiding(camera, n))
    counts = [each.counts for each in camera.close() if isinstance(each, Count)]

    assert starts(camera, EventKind.LINE_CROSSED) == ["one"]
    assert starts(camera, EventKind.OBJECT) == ["one"]
    crossed = next(e for e in camera.events if e.kind is EventKind.LINE_CROSSED)
    assert crossed.at.since(crossed.started) >= 0.5  # told late, and it says when it was
    assert counts == [{"car": {"in": 1}}]
    check_lives(camera.events)


def test_who_slows_down_behind_a_bus_and_is_led_out_of_the_picture_meanwhile_went_over_the_line_once() -> None:
    camera = RuleCamera(rule_settings(ObjectRule(id="objects"), LINE))
    for n in range(10):
        camera.see(camera.track(0.5, 0.3 + 0.015 * n, velocity=(0.0, 0.4)))
    for n in range(13):
        led = camera.track(0.5, 0.44 + 0.045 * n, velocity=(0.0, 0.4), seen=False, last_seen=instant(0.9))
        camera.see(replace(led, missed=n + 1, ended=n == 12))
    for n in range(8):
        camera.see(camera.track(0.5, 0.8 + 0.01 * n, "two", velocity=(0.0, 0.1), started=instant(2.3)))

    assert starts(camera, EventKind.LINE_CROSSED) == ["one"]
    assert starts(camera, EventKind.OBJECT) == ["one"]


def test_who_comes_into_the_picture_at_its_border_is_not_the_one_that_was_lost_on_the_way_there() -> None:
    """At first nobody knows which way it goes, for the border cuts its box."""
    edge = LineRule(id="line", start=(0.15, 0.2), end=(0.15, 0.8))
    camera = RuleCamera(rule_settings(edge))
    for n in range(8):
        camera.see(camera.track(0.6 - 0.05 * n, 0.5, velocity=(-0.5, 0.0)))
    lost = camera.track(0.2, 0.5, velocity=(-0.5, 0.0), seen=False, last_seen=instant(0.7))
    camera.see(replace(lost, ended=True))
    comes = camera.track(0.0, 0.5, "two", started=instant(0.9))
    for n in range(12):
        right = 0.05 + 0.02 * n
        box = Box(max(0.0, right - 0.1), 0.4, right, 0.5)
        camera.see(replace(comes, box=box, confirmed=n >= 2, last_seen=instant(0.9 + 0.1 * n)))

    assert starts(camera, EventKind.LINE_CROSSED) == ["two"]


def test_who_leaves_while_the_other_is_still_hidden_went_over_the_line_too() -> None:
    camera = RuleCamera(rule_settings(LINE))
    lost = behind_a_bus(camera, 8)
    camera.see(lost, replace(out_of_hiding(camera, 8), ended=True))

    assert starts(camera, EventKind.LINE_CROSSED) == ["one"]


def test_two_of_whom_one_was_only_hidden_are_two_and_nobody_went_over_the_line() -> None:
    camera = RuleCamera(rule_settings(ObjectRule(id="objects"), LINE))
    behind_a_bus(camera, 8)
    for n in range(8, 14):
        camera.see(camera.track(0.5, 0.44, velocity=(0.0, 0.0)), out_of_hiding(camera, n))
    camera.close()

    assert starts(camera, EventKind.OBJECT) == ["one", "two"]
    assert starts(camera, EventKind.LINE_CROSSED) == []
    check_lives(camera.events)


def test_who_waits_in_vain_for_a_hidden_one_is_told_with_all_that_he_did_meanwhile() -> None:
    """A second: longer would be too late for those who watch."""
    camera = RuleCamera(rule_settings(LINE))
    lost = behind_a_bus(camera, 0)
    for n in range(14):
        late = out_of_hiding(camera, n)
        camera.see(lost, replace(late, box=Box(0.47, 0.33 + 0.03 * n, 0.53, 0.41 + 0.03 * n)))
        if n == 8:
            assert starts(camera, EventKind.LINE_CROSSED) == []

    assert starts(camera, EventKind.LINE_CROSSED) == ["two"]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.lists(st.booleans(), min_size=70, max_size=70)), max_size=5))
def test_however_road_users_hide_from_each_other_none_is_counted_twice(
    column: list[tuple[int, list[bool]]],
) -> None:
    """They drive down one lane over the line, each under its own id, and are led on where they are not seen."""
    camera = RuleCamera(rule_settings(ObjectRule(id="objects"), LINE))
    last: dict[str, Track] = {}
    for frame in range(70):
        tracks = []
        for number, (delay, seen) in enumerate(column):
            name, y = f"t{number}", 0.2 + 0.02 * (frame - delay)
            if y < 0.2 or y > 0.98:
                continue
            before = last.get(name)
            if seen[frame]:
                started = before.started if before else instant(camera.second)
                last[name] = camera.track(0.5, y, name, velocity=(0.0, 0.2), started=started)
            elif before is not None:
                last[name] = replace(before, seen=False)
            if name in last:
                tracks.append(last[name])
        camera.see(*tracks)
    counts = [each.counts for each in camera.close() if isinstance(each, Count)]

    crossed = starts(camera, EventKind.LINE_CROSSED)
    assert len(crossed) <= len(column)
    assert sum(number for each in counts for number in each.get("car", {}).values()) == len(crossed)
    check_lives(camera.events)
    assert {e.id for e in camera.events} == {e.id for e in camera.events if e.phase is Phase.END}


def test_another_kind_of_road_user_does_not_go_on_with_the_trajectory() -> None:
    camera = RuleCamera(rule_settings(ObjectRule(id="objects")))
    camera.see(camera.track(0.5, 0.5))
    camera.see(camera.track(0.5, 0.5, ended=True))
    camera.see(camera.track(0.5, 0.5, "two", label="person"))

    assert [e.phase for e in camera.events] == [Phase.START, Phase.START]


def approach(camera: RuleCamera, ys: Iterable[float], name: str) -> None:
    """Down over the line at two tenths of the frame a second."""
    started = instant(camera.second)
    for y in ys:
        camera.see(camera.track(0.5, y, name, velocity=(0.0, 0.2), started=started))


@pytest.mark.parametrize("hidden_s", [0.4, 1.2, 1.9])
def test_a_vehicle_that_comes_out_from_behind_a_bus_beyond_the_line_is_counted_once(hidden_s: float) -> None:
    camera = RuleCamera(rule_settings(LINE))
    approach(camera, [0.2 + 0.02 * n for n in range(14)], "one")
    lost = instant(camera.second - 0.1)
    blind = {"velocity": (0.0, 0.1), "last_seen": lost, "seen": False}
    camera.see(camera.track(0.5, 0.48, "one", **blind, ended=True))  # the guess fell behind
    for _ in range(round(hidden_s / 0.1) - 2):
        camera.see()
    approach(camera, [0.46 + 0.2 * hidden_s + 0.02 * n for n in range(6)], "two")
    for _ in range(50):
        camera.see()

    counts = [each.counts for each in camera.close() if isinstance(each, Count)]
    assert counts == [{"car": {"in": 1}}]
    assert camera.story(EventKind.LINE_CROSSED)[0] == "line_crossed start"


def test_a_rule_keeps_silent_outside_its_schedule_and_tells_what_lasts_once_it_begins() -> None:
    # The start is 2026-02-25, 13:13:20 in Vietnam.
    rule = ZoneRule(id="enter", zone="square", schedule=(TimeWindow(start="13:14", end="14:00"),))
    camera = RuleCamera(rule_settings(rule))
    for _ in range(60):
        camera.see(camera.track(0.5, 0.5), step_s=1)

    assert [e.at.mono_s for e in camera.events] == [40.0]


def test_a_crossing_outside_the_schedule_is_counted_but_never_told() -> None:
    rule = LINE.model_copy(update={"schedule": (TimeWindow(start="13:14", end="14:00"),)})
    camera = RuleCamera(rule_settings(rule))
    camera.second = 39.0
    drive(camera, [0.3, 0.4, 0.6, 0.65, *[0.7] * 40])

    assert camera.events == []
    assert [c.counts for c in camera.close() if isinstance(c, Count)] == [{"car": {"in": 1}}]


def test_only_a_told_event_starts_a_cooldown_and_what_it_holds_back_is_counted() -> None:
    rule = LINE.model_copy(update={"cooldown_s": 30.0, "linger_s": 1.0, "labels": ("car",)})
    camera = RuleCamera(rule_settings(rule))
    drive(camera, [0.3, 0.4, 0.6, 0.65], "bus", label="bus")  # filtered: starts no cooldown
    for number in range(5):
        drive(camera, [0.3, 0.4, 0.6, 0.65], f"car{number}")
        camera.see(step_s=8)
    starts = [e for e in camera.events if e.phase is Phase.START]

    assert [(round(e.at.mono_s), e.suppressed) for e in starts] == [(1, 0), (34, 3)]


def test_what_lasts_longer_than_the_cooldown_is_told_late_instead_of_never() -> None:
    rule = ZoneRule(id="enter", zone="square", cooldown_s=20)
    camera = RuleCamera(rule_settings(rule))
    for _ in range(40):
        camera.see(camera.track(0.5, 0.5), camera.track(0.4, 0.6, "two"), step_s=1)
    starts = [e for e in camera.events if e.phase is Phase.START]

    assert [(e.at.mono_s, e.suppressed) for e in starts] == [(1.0, 0), (21.0, 0)]


def test_closing_ends_everything_with_the_reason_and_cooldowns_go_on() -> None:
    rule = ZoneRule(id="enter", zone="square", cooldown_s=100)
    camera = RuleCamera(rule_settings(rule, ObjectRule(id="objects")))
    for _ in range(5):
        camera.see(camera.track(0.5, 0.5), step_s=1)
    camera.close(EndReason.CAMERA_LOST)
    assert camera.story() == [
        "object start",
        "zone_entered start",
        "object update",
        "object end camera_lost",
        "zone_entered end camera_lost",
    ]
    assert camera.close() == ()
    for _ in range(5):
        camera.see(camera.track(0.5, 0.5, "two"), step_s=1)

    assert camera.story(EventKind.ZONE_ENTERED).count("zone_entered start") == 1
    assert camera.story(EventKind.OBJECT).count("object start") == 2


@st.composite
def frames(draw: st.DrawFn) -> list[tuple[float, list[dict[str, object]], bool]]:
    """Wild tracks: they jump, hide, end, vanish without a word and change their label."""
    return draw(
        st.lists(
            st.tuples(
                st.sampled_from([0.04, 0.2, 1.0, 5.0]),
                st.lists(
                    st.fixed_dictionaries(
                        {
                            "x": st.floats(0.0, 1.0),
                            "y": st.floats(0.1, 1.0),
                            "name": st.sampled_from(["a", "b", "c"]),
                            "label": st.sampled_from(["car", "person"]),
                            "seen": st.booleans(),
                            "confirmed": st.booleans(),
                            "ended": st.integers(0, 9).map(lambda n: n == 0),
                        }
                    ),
                    max_size=3,
                    unique_by=lambda each: str(each["name"]),
                ),
                st.booleans(),
            ),
            max_size=40,
        )
    )


def play(story: list[tuple[float, list[dict[str, object]], bool]]) -> RuleCamera:
    camera = RuleCamera(WORLD)
    for step_s, seen, moves in story:
        tracks = [camera.track(**each) for each in seen]  # type: ignore[arg-type]
        camera.see(*tracks, motion=MOVING if moves else STILL, step_s=step_s)
    camera.close(EndReason.STOPPED)
    return camera


@settings(max_examples=150, deadline=None)
@given(frames())
def test_every_event_starts_once_and_ends_once_with_revisions_in_order(
    story: list[tuple[float, list[dict[str, object]], bool]],
) -> None:
    camera = play(story)

    check_lives(camera.events)
    ended = {e.id for e in camera.events if e.phase is Phase.END}
    assert ended == {e.id for e in camera.events}


@settings(max_examples=40, deadline=None)
@given(frames())
def test_the_same_frames_tell_the_same(story: list[tuple[float, list[dict[str, object]], bool]]) -> None:
    assert play(story).messages == play(story).messages


def test_memory_stays_bounded_over_many_tracks() -> None:
    camera = RuleCamera(WORLD)
    for number in range(1500):
        camera.see(camera.track(0.5, 0.5, f"t{number}"), step_s=1)
    assert camera.state is not None
    assert len(camera.state.trajectories) == 1
    assert len(camera.state.lost) <= 3
    assert len(camera.state.events.open) <= 16
    for rule_id in ("loiter", "stopped"):
        assert len(camera.state.memories[rule_id].places) <= MOST_PLACES
