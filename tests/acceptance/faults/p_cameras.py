"""P59: what a privacy mask hides, in every pixel format."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from agent.cameras import open_camera
from agent.cameras.settings import CameraSettings
from agent.clock import SystemClock
from agent.core.image import bgr
from agent.core.types import WHOLE, Box, Frame, Shot
from agent.publishing.jpeg import encode
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.support.pixel_formats import changed, noise

MASK = ((0.25, 0.2), (0.71, 0.3), (0.6, 0.8))
ACROSS = Box(0.1, 0.1, 0.5, 0.6)
"""Lies half under the mask."""
FORMATS = (
    "yuv422p", "yuv444p", "yuv411p", "yuv440p", "yuv410p", "yuyv422", "uyvy422", "gbrp", "rgb24", "yuv422p10le",
    "yuv444p10le", "yuv420p", "nv12", "yuv420p10le", "yuva444p", "gray", "rgb565le", "bgra", "yuvj422p", "pal8",
)  # fmt: skip
SIZES = ((128, 96), (127, 95), (97, 64))


@promise(
    "P59", "pictures that differ only under a privacy mask, in 20 pixel formats and odd sizes",
    "0 bits of planes, crops of colour and JPEGs differ",
)  # fmt: skip
def masked_colour(trial: Trial) -> str:
    """Each clip shows one picture, with other noise under the mask each time; a camera's process decodes it."""
    levels: dict[str, int] = {}
    jpegs = pictures = 0
    sizes = itertools.cycle(SIZES)
    for name in FORMATS[: trial.size(len(FORMATS), len(FORMATS), quick=4)]:
        clip = _clip(trial.folder / f"{name}.nut", name, *next(sizes), seed=trial.seed)
        seen = [(_planes_and_crops(frame), _jpegs(frame)) for frame in _frames(clip)]
        pictures += len(seen)
        if len(seen) != 4:
            raise Broken(f"{len(seen)} of 4 pictures of {name}")
        (first, small), *others = seen
        levels[name] = max(_levels(first, other) for other, _ in others)
        jpegs += sum(data != small for _, data in others)
    leaks = {name: most for name, most in levels.items() if most}
    if leaks or jpegs:
        raise Broken(f"what lies under the mask changes {jpegs} JPEGs, and colours by so many levels: {leaks}")
    return f"{pictures} pictures of {len(levels)} formats: 0 bits of planes, crops and JPEGs differ"


def _clip(path: Path, name: str, width: int, height: int, seed: int) -> Path:
    chance = np.random.default_rng(seed)
    picture = noise(name, width, height, chance)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("rawvideo", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, name
        for number in range(4):
            frame = changed(picture, MASK, chance)
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def _frames(clip: Path) -> Iterator[Frame]:
    source = {"kind": "file", "path": str(clip), "pace": "fast"}
    settings = {"name": "north", "source": source, "max_fps": 120, "privacy_masks": [MASK]}
    yield from open_camera(CameraSettings.model_validate(settings), SystemClock()).frames()


def _planes_and_crops(frame: Frame) -> list[NDArray[np.uint8]]:
    """Copies: the frame's own memory is given back when the next one is asked for."""
    return [frame.luma.copy(), frame.u.copy(), frame.v.copy(), bgr(frame), bgr(frame, ACROSS)]


def _jpegs(frame: Frame) -> list[bytes]:
    return [encode(Shot(bgr(frame, box), frame.at, box, 1.0), 320, 24_000).data for box in (WHOLE, ACROSS)]


def _levels(one: list[NDArray[np.uint8]], other: list[NDArray[np.uint8]]) -> int:
    return max(int(np.abs(a.astype(int) - b).max()) for a, b in zip(one, other, strict=True))
