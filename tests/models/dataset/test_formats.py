"""models.dataset.formats"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agent.errors import ModelError
from models.dataset.formats import format_of, read_dataset, renamed, write_dataset
from models.dataset.types import Annotation, LabelFormat
from tests.support.labelled import labelled


def test_a_set_goes_from_one_format_to_the_other_and_back(tmp_path: Path) -> None:
    dataset = labelled(tmp_path / "made")

    write_dataset(dataset, tmp_path / "yolo", LabelFormat.YOLO)
    write_dataset(read_dataset(tmp_path / "yolo"), tmp_path / "coco", LabelFormat.COCO)
    again = read_dataset(tmp_path / "coco")

    assert (format_of(tmp_path / "yolo"), format_of(tmp_path / "coco")) == (LabelFormat.YOLO, LabelFormat.COCO)
    assert again.labels == dataset.labels
    assert [image.camera for image in again.images] == [image.camera for image in dataset.images]
    for mine, theirs in zip(dataset.images, again.images, strict=True):
        assert [each.label for each in theirs.annotations] == [each.label for each in mine.annotations]
        assert [each.box for each in theirs.annotations] == [
            pytest.approx(each.box, abs=1e-3) for each in mine.annotations
        ]


def test_a_folder_without_labels_says_what_to_do(tmp_path: Path) -> None:
    assert format_of(tmp_path) is None
    with pytest.raises(ModelError, match="ngatu models label"):
        read_dataset(tmp_path)


def test_labels_get_other_words_and_two_may_become_one(tmp_path: Path) -> None:
    made = labelled(tmp_path)
    nothing = replace(made.images[0], ruled_out=(Annotation("car", 1, 2, 3, 4),))
    dataset = renamed(replace(made, images=(nothing, *made.images[1:])), {"car": "motorcycle"})

    assert dataset.images[0].ruled_out == (Annotation("motorcycle", 1, 2, 3, 4),)
    assert dataset.labels == ("motorcycle",)
    assert {each.label for image in dataset.images for each in image.annotations} == {"motorcycle"}
    with pytest.raises(ModelError, match=r"no label bike\n  hint: The labels are motorcycle"):
        renamed(dataset, {"bike": "bicycle"})
