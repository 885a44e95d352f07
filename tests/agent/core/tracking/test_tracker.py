"""agent.core.tracking.tracker"""

from __future__ import annotations

import copy
import pickle
from collections import Counter
from itertools import pairwise
from math import isfinite

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.ids import Ids
from agent.core.tracking import tracker
from agent.core.tracking.tracker import TrackerState, TrackSettings
from agent.core.types import WHOLE, Box, Detection, Instant, Sighting, Track

SETTINGS = TrackSettings()
History = list[tuple[Track, ...]]
LEFT = Box(0.0, 0.0, 0.5, 1.0)


def moment(second: float) -> Instant:
    return Instant(second, 1_770_000_000.0 + second)


def box(x: float, y: float = 0.5, width: float = 0.06, height: float = 0.16) -> Box:
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def person(x: float, y: float = 0.5, score: float = 0.9) -> Detection:
    return Detection("person", score, box(x, y))


def car(x: float, label: str = "car", score: float = 0.9, y: float = 0.5) -> Detection:
    return Detection(label, score, box(x, y, 0.12, 0.1))


def look(second: float, *found: Detection, moving: tuple[Box, ...] = (WHOLE,)) -> Sighting:
    return Sighting(moment(second), (WHOLE,), found, moving)


def rest(second: float, moving: tuple[Box, ...] = (WHOLE,)) -> Sighting:
    return Sighting(moment(second), (), (), moving)


def watch(*sightings: Sighting, settings: TrackSettings = SETTINGS, seed: bytes = b"a seed") -> History:
    state: TrackerState | None = None
    ids = Ids(seed)
    history = []
    for sighting in sightings:
        state, ids, tracks = tracker.update(state, sighting, ids, settings)
        history.append(tracks)
    return history


def names(history: History) -> set[str]:
    return {each.id for tracks in history for each in tracks if each.confirmed}


def endings(history: History) -> Counter[str]:
    return Counter(each.id for tracks in history for each in tracks if each.ended)


@pytest.mark.parametrize("every", [1, 2, 3, 5])
def test_a_walker_is_one_track_over_frames_on_which_the_detector_rested(every):
    history = watch(
        *(look(n / 10, person(0.2 + n * 0.01)) if n % every == 0 else rest(n / 10) for n in range(50))
    )
    assert len(names(history)) == 1
    last = history[-1][0]
    assert abs(last.box.center[0] - 0.69) < 0.02
    assert abs(last.velocity[0] - 0.1) < 0.03
    assert last.started == moment(0.0)


def test_a_fast_car_is_one_track_at_five_frames_a_second():
    # 0.35 of the frame per second, three of its lengths: its boxes of two looks do not touch at first.
    history = watch(*(look(n / 5, car(0.05 + n * 0.07)) for n in range(13)))
    assert len(names(history)) == 1
    assert history[-1][0].seen


def cut(x: float, width: float = 0.24) -> Detection:
    """A bus whose middle is at x, as far as it is in the picture."""
    whole = box(x, 0.5, width, 0.2)
    return Detection("bus", 0.9, Box(max(0.0, whole.left), whole.top, min(1.0, whole.right), whole.bottom))


def test_a_bus_that_comes_in_over_the_border_and_leaves_over_it_is_one_track_that_goes_one_way():
    # From 0.1 widths in the picture to as much again, a fifth of its width a look.
    middles = [-0.1 + 0.048 * n for n in range(26)]
    history = watch(*(look(n / 5, cut(x)) for n, x in enumerate(middles)))
    assert len(names(history)) == 1
    assert all(tracks[0].velocity[0] > 0 for tracks in history[1:])
    assert history[12][0].box.width == pytest.approx(0.24, abs=0.02)


def test_what_has_left_over_the_border_ends_as_soon_as_it_is_out_though_nobody_looks():
    middles = [0.5 + 0.06 * n for n in range(10)]
    history = watch(
        *(look(n / 5, cut(x)) for n, x in enumerate(middles)), *(rest(2 + n / 5, ()) for n in range(10))
    )
    assert list(endings(history).values()) == [1]
    assert any(each.ended for tracks in history[:16] for each in tracks)


