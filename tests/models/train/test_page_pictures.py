"""models.train.page_pictures"""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from agent.core.types import Box
from models.dataset.coco import read_coco
from models.train.held_back import TrainingMistake
from models.train.page_pictures import SIDE_PX, WHOLE_PX, PagePicture, drawn, labelled, some_of
from tests.support.labelled_squares import write_set


def decoded(picture: PagePicture) -> np.ndarray:
    kind, data = picture.src.split(",")
    assert kind == "data:image/jpeg;base64"
    return np.asarray(cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR))


def test_a_missed_object_stands_in_the_middle_of_its_picture(tmp_path: Path) -> None:
    image = read_coco(write_set(tmp_path / "set")).images[0]
    box = image.annotations[0]
    place = Box(box.left / 256, box.top / 256, box.right / 256, box.bottom / 256)

    shown = drawn(TrainingMistake(image, "car", place, None, 0.1))

    assert decoded(shown).shape == (SIDE_PX, SIDE_PX, 3)
    assert (shown.text, shown.camera) == ("car", "a")
    middle = decoded(shown)[SIDE_PX // 2 - 10 : SIDE_PX // 2 + 10, SIDE_PX // 2 - 10 : SIDE_PX // 2 + 10]
    assert middle.mean() > 150


def test_what_is_wrong_has_its_score_and_may_lie_at_the_edge(tmp_path: Path) -> None:
    image = read_coco(write_set(tmp_path / "set")).images[0]

    shown = drawn(TrainingMistake(image, "car", Box(0, 0, 0.01, 0.01), 0.87, 0.87))

    assert shown.text == "car 0.87"
    assert decoded(shown).shape == (SIDE_PX, SIDE_PX, 3)


def test_a_labelled_picture_is_shown_whole_with_the_number_of_its_labels(tmp_path: Path) -> None:
    image = read_coco(write_set(tmp_path / "set")).images[0]
    unsure = replace(image, annotations=(image.annotations[0], replace(image.annotations[1], ignored=True)))

    shown = decoded(labelled(unsure))

    assert shown.shape == (WHOLE_PX, WHOLE_PX, 3)
    assert labelled(unsure).text == "1"
    sure = image.annotations[0]
    x, y = (round(at * WHOLE_PX / image.width) for at in (sure.left, (sure.top + sure.bottom) / 2))
    blue, green, red = (int(each) for each in shown[y, x])
    assert green > blue + 40 and green > red + 40


def test_of_many_pictures_some_are_shown_from_all_over(tmp_path: Path) -> None:
    images = read_coco(write_set(tmp_path / "set")).images

    assert [images.index(one) for one in some_of(images, 3)] == [0, 6, 11]
    assert some_of((), 3) == []
