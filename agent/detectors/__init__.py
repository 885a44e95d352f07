"""Objects found: the Detector protocol and the door to the one detector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from agent.core.types import Detection, Image, Size


class Detector(Protocol):
    """Finds objects in pictures; the same picture gives the same detections."""

    name: str
    """The model's name from its card."""
    sha256: str
    """Of the model file, lower-case hex."""
    input_size: Size
    """What the network sees; crops of this size are neither enlarged nor shrunk."""
    labels: tuple[str, ...]

    def detect(self, images: Sequence[Image]) -> list[tuple[Detection, ...]]:
        """The objects in each BGR picture, boxes in fractions of that picture, best score first."""
        ...

    def close(self) -> None:
        """Let go of the network; may be called twice."""
        ...
