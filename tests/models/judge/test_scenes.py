"""models.judge.scenes"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from models.dataset.coco import read_coco
from models.dataset.types import AnnotatedImage, Dataset
from models.judge.scenes import find_scenes, natural
from tests.support.labelled_squares import write_set

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def pictures(camera: str, minutes: list[int] | None = None, count: int = 0) -> list[AnnotatedImage]:
    if minutes is None:
        return [AnnotatedImage(Path(f"{camera}_{number}.jpg"), 9, 9, (), camera) for number in range(count)]
    return [
        AnnotatedImage(Path(f"{camera}_{each}.jpg"), 9, 9, (), camera, NOON + timedelta(minutes=each))
        for each in minutes
    ]


def test_of_many_cameras_each_is_a_scene() -> None:
    dataset = Dataset("x", tuple(each for name in "abcdef" for each in pictures(name, count=3)), ("car",))

    scenes = find_scenes(dataset)

    assert scenes.by_camera
    assert scenes.count == 6
    assert scenes.of.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5]


def test_of_few_cameras_stretches_of_time_are_scenes() -> None:
    dataset = Dataset("x", tuple(pictures("a", [0, 3, 9, 11, 60]) + pictures("b", [0])), ("car",))

    scenes = find_scenes(dataset)

    assert not scenes.by_camera
    assert scenes.of.tolist() == [0, 0, 0, 1, 2, 3]


def test_without_times_neighbours_by_number_are_a_scene_in_any_order() -> None:
    images = pictures("a", count=12)
    order = np.random.default_rng(2).permutation(12).tolist()

    scenes = find_scenes(Dataset("x", tuple(images[row] for row in order), ("car",)))

    assert [int(scenes.of[order.index(row)]) for row in range(12)] == [0] * 5 + [1] * 5 + [2] * 2


def test_pictures_without_a_camera_are_scenes_of_their_own_unless_they_show_the_same(tmp_path: Path) -> None:
    dataset = read_coco(write_set(tmp_path / "x", cameras=("a", "b", "c"), pictures=2))
    nameless = replace(dataset, images=tuple(replace(image, camera="") for image in dataset.images))

    scenes = find_scenes(nameless)

    assert scenes.count == 3
    assert scenes.of.tolist() == [0, 0, 1, 1, 2, 2]


def test_names_are_sorted_as_people_sort_them() -> None:
    assert sorted(["img_10", "img_2", "img_1"], key=natural) == ["img_1", "img_2", "img_10"]
