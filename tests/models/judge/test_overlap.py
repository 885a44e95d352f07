"""models.judge.overlap"""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import pytest

from models.dataset.coco import read_coco
from models.dataset.types import Dataset
from models.judge.overlap import LIKE, NEIGHBOUR, SAME, without_training
from tests.support.labelled_squares import write_set

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def judging(tmp_path: Path) -> Dataset:
    return read_coco(write_set(tmp_path / "judging", cameras=("a", "b"), pictures=2))


def trained(tmp_path: Path, dataset: Dataset, **changes: object) -> Dataset:
    """The first picture of a set again, in a file of another name and another format."""
    path = tmp_path / "other.jpg"
    cv2.imwrite(str(path), cv2.imread(str(dataset.images[0].path)))
    return replace(dataset, images=(replace(dataset.images[0], path=path, **changes),))


def test_without_a_training_nothing_is_left_out(judging: Dataset) -> None:
    ((left, overlap),) = without_training([judging], [])

    assert left == judging
    assert (overlap.known, overlap.cameras, overlap.left) == ((), (), 4)


def test_the_same_bytes_under_another_name_judge_nothing(judging: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "copy.png"
    shutil.copy(judging.images[0].path, path)
    training = replace(judging, images=(replace(judging.images[0], path=path, camera="z"),))

    ((left, overlap),) = without_training([judging], [training])

    assert overlap.known[0].name == judging.images[0].path.name
    assert (overlap.known[0].training, overlap.known[0].why) == ("copy.png", SAME)
    assert [image.camera for image in left.images] == ["b", "b"]  # the other of this view is alike
    assert overlap.by_why == {SAME: 1, LIKE: 1}


def test_a_picture_of_the_same_view_judges_nothing_whatever_its_camera_is_called(
    judging: Dataset, tmp_path: Path
) -> None:
    ((left, overlap),) = without_training([judging], [trained(tmp_path, judging, camera="other")])

    assert {each.why for each in overlap.known} == {LIKE}
    assert len(left.images) == 2


def test_a_neighbour_in_time_of_the_same_camera_judges_nothing_however_it_looks(
    judging: Dataset, tmp_path: Path
) -> None:
    first = replace(judging.images[2], taken=NOON)  # of the other camera, so that it looks otherwise
    training = trained(tmp_path, judging, camera="b", taken=NOON + timedelta(minutes=9))

    ((left, overlap),) = without_training([replace(judging, images=(first,))], [training])

    assert left.images == ()
    assert [each.why for each in overlap.known] == [NEIGHBOUR]


def test_a_neighbour_by_number_judges_nothing_and_the_nearest_is_named(
    judging: Dataset, tmp_path: Path
) -> None:
    def numbered(number: int, source: int) -> Dataset:
        path = tmp_path / f"cam_01_{number:05d}.png"
        shutil.copy(judging.images[source].path, path)
        return replace(judging, images=(replace(judging.images[source], path=path, camera="cam_01"),))

    near = without_training([numbered(8, 0)], [numbered(6, 2), numbered(7, 3)])[0][1]
    far = without_training([numbered(8, 0)], [numbered(60, 2)])[0][1]

    assert [(each.training, each.why) for each in near.known] == [("cam_01_00007.png", NEIGHBOUR)]
    assert far.known == ()
    assert far.cameras == ("cam_01",)  # told, but not left out


def test_the_same_view_on_another_day_is_told_and_not_left_out(judging: Dataset, tmp_path: Path) -> None:
    """A fixed camera shows the same road every day; who trains for one camera has no other to judge by."""
    day = replace(judging, images=tuple(replace(image, taken=NOON) for image in judging.images))
    training = trained(tmp_path, judging, camera="a", taken=NOON - timedelta(days=2))

    ((left, overlap),) = without_training([day], [training])

    assert left.images == day.images
    assert overlap.cameras == ("a",)


@pytest.mark.footage
def test_frames_one_index_away_from_the_training_judge_nothing(shared_data: Path) -> None:
    wet = read_coco(shared_data / "detection-motorbikes" / "junction-wet").of_cameras(["cam_02"])
    night = read_coco(shared_data / "detection-motorbikes" / "night")
    training = read_coco(shared_data / "training-hcmc").of_cameras(["cam_02"])
    renamed = replace(wet, images=tuple(replace(image, camera="") for image in wet.images))

    by_name, by_view, others = (overlap for _, overlap in without_training([wet, renamed, night], [training]))

    assert by_name.by_why == {NEIGHBOUR: 14}
    assert by_name.known[0].name == "cam_02_00003.jpg"
    assert by_name.known[0].training in ("cam_02_00002.jpg", "cam_02_00004.jpg")
    assert by_view.by_why == {LIKE: 14}
    assert others.known == ()
