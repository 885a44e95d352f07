"""Where a recorder's footage comes from: the child that decodes a camera, or one for its main stream."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

import structlog

from agent.cameras.decode.decoded import Record
from agent.cameras.footage import FootageReader, Nonsense, Piece, Way, nobody
from agent.cameras.main_stream import MainStream
from agent.cameras.settings import CameraSettings
from agent.cameras.stills import Stills
from agent.clock import Clock, Trust
from agent.errors import CameraError, CameraRefused
from agent.host.supervise import CALM_S, Backoff, OutageLog

log = structlog.get_logger(__name__)

REFUSED_S: Final = 30.0
"""Least wait after a refusal: cameras lock out who tries a wrong password again and again."""
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0
READERS: Final = 4
"""Pipes of children that are kept: while whoever reads waits for a disk, each start of a child adds one."""


class FootageSource(Protocol):
    """Gives pieces of footage; a loss is no error, but `trouble` until it is over."""

    opening: str
    """Names the opening that the last piece came from."""
    trouble: str | None
    """Why nothing comes, if somebody should know."""
    skipped: int
    """Openings of which nothing was read, before the one that is read now: there were too many at a time."""

    def read(self, timeout_s: float) -> Piece | Way | None:
        """The next piece; None if none came within `timeout_s`."""
        ...

    def close(self) -> None:
        """Let go of it; it may be read again."""
        ...


class SharedFootage:
    """The pieces of the child that decodes the camera: it records beside. Its losses are the camera's."""

    def __init__(
        self,
        camera: str,
        clock: Clock,
        distrust: Callable[[], object] = lambda: None,
        trusted: Callable[[], Trust] = nobody,
    ) -> None:
        """`distrust` kills the child that gives nonsense; `trusted` says who vouches for the clock."""
        self.opening = ""
        self.trouble: str | None = None
        self.skipped = self._passed_over = 0
        self.distrust = distrust
        self._camera, self._clock, self._trusted = camera, clock, trusted
        self._changed = threading.Condition()
        self._readers: deque[FootageReader] = deque()

    def offer(self, fd: int) -> None:
        """A child was started, which writes into this pipe; in the camera's thread."""
        with self._changed:
            self._readers.append(FootageReader(fd, self._clock, self._trusted))
            if len(self._readers) > READERS:
                self._readers[1].close()  # the first may be read right now
                del self._readers[1]
                self._passed_over += 1
            self._changed.notify()

    def read(self, timeout_s: float) -> Piece | Way | None:
        """The next piece, of the oldest child that still has some."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._readers, timeout_s):
                return None
            reader = self._readers[0]
        if not self.opening:
            self.opening = os.urandom(6).hex()
        try:
            piece = reader.read(timeout_s)
        except Nonsense as error:
            log.warning("footage_nonsense", camera=self._camera, why=str(error))
            if reader is self._readers[-1]:  # else its child is gone, and another one at work
                self.distrust()
            piece, reader.ended = None, True
        if piece is None and reader.ended:
            self._drop()
        return piece

    def close(self) -> None:
        """Let go of the pipes: the children go on without."""
        while self._readers:
            self._drop()

    def _drop(self) -> None:
        with self._changed:
            self._readers.popleft().close()
            self.skipped, self._passed_over = self.skipped + self._passed_over, 0
            self.opening = ""


class MainFootage:
    """The pieces of a camera's main stream: lost, told once, and asked again ever more slowly."""

    def __init__(
        self,
        settings: CameraSettings,
        record: Record,
        clock: Clock,
        wanted: Callable[[], bool] = lambda: True,
        trusted: Callable[[], Trust] = nobody,
        stills: Stills | None = None,
    ) -> None:
        """`wanted` says whether the camera may be watched at all: a pause holds for its main stream, too.

        `trusted` says who vouches for the clock. `stills` is for whoever wants single pictures of it; None:
        nobody does.
        """
        self._stills = stills
        self.opening = ""
        self.trouble: str | None = None
        self.skipped = 0
        self._settings, self._record, self._clock, self.wanted = settings, record, clock, wanted
        self._trusted = trusted
        self._stream: MainStream | None = None
        self._backoff = Backoff(FIRST_WAIT_S, LONGEST_WAIT_S)
        self._again_s = self._opened_s = float("-inf")
        self._outage = OutageLog(f"main stream of {settings.name}")
        self._over = False
        self._pause = threading.Event()

    def read(self, timeout_s: float) -> Piece | Way | None:
        """The next piece; opens the stream if that is due."""
        now_s = self._clock.now().mono_s
        if not self.wanted():
            self.close()
        if self._over or not self.wanted() or now_s < self._again_s:
            self._pause.wait(min(timeout_s, 0.5))
            return None
        try:
            if self._stream is None:
                self._open(now_s)
            assert self._stream is not None
            piece = self._stream.read(timeout_s)
        except CameraError as error:
            self._lost(error)
            return None
        if piece is not None:
            self._outage.back()
            self.trouble = None
        elif self._stream.ended:
            self._over = True
            self.close()
        return piece

    def close(self) -> None:
        """Let go of the camera."""
        stream, self._stream = self._stream, None
        self.opening = ""
        if self._stills is not None:
            self._stills.close()
        if stream is not None:
            stream.close()

    def _open(self, now_s: float) -> None:
        on_stills = None if self._stills is None else self._stills.offer
        self._stream = MainStream(self._settings, self._clock, self._record, self._trusted, on_stills)
        self.opening, self._opened_s = os.urandom(6).hex(), now_s

    def _lost(self, error: CameraError) -> None:
        self.close()
        self._outage.lost(error)
        self.trouble = error.what
        now_s = self._clock.now().mono_s
        if now_s - self._opened_s > CALM_S:
            self._backoff.calm()
        least_s = REFUSED_S if isinstance(error, CameraRefused) else 0.0
        self._again_s = now_s + least_s + self._backoff.failed()
