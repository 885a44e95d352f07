"""A camera decoded in this very process: for tools that bring their own process, and to compare with.

A stalled stream blocks the caller for up to twice `stall_s`; the agent uses isolate.py.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator

from agent.cameras import planes
from agent.cameras.decode.decoded import CameraFacts, Picture
from agent.cameras.decode.privacy_mask import PrivacyMask
from agent.cameras.decode.worker import opened
from agent.cameras.settings import CameraSettings
from agent.cameras.sources import source
from agent.clock import Clock
from agent.core.types import Frame, Instant


class LocalCamera:
    """One camera in the caller's process and thread. `frames` may be iterated once."""

    def __init__(self, settings: CameraSettings, clock: Clock) -> None:
        self.settings = settings
        self.facts: CameraFacts | None = None
        self._clock = clock
        self._closed = False
        self._running: Generator[Frame, None, None] | None = None

    def frames(self) -> Iterator[Frame]:
        """Every due picture as a frame; without masks its planes are the decoder's own memory.

        Raises:
            CameraLost: nothing answers, or the pictures stopped.
            CameraRefused: the camera answers but will not serve us.
        """
        self._running = self._run()
        return self._running

    def close(self) -> None:
        """Let go of the source; while another thread waits for a picture, after that picture."""
        self._closed = True
        if self._running is not None:
            with contextlib.suppress(ValueError):  # it is running, in another thread
                self._running.close()

    def _run(self) -> Generator[Frame, None, None]:
        if self._closed:
            return
        wanted = source(self.settings, self._clock.now())
        pictures = opened(wanted, self._now)
        self.facts = pictures.facts
        mask: PrivacyMask | None = None
        try:
            for picture in pictures:
                if mask is None or mask.layout != picture.layout:
                    mask = PrivacyMask(picture.layout, wanted.masks)
                yield _frame(picture, mask if wanted.masks else None)
                if self._closed:
                    return
        finally:
            pictures.close()

    def _now(self) -> tuple[float, float]:
        moment = self._clock.now()
        return moment.mono_s, moment.wall_s


def _frame(picture: Picture, mask: PrivacyMask | None) -> Frame:
    at = Instant(picture.mono_s, picture.wall_s)
    if mask is None:
        return planes.frame(picture.index, at, picture.layout, picture.planes, picture.lap)
    return planes.frame(picture.index, at, picture.layout, _masked(picture, mask), picture.lap)


def _masked(picture: Picture, mask: PrivacyMask) -> tuple[memoryview, memoryview, memoryview]:
    layout = picture.layout
    seen = memoryview(bytearray(layout.nbytes))
    mask.blacken(seen)
    mask.copy(picture.planes, seen)
    (_, u, v), sizes = layout.offsets, layout.sizes
    return seen[: sizes[0]], seen[u : u + sizes[1]], seen[v : v + sizes[2]]