def test_one_detection_is_a_candidate_that_is_returned_but_not_confirmed():
    history = watch(look(0.0, person(0.5)), look(0.1), look(0.2), look(0.5), look(1.0))
    assert [each.confirmed for each in history[0]] == [False]
    assert history[-1] == ()
    assert not endings(history)


def test_weak_detections_begin_no_track_but_keep_one():
    assert watch(*(look(n / 10, person(0.5, score=0.3)) for n in range(20)))[-1] == ()
    strong = [look(n / 10, person(0.5)) for n in range(5)]
    weak = [look(0.5 + n / 10, person(0.5, score=0.3)) for n in range(50)]
    history = watch(*strong, *weak)
    assert len(names(history)) == 1
    assert history[-1][0].seen
    assert history[-1][0].score == 0.3
    assert history[-1][0].top_score == 0.9


def test_a_lost_track_ends_once_and_is_not_told_again():
    history = watch(*(look(n / 10, person(0.5)) for n in range(10)), *(look(1 + n / 10) for n in range(200)))
    assert list(endings(history).values()) == [1]
    assert history[-1] == ()


def test_a_track_whose_place_was_not_looked_at_is_not_missed():
    seen = [look(n / 10, person(0.8)) for n in range(10)]
    elsewhere = [Sighting(moment(1 + n / 10), (LEFT,), (), (WHOLE,)) for n in range(40)]
    looked = [look(1 + n / 10) for n in range(40)]
    assert not endings(watch(*seen, *elsewhere))
    assert endings(watch(*seen, *looked))


def test_a_track_says_how_many_looks_in_a_row_missed_it():
    seen = [look(n / 10, person(0.3)) for n in range(5)]
    history = watch(*seen, look(0.5), rest(0.6), look(0.7), look(0.8, person(0.3)))

    assert [tracks[0].missed for tracks in history[-5:]] == [0, 1, 1, 2, 0]


def test_a_walker_is_found_again_behind_a_bus():
    before = [look(n / 10, person(0.2 + n * 0.01)) for n in range(20)]
    hidden = [look(2 + n / 10) for n in range(12)]
    after = [look(3.2 + n / 10, person(0.52 + n * 0.01)) for n in range(10)]
    history = watch(*before, *hidden, *after)
    assert len(names(history)) == 1
    assert history[-1][0].seen


def test_two_walkers_that_cross_keep_their_ids():
    history = watch(
        *(look(n / 10, person(0.2 + n * 0.01, 0.5), person(0.8 - n * 0.01, 0.53)) for n in range(60))
    )
    first = {each.id: each.box.center[0] for each in history[10]}
    last = {each.id: each.box.center[0] for each in history[-1]}
    assert first.keys() == last.keys()
    assert len(first) == 2
    for name, x in first.items():
        assert (x < 0.5) == (last[name] > 0.5)


def test_a_parked_car_is_one_track_for_hours_although_the_detector_rarely_finds_it():
    arrives = [look(n / 5, car(0.5)) for n in range(60)]
    night = [look(12 + n * 10.0, *([car(0.5)] if n % 90 == 0 else []), moving=()) for n in range(3 * 360)]
    history = watch(*arrives, *night)
    assert len(names(history)) == 1
    assert not endings(history)
    assert history[-1][0].stationary


def test_headlights_over_a_parked_car_do_not_end_it():
    arrives = [look(n / 5, car(0.5)) for n in range(60)]
    glare = [look(12 + n / 5) for n in range(50)]
    assert not endings(watch(*arrives, *glare))


def test_a_parked_car_that_drives_away_unseen_ends():
    arrives = [look(n / 5, car(0.5)) for n in range(60)]
    leaves = [look(12 + n / 5, moving=(box(0.5 + n * 0.05, 0.5, 0.2, 0.2),)) for n in range(10)]
    empty = [look(14 + n, moving=()) for n in range(200)]
    assert list(endings(watch(*arrives, *leaves, *empty)).values()) == [1]


