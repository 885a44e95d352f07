"""benchmarks.swarm"""

from __future__ import annotations

from itertools import combinations

import pytest

from benchmarks import swarm
from benchmarks.scenes.ground import MIDDLE
from benchmarks.scenes.sensor import look
from benchmarks.scenes.swarm import Density, Swarm
from benchmarks.scenes.traffic import CYCLE_S, STEP_S, User
from tests.support.bodies import overlap

TURNED_M = 50.0
"""Along its way, whoever turns about has turned, on either side."""


@pytest.fixture(scope="module")
def rows() -> list[dict[str, object]]:
    return swarm.main([], seeds=(3,), crossings=60)


@pytest.mark.long
def test_true_boxes_under_true_ids_are_counted_without_a_mistake(rows: list[dict[str, object]]) -> None:
    perfect = rows[0]

    assert perfect["way"] == "perfect"
    assert int(str(perfect["crossings"])) > 15
    assert (perfect["extra"], perfect["wrong_direction"]) == (0, 0)
    assert int(str(perfect["missed"])) <= 1


@pytest.mark.long
def test_most_of_them_ride_on_two_wheels(rows: list[dict[str, object]]) -> None:
    assert int(str(rows[0]["two_wheelers_pct"])) >= 60


@pytest.mark.long
def test_riders_fill_a_lane_abreast_and_no_two_vehicles_share_a_place() -> None:
    traffic = Swarm(3, Density(swarms=1.0, cars=0.3))
    worst, abreast = 0, 0
    for _ in range(1200):
        users = [user for user in traffic.step() if user.place[1] > 4.0 and user.label != "person"]
        worst += sum(overlap(a, b) for a, b in combinations(users, 2))
        riders = [u for u in users if u.label == "motorcycle" and u.heading > 1.5 and 0 < u.place[0] < 3.5]
        beside = (sum(abs(u.place[1] - v.place[1]) < 0.9 for v in riders) for u in riders)
        abreast = max(abreast, max(beside, default=0))

    assert worst <= 6  # a shoulder may touch a shoulder
    assert abreast >= 3


def test_riders_turn_about_where_nobody_comes() -> None:
    traffic = Swarm(3, Density(swarms=0.0, cars=0.1, turns=6.0, against=0.0))
    turned: set[int] = set()
    for _ in range(900):
        turned |= {u.name for u in traffic.step() if _turns(u, traffic) and u.along > TURNED_M}

    assert len(turned) >= 3


def test_who_turns_about_and_who_turns_left_do_not_wait_for_each_other_for_good() -> None:
    traffic = Swarm(3, Density(swarms=0.0, cars=0.0, turns=0.0, against=0.0))
    left = User(101, "truck", traffic.routes["north-left"][0], 0.0, wish=8.0, along=MIDDLE - 7.5)
    about = User(102, "motorcycle", traffic.turning[1], 0.0, wish=5.0, along=85.0 - MIDDLE - 8.2)
    for user in (left, about):
        user.settle()
        traffic.users.append(user)
    gone = [traffic.step() for _ in range(round(CYCLE_S / STEP_S))][-1]

    assert not {left.name, about.name} & {user.name for user in gone}


@pytest.mark.long
def test_no_queue_stands_for_good() -> None:
    traffic, since = Swarm(20261128), dict[int, float]()
    longest = 0.0
    for _ in range(round(600 / STEP_S)):
        standing = {u.name for u in traffic.step() if u.speed < 0.3 and u.label != "person" and not u.parked}
        since = {name: since.get(name, traffic.second) for name in standing}
        longest = max([longest, *(traffic.second - begun for begun in since.values())])

    assert longest < 3 * CYCLE_S


def _turns(user: User, traffic: Swarm) -> bool:
    return any(user.way is way for way in traffic.turning)


def test_the_same_seed_makes_the_same_swarm() -> None:
    first, second = Swarm(5), Swarm(5)
    for _ in range(300):
        one, two = look(first.step()), look(second.step())
    assert [(s.user.name, s.user.place) for s in one] == [(s.user.name, s.user.place) for s in two]
