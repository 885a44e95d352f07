"""agent.core.attention.scheduler"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.attention import scheduler
from agent.core.attention.crops import holds, tiles
from agent.core.attention.scheduler import AttentionInput, AttentionState
from agent.core.attention.settings import AttentionSettings
from agent.core.types import WHOLE, Box, Crop, Instant, Motion, Reason, Size, Track

FIELD = Size(416, 416)
HD = Size(1280, 720)
DEFAULT = AttentionSettings()
START = Instant(100.0, 1_770_000_000.0)
STILL = Motion((), 0.0)
LANE = Box(0.4, 0.4, 0.5, 0.6)


def later(seconds: float) -> Instant:
    return Instant(START.mono_s + seconds, START.wall_s + seconds)


def seen_now(at_s: float, *regions: Box, tracks: tuple[Track, ...] = (), frame: Size = HD) -> AttentionInput:
    return AttentionInput(later(at_s), frame, FIELD, Motion(regions, 0.01 * len(regions)), tracks)


def track(name: str, box: Box, stationary: bool = False, ended: bool = False) -> Track:
    return Track(
        id=name,
        label="car",
        score=0.8,
        top_score=0.9,
        box=box,
        velocity=(0.0, 0.0),
        started=START,
        last_seen=START,
        seen=True,
        confirmed=True,
        stationary=stationary,
        ended=ended,
    )


def seen(name: str, box: Box, at_s: float) -> Track:
    """A confirmed track that a detection matched at this moment."""
    return replace(track(name, box), started=later(-10), last_seen=later(at_s))


def young(at_s: float) -> Track:
    return replace(seen("young", LANE, at_s), confirmed=False)


def looks(scenes: list[AttentionInput], wanted: AttentionSettings = DEFAULT) -> list[float]:
    """At which of the scenes the detector looks, in seconds after the start."""
    state, times = None, []
    for scene in scenes:
        state, crops = scheduler.update(state, scene, wanted)
        if crops:
            times.append(scene.at.since(START))
    return times


def test_where_it_is_switched_off_the_detector_looks_at_nothing_and_waits_for_nothing() -> None:
    off = AttentionSettings(enabled=False)
    scenes = [seen_now(n / 10, LANE, tracks=(young(n / 10),)) for n in range(100)]
    assert looks(scenes, off) == []
    state, _ = scheduler.update(None, scenes[0], off)
    assert scheduler.patience_s(state, scenes[0], off) == inf


def every(seconds: float, count: int) -> object:
    return pytest.approx([n * seconds for n in range(count)])


def scanned() -> AttentionState:
    """As it is right after the first full scan."""
    state, crops = scheduler.update(None, seen_now(0), DEFAULT)
    assert crops
    return state


def look(
    scene: AttentionInput, wanted: AttentionSettings = DEFAULT, state: AttentionState | None = None
) -> tuple[Crop, ...]:
    """The crops for one frame after the first full scan."""
    return scheduler.update(state or scanned(), scene, wanted)[1]


def size_px(crop: Crop, frame: Size = HD) -> tuple[int, int]:
    return round(crop.box.width * frame.width_px), round(crop.box.height * frame.height_px)


def test_the_first_frame_is_seen_whole() -> None:
    _, crops = scheduler.update(None, seen_now(0), DEFAULT)
    assert crops == (Crop(WHOLE, Reason.FULL_SCAN),)


def test_the_detector_rests_while_nothing_moves() -> None:
    state: AttentionState | None = None
    looks = 0
    for index in range(1200):
        state, crops = scheduler.update(state, seen_now(index / 10, frame=Size(640, 360)), DEFAULT)
        looks += bool(crops)
    assert looks == 4  # one full scan in thirty seconds


def test_a_small_region_gets_a_crop_of_the_detectors_own_size() -> None:
    wanted = AttentionSettings(enlarge=1)
    (crop,) = look(seen_now(1, Box(0.5, 0.5, 0.53, 0.56)), wanted)
    assert crop.reason is Reason.MOTION
    assert size_px(crop) == (416, 416)


def test_a_tiny_region_is_enlarged_as_far_as_allowed() -> None:
    (crop,) = look(seen_now(1, Box(0.5, 0.5, 0.51, 0.52)), AttentionSettings(enlarge=2))
    assert size_px(crop) == (208, 208)


def test_in_a_small_picture_what_is_small_is_enlarged_all_the_same() -> None:
    frame, motorbike = Size(352, 288), Box(0.5, 0.5, 0.54, 0.56)
    (crop,) = look(seen_now(1, motorbike, frame=frame))
    assert size_px(crop, frame) == (208, 208)
    assert holds(crop.box, motorbike)


def test_in_a_small_picture_what_is_large_enough_is_seen_in_one_whole_look() -> None:
    cars = Box(0.05, 0.5, 0.25, 0.7), Box(0.4, 0.4, 0.6, 0.6), Box(0.75, 0.6, 0.95, 0.8)
    (crop,) = look(seen_now(1, *cars, frame=Size(352, 288)))
    assert crop.box.width == 1
    assert all(holds(crop.box, car) for car in cars)


@pytest.mark.parametrize("width_px", [352, 512])
def test_a_small_picture_is_seen_whole_where_that_is_asked_for(width_px: int) -> None:
    scene = seen_now(1, Box(0.5, 0.5, 0.54, 0.56), frame=Size(width_px, 288))
    assert [crop.box for crop in look(scene, AttentionSettings(whole_within=1.3))] == [WHOLE]


def test_a_large_object_fits_with_room_around_it() -> None:
    region = Box(0.3, 0.2, 0.7, 0.8)
    (crop,) = look(seen_now(1, region))
    assert holds(crop.box, region)
    assert region.height / crop.box.height <= DEFAULT.object_share + 0.01 or crop.box.height == 1
    assert region.width / crop.box.width <= DEFAULT.object_share + 0.01


def test_crops_keep_the_fields_shape_where_the_frame_allows_it() -> None:
    for region in (Box(0.1, 0.1, 0.13, 0.16), Box(0.4, 0.4, 0.6, 0.6), Box(0.97, 0.9, 1.0, 1.0)):
        (crop,) = look(seen_now(1, region))
        wide, high = size_px(crop)
        assert high == 720 or abs(wide - high) <= 2


def test_neighbours_share_a_crop_and_strangers_do_not() -> None:
    near = look(seen_now(1, Box(0.50, 0.5, 0.54, 0.57), Box(0.56, 0.5, 0.60, 0.57)))
    far = look(seen_now(1, Box(0.05, 0.1, 0.10, 0.2), Box(0.9, 0.8, 0.95, 0.9)))
    assert len(near) == 1
    assert len(far) == 2


def test_a_small_object_is_not_hidden_in_the_crop_of_a_large_one() -> None:
    large, small = Box(0.2, 0.2, 0.8, 0.95), Box(0.5, 0.3, 0.515, 0.33)
    crops = look(seen_now(1, large, small))
    assert any(holds(c.box, small) and size_px(c)[0] <= 416 for c in crops)
    assert any(holds(c.box, large) for c in crops)


def test_a_leg_of_a_followed_walker_asks_for_no_nearer_look_than_the_walker() -> None:
    frame = Size(768, 576)
    walkers = (seen("left", Box(0.1, 0.4, 0.15, 0.58), 0), seen("right", Box(0.8, 0.4, 0.85, 0.58), 0))
    leg, stranger = Box(0.11, 0.54, 0.13, 0.57), Box(0.45, 0.54, 0.47, 0.57)
    state = AttentionState(START, START, 1, ())
    _, crops = scheduler.update(state, seen_now(0.3, leg, tracks=walkers, frame=frame), DEFAULT)
    _, closer = scheduler.update(state, seen_now(0.3, stranger, tracks=walkers, frame=frame), DEFAULT)

    assert len(crops) == 1
    assert len(closer) == 2


def test_looks_keep_their_distance() -> None:
    wanted = AttentionSettings(min_interval_s=0.5)
    times = looks([seen_now(index / 10, tracks=(young(index / 10),)) for index in range(100)], wanted)
    assert min(b - a for a, b in pairwise(times)) >= 0.5 * 0.85
    assert len(times) == 20


def test_a_track_that_is_not_confirmed_is_looked_at_as_often_as_may_be() -> None:
    assert looks([seen_now(index / 10, tracks=(young(index / 10),)) for index in range(20)]) == every(0.1, 20)


def test_a_track_that_goes_where_it_should_is_looked_at_less_often() -> None:
    scenes = [seen_now(index / 10, tracks=(seen("a", LANE, index / 10),)) for index in range(30)]
    assert looks(scenes) == every(0.3, 10)


def test_a_track_that_would_leave_its_own_box_is_looked_at_sooner() -> None:
    fast = [replace(seen("a", LANE, index / 10), velocity=(0.8, 0.0)) for index in range(30)]
    times = looks([seen_now(index / 10, tracks=(each,)) for index, each in enumerate(fast)])
    assert times == every(0.2, 15)  # it is a tenth of the frame wide, and so gone in an eighth of a second


def test_a_track_that_is_new_is_looked_at_as_often_as_may_be() -> None:
    """Two sights do not tell how it moves."""
    new = [replace(seen("a", LANE, index / 10), started=later(0)) for index in range(20)]
    times = looks([seen_now(index / 10, tracks=(each,)) for index, each in enumerate(new)])
    assert times[:6] == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.6, 0.9])


def test_a_track_that_comes_into_view_is_looked_at_sooner() -> None:
    """At the border its box grows more than it moves."""
    border = Box(0.0, 0.4, 0.1, 0.6)
    entering = [replace(seen("a", border, index / 10), started=later(-0.5)) for index in range(30)]
    times = looks([seen_now(index / 10, tracks=(each,)) for index, each in enumerate(entering)])
    assert times[:8] == every(0.2, 8)
    assert times[-3:] == pytest.approx([2.2, 2.5, 2.8], abs=0.11)


@pytest.mark.parametrize(
    ("speed", "gap", "wait_s"),
    [
        pytest.param(0.1, 0.01, 0.2, id="passing each other"),
        pytest.param(0.0, 0.01, 0.3, id="side by side"),
        pytest.param(0.1, 0.1, 0.3, id="far from each other"),
    ],
)
def test_tracks_that_could_be_confused_are_looked_at_sooner(speed: float, gap: float, wait_s: float) -> None:
    beside = Box(LANE.right + gap, LANE.top, LANE.right + gap + 0.1, LANE.bottom)
    scenes = [
        seen_now(
            index / 10,
            tracks=(
                seen("a", LANE, index / 10),
                replace(seen("b", beside, index / 10), velocity=(-speed, 0.0)),
            ),
        )
        for index in range(30)
    ]
    times = looks(scenes)
    assert times == every(wait_s, len(times))
    assert len(times) == round(3 / wait_s)


def test_a_track_that_was_missed_is_looked_for_sooner_but_once() -> None:
    """It was seen at 0 and never again: hidden, or gone."""
    times = looks([seen_now(index / 10, tracks=(seen("a", LANE, 0.0),)) for index in range(20)])
    assert times[:4] == pytest.approx([0.0, 0.3, 0.5, 0.8])


def test_the_motion_of_a_track_that_is_followed_is_nothing_new() -> None:
    scenes = [seen_now(index / 10, LANE, tracks=(seen("a", LANE, index / 10),)) for index in range(30)]
    assert looks(scenes) == every(0.3, 10)


def test_new_motion_beside_a_track_that_is_followed_is_looked_at_at_once() -> None:
    state = None
    for index in range(2):
        state, crops = scheduler.update(
            state, seen_now(index / 10, LANE, tracks=(seen("a", LANE, index / 10),)), DEFAULT
        )
    new = Box(0.1, 0.7, 0.2, 0.9)
    _, crops = scheduler.update(state, seen_now(0.2, LANE, new, tracks=(seen("a", LANE, 0.2),)), DEFAULT)
    assert any(holds(crop.box, new) for crop in crops)


def test_a_parked_car_that_stirs_is_new_motion() -> None:
    parked = replace(seen("a", LANE, 0.0), stationary=True)
    state, _ = scheduler.update(None, seen_now(0, tracks=(parked,)), DEFAULT)
    _, crops = scheduler.update(state, seen_now(1, LANE, tracks=(parked,)), DEFAULT)
    assert crops


def test_motion_in_which_nothing_is_found_is_looked_at_ever_less_often() -> None:
    scenes = [seen_now(index / 10, Box(0.5, 0.1, 0.6, 0.3)) for index in range(300)]
    times = looks(scenes, AttentionSettings(full_scan_s=3600, full_scan_shrink=10))
    gaps = [round(b - a, 3) for a, b in pairwise(times)]
    assert gaps[0] == 0.2
    assert gaps == sorted(gaps)
    assert gaps[-1] == DEFAULT.negative_s


def test_whoever_comes_out_of_a_swaying_tree_is_looked_at_at_once() -> None:
    tree = Box(0.5, 0.1, 0.6, 0.3)
    wanted = AttentionSettings(full_scan_s=3600, full_scan_shrink=10)
    state: AttentionState | None = None
    at_s = 0.0
    crops: tuple[Crop, ...] = ()
    while at_s < 20 or not crops:
        at_s += 0.1
        state, crops = scheduler.update(state, seen_now(at_s, tree), wanted)
    assert scheduler.update(state, seen_now(at_s + 0.3, tree), wanted)[1] == ()
    assert scheduler.update(state, seen_now(at_s + 0.3, Box(0.5, 0.1, 0.68, 0.3)), wanted)[1]


def test_patience_says_how_long_nothing_need_be_looked_at() -> None:
    state, _ = scheduler.update(None, seen_now(0, tracks=(seen("a", LANE, 0.0),)), DEFAULT)
    assert scheduler.patience_s(state, seen_now(0), DEFAULT) == float("inf")
    assert scheduler.patience_s(state, seen_now(0, tracks=(seen("a", LANE, 0.0),)), DEFAULT) == pytest.approx(
        0.3, abs=0.05
    )
    assert scheduler.patience_s(state, seen_now(0, tracks=(seen("new", LANE, 0.0),)), DEFAULT) == 0


def test_a_moving_track_is_followed_without_motion() -> None:
    box = Box(0.5, 0.5, 0.6, 0.6)
    (crop,) = look(seen_now(1, tracks=(track("a", box),)))
    assert crop.reason is Reason.TRACK
    assert holds(crop.box, box)


def test_a_track_that_ended_or_left_the_frame_is_not_looked_for() -> None:
    gone = track("a", Box(0.5, 0.5, 0.6, 0.6), ended=True)
    outside = track("b", Box(1.1, 0.5, 1.2, 0.6))
    assert look(seen_now(1, tracks=(gone, outside))) == ()


def test_a_track_half_outside_is_still_looked_for() -> None:
    (crop,) = look(seen_now(1, tracks=(track("a", Box(0.95, 0.5, 1.1, 0.6)),)))
    assert crop.box.right == pytest.approx(1)
    assert crop.box.left <= 0.95


def test_a_standing_track_is_checked_rarely() -> None:
    parked = track("a", Box(0.5, 0.5, 0.6, 0.6), stationary=True)
    wanted = AttentionSettings(stationary_check_s=5, full_scan_s=3600)
    state = None
    times = []
    for index in range(201):
        state, crops = scheduler.update(state, seen_now(index / 10, tracks=(parked,)), wanted)
        if any(crop.reason is Reason.TRACK for crop in crops):
            times.append(index / 10)
    assert times == pytest.approx([0, 5, 10, 15, 20], abs=0.11)


def test_the_state_forgets_tracks_that_are_gone() -> None:
    state: AttentionState | None = None
    for number in range(200):
        parked = track(f"t{number}", Box(0.5, 0.5, 0.6, 0.6), stationary=True)
        state, _ = scheduler.update(state, seen_now(number, tracks=(parked,)), DEFAULT)
    assert state is not None
    assert len(state.checked) <= 1


def test_a_large_frame_is_scanned_in_tiles_that_cover_it() -> None:
    wanted = AttentionSettings(full_scan_s=10)
    frame = Size(3840, 2160)
    state = None
    parts: list[Box] = []
    for index in range(120):
        state, crops = scheduler.update(state, seen_now(index / 10, frame=frame), wanted)
        parts += [crop.box for crop in crops]
    assert parts[0] == WHOLE
    assert {*parts} == {*tiles(frame, FIELD, wanted.full_scan_shrink, wanted.whole_within)}
    for x in range(20):
        for y in range(20):
            point = Box(x / 20, y / 20, x / 20 + 0.01, y / 20 + 0.01)
            assert any(holds(part, point) for part in parts[1:])


def test_the_full_scan_is_not_starved_by_motion() -> None:
    regions = tuple(Box(x / 10, y / 10, x / 10 + 0.02, y / 10 + 0.03) for x in range(9) for y in range(0, 9, 3))
    state = None
    wholes = 0
    for index in range(600):
        scene = seen_now(index / 10, *regions, frame=Size(640, 360))
        state, crops = scheduler.update(state, scene, AttentionSettings(full_scan_s=10))
        wholes += any(crop.box == WHOLE for crop in crops)
    assert wholes >= 5


@pytest.mark.parametrize("budget", [1, 2, 4])
def test_tiles_get_their_turn_in_a_busy_large_frame(budget: int) -> None:
    regions = tuple(Box(x / 10, y / 10, x / 10 + 0.02, y / 10 + 0.03) for x in range(9) for y in range(0, 9, 3))
    state = None
    scanned_parts = 0
    for index in range(200):
        scene = seen_now(index / 10, *regions, frame=Size(1920, 1080))
        state, crops = scheduler.update(state, scene, AttentionSettings(max_crops=budget, full_scan_s=2))
        scanned_parts += any(crop.reason is Reason.FULL_SCAN for crop in crops)
        assert len(crops) <= budget
        assert all(any(holds(crop.box, region) for crop in crops) for region in regions) or not crops
    assert scanned_parts >= 8


def new_scene(at_s: float, *changing: Box, relit: bool = False) -> AttentionInput:
    """A moment in which the scene is learned, or its light has just changed."""
    return replace(seen_now(at_s), motion=Motion((), 0.0, settling=not relit, changing=changing, relit=relit))


def test_a_scene_that_settles_is_seen_whole_first_and_then_part_by_part_in_close_tiles() -> None:
    state = None
    looks: list[Box] = []
    for index in range(50):
        state, crops = scheduler.update(state, new_scene(index / 25), DEFAULT)
        assert len(crops) <= 1
        looks += [crop.box for crop in crops]
    assert looks[0] == WHOLE
    tiles_seen = {box for box in looks if box != WHOLE}
    assert len(tiles_seen) >= 4
    assert all(each.width * HD.width_px <= 1.3 * FIELD.width_px for each in tiles_seen)


@pytest.mark.parametrize("relit", [False, True])
def test_a_new_scene_and_a_new_light_are_looked_at_as_often_as_may_be_at_first(relit: bool) -> None:
    scenes = [seen_now(0), *(new_scene(10 + index / 10, relit=relit) for index in range(30))]
    times = [at_s - 10 for at_s in looks(scenes)[1:]]
    assert times[:8] == every(0.1, 8)
    assert [b - a for a, b in pairwise(times[9:])] == pytest.approx([0.2] * (len(times) - 10))


def test_frames_that_come_0_08_s_apart_are_all_looked_at_in_a_new_scene_and_not_in_a_known_one() -> None:
    """As ten of 25 pictures a second do."""
    taken = [n // 5 * 0.2 + (n % 5 > 0) * 0.12 for n in range(0, 100) if n % 5 in (0, 3)]
    unknown = looks([new_scene(at_s) for at_s in taken if at_s < 0.8])
    assert unknown == pytest.approx([at_s for at_s in taken if at_s < 0.8])
    known = looks([seen_now(at_s, tracks=(young(at_s),)) for at_s in taken])
    assert min(b - a for a, b in pairwise(known)) >= DEFAULT.min_interval_s


@pytest.mark.parametrize("relit", [False, True])
def test_where_somebody_is_followed_in_a_new_scene_the_looks_are_as_rare_as_ever(relit: bool) -> None:
    def scenes(found_s: float) -> list[AttentionInput]:
        some = [new_scene(10 + n / 10, relit=relit) for n in range(8)]
        times = [each.at.since(START) for each in some]
        return [
            replace(each, tracks=(seen("a", LANE, at_s),)) if at_s > 9.95 + found_s else each
            for each, at_s in zip(some, times, strict=True)
        ]

    times = [round(at_s - 10, 2) for at_s in looks([seen_now(0), *scenes(0.3)])[1:]]
    assert times == [0.0, 0.1, 0.2, 0.3, 0.4, 0.6]
    before = [replace(each, tracks=(seen("a", LANE, 9.9),)) for each in scenes(9)]
    assert len(looks([seen_now(0), *before])) == 1 + 8


def test_a_scene_whose_light_changes_is_scanned_from_the_beginning() -> None:
    state = scanned()
    for at_s in (30.5, 31.0):
        state, _ = scheduler.update(state, seen_now(at_s), DEFAULT)
    assert state.turn > 1
    _, crops = scheduler.update(state, new_scene(31.5, relit=True), DEFAULT)
    assert crops == (Crop(WHOLE, Reason.FULL_SCAN),)


def test_what_changes_in_a_new_scene_is_looked_at_closely_beside_the_scan() -> None:
    state, _ = scheduler.update(None, new_scene(0), DEFAULT)
    _, crops = scheduler.update(state, new_scene(0.1, LANE), DEFAULT)
    assert [crop.reason for crop in crops].count(Reason.MOTION) == 1
    assert any(holds(crop.box, LANE) and crop.box != WHOLE for crop in crops)


def test_patience_ends_with_the_next_look_at_a_new_light_though_nothing_moves() -> None:
    state, _ = scheduler.update(scanned(), new_scene(10, relit=True), DEFAULT)
    assert scheduler.patience_s(state, new_scene(10, relit=True), DEFAULT) < DEFAULT.min_interval_s
    assert scheduler.patience_s(state, new_scene(10.9, relit=True), DEFAULT) == inf


def test_a_place_in_a_new_scene_does_not_grow_dull() -> None:
    state = None
    for index in range(20):
        state, _ = scheduler.update(state, new_scene(index / 10, LANE), DEFAULT)
    assert state is not None
    assert not state.negative_map
    _, crops = scheduler.update(state, seen_now(2.2, LANE), DEFAULT)
    assert crops


fractions = st.floats(0, 0.99)
sizes = st.floats(0.003, 0.7)
boxes = st.builds(
    lambda x, y, w, h: Box(x, y, min(1.0, x + w), min(1.0, y + h)), fractions, fractions, sizes, sizes
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(boxes, max_size=30),
    st.lists(boxes, max_size=10),
    st.integers(1, 6),
    st.sampled_from([Size(352, 288), Size(640, 360), Size(1280, 720), Size(720, 1280), Size(3840, 2160)]),
)
def test_every_wish_is_covered_within_the_budget(
    regions: list[Box], tracked: list[Box], budget: int, frame: Size
) -> None:
    tracks = tuple(track(str(number), box) for number, box in enumerate(tracked))
    wanted = AttentionSettings(max_crops=budget)
    first, _ = scheduler.update(None, AttentionInput(START, frame, FIELD, STILL, ()), wanted)
    scene = AttentionInput(later(1), frame, FIELD, Motion(tuple(regions), 0.1), tracks)
    state, crops = scheduler.update(first, scene, wanted)
    assert len(crops) <= budget
    for box in [*regions, *tracked]:
        assert any(holds(crop.box, box) for crop in crops)
    for crop in crops:
        assert 0 <= crop.box.left < crop.box.right <= 1
        assert 0 <= crop.box.top < crop.box.bottom <= 1
    assert scheduler.update(first, scene, wanted) == (state, crops)


def test_what_moves_where_the_picture_never_rests_is_looked_at_all_the_same() -> None:
    tellable, restless = Motion((LANE,), 0.01), Motion((), 0.01, restless=(LANE,))
    state, _ = scheduler.update(None, seen_now(0), DEFAULT)
    crops = [
        scheduler.update(state, replace(seen_now(1), motion=each), DEFAULT)[1] for each in (tellable, restless)
    ]
    assert crops[0]
    assert crops[1] == crops[0]
