"""agent.core.rules.trajectory"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from agent.core.rules import trajectory
from agent.core.rules.settings import RuleSettings
from agent.core.rules.trajectory import FrameContext, Trajectory
from agent.core.types import (
    Box,
    Colour,
    Colours,
    ColourWord,
    EndReason,
    Instant,
    ObjectState,
    Shot,
    Size,
    Track,
)

SETTINGS = RuleSettings()


def context(second: float) -> FrameContext:
    return FrameContext(Instant(second, second), Size(1000, 1000), SETTINGS)


def track(x: float, y: float, second: float = 0.0, **more: object) -> Track:
    at = Instant(second, second)
    box = Box(x - 0.05, y - 0.1, x + 0.05, y)
    known = Track("one", "car", 0.8, 0.9, box, (0.0, 0.0), at, at, seen=True, confirmed=True)
    return replace(known, **more)  # type: ignore[arg-type]


def follow(places: list[tuple[float, float]], step_s: float = 0.5) -> Trajectory:
    trip: Trajectory | None = None
    for number, (x, y) in enumerate(places):
        trip = trajectory.update(trip, track(x, y, number * step_s), None, context(number * step_s))
    assert trip is not None
    return trip


def test_standing_still_is_measured_from_where_it_came_to_rest() -> None:
    driving = [(0.1 + 0.05 * n, 0.5) for n in range(8)]
    trip = follow([*driving, *[(0.45, 0.5)] * 40])

    assert 17 <= trajectory.still_s(trip, Instant(47 * 0.5, 0.0)) <= 20


def test_a_box_that_is_covered_for_a_moment_has_not_moved() -> None:
    trip = follow([*[(0.5, 0.5)] * 20, (0.5, 0.44), (0.5, 0.5), (0.56, 0.5), *[(0.5, 0.5)] * 20])

    assert trajectory.still_s(trip, Instant(20.0, 0.0)) == 20.0


@pytest.mark.parametrize(
    ("x", "stationary", "reason"),
    [(0.5, False, EndReason.LOST), (0.97, False, EndReason.LEFT), (0.97, True, EndReason.LOST)],
)
def test_who_moved_and_was_last_at_the_border_has_left(x: float, stationary: bool, reason: EndReason) -> None:
    trip = trajectory.update(None, track(x, 0.5), None, context(0.0))
    gone = trajectory.update(trip, track(x, 0.5, 0.5, stationary=stationary, ended=True), None, context(0.5))

    assert gone.reason is reason


@pytest.mark.parametrize(
    ("last_at", "unseen_s", "missed", "reason"),
    [
        (0.8, 0.9, 9, EndReason.LEFT),
        (0.8, 1.1, 2, EndReason.LEFT),
        (0.8, 1.1, 3, EndReason.LOST),
        (0.94, 1.1, 3, EndReason.LEFT),
    ],
)
def test_who_was_led_from_inside_over_the_border_for_long_though_he_was_looked_for_is_only_lost(
    last_at: float, unseen_s: float, missed: int, reason: EndReason
) -> None:
    trip = trajectory.update(None, track(last_at, 0.5), None, context(0.0))
    led = replace(track(0.97, 0.5), seen=False, missed=missed, ended=True)

    assert trajectory.update(trip, led, None, context(unseen_s)).reason is reason


def test_what_is_told_of_a_road_user_keeps_its_first_id() -> None:
    state = trajectory.state(follow([(0.5, 0.5), (0.51, 0.5)]))

    assert (state.track_id, state.label, state.path[0][0], state.ended) == ("one", "car", 0.0, None)


@pytest.mark.parametrize(
    ("edges", "moved"),
    [
        ((0.016, 0.0, 0.016, 0.0), True),  # a box of 0.1 by 0.1: it may sway by 0.015
        ((0.014, 0.0, 0.014, 0.0), False),
        ((-0.016, 0.0, -0.016, 0.0), True),
        ((0.0, 0.016, 0.0, 0.016), True),
        ((0.0, -0.014, 0.0, -0.014), False),
        ((0.012, 0.012, 0.012, 0.012), True),  # aslant it is farther
        ((0.05, 0.0, 0.011, 0.0), False),  # cut at one side
        ((0.05, 0.0, -0.05, 0.0), False),  # smaller
        ((0.0, 0.0, 0.0, 0.05), False),
    ],
)
def test_it_moved_if_both_of_two_opposite_edges_did(
    edges: tuple[float, float, float, float], moved: bool
) -> None:
    a = Box(0.4, 0.4, 0.5, 0.5)
    b = Box(*(before + shift for before, shift in zip((0.4, 0.4, 0.5, 0.5), edges, strict=True)))

    assert trajectory.has_moved(a, b, Size(1000, 1000)) is moved


@pytest.mark.parametrize(("shift", "moved"), [(0.013, True), (0.011, False)])
def test_the_tremble_of_the_smallest_boxes_is_no_move(shift: float, moved: bool) -> None:
    a, b = Box(0.4, 0.4, 0.41, 0.41), Box(0.4 + shift, 0.4, 0.41 + shift, 0.41)

    assert trajectory.has_moved(a, b, Size(1000, 1000)) is moved


def test_on_a_wide_picture_a_move_to_the_side_is_as_far_as_it_looks() -> None:
    a, b = Box(0.4, 0.4, 0.41, 0.41), Box(0.407, 0.4, 0.417, 0.41)

    assert not trajectory.has_moved(a, b, Size(1000, 1000))
    assert trajectory.has_moved(a, b, Size(1800, 1000))


def test_who_is_elsewhere_for_a_second_rests_there_since_then() -> None:
    trip = follow([*[(0.5, 0.5)] * 4, (0.6, 0.5)])
    assert trip.rest.away.since == Instant(2.0, 2.0)
    assert (trip.rest.box, trip.rest.since) == (track(0.5, 0.5).box, Instant(0.0, 0.0))
    trip = follow([*[(0.5, 0.5)] * 4, *[(0.6, 0.5)] * 3])

    assert trip.rest == trajectory.Rest(track(0.6, 0.5).box, Instant(3.0, 3.0))


def test_where_it_rests_is_the_mean_of_its_first_thirty_sightings_there() -> None:
    swaying = [(0.5 + 0.002 * (-1) ** n, 0.5) for n in range(30)]
    middle = track(0.5, 0.5).box

    assert follow(swaying[:1]).rest.box == track(0.502, 0.5).box
    for more in (0, 60):
        rest = follow([*swaying, *[(0.504, 0.5)] * more]).rest
        assert (rest.box.left, rest.box.right) == pytest.approx((middle.left, middle.right))
        assert rest.sightings == 30


def test_a_sighting_elsewhere_is_no_part_of_where_it_rests() -> None:
    trip = follow([*[(0.5, 0.5)] * 4, (0.6, 0.5), (0.5, 0.5)])

    assert (trip.rest.box.left, trip.rest.box.right) == pytest.approx((0.45, 0.55))
    assert (trip.rest.sightings, trip.rest.away.since) == (5, None)


def test_the_path_has_a_point_each_half_second_and_each_second_once_it_is_long() -> None:
    trip = follow([(0.1 + 0.001 * n, 0.5) for n in range(80)], step_s=0.25)
    seconds = [point[0] for point in trip.path]
    assert seconds[:17] == [float(n) for n in range(17)]
    assert trip.path_step_s == 1.0
    assert trip.path[3][1:] == (pytest.approx(0.112), 0.5)
    assert all(b - a >= 0.5 for a, b in pairwise(seconds))
    assert len(trip.path) <= trajectory.PATH_POINTS


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        (Box(0.015, 0.4, 0.1, 0.5), EndReason.LEFT),
        (Box(0.016, 0.4, 0.1, 0.5), EndReason.LOST),
        (Box(0.4, 0.015, 0.5, 0.1), EndReason.LEFT),
        (Box(0.4, 0.016, 0.5, 0.1), EndReason.LOST),
        (Box(0.9, 0.4, 0.985, 0.5), EndReason.LEFT),
        (Box(0.9, 0.4, 0.984, 0.5), EndReason.LOST),
        (Box(0.4, 0.9, 0.5, 0.985), EndReason.LEFT),
        (Box(0.4, 0.9, 0.5, 0.984), EndReason.LOST),
    ],
)
def test_who_touched_the_border_when_it_vanished_has_left(box: Box, reason: EndReason) -> None:
    trip = trajectory.update(None, track(0.5, 0.5, box=box), None, context(0.0))
    gone = trajectory.vanish(trip, context(1.0))

    assert (gone.reason, gone.gone, gone.track.ended) == (reason, Instant(1.0, 1.0), True)
    assert not trajectory.alive(gone)
    assert trajectory.has_left(gone) is (reason is EndReason.LEFT)


def test_a_road_user_is_told_with_all_that_is_known_of_it() -> None:
    known = track(0.5, 0.5, label="motorcycle", riders=2, stationary=True)
    trip = trajectory.update(None, known, None, context(0.0))
    gone = trajectory.update(trip, replace(known, ended=True), None, context(2.0))

    assert trajectory.state(trip) == ObjectState(
        track_id="one",
        label="motorcycle",
        score=0.8,
        top_score=0.9,
        riders=2,
        box=known.box,
        started=Instant(0.0, 0.0),
        ended=None,
        stationary=True,
        zones=(),
        entered_zones=(),
        path=((0.0, 0.5, 0.5),),
    )
    assert trajectory.state(gone).ended == known.last_seen


def test_it_is_confirmed_when_its_track_first_was_and_keeps_its_best_picture() -> None:
    shot = Shot(np.zeros((4, 4, 3), np.uint8), Instant(0.0, 0.0), Box(0, 0, 1, 1), 0.5)
    trip = trajectory.update(None, track(0.5, 0.5, confirmed=False), shot, context(0.0))
    assert (trip.confirmed, trip.shot) == (None, shot)
    for second in (1.0, 2.0):
        trip = trajectory.update(trip, track(0.5, 0.5, second), None, context(second))

    assert (trip.confirmed, trip.shot) == (Instant(1.0, 1.0), shot)


def test_the_colours_of_its_best_picture_stay_when_that_goes_until_a_better_one_has_others() -> None:
    def seen(word: ColourWord | None) -> Shot:
        colours = Colours(Colour(word, 0.8 if word else 0.3))
        return Shot(np.zeros((4, 4, 3), np.uint8), Instant(0.0, 0.0), Box(0, 0, 1, 1), 0.5, colours=colours)

    trip = trajectory.update(None, track(0.5, 0.5), seen(ColourWord.RED), context(0.0))
    let_go = trajectory.update(replace(trip, shot=None), track(0.5, 0.5, 1.0), None, context(1.0))
    better = trajectory.update(let_go, track(0.5, 0.5, 2.0), seen(None), context(2.0))

    assert trajectory.state(let_go).colours == Colours(Colour(ColourWord.RED, 0.8))
    assert trajectory.state(better).colours == Colours(Colour(None, 0.3)), "the better picture counts"


@pytest.mark.parametrize(("points", "kept", "step_s"), [(32, 32, 0.5), (33, 17, 1.0)])
def test_every_other_point_of_a_path_goes_when_it_has_more_than_thirty_two(
    points: int, kept: int, step_s: float
) -> None:
    trip = follow([(0.1 + 0.01 * n, 0.5) for n in range(points)])

    assert (len(trip.path), trip.path_step_s) == (kept, step_s)
