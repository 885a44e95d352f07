"""models.judge.measure.comparison"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from agent.core.types import Box, Detection
from models.dataset.types import AnnotatedImage, Annotation, Dataset
from models.judge.looking import PictureFinds
from models.judge.measure.bootstrap import resampled
from models.judge.measure.comparison import AP50, RECALL, WHOLE_RECALL, compare

FEW = partial(resampled, resamples=200)
CAR = Annotation("car", 10, 10, 60, 60)
BIKE = Annotation("bicycle", 10, 10, 60, 60)


def dataset(*objects: Annotation, cameras: int = 6) -> Dataset:
    images = [
        AnnotatedImage(Path(f"{camera}_{number}.jpg"), 100, 100, objects, f"camera {camera}")
        for camera in range(cameras)
        for number in range(2)
    ]
    return Dataset("x", tuple(images), ("car", "bicycle", "bus", "tram"))


def finds(score: float, pictures: int = 12) -> list[PictureFinds]:
    """A car where it is, of this score, in each picture; none: nothing."""
    seen = (Detection("car", score, Box(0.1, 0.1, 0.6, 0.6)),) if score else ()
    return [PictureFinds(seen, seen, seen) for _ in range(pictures)]


def test_a_model_beside_itself_differs_in_nothing() -> None:
    (row, *_) = compare(dataset(CAR), finds(0.9), finds(0.9), ("car",), 0.4, FEW).rows

    assert all(
        (each.difference.value, each.difference.low, each.difference.high) == (0, 0, 0)
        for each in row.changes.values()
    )


def test_what_only_one_model_finds_is_named_with_its_box() -> None:
    compared = compare(dataset(CAR), finds(0.9), finds(0.3), ("car",), 0.4, FEW)

    (row, *_) = compared.rows
    assert row.changes[AP50].difference.value == 0  # the curve knows no least score
    assert row.changes[RECALL].difference.high == row.changes[WHOLE_RECALL].difference.low == -1
    assert len(compared.lost) == 12
    assert all(each.by_new and each.box == CAR.box for each in compared.lost)


def test_a_label_without_an_object_is_not_judged_and_one_that_no_model_tells_is_named() -> None:
    tram = Annotation("tram", 0, 0, 9, 9)

    compared = compare(dataset(CAR, tram), finds(0.9), finds(0.9), ("car", "bicycle"), 0.4, FEW)

    assert [row.label for row in compared.whole] == ["car"]
    assert compared.unjudged == ("tram",)


def test_the_order_of_pictures_makes_no_difference() -> None:
    whole = dataset(CAR)
    chance = np.random.default_rng(1)
    seen = [finds(float(score), 1)[0] for score in chance.uniform(0.2, 0.9, 12)]
    order = chance.permutation(12).tolist()
    mixed = Dataset("x", tuple(whole.images[row] for row in order), whole.labels)

    rows = [
        compare(pictures, before, [finds(0.5, 1)[0]] * 12, ("car",), 0.4, FEW).rows[0].changes
        for pictures, before in ((whole, seen), (mixed, [seen[row] for row in order]))
    ]

    assert rows[0] == rows[1]
