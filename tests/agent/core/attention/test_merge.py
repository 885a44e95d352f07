"""agent.core.attention.merge"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.attention.merge import cut, gathered
from agent.core.types import WHOLE, Box, Crop, Detection, Reason

SAME_IOU, INSIDE = 0.5, 0.7


def found(label: str, box: Box, score: float = 0.8) -> Detection:
    return Detection(label, score, box)


LEFT = Crop(Box(0.0, 0.0, 0.6, 1.0), Reason.MOTION)
RIGHT = Crop(Box(0.4, 0.0, 1.0, 1.0), Reason.MOTION)


def test_detections_come_in_fractions_of_the_frame() -> None:
    crop = Crop(Box(0.5, 0.25, 1.0, 0.75), Reason.MOTION)
    (only,) = gathered([crop], [[found("car", Box(0.2, 0.2, 0.6, 0.4))]], SAME_IOU, INSIDE)
    assert only.box == Box(0.6, 0.35, 0.8, 0.45)


def test_an_object_seen_by_two_crops_is_one() -> None:
    in_left = found("car", Box(0.45 / 0.6, 0.4, 0.55 / 0.6, 0.5), 0.7)
    in_right = found("car", Box(0.05 / 0.6, 0.4, 0.15 / 0.6, 0.5), 0.9)
    (only,) = gathered([LEFT, RIGHT], [[in_left], [in_right]], SAME_IOU, INSIDE)
    assert only.score == 0.9


def test_a_whole_object_wins_over_its_better_scored_part() -> None:
    whole = found("bus", Box(0.02 / 0.6, 0.4, 0.4 / 0.6, 0.6), 0.5)  # 0.42..0.80 of the frame
    part = found("bus", Box(0.42 / 0.6, 0.4, 1.0, 0.6), 0.9)  # 0.42..0.60, cut by the left crop
    (only,) = gathered([LEFT, RIGHT], [[part], [whole]], SAME_IOU, INSIDE)
    assert only.box.right == pytest.approx(0.8)


def test_two_objects_side_by_side_stay_two() -> None:
    one, other = found("car", Box(0.1, 0.4, 0.2, 0.5)), found("car", Box(0.19, 0.4, 0.29, 0.5))
    assert len(gathered([LEFT], [[one, other]], SAME_IOU, INSIDE)) == 2


def test_a_rider_and_the_motorcycle_stay_two() -> None:
    rider, motorcycle = found("person", Box(0.1, 0.3, 0.2, 0.5)), found("motorcycle", Box(0.1, 0.4, 0.2, 0.55))
    assert len(gathered([LEFT], [[rider, motorcycle]], SAME_IOU, INSIDE)) == 2


def test_two_crops_that_name_one_object_differently_give_one() -> None:
    car = found("car", Box(0.45 / 0.6, 0.4, 0.55 / 0.6, 0.5), 0.6)
    truck = found("truck", Box(0.05 / 0.6, 0.4, 0.15 / 0.6, 0.5), 0.7)
    (only,) = gathered([LEFT, RIGHT], [[car], [truck]], SAME_IOU, INSIDE)
    assert only.label == "truck"


def test_an_object_at_the_frames_own_edge_is_not_taken_as_cut() -> None:
    near_edge = found("car", Box(0.0, 0.4, 0.3, 0.5), 0.6)
    larger = found("car", Box(0.0, 0.35, 0.9, 0.55), 0.7)
    assert len(gathered([LEFT], [[near_edge, larger]], SAME_IOU, INSIDE)) == 2


def test_no_crops_give_no_detections_and_missing_answers_are_an_error() -> None:
    assert gathered([], [], SAME_IOU, INSIDE) == ()
    with pytest.raises(ValueError, match="shorter"):
        gathered([LEFT, RIGHT], [[]], SAME_IOU, INSIDE)


fractions = st.floats(0, 0.99)
sizes = st.floats(0.003, 0.7)
boxes = st.builds(
    lambda x, y, w, h: Box(x, y, min(1.0, x + w), min(1.0, y + h)), fractions, fractions, sizes, sizes
)
detections = st.builds(found, st.sampled_from(["car", "person"]), boxes, st.floats(0.1, 1))


@settings(max_examples=80, deadline=None)
@given(st.lists(detections, max_size=12), st.lists(detections, max_size=12))
def test_gathering_invents_nothing_and_is_done_once(left: list[Detection], right: list[Detection]) -> None:
    once = gathered([LEFT, RIGHT], [left, right], SAME_IOU, INSIDE)
    assert len(once) <= len(left) + len(right)
    assert [d.score for d in once] == sorted((d.score for d in once), reverse=True)
    for detection in once:
        assert -1e-9 <= detection.box.left <= detection.box.right <= 1 + 1e-9
    again = gathered([Crop(WHOLE, Reason.FULL_SCAN)], [once], SAME_IOU, INSIDE)
    assert {*again} == {*once}


def test_a_box_at_a_border_that_is_the_crops_and_not_the_frames_is_cut() -> None:
    at_the_right = Box(0.5, 0.4, 1.0, 0.6)

    assert cut(at_the_right, LEFT.box)
    assert not cut(at_the_right, RIGHT.box)
    assert not cut(Box(0.4, 0.4, 0.9, 0.6), LEFT.box)
