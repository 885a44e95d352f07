"""The least that the agent's work can cost: `… box … | python -m benchmarks.cost.floor CONFIG CLIP`.

Decodes the clip at its own pace, a little behind the box, and calls the same detector on as many pictures of
the same sizes at the same frames. Reads the box's lines (box.py); prints JSON: frame index -> CPU seconds of
decoding and of detecting.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import av
import cv2
import numpy as np

from agent.config.schema import load
from agent.core.types import Image, Size
from agent.detectors import load_detector

BEHIND_S = 0.3
"""So the box's line about a frame is there before the frame is due here."""


def main(config: Path, clip: Path) -> dict[int, tuple[float, float]]:
    """CPU seconds per frame."""
    cv2.setNumThreads(1)
    detector = load_detector(load(config).detector)
    view = _view(clip)
    spent: dict[int, tuple[float, float]] = {}
    lines = iter(sys.stdin)
    first = next(lines, None)
    if first is None:
        return spent
    known, sizes = _read(first)
    began = time.monotonic() + BEHIND_S
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1  # as the box does: two threads that wait for each other cost more
        pictures = enumerate(container.decode(stream))
        while True:
            before = time.process_time()
            index, picture = next(pictures, (-1, None))
            if picture is None:
                return spent
            time.sleep(max(0.0, began + float(picture.time or 0) - time.monotonic()))
            decoded = time.process_time() - before
            while known < index:
                line = next(lines, None)
                if line is None:
                    return spent
                known, sizes = _read(line)
            images = [_sized(view, size) for size in sizes] if known == index else []
            before = time.process_time()
            if images:
                detector.detect(images)
            spent[index] = decoded, time.process_time() - before


def _read(line: str) -> tuple[int, list[Size]]:
    index, _, _, _, _, *pictures = line.split()
    return int(index), [Size(*map(int, each.split("x"))) for each in pictures]


def _view(clip: Path) -> Image:
    """A real picture to cut from: what a network finds in noise takes another time to sort out."""
    with av.open(str(clip)) as container:
        picture = next(container.decode(video=0))
        return np.asarray(picture.to_ndarray(format="bgr24"), np.uint8)


def _sized(view: Image, size: Size) -> Image:
    return np.asarray(cv2.resize(view, (size.width_px, size.height_px)), np.uint8)


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))))
