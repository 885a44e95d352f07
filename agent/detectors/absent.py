"""No network at all: for a box whose cameras are only watched for motion."""

from __future__ import annotations

from collections.abc import Sequence

from agent.core.types import Detection, Image, Size


class Absent:
    """Finds nothing; has no name, so that events say that no detector ran."""

    name = ""
    sha256 = ""
    input_size = Size(1, 1)
    labels: tuple[str, ...] = ()

    def detect(self, images: Sequence[Image]) -> list[tuple[Detection, ...]]:
        """Nothing in any picture."""
        return [() for _ in images]

    def close(self) -> None:
        """Nothing to let go of."""
