"""models.train.learning.loop"""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="PyTorch is not here: pip install -e '.[train]'")

from agent.detectors.card import Card, read_card
from agent.errors import ModelError
from models.dataset.coco import read_coco
from models.train.held_back import HeldBackResult
from models.train.learning.loop import PATIENCE, SHARES, TrainingLoop
from models.train.learning.steps import LearningSteps
from models.train.pictures.batches import TrainingBatches
from models.train.pictures.rehearsal import read_rehearsal
from models.train.pictures.teaching import teaching
from models.train.plan import LOOKS, WARM_UP, Plan
from models.train.results import TrainingProgress, most_learned
from tests.support.labelled_squares import write_set
from tests.support.small_yolox import write_small_yolox


class Place:
    """A base and a set in a folder, and a judge who gives the looks these worths in turn: better and better."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.base = write_small_yolox(folder)
        self.pictures = write_set(folder / "set")
        self.card: Card = read_card(self.base.with_suffix(".yaml"))
        self.worths: list[float] = [look / 1000 for look in range(1000)]
        self.looks = 0

    def look(self, model: Path) -> HeldBackResult:
        assert model.stat().st_size > 0
        worth = self.worths[min(self.looks, len(self.worths) - 1)]
        self.looks += 1
        return HeldBackResult({"car": worth})

    def loop(self, plan: Plan) -> TrainingLoop:
        batches = TrainingBatches(
            [teaching(read_coco(self.pictures), self.card)],
            read_rehearsal([self.pictures / "images"]).learned,
            self.card,
            (2, 1),
            0,
        )
        return TrainingLoop(LearningSteps(self.base, self.card, plan), batches, self.look, plan, self.folder)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def quiet(_: TrainingProgress) -> None:
    """Tells nobody."""


def test_it_looks_before_the_first_step_and_then_evenly(place: Place) -> None:
    standing = place.loop(Plan(steps=40)).run("this", False, quiet)

    assert [point.step for point in standing.points] == list(range(0, 41, 40 // LOOKS))
    assert standing.best_point == standing.points[-1]


def test_the_best_step_is_kept_and_without_anything_better_it_stops(place: Place) -> None:
    place.worths = [0.1, 0.2, 0.5, 0.4]
    standing = place.loop(Plan(steps=100)).run("this", False, quiet)

    assert standing.best_point is not None
    assert standing.best_point.step == 10
    assert standing.step == 10 + 5 * PATIENCE


def test_of_steps_that_are_as_good_as_far_as_can_be_told_the_last_is_kept(place: Place) -> None:
    place.worths = [0.1, 0.5, 0.48, 0.49, 0.4, 0.481]
    standing = place.loop(Plan(steps=20)).run("this", False, quiet)

    assert standing.best_point is not None
    assert standing.best_point.step == standing.step == 20


def test_what_is_no_better_than_the_base_is_not_kept(place: Place) -> None:
    place.worths = [0.1, 0.09]
    standing = place.loop(Plan(steps=20)).run("this", False, quiet)

    assert standing.best_point is not None
    assert standing.best_point.step == 0


def test_while_nothing_is_found_yet_it_goes_on(place: Place) -> None:
    place.worths = [0.0]

    assert place.loop(Plan(steps=20)).run("this", False, quiet).step == 20


def test_it_goes_on_where_it_stood(place: Place) -> None:
    class CutOffError(Exception):
        pass

    def cut(progress: TrainingProgress) -> None:
        if progress.step == 7:
            raise CutOffError

    loop = place.loop(Plan(steps=20))
    with pytest.raises(CutOffError):
        loop.run("this", False, cut)
    seen: list[int] = []

    standing = place.loop(Plan(steps=20)).run("this", True, lambda progress: seen.append(progress.step))

    assert loop.checkpoint.is_file()
    assert seen == list(range(8, 21))
    assert standing.step == 20


def test_a_training_that_is_over_is_over_when_it_goes_on(place: Place) -> None:
    place.loop(Plan(steps=4)).run("this", False, quiet)
    seen: list[int] = []

    place.loop(Plan(steps=4)).run("this", True, lambda progress: seen.append(progress.step))

    assert seen == []


def test_after_the_warm_up_minutes_are_steps(place: Place) -> None:
    totals: list[int] = []
    place.worths = [0.5, 0.1]
    place.loop(Plan(steps=5, minutes=0.1)).run("this", False, lambda now: totals.append(now.steps))

    assert set(totals[: WARM_UP - 1]) == {WARM_UP * LOOKS}
    assert len(set(totals[WARM_UP - 1 :])) == 1
    assert totals[-1] != WARM_UP * LOOKS


def test_between_base_and_best_others_are_looked_at(place: Place) -> None:
    loop = place.loop(Plan(steps=4))
    standing = loop.run("this", False, quiet)
    place.worths, place.looks = [0.3, 0.4, 0.5, 0.6, 0.5, 0.4, 0.3, 0.3], 0

    found = loop.mixtures(standing, standing.best)

    assert [one.share for one in found] == list(SHARES)
    assert most_learned(found).share == SHARES[3]


def test_without_a_checkpoint_nothing_goes_on(place: Place) -> None:
    with pytest.raises(ModelError, match="no training to go on with"):
        place.loop(Plan(steps=4)).run("this", True, quiet)
