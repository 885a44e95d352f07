"""Frames in: the Camera protocol, and how each kind of camera is opened."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

from agent.cameras.decode.decoded import CameraFacts, Record
from agent.errors import CameraRefused
from agent.translatable import tr

if TYPE_CHECKING:  # a decoding child imports this package too, and needs neither numpy nor pydantic
    from agent.cameras.isolate import IsolatedCamera
    from agent.cameras.settings import CameraSettings
    from agent.clock import Clock
    from agent.core.types import Frame

__all__ = ["Camera", "CameraFacts", "open_camera", "probe"]


class Camera(Protocol):
    """Gives frames until it is closed; `at.mono_s` strictly increases.

    `frames` raises CameraLost when the pictures stop or never come, and CameraRefused when the camera answers
    but will not serve us; it never hangs beyond its deadline. A file that has ended simply ends the iterator.
    """

    def frames(self) -> Iterator[Frame]:
        """The newest frames, one by one; frames that came while the caller was busy are skipped."""
        ...

    def close(self) -> None:
        """Let go of the device and of every process and buffer behind it; may be called twice."""
        ...


def open_camera(
    settings: CameraSettings,
    clock: Clock,
    record: Record | None = None,
    on_footage: Callable[[int], object] = os.close,
) -> IsolatedCamera:
    """The camera, decoded in a child process of its own; recorded, too, where `record` tells how.

    Nothing is touched yet: the child starts, and what can fail fails, when the first frame is asked for.
    """
    from agent.cameras.isolate import IsolatedCamera  # noqa: PLC0415 – see above

    return IsolatedCamera(settings, clock, record, on_footage)


def probe(settings: CameraSettings, clock: Clock) -> CameraFacts:
    """Open the camera, take one frame, close it again, and tell what it is.

    Raises:
        CameraLost: no frame within `open_timeout_s`.
        CameraRefused: the camera answers but will not serve us, or the file has no frame.
    """
    camera = open_camera(settings, clock)
    try:
        if next(iter(camera.frames()), None) is None or camera.facts is None:
            raise CameraRefused(tr("{camera}: no picture at all", camera=settings.name), tr("try another file"))
        return camera.facts
    finally:
        camera.close()
