"""Frames in: the Camera protocol and the door to every kind of camera."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from agent.core.types import Frame


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
