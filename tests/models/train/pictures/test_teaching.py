"""models.train.pictures.teaching"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agent.detectors.card import Card, parse_card
from agent.errors import ModelError
from models.dataset.coco import read_coco
from models.train.pictures.teaching import balanced, looked_for, opened, target, teaching, with_labels
from tests.support.labelled_squares import write_set
from tests.support.small_yolox import small_card
from tests.support.squares import SQUARE_PX


@pytest.fixture
def card(tmp_path: Path) -> Card:
    return parse_card(small_card(), tmp_path / "small.yaml")


def test_a_label_that_is_nowhere_was_not_looked_for(tmp_path: Path, card: Card) -> None:
    dataset = replace(read_coco(write_set(tmp_path / "set")), labels=("car", "person"))

    assert looked_for(dataset) == ("car",)
    assert teaching(dataset, card).asked.tolist() == [False, True, False]


def test_the_smallest_that_was_labelled_is_known(tmp_path: Path, card: Card) -> None:
    found = teaching(read_coco(write_set(tmp_path / "set")), card)

    assert found.least == pytest.approx(SQUARE_PX / 256)


def test_labels_that_the_network_does_not_know_are_told(tmp_path: Path, card: Card) -> None:
    dataset = read_coco(write_set(tmp_path / "set"))
    images = tuple(
        replace(one, annotations=tuple(replace(box, label="motorbike") for box in one.annotations))
        for one in dataset.images
    )

    with pytest.raises(ModelError, match="none of its labels: motorbike"):
        teaching(replace(dataset, images=images, labels=("motorbike",)), card)


def test_a_picture_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    image = read_coco(write_set(tmp_path / "set")).images[0]
    image.path.write_bytes(b"no picture")

    with pytest.raises(ModelError, match="no picture that can be read"):
        opened(image)


def test_boxes_follow_a_picture_that_is_smaller_than_its_labels_say(tmp_path: Path) -> None:
    image = read_coco(write_set(tmp_path / "set")).images[0]
    half = with_labels(replace(image, width=image.width * 2, height=image.height * 2), {"car": 1})
    full = with_labels(image, {"car": 1})

    assert half.boxes == pytest.approx(full.boxes / 2)
    assert half.labels.tolist() == [1, 1]


def test_what_the_network_has_no_label_for_is_ignored(tmp_path: Path, card: Card) -> None:
    dataset = read_coco(write_set(tmp_path / "set"))
    view = with_labels(dataset.images[0], {})
    found = target(view, teaching(dataset, card))

    assert len(found.boxes) == 0
    assert len(found.ignored) == 2
    assert found.least_px == pytest.approx(SQUARE_PX)


def test_a_camera_with_four_times_the_pictures_is_seen_twice_as_often(tmp_path: Path) -> None:
    image = read_coco(write_set(tmp_path / "set")).images[0]
    weights = balanced([replace(image, camera="a"), *[replace(image, camera="b")] * 4])

    assert np.sum(weights) == pytest.approx(1.0)
    assert weights[1:].sum() == pytest.approx(2 * weights[0])
