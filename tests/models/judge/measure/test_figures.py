"""models.judge.measure.figures"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.judge.measure.bootstrap import resampled
from models.judge.measure.figures import LabelOutcome, joined_outcome, plain_outcome


@st.composite
def outcomes(draw: st.DrawFn) -> LabelOutcome:
    """Any outcome in up to five scenes, with as many hits as there are objects at most."""
    scenes = draw(st.integers(1, 5))
    objects = np.array(draw(st.lists(st.integers(0, 4), min_size=scenes, max_size=scenes)), np.float64)
    rows = draw(st.lists(st.tuples(st.integers(1, 99), st.booleans(), st.integers(0, scenes - 1)), max_size=12))
    left = objects.copy()
    hits = []
    for _, hit, scene in rows:
        hits.append(hit and left[scene] > 0)
        left[scene] -= hits[-1]
    return LabelOutcome(
        np.array([score / 100 for score, _, _ in rows], np.float64),
        np.array(hits, np.bool_),
        np.array([scene for _, _, scene in rows], np.intp),
        objects,
    )


def area(outcome: LabelOutcome) -> float:
    """The area as the book has it: at each recall the best precision from there on."""
    order = np.argsort(-outcome.scores, kind="stable")
    hits = outcome.hits[order]
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    total = outcome.objects.sum()
    return sum(precision[row:].max() for row in np.flatnonzero(hits)) / total if total else math.nan


@given(outcomes())
def test_ap50_is_the_area_under_the_curve(outcome: LabelOutcome) -> None:
    assert outcome.average_precision()[0] == pytest.approx(area(outcome), nan_ok=True)


@given(outcomes(), st.integers(0, 3))
def test_a_resample_counts_as_if_its_scenes_stood_there_so_often(outcome: LabelOutcome, seed: int) -> None:
    """The weights of a resample beside the same set written out."""
    weights = resampled(len(outcome.objects), 3, seed)

    for row, times in enumerate(weights.astype(int)):
        rows = np.repeat(np.arange(len(outcome.scores)), times[outcome.scenes])
        written = LabelOutcome(
            outcome.scores[rows], outcome.hits[rows], outcome.scenes[rows], outcome.objects * times
        )
        # Boxes of one score in different scenes have no order: only without such is the curve the same.
        if len(set(outcome.scores.tolist())) == len(outcome.scores):
            reached = outcome.average_precision(weights)[row]
            assert reached == pytest.approx(written.average_precision()[0], nan_ok=True)
        for figure in (LabelOutcome.recall, LabelOutcome.precision, LabelOutcome.f1):
            assert figure(outcome, 0.4, weights)[row] == pytest.approx(figure(written, 0.4)[0], nan_ok=True)


@given(outcomes(), st.randoms())
def test_the_order_of_boxes_of_different_scores_makes_no_difference(
    outcome: LabelOutcome, chance: st.randoms
) -> None:
    rows = np.unique(outcome.scores, return_index=True)[1]
    kept = LabelOutcome(outcome.scores[rows], outcome.hits[rows], outcome.scenes[rows], outcome.objects)
    order = list(range(len(rows)))
    chance.shuffle(order)
    mixed = LabelOutcome(kept.scores[order], kept.hits[order], kept.scenes[order], kept.objects)

    assert mixed.average_precision()[0] == pytest.approx(kept.average_precision()[0], nan_ok=True)


@given(st.integers(1, 30))
def test_a_perfect_detector_has_everything(objects: int) -> None:
    perfect = plain_outcome([0.9] * objects, [True] * objects, objects)

    figures = [perfect.average_precision(), perfect.recall(0.4), perfect.precision(0.4), perfect.f1(0.4)]
    assert [float(each[0]) for each in figures] == [1.0, 1.0, 1.0, 1.0]


def test_what_is_told_with_a_lower_score_counts_for_ap50_only() -> None:
    outcome = plain_outcome([0.9, 0.5, 0.3], [True, False, True], 4)

    assert outcome.average_precision()[0] == pytest.approx((1 + 2 / 3) / 4)
    assert outcome.recall(0.4)[0] == 0.25
    assert outcome.precision(0.4)[0] == 0.5
    assert outcome.f1(0.4)[0] == pytest.approx(1 / 3)


def test_without_an_object_or_a_box_a_figure_is_not_a_number() -> None:
    nothing = plain_outcome([], [], 0)

    assert np.isnan([nothing.average_precision(), nothing.recall(0.4), nothing.precision(0.4)]).all()
    assert plain_outcome([], [], 3).average_precision()[0] == 0


def test_outcomes_of_the_same_scenes_can_be_joined() -> None:
    one, other = plain_outcome([0.9], [True], 1), plain_outcome([0.8], [False], 1)

    assert joined_outcome([one, other]).recall(0.4)[0] == 0.5
