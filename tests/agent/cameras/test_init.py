"""agent.cameras"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.cameras import CameraFacts, open_camera, probe
from agent.cameras.settings import CameraSettings
from agent.clock import SystemClock
from agent.errors import CameraRefused


def file_camera(path: Path) -> CameraSettings:
    return CameraSettings.model_validate({"name": "north", "source": {"kind": "file", "path": path}})


def test_a_probe_tells_what_the_camera_is_and_leaves_nothing_open(numbered_clip: Callable[..., Path]) -> None:
    facts = probe(file_camera(numbered_clip(5)), SystemClock())
    assert facts == CameraFacts("h264", "FFmpeg h264", "yuv420p", 320, 240, 25.0)


def test_a_probe_of_something_else_says_why(tmp_path: Path) -> None:
    with pytest.raises(CameraRefused, match="no such file"):
        probe(file_camera(tmp_path / "none.mp4"), SystemClock())


def test_opening_touches_nothing_until_a_frame_is_wanted(tmp_path: Path) -> None:
    camera = open_camera(file_camera(tmp_path / "none.mp4"), SystemClock())
    assert camera.pid is None
    camera.close()


def test_importing_the_package_costs_a_child_nothing() -> None:
    program = "import sys, agent.cameras; print([m for m in ('numpy', 'pydantic', 'av') if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "[]"
