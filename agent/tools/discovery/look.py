"""One picture of a camera that is in no configuration yet."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from agent.cameras import CameraFacts, open_camera
from agent.cameras.settings import CameraSettings
from agent.clock import Clock
from agent.core import image as picture
from agent.core.types import Image
from agent.errors import CameraRefused, NgatuError
from agent.translatable import tr

SETTLE_S = 1.0
"""A first picture is often too dark: the exposure is still finding its way."""
PATIENCE_S = 15.0
"""Cameras with rare key pictures show the first one late."""


@dataclass(frozen=True, slots=True)
class CameraPicture:
    """What a camera shows, and what it is."""

    image: Image
    facts: CameraFacts


def look(name: str, source: dict[str, Any], clock: Clock) -> CameraPicture:
    """One picture of this source, (H, W, 3) BGR.

    Raises:
        CameraError: it gives none.
    """
    settings = CameraSettings.model_validate({"name": name, "source": source, "open_timeout_s": PATIENCE_S})
    with closing(open_camera(settings, clock)) as camera:
        frames = camera.frames()
        frame = next(frames, None)
        if frame is not None:
            camera.rest_s = SETTLE_S
            frame = next(frames, frame)
        if frame is None or camera.facts is None:
            raise CameraRefused(tr("{camera}: no picture at all", camera=name), tr("try another stream"))
        return CameraPicture(picture.bgr(frame), camera.facts)


def save(image: Image, path: Path) -> None:
    """Write the picture as PNG.

    Raises:
        NgatuError: the file cannot be written.
    """
    done, data = cv2.imencode(".png", image)
    assert done, "an image of ours can always be encoded"
    try:
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise NgatuError(
            tr("{path}: cannot be written: {reason}", path=path, reason=error.strerror or type(error).__name__),
            tr("name a file in a folder that is there and that you may write to"),
        ) from error
