"""Reads clips and CDnet folders as frames, as fast as they decode."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core.types import Frame, Instant

Plane = NDArray[np.uint8]

WALL_S = 1_770_000_000.0


def frame(index: int, rate: float, luma: Plane, u: Plane | None = None, v: Plane | None = None) -> Frame:
    """The frame number `index` of a stream of `rate` frames a second; grey where no chroma is given."""
    half = np.full((luma.shape[0] // 2, luma.shape[1] // 2), 128, np.uint8)
    at_s = index / rate
    u, v = half if u is None else u, half if v is None else v
    return Frame(index, Instant(1000 + at_s, WALL_S + at_s), luma, u, v)


def frames(clip: Path) -> Iterator[Frame]:
    """Every frame of a 4:2:0 clip."""
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        rate = float(stream.average_rate or 25)
        for index, picture in enumerate(container.decode(stream)):
            yuv = np.asarray(picture.to_ndarray(format="yuv420p"), np.uint8).reshape(-1)
            height, width = picture.height, picture.width
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
    """The clip without what moves in it: the median of `count` frames, (H, W), in luma steps."""
    every = [each.luma for each in frames(clip)]
    chosen = np.linspace(0, len(every) - 1, count).astype(int)
    return np.asarray(np.median([every[i] for i in chosen], axis=0), np.float32)


def cdnet(folder: Path) -> tuple[list[Frame], dict[int, Plane], NDArray[np.bool_]]:
    """A CDnet folder: its frames at 25 a second, the truth by frame index, and the region that is judged."""
    first, last = (int(word) for word in (folder / "temporalROI.txt").read_text().split()[:2])
    found = []
    for index, name in enumerate(sorted((folder / "input").glob("*.jpg"))):
        bgr = np.asarray(cv2.imread(str(name)), np.uint8)
        luma = cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420)[: bgr.shape[0]]
        found.append(frame(index, 25.0, np.asarray(luma, np.uint8)))
    truth = {
        number - 1: np.asarray(cv2.imread(str(folder / f"groundtruth/gt{number:06}.png"), 0), np.uint8)
        for number in range(first, min(last, len(found)) + 1)
    }
    roi = np.asarray(cv2.imread(str(folder / "ROI.bmp"), 0), np.uint8) > 127
    return found, truth, roi
