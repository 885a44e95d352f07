"""models.train.pictures.batches"""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from agent.detectors.card import Card, parse_card
from models.dataset.coco import read_coco
from models.train.pictures.batches import TrainingBatches
from models.train.pictures.rehearsal import read_rehearsal
from models.train.pictures.teaching import teaching
from tests.support.labelled_squares import write_set
from tests.support.small_yolox import FIELD_PX, small_card


@pytest.fixture
def card(tmp_path: Path) -> Card:
    return parse_card(small_card(), tmp_path / "small.yaml")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return write_set(tmp_path / "set")


def batches(pictures: Path, card: Card, seed: int = 0) -> TrainingBatches:
    others = read_rehearsal([pictures / "images"]).learned
    return TrainingBatches([teaching(read_coco(pictures), card)], others, card, (3, 2), seed)


def test_the_labelled_come_first_and_have_targets(pictures: Path, card: Card) -> None:
    batch = batches(pictures, card).batch(0)

    assert batch.pictures.shape == (5, 3, FIELD_PX, FIELD_PX)
    assert batch.pictures.dtype == np.float32
    assert len(batch.targets) == 3


def test_a_batch_follows_from_seed_and_step_alone(pictures: Path, card: Card) -> None:
    going = list(islice(batches(pictures, card).following(0), 4))
    later = next(iter(batches(pictures, card).following(3)))

    assert np.array_equal(going[3].pictures, later.pictures)
    assert not np.array_equal(going[2].pictures, going[3].pictures)
    assert not np.array_equal(batches(pictures, card, seed=1).batch(3).pictures, later.pictures)


def test_without_other_pictures_all_are_labelled(pictures: Path, card: Card) -> None:
    found = TrainingBatches([teaching(read_coco(pictures), card)], (), card, (2, 0), 0).batch(7)

    assert len(found.pictures) == len(found.targets) == 2


def test_targets_lie_within_the_input(pictures: Path, card: Card) -> None:
    targets = [one for step in range(20) for one in batches(pictures, card).batch(step).targets]

    boxes = np.concatenate([one.boxes for one in targets])
    assert len(boxes) > 30
    assert boxes.min() >= 0
    assert boxes.max() <= FIELD_PX