def test_whoever_stands_and_is_passed_is_no_ghost_that_walks_on_with_the_passer():
    stands = [look(n / 5, person(0.5)) for n in range(60)]
    met = look(12, person(0.5), moving=(box(0.5),))
    passed = [look(12.2 + n / 5, moving=(box(0.52 + n * 0.02),)) for n in range(7)]
    empty = [look(13.6 + n / 5, moving=()) for n in range(20)]
    history = watch(*stands, met, *passed, *empty)

    assert max(tracks[0].box.center[0] for tracks in history) > 0.53
    assert [round(tracks[0].box.center[0], 2) for tracks in history[-10:]] == [0.5] * 10
    assert not endings(history)


def test_a_car_at_night_that_is_found_once_in_ten_frames_becomes_one_track():
    def sighting(n: int) -> Sighting:
        x = 0.1 + n * 0.01
        found = [car(x, score=0.6)] if n % 10 == 0 else []
        return look(n / 10, *found, moving=(box(x, 0.5, 0.14, 0.12),))

    history = watch(*(sighting(n) for n in range(80)))
    assert len(names(history)) == 1
    assert len({each.id for tracks in history for each in tracks}) == 1


def around(found: Detection, grown: float = 1.5) -> Box:
    x, y = found.box.center
    return box(x, y, found.box.width * grown, found.box.height * grown)


def weak(second: float, found: Detection, *more: Detection) -> Sighting:
    return look(second, found, *more, moving=(around(found),))


def test_a_cyclist_who_is_seen_badly_all_the_time_becomes_one_track_once_he_has_gone_a_way():
    history = watch(*(weak(n / 10, person(0.2 + n * 0.008, score=0.4)) for n in range(20)))
    assert len(names(history)) == 1
    assert history[-1][0].started == moment(0.0)
    assert not any(history[:4])
    assert history[9][0].confirmed


def test_a_vehicle_at_night_that_is_called_by_many_names_is_one_track_with_the_likeliest_one():
    called = ["car", "person", "car", "motorcycle", "car"]
    history = watch(*(weak(n / 5, car(0.2 + n * 0.02, called[n % 5], 0.35)) for n in range(20)))
    assert len(names(history)) == 1
    assert history[-1][0].label == "car"


def test_a_large_region_around_a_queue_at_night_is_motion_enough():
    def sighting(n: int) -> Sighting:
        queue = [car(x + n * 0.02, score=0.35) for x in (0.1, 0.25, 0.4)]
        return look(n / 5, *queue, moving=(Box(0.0, 0.3, 0.98, 0.7),))

    assert len(names(watch(*(sighting(n) for n in range(15))))) == 3


def test_a_signpost_that_is_weakly_a_person_is_told_to_nobody_however_long_a_branch_moves_before_it():
    history = watch(*(weak(n / 10, person(0.5 + 0.01 * (n % 3 - 1), score=0.5)) for n in range(600)))
    assert not any(history)


def test_weak_sights_of_what_stands_do_not_help_a_strong_one():
    scores = [0.5] * 30 + [0.65] + [0.5] * 30
    assert not names(watch(*(weak(n / 10, person(0.5, score=score)) for n, score in enumerate(scores))))


@pytest.mark.parametrize("moving", [(), (WHOLE,), (box(0.8),)], ids=["nothing", "who knows", "another"])
def test_weak_detections_that_travel_begin_no_track_where_it_is_not_they_that_move(moving):
    history = watch(*(look(n / 10, person(0.2 + n * 0.008, score=0.4), moving=moving) for n in range(30)))
    assert not any(history)


def unknown(second: float, *found: Detection, changing: tuple[Box, ...]) -> Sighting:
    """A look at a scene that is still being learned: anything may move, and in places the picture changes."""
    return Sighting(moment(second), (WHOLE,), found, (WHOLE,), changing)


def test_while_the_scene_is_learned_a_weak_sight_begins_a_track_where_the_picture_changes():
    found = [person(0.2 + n * 0.008, score=0.4) for n in range(20)]
    there = watch(*(unknown(n / 10, each, changing=(around(each),)) for n, each in enumerate(found)))
    elsewhere = watch(*(unknown(n / 10, each, changing=(box(0.8),)) for n, each in enumerate(found)))
    assert len(names(there)) == 1
    assert not any(elsewhere)


