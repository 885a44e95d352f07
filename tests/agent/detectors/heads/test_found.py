"""agent.detectors.heads.found"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.types import Size
from agent.detectors.heads.found import Ask, Floats, RawDetections, likely, logit, sigmoid, suppress


@st.composite
def finds(draw: st.DrawFn) -> RawDetections:
    count = draw(st.integers(0, 30))
    seed = draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 40, (count, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(1, 40, (count, 2))], axis=1).astype(np.float32)
    scores = np.round(rng.uniform(0.1, 1, count), draw(st.sampled_from([1, 6]))).astype(np.float32)
    return RawDetections(boxes, scores, rng.integers(0, 3, count))


def iou(a: Floats, b: Floats) -> float:
    common = np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None).prod()
    return float(common / ((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - common))


@given(finds(), st.sampled_from([0.3, 0.5, 0.7]))
def test_what_is_left_does_not_overlap_and_what_went_had_a_better_one(
    found: RawDetections, limit: float
) -> None:
    left = suppress(found, limit)

    assert (np.diff(left.scores) <= 0).all()
    for i in range(len(left.scores)):
        for j in range(i):
            assert left.labels[i] != left.labels[j] or iou(left.boxes[i], left.boxes[j]) <= limit + 1e-5
    for box, score, label in zip(found.boxes, found.scores, found.labels, strict=True):
        assert any(
            label == other and best >= score and (iou(box, at) > limit - 1e-5 or np.array_equal(box, at))
            for at, best, other in zip(left.boxes, left.scores, left.labels, strict=True)
        )


@given(finds())
def test_suppressing_twice_changes_nothing(found: RawDetections) -> None:
    once = suppress(found, 0.5, 0.8)
    twice = suppress(once, 0.5, 0.8)

    assert np.array_equal(once.boxes, twice.boxes)
    assert np.array_equal(once.labels, twice.labels)


def test_one_object_has_one_label() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 10.5], [0, 0, 10, 5]], np.float32)
    found = RawDetections(boxes, np.array([0.5, 0.6, 0.4], np.float32), np.array([2, 7, 0]))

    assert suppress(found, 0.5, 0.85).labels.tolist() == [7, 0]
    assert suppress(found, 0.5, 1.0).labels.tolist() == [7, 2, 0]


def test_a_rider_is_not_the_twin_of_the_motorcycle() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 10]], np.float32)
    found = RawDetections(boxes, np.array([0.9, 0.8, 0.7], np.float32), np.array([0, 3, 1]))

    assert suppress(found, 0.5, 0.8, apart=0).labels.tolist() == [0, 3]


def test_a_box_that_went_takes_no_other_with_it() -> None:
    # b is a twin of a, c is a twin of b but not of a.
    boxes = np.array([[0, 0, 100, 10], [10, 0, 110, 10], [20, 0, 120, 10]], np.float32)
    found = RawDetections(boxes, np.array([0.9, 0.8, 0.7], np.float32), np.array([0, 1, 2]))

    assert suppress(found, 0.5, 0.75).labels.tolist() == [0, 2]


def test_a_place_gives_each_label_that_reaches_its_own_least_score() -> None:
    ask = Ask(Size(64, 64), np.array([2, 5]), np.array([0.3, 0.6], np.float32), 8)

    rows, scores, labels = likely(np.array([[0.4, 0.7], [0.2, 0.5], [0.3, 0.1]], np.float32), ask)

    assert rows.tolist() == [0, 0, 2]
    assert labels.tolist() == [2, 5, 2]
    assert scores == pytest.approx([0.4, 0.7, 0.3])


@given(st.floats(0.001, 0.999))
def test_logit_undoes_sigmoid(p: float) -> None:
    assert sigmoid(np.array([logit(p)], np.float32)) == pytest.approx([p], abs=1e-4)


def test_sigmoid_and_logit_stay_finite_at_the_ends() -> None:
    assert sigmoid(np.array([-1e9, 1e9], np.float32)).tolist() == [0, 1]
    assert np.isfinite([logit(0.0), logit(1.0)]).all()
