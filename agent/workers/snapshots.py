"""One picture of a camera for whoever asks: of the next frame that is looked at, in the camera's own thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final

from agent.core.tracking import best_shot
from agent.core.types import WHOLE, Frame, Sensitive
from agent.publishing import jpeg as thumbnail
from agent.publishing.jpeg import Blur, Jpeg

MAX_SIDE_PX: Final = 1920
MAX_BYTES: Final = 200_000
"""Below the contract's 256 KB, and below what a broker takes."""
LOOK_S: Final = 0.5


class Snapshots:
    """Hands pictures from the cameras' threads to one that waits."""

    def __init__(self, blur: Blur = "none") -> None:
        """`blur` is what of a picture nobody may see."""
        self._blur = blur
        self._wanted: set[str] = set()
        self._taken: dict[str, Jpeg] = {}
        self._news = threading.Condition()

    def saw(self, camera: str, frame: Frame, private: Callable[[], Sequence[Sensitive]] = tuple) -> None:
        """A frame is looked at; called in the camera's thread, where its memory is still valid.

        `private` tells where heads and plates are in it.
        """
        if camera not in self._wanted:  # nearly always; reading a set needs no lock
            return
        shot = best_shot.scene(frame, WHOLE, MAX_SIDE_PX, private())
        jpeg = thumbnail.encode(shot, MAX_SIDE_PX, MAX_BYTES, blur=self._blur)
        with self._news:
            self._wanted.discard(camera)
            self._taken[camera] = jpeg
            self._news.notify_all()

    def wants(self, camera: str) -> bool:
        """Whether somebody waits for a picture of this camera."""
        return camera in self._wanted  # reading a set needs no lock

    def take(self, camera: str, within_s: float, turn: Callable[[], bool]) -> Jpeg | None:
        """The next picture of the camera; None if none comes in time, or if `turn` says to give up.

        `turn` is called twice a second.
        """
        with self._news:
            self._taken.pop(camera, None)
            self._wanted.add(camera)
            left_s = within_s
            while camera not in self._taken and left_s > 0 and turn():
                self._news.wait(min(LOOK_S, left_s))
                left_s -= LOOK_S
            self._wanted.discard(camera)
            return self._taken.pop(camera, None)
