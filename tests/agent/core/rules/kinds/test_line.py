"""agent.core.rules.kinds.line"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from agent.core.rules.kinds import line
from agent.core.rules.kinds.line import Interval, LineRule
from agent.core.rules.zones import Anchor
from agent.core.types import Count, Instant, Phase
from tests.support.rule_camera import (
    RuleCamera,
    drive,
    rule_settings,
)

TEN = LineRule(id="ten", start=(0.0, 0.5), end=(1.0, 0.5), count_every_s=10)
LINE = LineRule(id="line", start=(0.2, 0.5), end=(0.8, 0.5))


def test_a_crossing_starts_at_once_and_ends_when_its_picture_is_known() -> None:
    camera = RuleCamera(rule_settings(LINE, zones=()))
    drive(camera, np.arange(0.3, 0.75, 0.02))
    for _ in range(50):
        camera.see(camera.track(0.5, 0.75))

    assert camera.story() == ["line_crossed start", "line_crossed end left"]
    assert camera.events[0].direction == "in"
    assert camera.events[1].at.since(camera.events[0].at) == pytest.approx(LINE.linger_s)


def test_a_crossing_by_a_track_not_yet_confirmed_is_told_and_counted_once_it_is() -> None:
    camera = RuleCamera(rule_settings(LINE))
    drive(camera, [0.3, 0.6, 0.62], confirmed=False)
    assert camera.events == []
    drive(camera, [0.64, 0.66])
    counts = camera.close()

    assert [e.direction for e in camera.events] == ["in", "in"]
    assert [c.counts for c in counts if isinstance(c, Count)] == [{"car": {"in": 1}}]


def test_a_crossing_whose_track_ends_in_that_frame_is_told_whole() -> None:
    camera = RuleCamera(rule_settings(LINE))
    drive(camera, [0.3, 0.35])
    camera.see(camera.track(0.5, 0.99, ended=True))
    camera.see()

    assert camera.story() == ["line_crossed start", "line_crossed end left"]


def test_the_last_sight_of_a_track_that_is_lost_on_the_road_is_no_crossing() -> None:
    camera = RuleCamera(rule_settings(LINE))
    drive(camera, [0.3, 0.35])
    camera.see(camera.track(0.5, 0.58, ended=True))
    for _ in range(30):
        camera.see()

    assert camera.story() == []


def test_who_is_lost_beyond_the_line_and_found_again_there_has_crossed_it() -> None:
    camera = RuleCamera(rule_settings(LINE))
    drive(camera, [0.3, 0.35])
    camera.see(camera.track(0.5, 0.58, ended=True))
    camera.see()
    drive(camera, [0.62, 0.64, 0.66, 0.68], "another")

    assert camera.story()[0] == "line_crossed start"
    assert [each.direction for each in camera.events if each.phase is Phase.START] == ["in"]


@pytest.mark.parametrize("anchor", list(Anchor))
def test_a_box_that_slides_over_the_line_and_rests_there_has_not_crossed_whatever_its_anchor(
    anchor: Anchor,
) -> None:
    """Feet are far from middles: how far it has gone on is asked of the point that goes over."""
    camera = RuleCamera(rule_settings(LINE.model_copy(update={"anchor": anchor})))
    half = 0.0 if anchor is Anchor.FOOT else 0.04
    drive(camera, [0.6 + half] * 30)
    drive(camera, [0.4 + half] * 60)

    assert camera.events == []


def test_a_line_that_only_counts_tells_no_event() -> None:
    camera = RuleCamera(rule_settings(LINE.model_copy(update={"tell": ()})))
    drive(camera, [0.3, 0.35, 0.6, 0.7])

    counts = camera.close()
    assert camera.events == []
    assert [c.counts for c in counts if isinstance(c, Count)] == [{"car": {"in": 1}}]


def test_labels_that_are_not_asked_for_neither_tell_nor_count() -> None:
    camera = RuleCamera(rule_settings(LINE.model_copy(update={"labels": ("bus",)})))
    drive(camera, [0.3, 0.35, 0.6, 0.7])

    assert [c.counts for c in camera.close() if isinstance(c, Count)] == [{}]
    assert camera.events == []


def test_counting_intervals_end_at_round_times_and_leave_no_hole() -> None:
    camera = RuleCamera(rule_settings(LINE.model_copy(update={"count_every_s": 60.0})))
    camera.second = 37.0
    for _ in range(300):
        camera.see(step_s=1.0)
    counts = [c for c in camera.messages if isinstance(c, Count)]

    assert len(counts) >= 4
    assert all(count.end.wall_s % 60 == 0 for count in counts)
    assert all(a.end == b.start for a, b in pairwise(counts))


def test_a_vehicle_that_changes_its_id_on_the_line_counts_once() -> None:
    camera = RuleCamera(rule_settings(LINE))
    drive(camera, [0.40, 0.44, 0.48, 0.49])
    camera.see(camera.track(0.5, 0.49, seen=False, ended=True))
    drive(camera, [0.51, 0.53, 0.57, 0.62], "two")
    camera.see(camera.track(0.5, 0.62, "two", seen=False, ended=True))
    drive(camera, [0.6, 0.62, 0.7], "three")

    assert [c.counts for c in camera.close() if isinstance(c, Count)] == [{"car": {"in": 1}}]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_queue_on_the_line_counts_each_vehicle_once(data: st.DataObject) -> None:
    """Vehicles come, stand on the line, tremble within the band with missing sightings, and go on."""
    camera = RuleCamera(rule_settings(LINE))
    tremble = st.floats(-0.012, 0.012)
    number = data.draw(st.integers(1, 3))
    for car in range(number):
        drive(camera, [0.35, 0.4], f"car{car}")
        for _ in range(data.draw(st.integers(0, 30))):
            seen = data.draw(st.booleans())
            camera.see(camera.track(0.5, 0.5 + data.draw(tremble), f"car{car}", seen=seen))
        drive(camera, [0.65, 0.7], f"car{car}")
        camera.see(camera.track(0.5, 0.99, f"car{car}", ended=True))
    counts = [each for each in camera.close() if isinstance(each, Count)]

    assert counts[0].counts == {"car": {"in": number}}


def test_a_late_frame_does_not_shift_the_counting_intervals() -> None:
    memory, counts = Interval(), []
    for second in (3, 8, 13, 20, 31, 41, 49, 50):
        memory, closed = line.turn_interval(TEN, memory, Instant(second, second))
        counts += closed

    assert [(c.start.wall_s, c.end.wall_s) for c in counts] == [(3, 13), (13, 20), (20, 31), (31, 41), (41, 50)]


def test_a_line_that_does_not_count_keeps_no_counts() -> None:
    silent = TEN.model_copy(update={"count_every_s": 0.0})
    memory, counts = line.turn_interval(silent, Interval(counts={("car", "in"): 3}), Instant(5, 5))

    assert (memory.counts, counts) == ({}, ())


def test_each_crossing_of_a_road_user_is_an_event_of_its_own_with_its_direction_and_time() -> None:
    camera = RuleCamera(rule_settings(LINE))
    down = list(np.arange(0.3, 0.72, 0.02))
    for ys in (down, down[::-1], down):
        drive(camera, ys)
    begun = [e for e in camera.events if e.phase is Phase.START]

    assert [e.direction for e in begun] == ["in", "out", "in"]
    assert all(e.started == e.at for e in begun)
    assert len({e.id for e in begun}) == 3
    assert camera.state is not None
    assert [key.number for key in camera.state.events.open] == [2, 3]
    assert [c.counts for c in camera.close() if isinstance(c, Count)] == [{"car": {"in": 2, "out": 1}}]


def test_of_many_crossings_the_newest_are_remembered() -> None:
    camera = RuleCamera(rule_settings(LINE))
    down = list(np.arange(0.3, 0.72, 0.03))
    for number in range(12):
        drive(camera, down[::-1] if number % 2 else down)
    assert camera.state is not None
    course = camera.state.trajectories["one"].measures["line"]

    assert [each.number for each in course.crossings] == list(range(5, 13))
    assert sum(e.phase is Phase.START for e in camera.events) == 12


def test_the_first_interval_ends_at_a_round_time_and_what_is_cut_tells_what_it_holds() -> None:
    memory, closed = line.turn_interval(TEN, Interval(), Instant(3, 1003))
    assert closed == ()
    assert (memory.began, memory.length_s) == (Instant(3, 1003), 7.0)
    memory, closed = line.turn_interval(TEN, memory, Instant(9.9, 1009.9))
    assert closed == ()
    memory = Interval({("car", "out"): 1, ("bus", "in"): 2, ("car", "in"): 3}, memory.began, memory.length_s)
    counted = Count("ten", Instant(3, 1003), Instant(10, 1010), {"bus": {"in": 2}, "car": {"in": 3, "out": 1}})

    assert line.cut_interval(TEN, memory, Instant(10, 1010)) == (counted,)
    assert line.turn_interval(TEN, memory, Instant(10, 1010)) == (
        Interval({}, Instant(10, 1010), 10.0),
        (counted,),
    )
    assert line.cut_interval(TEN, Interval(), Instant(10, 1010)) == ()


def test_the_centre_counts_where_a_rule_says_so() -> None:
    camera = RuleCamera(rule_settings(LINE.model_copy(update={"anchor": Anchor.CENTER})))
    drive(camera, list(np.arange(0.3, 0.53, 0.01)))  # the foot is over, the centre is not
    assert camera.events == []
    drive(camera, list(np.arange(0.53, 0.7, 0.01)))

    assert camera.story() == ["line_crossed start"]


def test_a_line_needs_two_points() -> None:
    with pytest.raises(
        ValidationError, match="line one-point: start and end are the same point; a line needs two"
    ):
        LineRule(id="one-point", start=(0.2, 0.5), end=(0.2, 0.5))


def test_a_box_that_slides_over_the_line_from_rest_to_rest_did_not_cross() -> None:
    """In a queue a tracker now and then exchanges two neighbours."""
    camera = RuleCamera(rule_settings(LINE))
    drive(camera, [0.42] * 20 + [0.58 - 0.16 * 0.6**n for n in range(1, 12)] + [0.58] * 40)

    assert camera.events == []
