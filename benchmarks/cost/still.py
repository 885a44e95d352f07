"""Motion alone: the camera in its child and the motion stage, nothing else: `… .still CLIP FPS`.

Watches until it is ended. For the comparison with Debian's `motion`, which does no more.
"""

from __future__ import annotations

import sys
from pathlib import Path

from agent.cameras import open_camera
from agent.cameras.settings import CameraSettings, FileSource
from agent.clock import SystemClock
from agent.core.motion import detector
from agent.core.motion.settings import MotionSettings


def main(clip: Path, fps: float) -> None:
    """Look at every frame, at the clip's own pace."""
    camera = open_camera(CameraSettings(name="clip", source=FileSource(path=clip), max_fps=fps), SystemClock())
    state, settings = None, MotionSettings()
    for frame in camera.frames():
        state, _ = detector.update(state, frame, settings)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
