"""models.train.pictures.pseudo_labels"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from agent.core.types import Box, Detection
from agent.detectors.card import read_card
from agent.detectors.onnx import OnnxDetector
from agent.errors import ModelError
from models.train.pictures.pseudo_labels import once, pseudo_labelled, read_unlabelled
from models.train.tiled import unhurried
from tests.support.squares import SQUARE, SQUARE_PX, write_model

SIDE_PX = 640
FAINT = 204
"""Seen, and not with any certainty."""


@pytest.fixture
def detector(tmp_path: Path) -> Iterator[OnnxDetector]:
    model = write_model(tmp_path)
    one = unhurried(model, read_card(model.with_suffix(".yaml")))
    yield one
    one.close()


def write_picture(path: Path, *squares: tuple[int, int, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = np.full((SIDE_PX, SIDE_PX, 3), 90, np.uint8)
    for left, top, grey in squares:
        picture[top : top + SQUARE_PX, left : left + SQUARE_PX] = grey
    cv2.imwrite(str(path), picture)


def test_what_it_is_sure_of_is_a_label_where_it_lies_in_the_picture(
    tmp_path: Path, detector: OnnxDetector
) -> None:
    write_picture(tmp_path / "new" / "north_1.png", (344, 164, SQUARE))

    found = pseudo_labelled(detector, read_unlabelled(tmp_path / "new", ()), ["car"], lambda: None)

    label = found.images[0].annotations[0]
    assert not label.ignored
    assert (label.label, found.images[0].camera, found.incomplete) == ("car", "north", True)
    assert (label.left + label.right) / 2 == pytest.approx(344 + SQUARE_PX / 2, abs=8)
    assert (label.top + label.bottom) / 2 == pytest.approx(164 + SQUARE_PX / 2, abs=8)


def test_what_it_is_unsure_of_is_neither_right_nor_wrong(tmp_path: Path, detector: OnnxDetector) -> None:
    write_picture(tmp_path / "new" / "north_1.png", (16, 464, SQUARE), (344, 164, FAINT))

    found = pseudo_labelled(detector, read_unlabelled(tmp_path / "new", ()), ["car"], lambda: None)

    far = [one for one in found.images[0].annotations if one.left > 200]
    assert far and all(one.ignored for one in far)


def test_a_picture_in_which_it_is_sure_of_nothing_teaches_nothing(
    tmp_path: Path, detector: OnnxDetector
) -> None:
    write_picture(tmp_path / "new" / "north_1.png", (344, 164, FAINT))
    write_picture(tmp_path / "new" / "north_2.png")
    done = []

    found = pseudo_labelled(detector, read_unlabelled(tmp_path / "new", ()), ["car"], lambda: done.append(True))

    assert (found.images, len(done)) == ((), 2)


def test_what_it_has_not_learned_it_does_not_label(tmp_path: Path, detector: OnnxDetector) -> None:
    write_picture(tmp_path / "new" / "north_1.png", (344, 164, SQUARE))

    assert not pseudo_labelled(detector, read_unlabelled(tmp_path / "new", ()), ["person"], lambda: None).images


def test_pictures_of_cameras_that_judge_are_left_out(tmp_path: Path) -> None:
    for name in ("north_1.png", "south_1.png", "south_2.png"):
        write_picture(tmp_path / "new" / "deep" / name)

    read = read_unlabelled(tmp_path / "new", {"south"})

    assert [(one.camera, one.width, one.height) for one in read.images] == [("north", SIDE_PX, SIDE_PX)]


@pytest.mark.parametrize("names", [(), ("south_1.png",)])
def test_a_folder_without_a_picture_to_learn_from_is_told(tmp_path: Path, names: tuple[str, ...]) -> None:
    (tmp_path / "new").mkdir()
    for name in names:
        write_picture(tmp_path / "new" / name)

    with pytest.raises(ModelError, match="no picture in it"):
        read_unlabelled(tmp_path / "new", {"south"})
    with pytest.raises(ModelError, match="no picture in it"):
        read_unlabelled(tmp_path / "gone", ())


def test_of_two_labels_for_one_object_the_surer_holds() -> None:
    place, beside = Box(0.1, 0.1, 0.3, 0.3), Box(0.6, 0.6, 0.8, 0.8)
    found = [
        Detection("truck", 0.5, place),
        Detection("bus", 0.7, place),
        Detection("truck", 0.4, beside),
    ]

    assert [(one.label, one.box) for one in once(found)] == [("bus", place), ("truck", beside)]
