"""models.train.mistake_pictures"""

from __future__ import annotations

import base64
from pathlib import Path

import cv2
import numpy as np

from agent.core.types import Box
from models.dataset.coco import read_coco
from models.train.held_back import TrainingMistake
from models.train.mistake_pictures import SIDE_PX, MistakePicture, drawn
from tests.support.labelled_squares import write_set


def decoded(picture: MistakePicture) -> np.ndarray:
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
