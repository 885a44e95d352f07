"""Recorded pictures on which rules are tried: where they come from is known here alone.

A trial asks for frames, one after the other, and knows neither files nor segments. The frames come out of a
decoding process of their own, masked, as a camera's do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agent.cameras import Camera, open_camera
from agent.cameras.settings import CameraSettings, FileSource
from agent.clock import Clock
from agent.errors import CameraRefused
from agent.translatable import tr


@dataclass(frozen=True, slots=True)
class TrialFootage:
    """A stretch of one camera's past."""

    title: str
    """For people."""
    open: Callable[[CameraSettings, Clock], Camera]
    """Its frames once, as fast as they are taken, with the masks and the rate of the settings."""


def recorded(path: Path) -> TrialFootage:
    """A video file, such as `ngatu record` makes.

    Raises:
        CameraRefused: there is no such file.
    """
    if not path.is_file():
        raise CameraRefused(
            tr("{path}: no such file", path=path), tr("name a video file; `ngatu record` makes one")
        )

    def opened(settings: CameraSettings, clock: Clock) -> Camera:
        source = FileSource(path=path, pace="fast")
        return open_camera(settings.model_copy(update={"source": source}), clock)

    return TrialFootage(path.name, opened)