def test_the_light_before_a_car_in_a_scene_that_is_learned_is_no_second_one():
    def sighting(n: int) -> Sighting:
        x = 0.2 + n * 0.02
        light = car(x + 0.13, score=0.55, y=0.42)
        return unknown(n / 10, car(x), light, changing=(Box(x - 0.08, 0.35, x + 0.2, 0.58),))

    assert len(names(watch(*(sighting(n) for n in range(20))))) == 1


def test_what_changes_in_a_scene_that_is_learned_neither_confirms_nor_leads_a_track():
    """It is where somebody was as well as where he is, of a slow one the rims."""
    seen = [unknown(0.0, person(0.5), changing=()), unknown(0.1, person(0.5, score=0.62), changing=())]
    missed = [unknown(0.2 + n / 10, changing=(box(0.5 + n / 50),)) for n in range(5)]
    without = [unknown(0.2 + n / 10, changing=()) for n in range(5)]
    assert watch(*seen, *missed) == watch(*seen, *without)


def test_a_weak_part_of_a_tracked_car_is_no_second_road_user():
    def sighting(n: int) -> Sighting:
        x = 0.2 + n * 0.01
        bonnet = Detection("person", 0.5, Box(x + 0.01, 0.47, x + 0.05, 0.55))
        return look(n / 10, car(x), bonnet, moving=(box(x, 0.5, 0.14, 0.12),))

    assert len(names(watch(*(sighting(n) for n in range(40))))) == 1


def test_a_part_that_was_seen_before_its_whole_is_no_second_road_user():
    def sighting(n: int) -> Sighting:
        x = 0.2 + n * 0.01
        bonnet = Detection("person", 0.3, Box(x + 0.01, 0.47, x + 0.05, 0.55))
        whole = [car(x)] if n >= 2 else []
        return look(n / 10, *whole, bonnet, moving=(box(x, 0.5, 0.14, 0.12),))

    assert len(names(watch(*(sighting(n) for n in range(60))))) == 1


def test_a_weak_box_half_beside_a_car_is_no_second_road_user():
    def sighting(n: int) -> Sighting:
        x = 0.2 + n * 0.02
        double = car(x + 0.07, score=0.3, y=0.56)
        return look(n / 10, car(x), double, moving=(box(x, 0.5, 0.14, 0.12),))

    assert len(names(watch(*(sighting(n) for n in range(30))))) == 1


def test_what_moves_on_before_a_signpost_does_not_speak_for_it():
    def sighting(n: int) -> Sighting:
        found = [person(0.5, score=0.5)] if n % 18 == 0 else []
        return look(n / 10, *found, moving=(around(person(0.5)),))

    assert not names(watch(*(sighting(n) for n in range(100))))


def test_a_walker_who_comes_weakly_out_from_behind_a_bus_keeps_his_id():
    def sighting(n: int) -> Sighting:
        score = 0.9 if n < 20 or n >= 31 else 0.4
        found = person(0.2 + 0.02 * (n if n < 20 else max(19, n - 5)), score=score)  # he waits behind it
        return look(n / 10, moving=(around(found),)) if 20 <= n < 25 else weak(n / 10, found)

    assert len(names(watch(*(sighting(n) for n in range(50))))) == 1


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(-0.2, 0.2), st.floats(-0.2, 0.2), st.floats(0.1, 0.59)), max_size=40))
def test_whatever_trembles_in_its_place_is_never_told_by_weak_detections_alone(shakes):
    found = [person(0.5 + x * 0.06, 0.5 + y * 0.16, score) for x, y, score in shakes]
    assert not any(watch(*(weak(n / 10, each) for n, each in enumerate(found))))


def test_a_label_that_flickers_within_its_group_is_one_track_with_the_majoritys_label():
    labels = ["car", "truck", "car", "car", "bus", "car", "truck", "car"] * 4
    history = watch(*(look(n / 10, car(0.3 + n * 0.005, label)) for n, label in enumerate(labels)))
    assert len(names(history)) == 1
    assert history[-1][0].label == "car"
    changes = [a[0].label != b[0].label for a, b in pairwise(history)]
    assert sum(changes) <= 1


def test_a_person_and_a_car_at_one_place_are_two_tracks():
    history = watch(*(look(n / 10, person(0.5), car(0.5)) for n in range(10)))
    assert sorted(each.label for each in history[-1]) == ["car", "person"]


