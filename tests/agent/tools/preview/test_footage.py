"""agent.tools.preview.footage"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from agent.cameras.settings import CameraSettings
from agent.clock import SystemClock
from agent.errors import CameraRefused
from agent.tools.preview.footage import recorded

MASK = ((0.0, 0.0), (0.5, 0.0), (0.5, 0.5), (0.0, 0.5))


def test_a_recorded_video_gives_its_frames_once_with_the_masks_of_the_camera(
    tmp_path: Path, numbered_clip: Callable[..., Path]
) -> None:
    clip = numbered_clip(20)
    settings = CameraSettings.model_validate(
        {"name": "north", "source": {"kind": "csi"}, "max_fps": 120, "privacy_masks": [MASK]}
    )
    footage = recorded(clip)
    with closing(footage.open(settings, SystemClock())) as camera:
        seen = [
            (frame.at.mono_s, int(frame.luma[100, 100]), int(frame.luma[200, 200])) for frame in camera.frames()
        ]

    assert footage.title == "clip.mkv"
    assert len(seen) == 20
    gaps = [round(after[0] - before[0], 2) for before, after in pairwise(seen)]
    assert gaps == [0.04] * 19
    assert {hidden for _, hidden, _ in seen} == {16}  # black
    assert all(shown > 60 for _, _, shown in seen)


def test_a_video_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(CameraRefused, match=r"none\.mp4: no such file"):
        recorded(tmp_path / "none.mp4")
