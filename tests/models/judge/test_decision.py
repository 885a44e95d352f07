"""models.judge.decision"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.dataset.types import AnnotatedImage, Dataset
from models.judge.decision import ModelVerdict, decide, judge_row, ruling_figures, taken_together
from models.judge.measure.bootstrap import Estimate
from models.judge.measure.comparison import AP50, F1, RECALL, FigureChange, LabelRow, SetComparison
from models.judge.scenes import Scenes

WORSE, BETTER, CANNOT = (-0.2, -0.3, -0.1), (0.2, 0.1, 0.3), (0.0, -0.1, 0.1)
TOLERANCE = 0.02


def row(label: str = "car", objects: int = 50, scenes: int = 9, **differences: tuple[float, ...]) -> LabelRow:
    nothing = Estimate(0.5, 0.4, 0.6)
    changes = {AP50: CANNOT, RECALL: CANNOT, F1: CANNOT} | differences
    return LabelRow(
        label, "", "", objects, scenes,
        {name: FigureChange(nothing, nothing, Estimate(*each)) for name, each in changes.items()},
    )  # fmt: skip


def compared(*rows: LabelRow, name: str = "x", incomplete: bool = False) -> SetComparison:
    image = AnnotatedImage(Path("x.jpg"), 9, 9, ())
    dataset = Dataset(name, (image,), ("car",), incomplete=incomplete)
    return SetComparison(dataset, Scenes(np.zeros(1, np.intp), 1, by_camera=False), rows, (), ())


@pytest.mark.parametrize(
    ("differences", "verdict"),
    [
        ({}, ModelVerdict.CANNOT_TELL),
        ({AP50: WORSE}, ModelVerdict.WORSE),
        ({F1: WORSE}, ModelVerdict.WORSE),
        ({AP50: BETTER, F1: WORSE}, ModelVerdict.WORSE),
        ({AP50: BETTER}, ModelVerdict.BETTER),
        ({F1: BETTER}, ModelVerdict.BETTER),
        ({AP50: BETTER, F1: (-0.05, -0.2, 0.1)}, ModelVerdict.CANNOT_TELL),
        ({AP50: (-0.015, -0.018, -0.012)}, ModelVerdict.CANNOT_TELL),  # surely less, but within the tolerance
        ({AP50: (np.nan, np.nan, np.nan)}, ModelVerdict.CANNOT_TELL),
    ],
)
def test_a_label_is_judged_by_both_figures(
    differences: dict[str, tuple[float, ...]], verdict: ModelVerdict
) -> None:
    assert judge_row(row(**differences), False, TOLERANCE) is verdict


def test_where_labels_are_incomplete_recall_decides_instead_of_f1() -> None:
    assert ruling_figures(True) == (AP50, RECALL)
    assert judge_row(row(f1=WORSE), True, TOLERANCE) is ModelVerdict.CANNOT_TELL
    assert judge_row(row(recall=WORSE), True, TOLERANCE) is ModelVerdict.WORSE


@pytest.mark.parametrize(("objects", "scenes"), [(9, 9), (50, 4)])
def test_few_objects_or_few_scenes_say_nothing(objects: int, scenes: int) -> None:
    assert judge_row(row(objects=objects, scenes=scenes, ap50=WORSE), False, TOLERANCE) is ModelVerdict.TOO_FEW


def test_one_label_that_falls_in_one_set_refuses_the_model() -> None:
    decision = decide(
        [compared(row("motorcycle", ap50=BETTER)), compared(row("motorcycle", ap50=WORSE), name="y")]
    )

    assert decision.verdict is ModelVerdict.WORSE
    assert decision.labels == {"motorcycle": ModelVerdict.WORSE}


def test_the_model_is_better_if_each_main_label_is_and_none_is_worse() -> None:
    sets = [compared(row("motorcycle", ap50=BETTER), row("car"), row("bus", objects=3, ap50=WORSE))]

    assert decide(sets).verdict is ModelVerdict.BETTER
    assert decide(sets).main == ("motorcycle",)
    assert decide(sets, ["motorcycle", "car"]).verdict is ModelVerdict.CANNOT_TELL
    assert decide(sets, ["tram"]).verdict is ModelVerdict.CANNOT_TELL


def test_no_model_is_better_of_which_a_label_has_fallen_though_nobody_knows_whether_by_too_much() -> None:
    fell = (-0.06, -0.11, -0.003)
    decision = decide([compared(row("motorcycle", ap50=BETTER), row("person", ap50=fell))])

    assert decision.verdict is ModelVerdict.CANNOT_TELL
    assert decision.fallen == ("person",)
    within, few = row("car", ap50=(-0.015, -0.018, -0.012)), row("bus", objects=3, ap50=fell)
    assert decide([compared(row("motorcycle", ap50=BETTER), within, few)]).verdict is ModelVerdict.BETTER


def test_without_enough_motorcycles_the_commonest_label_is_the_main_one() -> None:
    decision = decide([compared(row("motorcycle", objects=3), row("car", ap50=BETTER), row("bus", objects=20))])

    assert decision.main == ("car",)
    assert decision.verdict is ModelVerdict.BETTER


def test_of_nothing_nothing_can_be_told() -> None:
    assert decide([compared()]).verdict is ModelVerdict.CANNOT_TELL


def test_the_more_is_judged_the_wider_are_the_intervals_that_decide() -> None:
    chance = np.random.default_rng(7)

    def noisy(label: str, objects: int = 50) -> LabelRow:
        drawn = {name: chance.normal(0.1, 0.05, 500) for name in (AP50, F1, RECALL)}
        return replace(row(label, objects=objects, ap50=(0.1, 0.0, 0.2)), samples=drawn)

    (alone,) = taken_together([compared(noisy("car"))])
    (many,) = taken_together([compared(*(noisy(label) for label in "abcdefgh"), noisy("few", objects=3))])

    low, wider = (each.rows[0].changes[AP50].difference.low for each in (alone, many))
    assert wider < low < 0
    assert many.rows[0].changes[AP50].old == alone.rows[0].changes[AP50].old