def test_a_car_that_is_also_called_a_truck_is_one_track():
    history = watch(*(look(n / 10, car(0.5), car(0.5, "truck", 0.7)) for n in range(10)))
    assert len(history[-1]) == 1


def test_riders_are_voted_over_time_and_the_largest_frequent_count_wins():
    counts = [1, 2, 2, 0, 1, 2, 1, 3, 2, 1]
    history = watch(
        *(
            look(n / 10, Detection("motorcycle", 0.9, box(0.3 + n * 0.01), riders))
            for n, riders in enumerate(counts)
        )
    )
    assert history[-1][0].riders == 2


def test_a_person_whose_motorbike_is_found_later_stays_one_road_user():
    on_foot = [look(n / 10, person(0.3 + n * 0.01)) for n in range(10)]
    riding = [look(1 + n / 10, Detection("motorcycle", 0.9, box(0.4 + n * 0.01), 1)) for n in range(10)]
    history = watch(*on_foot, *riding)
    assert len(names(history)) == 1
    assert history[-1][0].label == "motorcycle"
    assert history[-1][0].riders == 1


def test_time_that_stands_still_or_steps_back_is_survived():
    history = watch(
        look(5.0, person(0.5)), look(5.0, person(0.5)), look(4.0, person(0.5)), look(6.0, person(0.5))
    )
    assert len({each.id for tracks in history for each in tracks}) == 1


def test_a_pause_of_an_hour_ends_what_was_tracked():
    history = watch(*(look(n / 10, person(0.5)) for n in range(10)), look(3600.0), look(3600.1))
    assert list(endings(history).values()) == [1]


fractions = st.floats(0.0, 1.0)
detections = st.builds(
    lambda label, score, x, y, width, height: Detection(
        label, score, Box(x, y, min(1.0, x + width), min(1.0, y + height))
    ),
    st.sampled_from(["person", "car", "truck", "motorcycle", "dog"]),
    fractions,
    fractions,
    fractions,
    st.floats(0.0, 0.5),
    st.floats(0.0, 0.5),
)
scenes = st.lists(
    st.tuples(
        st.floats(0.0, 2.0),
        st.lists(detections, max_size=6),
        st.sampled_from([(), (WHOLE,), (LEFT,)]),
        st.sampled_from([(), (WHOLE,), (LEFT,)]),
    ),
    max_size=12,
)
Scene = list[tuple[float, list[Detection], tuple[Box, ...], tuple[Box, ...]]]


def sightings(scene: Scene) -> list[Sighting]:
    now = 100.0
    out = []
    for step, found, looked, moving in scene:
        now += step
        out.append(Sighting(moment(now), looked, tuple(found) if looked else (), moving))
    return out


@settings(max_examples=30, deadline=None)
@given(scenes)
def test_the_same_sightings_give_the_same_tracks_and_other_seeds_share_no_id(scene):
    first, again = watch(*sightings(scene)), watch(*sightings(scene))
    other = watch(*sightings(scene), seed=b"another")
    assert first == again
    assert not {t.id for tracks in first for t in tracks} & {t.id for tracks in other for t in tracks}


@settings(max_examples=30, deadline=None)
@given(scenes)
def test_a_state_is_a_value_that_no_update_changes(scene):
    state: TrackerState | None = None
    ids = Ids(b"a seed")
    for sighting in sightings(scene):
        kept = copy.deepcopy(state)
        after, more, history = tracker.update(state, sighting, ids, SETTINGS)
        assert pickle.dumps(state) == pickle.dumps(kept)
        assert tracker.update(kept, sighting, ids, SETTINGS)[2] == history
        state, ids = after, more


@settings(max_examples=30, deadline=None)
@given(scenes)
def test_whatever_comes_every_confirmed_track_ends_once_and_boxes_stay_in_the_frame(scene):
    seen = sightings(scene)
    start = seen[-1].at.mono_s if seen else 0.0
    silence = [look(start + n * 600.0) for n in range(1, 40)]
    history = watch(*seen, *silence)
    assert all(endings(history)[name] == 1 for name in names(history))
    assert history[-1] == ()
    for each in (each for tracks in history for each in tracks):
        sides = (each.box.left, each.box.top, each.box.right, each.box.bottom, *each.velocity)
        assert all(isfinite(side) for side in sides)
        assert 0 <= each.box.left <= each.box.right <= 1
        assert 0 <= each.box.top <= each.box.bottom <= 1


