"""models.train.pictures.teaching"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agent.detectors.card import Card, parse_card
from agent.errors import ModelError
from models.dataset.coco import read_coco
from models.dataset.types import Annotation
from models.train.pictures.labelled_view import cut, mirrored
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


def test_what_was_ruled_out_was_looked_for_and_is_told_apart_from_objects_and_ignored_ones(
    tmp_path: Path, card: Card
) -> None:
    dataset = read_coco(write_set(tmp_path / "set"))
    place = Annotation("person", 10, 20, 30, 60)
    strange = Annotation("tricycle", 10, 20, 30, 60)
    image = replace(dataset.images[0], ruled_out=(place, strange))
    dataset = replace(dataset, images=(image,), labels=("car", "person"))
    taught = teaching(dataset, card)
    labels = {label: number for number, label in enumerate(card.labels)}
    view = with_labels(image, labels)
    found = target(view, taught)

    assert set(looked_for(dataset)) == {"car", "person"}
    assert found.ruled_out.tolist() == [[10, 20, 30, 60]], "the network has no tricycle that it could unlearn"
    assert len(found.boxes) == len(image.annotations) and len(found.ignored) == 0
    half = target(mirrored(cut(view, (0, 0, 200, 200))), taught)
    assert half.ruled_out.tolist() == [[170, 20, 190, 60]], "it goes with its picture"
    gone = target(cut(view, (26, 0, 226, 200)), taught)
    assert len(gone.ruled_out) == len(gone.ignored) == 0, "of what is mostly cut away nothing is said"


def test_a_set_of_false_alarms_alone_teaches_too(tmp_path: Path, card: Card) -> None:
    dataset = read_coco(write_set(tmp_path / "set"))
    images = tuple(
        replace(one, annotations=(), ruled_out=tuple(replace(box, label="car") for box in one.annotations))
        for one in dataset.images
    )
    found = teaching(replace(dataset, images=images), card)

    assert (found.asked.any(), found.least) == (True, 0.0)


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
