"""benchmarks.scenes"""

from __future__ import annotations

from itertools import combinations

import pytest

from agent.core.geometry import inside
from agent.core.types import Box
from benchmarks import scenes
from benchmarks.scenes import parked, people, render, score
from benchmarks.scenes.ground import Floats
from benchmarks.scenes.sensor import PERFECT, Detector, Mover, look
from benchmarks.scenes.traffic import STEP_S, Traffic, User, route
from benchmarks.scenes.truth import PLAIN_FRAMES, SETTINGS, Stay, Truth
from tests.support.bodies import overlap


@pytest.fixture(scope="module")
def rows() -> list[dict[str, object]]:
    return scenes.main([], crossings=120, hours=0, left_minutes=0)


@pytest.mark.long
def test_true_boxes_under_true_ids_make_no_mistake(rows: list[dict[str, object]]) -> None:
    perfect = rows[0]

    assert perfect["way"] == "perfect"
    assert int(str(perfect["crossings"])) > 60
    assert (perfect["of_seen_pct"], perfect["extra"], perfect["wrong_direction"]) == (0.0, 0, 0)


@pytest.mark.long
def test_trembling_and_missing_boxes_are_counted_right(rows: list[dict[str, object]]) -> None:
    assert (rows[1]["way"], rows[1]["wrong_direction"]) == ("shaken", 0)
    assert float(str(rows[1]["of_seen_pct"])) <= 1.0


def test_who_was_hidden_on_the_wrong_way_is_left_out_of_the_recall_of_those_in_plain_view() -> None:
    open_to_view, hidden = 1, 2
    truth = Truth(
        wrong=[(open_to_view, 5.0), (hidden, 5.0)],
        closed=[("lanes", user, Stay(4.0, 6.0)) for user in (open_to_view, hidden)],
        plain={open_to_view: [4.1 + 0.1 * n for n in range(PLAIN_FRAMES)], hidden: [3.0, 4.1, 7.0]},
    )
    assert score.wrong_way_of_seen(truth, ()) == 1
    assert score.wrong_way_of_seen(truth, (hidden,)) == 1
    assert score.wrong_way_of_seen(truth, (open_to_view,)) == 0


def test_the_same_seed_makes_the_same_traffic() -> None:
    first, second = Traffic(5), Traffic(5)
    for _ in range(300):
        one, two = first.step(), second.step()
    assert [(u.name, u.place) for u in one] == [(u.name, u.place) for u in two]
    assert len(one) > 5


@pytest.mark.long
def test_no_two_bodies_share_a_place() -> None:
    traffic = Traffic(scenes.SEED)
    worst = 0
    for _ in range(1500):
        users = [user for user in traffic.step() if user.place[1] > 4.0]
        worst += sum(overlap(a, b) for a, b in combinations(users, 2))

    assert worst <= 2  # a shoulder may touch a shoulder


def test_walkers_who_meet_from_four_sides_do_not_block_each_other_for_good() -> None:
    walkers = []
    for far in (9.0, 10.5, 12.0, 13.5, 15.0):
        for start in ((-far, 0.1), (far, -0.1), (0.1, far), (-0.1, -far)):
            way = route([start, (-start[0], -start[1])])
            walkers.append(User(len(walkers), "person", way, 1.3, wish=1.3))
            walkers[-1].settle()
    for _ in range(900):
        people.step(walkers, 0.0, STEP_S)
        walkers = [each for each in walkers if each.along < each.way.reach[-1] - 0.01]

    assert not walkers


@pytest.mark.long
def test_a_red_light_makes_a_queue_that_stands_on_the_line() -> None:
    traffic, truth = Traffic(scenes.SEED), Truth()
    standing = 0
    for _ in range(1200):
        sights = look(traffic.step())
        truth.fold(sights, traffic.second)
        lanes = SETTINGS.zone("lanes").polygon
        halted = [s for s in sights if s.user.speed == 0 and s.user.way.light]
        standing += sum(inside(((s.row[0] + s.row[2]) / 2, s.row[3]), lanes) for s in halted)

    assert standing > 200


@pytest.mark.long
def test_a_perfect_detector_sees_everyone_in_view_with_riders_apart() -> None:
    traffic = Traffic(scenes.SEED)
    for _ in range(600):
        sights = look(traffic.step())
    found = Detector(1, PERFECT).detect(sights)

    assert len(found) == sum(1 + s.user.riders for s in sights)


@pytest.mark.long
def test_what_drives_lies_in_a_region_that_moves_and_what_is_parked_does_not() -> None:
    traffic, mover = Traffic(scenes.SEED), Mover()
    for _ in range(600):
        sights = look(traffic.step())
        regions = mover.regions(sights)
    drives = [s for s in sights if s.user.speed > 4.0 and s.clear == 1.0]
    parked = [s for s in sights if s.user.parked and s.clear == 1.0]

    assert drives
    assert parked
    assert all(any(_holds(region, s.row) for region in regions) for s in drives)
    assert not any(region.area < 0.02 and _holds(region, s.row) for region in regions for s in parked)


def _holds(region: Box, row: Floats) -> bool:
    inside = (
        region.left <= row[0] and region.top <= row[1] and region.right >= row[2] and region.bottom >= row[3]
    )
    return bool(inside)


@pytest.mark.long
def test_regions_that_move_share_no_ground() -> None:
    traffic, mover = Traffic(scenes.SEED), Mover()
    for _ in range(600):
        regions = mover.regions(look(traffic.step()))

    assert len(regions) > 3
    for a, b in combinations(regions, 2):
        assert a.left >= b.right or b.left >= a.right or a.top >= b.bottom or b.top >= a.bottom


def test_a_picture_shows_who_is_there() -> None:
    pictures = list(render.frames(scenes.SEED, seconds=0.5))
    apart = abs(pictures[0].astype(int) - pictures[-1].astype(int)).max(axis=2)

    assert pictures[0].shape == (720, 1280, 3)
    assert 0.0005 < (apart > 40).mean() < 0.2


@pytest.mark.long
def test_a_parked_car_is_told_once_in_a_night_and_a_morning() -> None:
    assert parked.alerts(1.0, seed=3) == 1