def test_memory_is_bounded_in_a_storm_of_detections():
    few = TrackSettings(max_tracks=16)
    storm = [
        look(n / 10, *(person((n * 37 + k * 13) % 97 / 97, (k * 29 + n) % 89 / 89) for k in range(40)))
        for n in range(60)
    ]
    state: TrackerState | None = None
    ids = Ids(b"a seed")
    history: History = []
    for sighting in storm:
        state, ids, tracks = tracker.update(state, sighting, ids, few)
        assert len(state.states) == len(state.belief) <= 16
        history.append(tracks)
    alive = {each.id for each in state.states}
    assert all(endings(history)[name] == 1 for name in names(history) - alive)


def test_what_takes_the_very_place_of_a_track_is_that_track_whatever_it_is_called():
    flips = {12, 13, 14, 25}
    found = [Detection("bicycle" if n in flips else "person", 0.9, box(0.2 + n * 0.01)) for n in range(40)]
    history = watch(*(look(n / 10, each) for n, each in enumerate(found)))
    assert len(names(history)) == 1
    assert all(tracks[0].seen for tracks in history)
    assert {tracks[0].label for tracks in history} == {"person"}


def test_a_wrong_first_label_is_outvoted_also_by_another_kind():
    labels = ["motorcycle"] * 4 + ["car"] * 20
    history = watch(*(look(n / 10, car(0.3 + n * 0.005, label)) for n, label in enumerate(labels)))
    assert len(names(history)) == 1
    assert history[-1][0].label == "car"


def test_a_rider_who_is_found_apart_is_no_second_track_beside_the_motorbike():
    def sighting(n: int) -> Sighting:
        x = 0.2 + 0.01 * n
        part = [Detection("person", 0.9, Box(x - 0.02, 0.42, x + 0.02, 0.54))] if n in (10, 11, 12, 13) else []
        return look(n / 10, Detection("motorcycle", 0.9, box(x), 1), *part)

    assert len(names(watch(*(sighting(n) for n in range(30))))) == 1


def test_the_box_keeps_up_with_what_drives_towards_the_camera():
    sides = [0.02 * 1.06**n for n in range(40)]
    found = [Detection("motorcycle", 0.9, box(0.5, 0.2 + side, side, 2 * side)) for side in sides]
    history = watch(*(look(n / 10, each) for n, each in enumerate(found)))
    for each, tracks in list(zip(found, history, strict=True))[10:]:
        (one,) = tracks
        assert one.box.height / each.box.height == pytest.approx(1.0, abs=0.08)
        assert one.box.bottom == pytest.approx(each.box.bottom, abs=0.06 * each.box.height)


def test_motion_of_a_ridden_two_wheeler_confirms_no_part_of_it():
    def at(n: int, *parts: Detection) -> Sighting:
        whole = Detection("motorcycle", 0.9, box(0.2 + n * 0.01), riders=1)
        return look(n / 10, whole, *parts, moving=(box(0.2 + n * 0.01),))

    def part(n: int) -> Detection:
        return Detection("person", 0.9, box(0.2 + n * 0.01, 0.5, 0.04, 0.08))

    history = watch(*(at(n, *([part(n)] if n in range(10, 30, 4) else [])) for n in range(40)))

    assert len(names(history)) == 1


def test_a_walker_who_stops_between_two_looks_is_held_back_by_his_own_motion():
    def x(n: int) -> float:
        return 0.2 + min(n, 30) * 0.01

    def sighting(n: int) -> Sighting:
        shadowed = box(x(n) + 0.015, 0.51, 0.075, 0.18)
        return (
            Sighting(moment(n / 10), (WHOLE,), (person(x(n)),), (shadowed,))
            if n % 3 == 0
            else rest(n / 10, (shadowed,))
        )

    history = watch(*(sighting(n) for n in range(33)))
    (walker,) = history[-1]

    assert walker.box.center[0] == pytest.approx(x(32), abs=0.014)
    assert walker.box.width == pytest.approx(0.06, abs=0.001)
