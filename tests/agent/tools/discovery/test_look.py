"""agent.tools.discovery.look"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from agent.clock import SystemClock
from agent.errors import CameraError, NgatuError
from agent.tools.discovery.look import look, save


def test_one_picture_is_taken_and_written(numbered_clip: Callable[..., Path], tmp_path: Path) -> None:
    seen = look("north", {"kind": "file", "path": str(numbered_clip(40))}, SystemClock())
    assert (seen.facts.width_px, seen.facts.height_px, seen.image.shape) == (320, 240, (240, 320, 3))
    save(seen.image, tmp_path / "north.png")
    written = cv2.imread(str(tmp_path / "north.png"))
    assert written is not None
    assert np.array_equal(written, seen.image)


def test_a_camera_without_a_picture_and_a_folder_that_is_not_there_are_told(tmp_path: Path) -> None:
    with pytest.raises(CameraError):
        look("north", {"kind": "file", "path": str(tmp_path / "none.mp4")}, SystemClock())
    with pytest.raises(NgatuError, match="cannot be written"):
        save(np.zeros((2, 2, 3), np.uint8), tmp_path / "none" / "a.png")
