"""models.train.pictures.rehearsal"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from agent.errors import ModelError
from models.train.pictures.rehearsal import OF_A_CLIP, read_rehearsal, seen
from tests.support.grey_clip import write_grey_clip


def write_pictures(folder: Path, count: int) -> Path:
    folder.mkdir(parents=True)
    for number in range(count):
        cv2.imwrite(str(folder / f"{number:03d}.png"), np.full((20, 30, 3), number * 10, np.uint8))
    return folder


def test_the_last_of_the_pictures_tell_what_is_forgotten(tmp_path: Path) -> None:
    found = read_rehearsal([write_pictures(tmp_path / "p", 12)])

    assert [int(seen(data)[0, 0, 0]) for data in found.learned] == [number * 10 for number in range(10)]
    assert [int(seen(data)[0, 0, 0]) for data in found.held_back] == [100, 110]
    assert found.all == found.learned + found.held_back


def test_of_a_clip_the_end_is_not_learned_from(tmp_path: Path) -> None:
    found = read_rehearsal([write_grey_clip(tmp_path / "clip.mp4", 30)])

    levels = [float(seen(data).mean()) for data in found.all]
    assert (len(found.learned), len(found.held_back)) == (25, 5)
    assert levels == sorted(levels)


def test_of_a_long_clip_some_frames_are_taken_evenly(tmp_path: Path) -> None:
    found = read_rehearsal([write_grey_clip(tmp_path / "clip.mp4", 2 * OF_A_CLIP)])

    assert len(found.all) == OF_A_CLIP


def test_clips_and_pictures_of_a_folder_are_both_taken(tmp_path: Path) -> None:
    write_pictures(tmp_path / "all" / "stills", 6)
    write_grey_clip(tmp_path / "all" / "clip.mp4", 6)

    assert len(read_rehearsal([tmp_path / "all"]).all) == 12


def test_nothing_asked_for_is_nothing_read() -> None:
    assert read_rehearsal([]).all == ()


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [("gone", None, "no such file or folder"), ("a.jpg", b"", "no picture that can be read"),
     ("a.mp4", b"no clip", "no clip that can be read")],
)  # fmt: skip
def test_what_cannot_be_read_is_told(tmp_path: Path, name: str, content: bytes | None, what: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)

    with pytest.raises(ModelError, match=what):
        read_rehearsal([tmp_path / name])


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no picture and no clip in it"):
        read_rehearsal([tmp_path])
