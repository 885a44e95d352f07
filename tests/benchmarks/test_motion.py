"""benchmarks.motion, benchmarks.cdnet: folders of CDnet as they are downloaded, and as they are spoiled"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from agent.errors import NgatuError
from benchmarks.motion import METHODS, main

Plane = NDArray[np.uint8]

FRAMES, FIRST, LAST = 60, 31, 60
HEIGHT, WIDTH = 120, 160
SIDE = 30


def square_at(number: int) -> tuple[slice, slice]:
    left = 10 + (number * 4) % (WIDTH - SIDE - 20)
    return slice(40, 40 + SIDE), slice(left, left + SIDE)


def cdnet(folder: Path, height: int = HEIGHT, width: int = WIDTH) -> Path:
    """A square that wanders over a still view; the region is the left half, and the truths know it too."""
    for name in ("input", "groundtruth"):
        (folder / name).mkdir(parents=True)
    still = np.random.default_rng(1).integers(90, 120, (height, width, 3), dtype=np.uint8)
    region = np.zeros((height, width), np.uint8)
    region[:, : width // 2] = 255
    for number in range(1, FRAMES + 1):
        picture, truth = still.copy(), np.zeros((height, width), np.uint8)
        if number > 20:
            picture[square_at(number)], truth[square_at(number)] = 240, 255
        truth[region == 0] = 85
        cv2.imwrite(str(folder / f"input/in{number:06}.jpg"), picture)
        cv2.imwrite(str(folder / f"groundtruth/gt{number:06}.png"), truth)
    cv2.imwrite(str(folder / "ROI.bmp"), region)
    (folder / "temporalROI.txt").write_text(f"{FIRST} {LAST}\n")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return cdnet(tmp_path / "baseline" / "square")


def figures(folder: Path) -> list[tuple[object, ...]]:
    """Without the milliseconds, which differ each time, and without KNN, which throws dice."""
    columns = ("scene", "method", "precision", "recall", "F1", "false %")
    return [tuple(row[name] for name in columns) for row in main([folder]) if "KNN" not in str(row["method"])]


def resized(file: Path, width: int, height: int, into: Path | None = None) -> None:
    region = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
    cv2.imwrite(str(into or file), cv2.resize(region, (width, height), interpolation=cv2.INTER_NEAREST))


def test_every_method_finds_the_square_within_the_region(folder: Path) -> None:
    rows = main([folder])

    assert [row["method"] for row in rows] == list(METHODS)
    assert all(row["scene"] == "square" for row in rows)
    assert float(str(rows[0]["F1"])) > 0.7


@pytest.mark.parametrize(
    ("width", "height"), [(WIDTH // 2, HEIGHT // 2), (WIDTH * 2, HEIGHT * 2), (40, HEIGHT)]
)
def test_a_region_of_another_size_is_scaled_to_the_frames(folder: Path, width: int, height: int) -> None:
    right = figures(folder)
    resized(folder / "ROI.bmp", width, height)

    assert figures(folder) == right


def test_of_two_regions_the_one_of_the_frames_size_is_taken(folder: Path) -> None:
    right = figures(folder)
    resized(folder / "ROI.bmp", WIDTH, HEIGHT, folder / "ROI.jpg")
    cv2.imwrite(str(folder / "ROI.bmp"), np.zeros((50, 50), np.uint8))

    assert figures(folder) == right


@pytest.mark.long
def test_without_a_region_the_labels_of_the_truth_say_what_is_judged(folder: Path) -> None:
    right = figures(folder)
    (folder / "ROI.bmp").unlink()

    assert figures(folder) == right


@pytest.mark.long
def test_the_region_is_obeyed_where_the_truth_knows_none(folder: Path) -> None:
    right = figures(folder)
    for file in (folder / "groundtruth").iterdir():
        truth = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
        truth[truth == 85] = 255  # would be missed, or found, if it were judged
        cv2.imwrite(str(file), truth)

    assert figures(folder) == right


def test_pictures_with_odd_sides_are_measured_too(tmp_path: Path) -> None:
    rows = main([cdnet(tmp_path / "odd", HEIGHT + 1, WIDTH + 1)])

    assert float(str(rows[0]["F1"])) > 0.7


@pytest.mark.long
def test_a_category_stands_for_its_sequences(folder: Path) -> None:
    shutil.copytree(folder, folder.parent / "again")

    assert {row[0] for row in figures(folder.parent)} == {"again", "square"}
    assert {row[0] for row in figures(folder.parent.parent)} == {"again", "square"}


def remove(name: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return spoil


def write(name: str, text: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_text(text) and None


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (remove("input"), "no folder input/"),
        (remove("groundtruth"), "groundtruth: no gt000001.png"),
        (remove("temporalROI.txt"), "temporalROI.txt: not there"),
        (write("temporalROI.txt", "from 470 on"), "temporalROI.txt: no two numbers"),
        (write("temporalROI.txt", "470 1700"), r"frames 470 to 1700 are judged, input/ has 1 to 60"),
        (remove("input/in000040.jpg"), r"input: frame 40 is missing \(1 in all\)"),
        (remove("groundtruth/gt000041.png"), r"groundtruth: gt000041.png is missing \(1 of 30\)"),
        (write("input/in000042.jpg", "no picture"), r"in000042.jpg: no picture"),
        (write("groundtruth/gt000043.png", "no picture"), r"gt000043.png: no picture"),
        (write("ROI.bmp", "no picture"), r"ROI.bmp: no picture"),
        (lambda folder: resized(folder / "groundtruth/gt000044.png", 80, 60), r"gt000044.png: 80 x 60 pixels"),
    ],
)
def test_what_is_missing_or_spoiled_is_named_with_what_to_do(
    folder: Path, spoil: Callable[[Path], None], named: str
) -> None:
    spoil(folder)

    with pytest.raises(NgatuError, match=named) as caught:
        main([folder])
    assert str(folder) in caught.value.what
    assert caught.value.hint


def test_where_nothing_moves_no_recall_is_told_and_what_was_false_is(folder: Path) -> None:
    for file in (folder / "groundtruth").iterdir():
        truth = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
        truth[truth == 255] = 0
        cv2.imwrite(str(file), truth)

    row = main([folder])[0]

    assert (row["precision"], row["recall"], row["F1"]) == (0.0, None, None)
    assert float(str(row["false %"])) > 1
