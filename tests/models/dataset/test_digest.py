"""models.dataset.digest"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from agent.errors import ModelError
from models.dataset.coco import read_coco
from models.dataset.digest import digest
from models.dataset.types import Dataset
from tests.support.labelled_squares import write_set


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return read_coco(write_set(tmp_path / "x", cameras=("a", "b")))


def test_a_copy_in_another_order_and_place_has_the_same(dataset: Dataset, tmp_path: Path) -> None:
    for number, image in enumerate(dataset.images):
        shutil.copy(image.path, tmp_path / f"{number}.png")
    images = tuple(
        replace(image, path=tmp_path / f"{number}.png", annotations=image.annotations[::-1], camera="")
        for number, image in enumerate(dataset.images)
    )

    assert digest(replace(dataset, name="y", images=images[::-1], licence="")) == digest(dataset)


def test_any_change_of_a_picture_a_box_or_a_label_changes_it(dataset: Dataset, tmp_path: Path) -> None:
    image = dataset.images[0]
    box = image.annotations[0]
    other = tmp_path / "other.png"
    other.write_bytes(image.path.read_bytes() + b" ")
    changed = [
        replace(image, path=other),
        replace(image, annotations=image.annotations[1:]),
        replace(image, annotations=(replace(box, left=box.left + 0.5), *image.annotations[1:])),
        replace(image, annotations=(replace(box, label="bus"), *image.annotations[1:])),
        replace(image, annotations=(replace(box, ignored=True), *image.annotations[1:])),
        replace(image, ruled_out=(box,)),
        replace(image, annotations=image.annotations[1:], ruled_out=(box,)),
    ]
    sets = [
        *(replace(dataset, images=(each, *dataset.images[1:])) for each in changed),
        replace(dataset, images=dataset.images[1:]),
        replace(dataset, images=(*dataset.images, image)),
        replace(dataset, labels=(*dataset.labels, "bus")),
    ]

    assert len({digest(each) for each in (dataset, *sets)}) == len(sets) + 1


def test_a_picture_that_went_away_is_told(dataset: Dataset) -> None:
    dataset.images[0].path.unlink()

    with pytest.raises(ModelError, match=dataset.images[0].path.name):
        digest(dataset)
