"""models.judge.likeness"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from agent.errors import ModelError
from models.dataset.coco import read_coco
from models.judge.likeness import ALIKE, BITS, distances, groups, hashes, view_hash
from tests.support.labelled_squares import write_set


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two of each of three cameras."""
    folder = write_set(tmp_path_factory.mktemp("x") / "x", cameras=("a", "b", "c"))
    return [image.path for image in read_coco(folder).images]


def test_pictures_of_one_view_are_alike_and_others_are_not(pictures: list[Path]) -> None:
    some = hashes(pictures)

    apart = distances(some, some)

    assert (apart.diagonal() == 0).all()
    assert (apart == apart.T).all()
    assert 0 < apart[0, 1] <= ALIKE < apart[0, 2] < BITS
    assert groups(some) == [0, 0, 2, 2, 4, 4]


def test_a_smaller_and_a_darker_copy_are_alike(pictures: list[Path], tmp_path: Path) -> None:
    whole = cv2.imread(str(pictures[0]))
    cv2.imwrite(str(tmp_path / "copy.jpg"), cv2.resize(whole, (128, 128)) // 2)

    assert distances(hashes([pictures[0]]), hashes([tmp_path / "copy.jpg"]))[0, 0] <= ALIKE


def test_what_is_no_picture_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_bytes(b"none")

    with pytest.raises(ModelError, match=r"x\.jpg: no picture"):
        view_hash(tmp_path / "x.jpg")


def test_of_no_pictures_there_are_no_hashes() -> None:
    assert hashes([]).shape == (0, BITS)
    assert groups(hashes([])) == []
    assert distances(hashes([]), np.ones((2, BITS), np.float32)).shape == (0, 2)
