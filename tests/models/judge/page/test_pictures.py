"""models.judge.page.pictures"""

from __future__ import annotations

import base64

import cv2
import numpy as np

from models.judge.judging import ModelComparison
from models.judge.page.pictures import worst


def test_the_worst_come_first_with_what_was_lost_in_red(refused: ModelComparison) -> None:
    shown = worst(refused.sets, most=3)

    assert 0 < len(shown) <= 3
    assert [each.lost for each in shown] == sorted((each.lost for each in shown), reverse=True)
    assert shown[0].lost >= 1
    kind, _, data = shown[0].url.partition(",")
    assert kind == "data:image/jpeg;base64"
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (256, 256, 3)
    red = (picture[..., 2] > 170) & (picture[..., :2].max(axis=2) < 110)
    assert red.sum() > 100


def test_where_nothing_was_lost_there_are_no_pictures(refused: ModelComparison) -> None:
    assert worst([]) == []
