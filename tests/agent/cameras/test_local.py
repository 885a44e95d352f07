"""agent.cameras.local; what it promises as every camera does is tried in tests/contracts/test_camera.py"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psutil

from agent.cameras.local import LocalCamera
from agent.cameras.settings import CameraSettings
from agent.clock import SystemClock


def local(clip: Path, **more: object) -> LocalCamera:
    source = {"kind": "file", "path": clip}
    settings = CameraSettings.model_validate({"name": "north", "source": source, "max_fps": 120, **more})
    return LocalCamera(settings, SystemClock())


def test_it_decodes_without_a_child(numbered_clip: Callable[..., Path]) -> None:
    family = psutil.Process().children(recursive=True)
    camera = local(numbered_clip(3))
    frames = camera.frames()
    first = next(frames)

    assert first.luma.shape == (240, 320)
    assert camera.facts is not None
    assert not set(psutil.Process().children(recursive=True)) - set(family)
    camera.close()
    assert list(frames) == []


def test_what_is_masked_is_black_here_too(numbered_clip: Callable[..., Path]) -> None:
    whole = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
    camera = local(numbered_clip(2), privacy_masks=[whole])

    assert next(camera.frames()).luma.max() <= 16
    camera.close()


def test_a_camera_that_is_closed_gives_nothing_more(numbered_clip: Callable[..., Path]) -> None:
    camera = local(numbered_clip(2))
    camera.close()

    assert list(camera.frames()) == []
