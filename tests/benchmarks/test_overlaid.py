"""benchmarks.overlaid"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks import cdnet
from benchmarks.motion import METHODS, main
from benchmarks.overlaid import overlaid

FRAMES, SIDE = 50, 20


def folder(path: Path, moves: bool, height: int, width: int) -> Path:
    """A still view of noise; with a square that goes to the right, where something moves."""
    for name in ("input", "groundtruth"):
        (path / name).mkdir(parents=True)
    still = np.random.default_rng(2).integers(90, 120, (height, width, 3), dtype=np.uint8)
    for number in range(1, FRAMES + 1):
        picture, truth = still.copy(), np.zeros((height, width), np.uint8)
        if moves:
            place = slice(30, 30 + SIDE), slice(2 * number, 2 * number + SIDE)
            picture[place], truth[place] = 250, 255
        cv2.imwrite(str(path / f"input/in{number:06}.png"), picture)
        cv2.imwrite(str(path / f"groundtruth/gt{number:06}.png"), truth)
    (path / "temporalROI.txt").write_text(f"{1 if moves else 21} {FRAMES}\n")
    return path


def test_what_moves_in_one_scene_is_laid_over_the_other_with_its_truth(tmp_path: Path) -> None:
    trees = cdnet.read(folder(tmp_path / "trees", False, 120, 160))
    road = cdnet.read(folder(tmp_path / "road", True, 60, 120))
    frames = list(overlaid(trees, road))

    assert len(frames) == FRAMES
    shown, truth = frames[29]
    assert truth is not None
    moving, judged = truth
    assert moving[80, 140]
    assert not moving[20, 20]
    assert judged.all()
    assert shown.luma[80, 140] > 200
    assert shown.luma[20, 20] < 130
    assert frames[0][1] is None
    assert frames[0][0].luma[70, 20] > 200


@pytest.mark.long
def test_a_folder_in_which_nothing_moves_is_judged_once_more_with_the_others_road_users(tmp_path: Path) -> None:
    folder(tmp_path / "trees", False, 120, 160)
    folder(tmp_path / "road", True, 120, 160)
    rows = main([tmp_path])

    assert [row["scene"] for row in rows[:: len(METHODS)]] == ["road", "trees", "road over trees"]
    assert rows[len(METHODS)]["recall"] is None
    assert rows[len(METHODS)]["empty frames stirred %"] == 0.0
    assert float(str(rows[2 * len(METHODS)]["F1"])) > 0.3
