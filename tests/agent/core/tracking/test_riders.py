"""agent.core.tracking.riders"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agent.core.ids import Ids
from agent.core.tracking import riders, tracker
from agent.core.tracking.riders import RiderSettings, fuse, sits
from agent.core.tracking.tracker import TrackerState, TrackSettings
from agent.core.types import WHOLE, Box, Detection, Instant, Sighting, Track

SETTINGS = RiderSettings()


def bike(x: float, y: float = 0.6, score: float = 0.8) -> Detection:
    """A motorbike whose wheels are at y."""
    return Detection("motorcycle", score, Box(x - 0.04, y - 0.12, x + 0.04, y))


def rider(x: float, y: float = 0.6, behind: float = 0.0) -> Detection:
    """A person who sits on the motorbike of the same x and y."""
    return Detection("person", 0.8, Box(x - 0.03 + behind, y - 0.22, x + 0.03 + behind, y - 0.03))


def walker(x: float, y: float = 0.6) -> Detection:
    """A person on foot, a little nearer to the camera than a motorbike at y."""
    return Detection("person", 0.8, Box(x - 0.025, y - 0.2, x + 0.025, y + 0.005))


def ride(frames: list[list[Detection]], moving: bool = True) -> list[tuple[Track, ...]]:
    """Fuse and track, ten frames a second."""
    state: TrackerState | None = None
    ids = Ids(b"a seed")
    history: list[tuple[Track, ...]] = [()]
    for n, found in enumerate(frames):
        fused = fuse(found, history[-1], SETTINGS)
        at = Instant(n / 10, 1.77e9 + n / 10)
        sighting = Sighting(at, (WHOLE,), fused, (WHOLE,) if moving else ())
        state, ids, tracks = tracker.update(state, sighting, ids, TrackSettings())
        history.append(tracks)
    return history[1:]


def users(history: list[tuple[Track, ...]]) -> dict[str, str]:
    """The last label of every confirmed track."""
    return {each.id: each.label for tracks in history for each in tracks if each.confirmed}


def test_a_rider_and_a_motorbike_are_one_detection_around_both():
    (fused,) = fuse([bike(0.5), rider(0.5)], (), SETTINGS)
    assert fused.label == "motorcycle"
    assert fused.riders == 1
    assert fused.box == Box(0.46, 0.6 - 0.22, 0.54, 0.6)


def test_what_is_hardly_a_motorbike_carries_nobody():
    ghost = bike(0.5, score=0.25)
    assert fuse([ghost, rider(0.5)], (), SETTINGS) == (ghost, rider(0.5))


def test_man_and_machine_bear_each_other_out():
    """A chance of 0.65 that there is no machine, and of 0.2 that there is no man: 0.13 that both are wrong."""
    for score, sure in ((0.35, 0.87), (0.9, 0.98)):
        (fused,) = fuse([bike(0.5, score=score), rider(0.5)], (), SETTINGS)
        assert fused.score == pytest.approx(sure)
        assert fused.label_score == score  # the man says nothing of whether it is a bicycle


def part_of(whole: Detection, score: float, share: float = 0.8) -> Detection:
    """The same again, as a detector sees it twice: of so much of its height, and hardly."""
    box = whole.box
    return replace(whole, score=score, box=replace(box, bottom=box.top + share * box.height))


def test_a_man_who_is_seen_twice_is_one_rider_and_two_who_are_seen_well_are_two():
    man = rider(0.5)
    (once, double) = fuse([bike(0.5), man, part_of(man, 0.35)], (), SETTINGS)
    assert (once.riders, double.label) == (1, "person")
    (both,) = fuse([bike(0.5), man, part_of(man, 0.5)], (), SETTINGS)
    assert both.riders == 2


def test_a_rider_sits_on_the_machine_and_not_on_its_shadow():
    machine = bike(0.5, score=0.9)
    shadow = replace(machine, score=0.3, box=replace(machine.box, left=0.463, right=0.535, top=0.46))
    fused = fuse([machine, shadow, replace(rider(0.5), box=Box(0.47, 0.38, 0.528, 0.57))], (), SETTINGS)
    assert [(each.score > 0.9, each.riders) for each in fused] == [(True, 1), (False, 0)]


def test_a_tracked_motorbike_that_is_seen_badly_for_a_moment_keeps_its_rider():
    frames = [
        [bike(0.2 + n * 0.01, score=0.15 if n in (8, 9, 10) else 0.8), rider(0.2 + n * 0.01)] for n in range(20)
    ]
    assert list(users(ride(frames)).values()) == ["motorcycle"]


def test_a_walker_in_whose_legs_a_bicycle_is_suspected_is_a_person_at_every_sight():
    frames = [[bike(0.2 + n * 0.01, score=0.2), rider(0.2 + n * 0.01)] for n in range(20)]
    history = ride(frames)
    assert list(users(history).values()) == ["person"]
    assert min(each.score for tracks in history for each in tracks) == 0.8


def test_a_family_of_four_is_four_riders_and_a_fifth_is_not():
    family = [rider(0.5, behind=0.006 * n) for n in range(5)]
    fused = fuse([bike(0.5), *family], (), SETTINGS)
    assert [each.riders for each in fused if each.label == "motorcycle"] == [4]
    assert sum(each.label == "person" for each in fused) == 1


def test_a_swarm_gives_each_motorbike_its_own_rider():
    swarm = [each for n in range(6) for each in (bike(0.1 + n * 0.13), rider(0.1 + n * 0.13))]
    fused = fuse(swarm, (), SETTINGS)
    assert [each.riders for each in fused] == [1] * 6


@pytest.mark.parametrize(
    ("person", "may"),
    [
        (rider(0.5), True),
        (rider(0.6), False),  # beside it
        (Detection("person", 0.9, Box(0.48, 0.1, 0.52, 0.3)), False),  # above it
        (Detection("person", 0.9, Box(0.45, 0.5, 0.55, 0.9)), False),  # in front of it, nearer
        (Detection("person", 0.9, Box(0.49, 0.5, 0.51, 0.53)), False),  # far too small
    ],
)
def test_the_picture_alone_rules_out_who_cannot_ride(person, may):
    assert sits(person.box, bike(0.5).box, SETTINGS.beside) is may


def test_cars_and_dogs_pass_untouched_and_a_switch_turns_it_off():
    found = [Detection("car", 0.9, Box(0.1, 0.1, 0.3, 0.3)), Detection("dog", 0.9, Box(0.5, 0.5, 0.6, 0.6))]
    assert set(fuse(found, (), SETTINGS)) == set(found)
    both = [bike(0.5), rider(0.5)]
    assert fuse(both, (), RiderSettings(enabled=False)) == tuple(both)


def test_a_motorbike_with_a_rider_is_one_road_user():
    history = ride([[bike(0.1 + n * 0.01), rider(0.1 + n * 0.01)] for n in range(40)])
    assert list(users(history).values()) == ["motorcycle"]
    assert history[-1][0].riders == 1


def test_a_rider_whose_motorbike_is_not_found_in_some_frames_is_no_second_road_user():
    def found(n: int) -> list[Detection]:
        x = 0.1 + n * 0.012
        both = [bike(x), rider(x)]
        return both if n % 4 < 2 else [rider(x)] if n % 4 == 2 else [bike(x)]

    history = ride([found(n) for n in range(50)])
    assert list(users(history).values()) == ["motorcycle"]
    assert history[-1][0].riders == 1
    heights = [tracks[0].box.height for tracks in history[10:]]
    assert max(heights) - min(heights) < 0.03


def test_a_walker_past_a_parked_motorbike_is_not_swallowed():
    parked = [[bike(0.5)] for _ in range(70)]
    passing = [[bike(0.5), walker(0.2 + n * 0.01)] for n in range(60)]
    history = ride(parked + passing)
    assert sorted(users(history).values()) == ["motorcycle", "person"]
    assert all(each.riders == 0 for tracks in history for each in tracks if each.label == "motorcycle")
    on_foot = [each for tracks in history[75:] for each in tracks if each.label == "person"]
    assert all(each.seen for each in on_foot)
    assert len(on_foot) == 55


def test_a_walker_past_a_motorbike_that_waits_with_its_rider_stays_a_walker():
    waits = [[bike(0.5), rider(0.5)] for _ in range(70)]
    passing = [[bike(0.5), rider(0.5), walker(0.2 + n * 0.01, 0.62)] for n in range(60)]
    history = ride(waits + passing)
    assert sorted(users(history).values()) == ["motorcycle", "person"]
    assert [each.riders for each in history[-1] if each.label == "motorcycle"] == [1]


def test_someone_who_mounts_and_drives_off_becomes_the_rider():
    parked = [[bike(0.5), walker(0.3 + min(n, 20) * 0.01)] for n in range(70)]
    drives = [[bike(0.5 + n * 0.012), rider(0.5 + n * 0.012)] for n in range(35)]
    history = ride(parked + drives)
    assert sorted(users(history).values()) == ["motorcycle", "person"]
    (last,) = [each for each in history[-1] if each.seen]
    assert (last.label, last.riders) == ("motorcycle", 1)


def test_a_person_found_before_the_motorbike_stays_one_road_user():
    alone = [[rider(0.1 + n * 0.012)] for n in range(12)]
    both = [[bike(0.1 + n * 0.012), rider(0.1 + n * 0.012)] for n in range(12, 40)]
    assert list(users(ride(alone + both)).values()) == ["motorcycle"]


def test_fusing_never_loses_a_detection_that_is_no_rider():
    crowd = [walker(0.1 + n * 0.1) for n in range(8)]
    assert sorted(fuse(crowd, (), SETTINGS), key=repr) == sorted(crowd, key=repr)
    assert riders.fuse([], (), SETTINGS) == ()


def test_a_family_whose_motorbike_is_not_found_in_some_frames_is_one_road_user():
    frames = []
    for n in range(40):
        x = 0.2 + 0.01 * n
        crew = [rider(x, behind=each) for each in (-0.012, 0.0, 0.012)]
        frames.append(crew if n % 8 in (5, 6, 7) else [bike(x), *crew])
    history = ride(frames)
    assert set(users(history).values()) == {"motorcycle"}
    assert len(users(history)) == 1
    assert history[-1][0].riders == 3


NEXT = 0.07
"""How much higher in the picture the next of a queue stands: a third of a rider on a motorbike."""


def overlooked(queue: list[Detection], frames: int, seed: int) -> list[list[Detection]]:
    """The same again and again, each trembling by 3 % of its size, and one of five overlooked."""
    chance = np.random.default_rng(seed)

    def seen(one: Detection) -> Detection:
        box = one.box
        left, top, right, bottom = 0.03 * chance.normal(size=4) * ([box.width, box.height] * 2)
        moved = Box(box.left + left, box.top + top, box.right + right, box.bottom + bottom)
        return replace(one, box=moved)

    return [[seen(each) for each in queue if chance.random() > 0.2] for _ in range(frames)]


@pytest.mark.parametrize("seed", range(3))
def test_a_queue_that_stands_behind_each_other_stays_where_it_stands(seed: int):
    queue = [each for n in range(6) for each in (bike(0.5, 0.95 - NEXT * n), rider(0.5, 0.95 - NEXT * n))]
    history = ride(overlooked(queue, 150, seed))

    began: dict[str, float] = {}
    for each in (each for tracks in history[20:] for each in tracks if each.confirmed):
        assert abs(each.box.bottom - began.setdefault(each.id, each.box.bottom)) < NEXT
    assert sorted(users(history[20:]).values()) == ["motorcycle"] * 6


def test_the_rider_of_the_next_in_a_queue_does_not_board():
    front, behind = rider(0.505), rider(0.5, 0.6 - NEXT)
    fused = fuse([bike(0.5), front, behind], (), SETTINGS)
    assert [(each.label, each.riders) for each in fused] == [("motorcycle", 1), ("person", 0)]
    assert fused[0].box.top == front.box.top


def test_a_child_between_the_drivers_arms_rides_along():
    child = Detection("person", 0.8, Box(0.48, 0.45, 0.52, 0.57))
    (both,) = fuse([bike(0.5), rider(0.5), child], (), SETTINGS)
    assert both.riders == 2


def test_in_a_queue_the_heads_tell_whose_machine_it_is():
    queue = [bike(0.5), rider(0.5), bike(0.5, 0.6 - NEXT), rider(0.5, 0.6 - NEXT)]
    tracks = ride([queue] * 10)[-1]
    # Sideways each is nearer to the machine of the other.
    crossed = [bike(0.5), rider(0.505), bike(0.505, 0.6 - NEXT), rider(0.5, 0.6 - NEXT)]
    fused = fuse(crossed, tracks, SETTINGS)
    assert [round(each.box.height, 3) for each in fused] == [0.22, 0.22]


def test_a_rider_whose_machine_is_overlooked_does_not_board_the_one_before_or_behind():
    queue = [bike(0.5), rider(0.5), bike(0.5, 0.6 - NEXT), rider(0.5, 0.6 - NEXT)]
    tracks = ride([queue] * 10)[-1]
    fused = fuse([bike(0.5), rider(0.5, 0.6 - NEXT)], tracks, SETTINGS)
    assert sorted((each.label, round(each.box.bottom, 2)) for each in fused) == [
        ("motorcycle", round(0.6 - NEXT, 2)),
        ("motorcycle", 0.6),
    ]


def test_a_rider_who_was_tracked_alone_at_first_takes_nobodys_place():
    alone, whole = [rider(0.5)], [bike(0.5), rider(0.5)]
    (person,) = ride([alone] * 10)[-1]
    (machine,) = ride([whole] * 10)[-1]
    (fused,) = fuse(alone, (person, machine), SETTINGS)
    assert (person.label, fused.label, fused.riders) == ("person", "motorcycle", 1)


def test_who_stands_where_a_motorbike_stood_rides_none():
    alone = [rider(0.5)]
    (person,) = ride([alone] * 40)[-1]
    (machine,) = ride([[bike(0.5), rider(0.5)]] * 10)[-1]
    assert fuse(alone, (person, replace(machine, seen=False)), SETTINGS) == tuple(alone)
