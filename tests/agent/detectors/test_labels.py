"""agent.detectors.labels"""

from __future__ import annotations

from agent.detectors.labels import COCO80, COCO91, ROAD_USERS


def test_the_lists_are_the_same_names_with_and_without_gaps() -> None:
    assert (len(COCO80), len(COCO91)) == (80, 91)
    assert tuple(filter(None, COCO91)) == COCO80
    assert (COCO91[1], COCO91[3], COCO91[90]) == ("person", "car", "toothbrush")


def test_every_road_user_is_a_name_of_coco() -> None:
    assert set(ROAD_USERS) <= set(COCO80)
