"""models.train.judges"""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.detectors.card import read_card
from models.dataset.coco import read_coco
from models.train.judges import TrainingJudges
from models.train.pictures.rehearsal import read_rehearsal
from tests.support.labelled_squares import write_dimmed, write_set


@pytest.mark.long
def test_a_look_says_what_is_found_and_what_is_kept(tmp_path: Path) -> None:
    base, pictures = write_dimmed(tmp_path / "base", 0), write_set(tmp_path / "set")
    dataset, others = read_coco(pictures), read_rehearsal([pictures / "images"]).all
    card = read_card(base.with_suffix(".yaml"))
    judges = TrainingJudges(base, card, dataset.images, dataset.labels, others)

    same, dimmed = judges.look(base), judges.look(write_dimmed(tmp_path / "dimmed", 30))

    assert same.kept == pytest.approx(1.0)
    assert dimmed.kept is not None
    assert dimmed.kept < 1.0
    assert dimmed.precision["car"] < same.precision["car"]


def test_without_other_pictures_nothing_is_said_of_what_is_kept(tmp_path: Path) -> None:
    base, dataset = write_dimmed(tmp_path / "base", 0), read_coco(write_set(tmp_path / "set"))
    judges = TrainingJudges(base, read_card(base.with_suffix(".yaml")), dataset.images, dataset.labels, ())

    assert judges.look(base).kept is None
