"""A detector whose network breaks when it is told to, as graphics memory that is full breaks a real one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agent.core.types import Detection, Image
from agent.detectors import load_detector
from agent.detectors.settings import DetectorSettings
from tests.support.squares import write_model


class BreakableDetector:
    """The real detector, whose network breaks when told: it is the hardware here."""

    def __init__(self, folder: Path) -> None:
        self._real = load_detector(DetectorSettings(model=str(write_model(folder))))
        self.name, self.sha256 = self._real.name, self._real.sha256
        self.input_size, self.labels = self._real.input_size, self._real.labels
        self.broken: Exception | None = None
        self.calls = 0

    def detect(self, images: Sequence[Image]) -> list[tuple[Detection, ...]]:
        self.calls += 1
        if self.broken is not None:
            raise self.broken
        return self._real.detect(images)

    def close(self) -> None:
        self._real.close()
