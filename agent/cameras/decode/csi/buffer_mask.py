"""Paints what masks hide on a camera's own buffer, before an encoder sees it.

A ribbon camera's buffer is its own: no later picture is predicted from it, so it may be painted on. What the
masks touch is hidden to whole pixels and whole chroma samples, as in a copy (privacy_mask.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from agent.cameras.decode.decoded import Polygon
from agent.cameras.decode.privacy_mask import BLACK_LIMITED, NEUTRAL_CHROMA, Span, coarse, hidden_rows

Format = Literal["YUV420", "NV12"]
"""Planes of luma, u and v; or luma, and u and v in turn."""


class BufferMask:
    """The hidden bytes of buffers of one size, stride and format."""

    def __init__(
        self,
        size: tuple[int, int],
        stride: int,
        form: Format,
        masks: Sequence[Polygon],
        luma: int = BLACK_LIMITED,
    ) -> None:
        """`size` is (width, height) in pixels, `stride` the bytes from one row of luma to the next."""
        width_px, height_px = size
        rows = hidden_rows(masks, width_px, height_px)
        chroma = coarse(rows, (2, 2))
        at, painted = stride * height_px, [(span, luma) for span in _spans(rows, stride, 0)]
        if form == "NV12":
            pairs = [[(2 * a, 2 * b) for a, b in row] for row in chroma]
            painted += [(span, NEUTRAL_CHROMA) for span in _spans(pairs, stride, at)]
        else:
            half = stride // 2
            for start in (at, at + half * len(chroma)):
                painted += [(span, NEUTRAL_CHROMA) for span in _spans(chroma, half, start)]
        self._painted = [((a, b), bytes([shade]) * (b - a)) for (a, b), shade in painted]

    def paint(self, buffer: Any) -> None:
        """Paint over the hidden bytes of a flat buffer that can be written to."""
        flat = memoryview(buffer).cast("B")
        for (start, end), shade in self._painted:
            flat[start:end] = shade


def _spans(rows: Sequence[Sequence[Span]], stride: int, at: int) -> list[Span]:
    return [
        (at + y * stride + start, at + y * stride + end) for y, row in enumerate(rows) for start, end in row
    ]
