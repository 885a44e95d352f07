"""models.judge.measure.matching"""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nst

from models.judge.measure.matching import LEAST_IOU, UNCOUNTED, WRONG, match, overlaps

NONE = np.zeros(0, np.bool_)


def boxes(most: int) -> st.SearchStrategy[np.ndarray]:
    """(N, 4) of any boxes with an area."""

    def whole(corners: np.ndarray) -> np.ndarray:
        return np.concatenate([corners[:, :2], corners[:, :2] + corners[:, 2:] + 0.5], axis=1)

    shape = st.integers(0, most).map(lambda count: (count, 4))
    return shape.flatmap(lambda s: nst.arrays(np.float64, s, elements=st.integers(0, 12))).map(whole)


@given(boxes(8), boxes(8), st.data())
def test_each_object_is_found_once_by_a_box_that_overlaps_it_and_never_an_ignored_one(
    found: np.ndarray, objects: np.ndarray, data: st.DataObject
) -> None:
    ignored = np.array(
        data.draw(st.lists(st.booleans(), min_size=len(objects), max_size=len(objects))), np.bool_
    )

    owners = match(found, objects, ignored)

    near = overlaps(found, objects, ignored)
    hits = owners[owners >= 0]
    assert len(set(hits.tolist())) == len(hits)
    assert not ignored[hits].any()
    assert all(near[row, owner] >= LEAST_IOU for row, owner in enumerate(owners) if owner >= 0)
    assert all((near[row, ignored] >= LEAST_IOU).any() for row in np.flatnonzero(owners == UNCOUNTED))
    assert ((near >= 0) & (near <= 1 + 1e-9)).all()


@given(boxes(8))
def test_boxes_that_lie_where_the_objects_are_find_all_of_them(objects: np.ndarray) -> None:
    objects = np.unique(objects, axis=0)

    owners = match(objects, objects, np.zeros(len(objects), np.bool_))

    assert sorted(owners.tolist()) == list(range(len(objects)))


def test_the_likelier_of_two_boxes_on_one_object_finds_it_and_the_other_is_wrong() -> None:
    objects = np.array([[0.0, 0.0, 10.0, 10.0]])
    found = np.array([[0.0, 0.0, 10.0, 8.0], [0.0, 0.0, 10.0, 10.0]])

    assert match(found, objects, np.zeros(1, np.bool_)).tolist() == [0, WRONG]


def test_what_lies_in_a_crowd_counts_neither_way_but_what_lies_beside_it_is_wrong() -> None:
    crowd = np.array([[0.0, 0.0, 100.0, 100.0]])
    found = np.array([[10.0, 10.0, 20.0, 20.0], [90.0, 90.0, 120.0, 120.0]])

    assert match(found, crowd, np.ones(1, np.bool_)).tolist() == [UNCOUNTED, WRONG]


def test_without_boxes_or_without_objects_there_is_nothing_to_match() -> None:
    one = np.array([[0.0, 0.0, 1.0, 1.0]])

    assert match(one[:0], one, np.zeros(1, np.bool_)).tolist() == []
    assert match(one, one[:0], NONE).tolist() == [WRONG]
