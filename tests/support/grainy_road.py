"""A scene as a live camera sees it: texture that stands, grain that never does, a square that goes across."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

GRAIN = 3.0
"""Standard deviation, in steps of luma."""


def pictures(count: int, width: int, height: int, seed: int = 1) -> list[NDArray[np.uint8]]:
    """So many of it, (height, width) luma."""
    chance = np.random.default_rng(seed)
    coarse = chance.integers(60, 190, (height // 16, width // 16)).astype(np.float32)
    ground = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    side, shown = height // 6, []
    for number in range(count):
        picture = ground + chance.normal(0, GRAIN, ground.shape)
        left = number * (width - side) // max(1, count - 1)
        picture[height // 2 : height // 2 + side, left : left + side] = 235
        shown.append(np.clip(picture, 0, 255).astype(np.uint8))
    return shown


def write_jpegs(folder: Path, count: int = 60, width: int = 320, height: int = 240) -> Path:
    """As 0000.jpg, 0001.jpg and so on; the folder."""
    folder.mkdir(exist_ok=True)
    for number, picture in enumerate(pictures(count, width, height)):
        unfinished = folder / "unfinished"  # whoever reads them meanwhile has whole ones
        unfinished.write_bytes(cv2.imencode(".jpg", picture)[1].tobytes())
        unfinished.replace(folder / f"{number:04}.jpg")
    return folder


def encoded(
    codec: str, count: int = 40, width: int = 320, height: int = 240, key_every: int = 20
) -> list[bytes]:
    """The scene as packets of `libx264`, `libx265` or `mjpeg`, one a picture."""
    return list(_packets(codec, count, width, height, key_every))


@cache  # a trial takes dozens of clips of the same few, and x265 takes a second for each
def _packets(codec: str, count: int, width: int, height: int, key_every: int) -> tuple[bytes, ...]:
    options = {
        "libx264": {
            "tune": "zerolatency",
            "profile": "baseline",
            "x264-params": "slices=1:threads=1",
            "crf": "23",
        },
        "libx265": {"x265-params": "log-level=none:repeat-headers=1:frame-threads=1:pools=none", "crf": "23"},
        "mjpeg": {},
    }[codec]
    context: Any = av.CodecContext.create(codec, "w")
    context.width, context.height, context.thread_count = width, height, 1
    context.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    context.time_base, context.options, context.gop_size = Fraction(1, 10), options, key_every
    packets = []
    for number, picture in enumerate(pictures(count, width, height)):
        frame = av.VideoFrame.from_ndarray(picture, format="gray").reformat(format=context.pix_fmt)
        frame.pts = number
        packets += context.encode(frame)
    return tuple(bytes(packet) for packet in [*packets, *context.encode(None)])
