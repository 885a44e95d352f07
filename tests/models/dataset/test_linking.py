"""models.dataset.linking"""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import ModelError
from models.dataset.linking import linked
from tests.support.labelled import labelled, picture


def test_pictures_of_elsewhere_are_linked_with_their_folders(tmp_path: Path) -> None:
    dataset = labelled(tmp_path / "old", ("a/x.jpg", "b/x.jpg"))

    moved = linked(dataset, tmp_path / "new", "images")

    assert [image.path for image in moved.images] == [
        tmp_path / "new" / "images" / "a" / "x.jpg", tmp_path / "new" / "images" / "b" / "x.jpg",
    ]  # fmt: skip
    assert moved.images[0].path.samefile(dataset.images[0].path)
    assert moved.images[0].annotations == dataset.images[0].annotations


def test_pictures_that_lie_there_stay(tmp_path: Path) -> None:
    dataset = labelled(tmp_path)

    assert linked(dataset, tmp_path, "images") == dataset


def test_another_picture_of_the_same_name_is_not_overwritten(tmp_path: Path) -> None:
    dataset = labelled(tmp_path / "old", ("x.jpg",))
    there = picture(tmp_path / "new" / "images" / "x.jpg", seed=9)
    before = there.read_bytes()

    with pytest.raises(ModelError, match="another picture of this name"):
        linked(dataset, tmp_path / "new", "images")
    assert there.read_bytes() == before
