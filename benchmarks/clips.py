"""Reads clips as frames, as fast as they decode."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from agent.core.types import Frame, Instant
from agent.errors import NgatuError

Plane = NDArray[np.uint8]

WALL_S = 1_770_000_000.0


def frame(index: int, rate: float, luma: Plane, u: Plane | None = None, v: Plane | None = None) -> Frame:
    """The frame number `index` of a stream of `rate` frames a second; grey where no chroma is given."""
    half = np.full((luma.shape[0] // 2, luma.shape[1] // 2), 128, np.uint8)
    at_s = index / rate
    u, v = half if u is None else u, half if v is None else v
    return Frame(index, Instant(1000 + at_s, WALL_S + at_s), luma, u, v)


def frames(clip: Path) -> Iterator[Frame]:
    """Every frame of a 4:2:0 clip; an odd side is made even, by one pixel.

    Raises:
        NgatuError: it is no clip, or holds no pictures.
    """
    try:
        container = av.open(str(clip))
    except (av.error.FFmpegError, OSError) as error:
        raise NgatuError(f"{clip}: no clip that can be read: {error}", "name a video file") from error
    with container:
        if not container.streams.video:
            raise NgatuError(f"{clip}: there is no video in it", "name a video file")
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        rate = float(stream.average_rate or 25)
        for index, picture in enumerate(container.decode(stream)):
            width, height = picture.width // 2 * 2, picture.height // 2 * 2
            even = picture.reformat(width, height, "yuv420p")
            yuv = np.asarray(even.to_ndarray(), np.uint8).reshape(-1)
            area = height * width
            quarter = area // 4
            yield frame(
                index,
                rate,
                yuv[:area].reshape(height, width),
                yuv[area : area + quarter].reshape(height // 2, width // 2),
                yuv[area + quarter :].reshape(height // 2, width // 2),
            )


def still_view(clip: Path, count: int = 25) -> NDArray[np.float32]:
    """The clip without what moves in it: the median of `count` frames, (H, W), in luma steps.

    Raises:
        NgatuError: no picture of it can be read.
    """
    every = [each.luma for each in frames(clip)]
    if not every:
        raise NgatuError(f"{clip}: not one picture in it", "name a video file")
    chosen = np.linspace(0, len(every) - 1, count).astype(int)
    return np.asarray(np.median([every[i] for i in chosen], axis=0), np.float32)
