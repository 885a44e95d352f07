"""The detector as one camera asks it: one that fails blinds no camera, and is asked again ever more slowly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from agent.clock import Clock
from agent.core.types import Detection, Image, Size
from agent.detectors import Detector
from agent.errors import ModelError
from agent.host.supervise import CALM_S, Backoff, OutageLog

REST_S: Final = 1.0
"""Least wait before a detector that failed is asked again."""
BACKOFF_S: Final = 1.0, 60.0
"""Bounds of what is waited besides."""

Found = Sequence[Sequence[Detection]]


class PatientDetector:
    """For the thread of its camera; whether it `fails` may be asked from any."""

    def __init__(
        self, camera: str, detector: Detector, clock: Clock, took_ms: Callable[[float], object]
    ) -> None:
        """`took_ms` is given how long each call took that was answered, in milliseconds."""
        self._detector, self._clock, self._took_ms = detector, clock, took_ms
        self._outage = OutageLog(f"detector, camera {camera}")
        self._backoff = Backoff(*BACKOFF_S)
        self._rests_until_s = float("-inf")
        self._answered: tuple[Sequence[Image], Found] | None = None

    @property
    def input_size(self) -> Size:
        """Width and height of what its network takes, in pixels."""
        return self._detector.input_size

    @property
    def fails(self) -> bool:
        """Whether it failed when it was last asked."""
        return not self._outage.up

    def look(self, images: Sequence[Image]) -> Found:
        """What it sees in each picture; nothing while it fails."""
        began = self._clock.now()
        nothing: Found = [()] * len(images)
        if began.mono_s < self._rests_until_s:
            return nothing
        try:
            found = self._detector.detect(images)
        except ModelError as error:
            self._outage.lost(error)
            if began.mono_s - self._rests_until_s > CALM_S:
                self._backoff.calm()
            self._rests_until_s = began.mono_s + REST_S + self._backoff.failed()
            return nothing
        self._outage.back()
        self._took_ms(self._clock.now().since(began) * 1000)
        self._answered = images, found
        return found

    def answered(self) -> tuple[Sequence[Image], Found] | None:
        """What it was asked and answered since this was last called; None: it was not, or it failed."""
        answered, self._answered = self._answered, None
        return answered
