"""P56, P59: pictures that claim to be huge; what a privacy mask hides, in every pixel format."""

from __future__ import annotations

import itertools
import resource
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from agent.cameras import open_camera
from agent.cameras.settings import CameraSettings
from agent.clock import SystemClock
from agent.core.image import bgr
from agent.core.types import WHOLE, Box, Frame, Shot
from agent.errors import CameraError
from agent.publishing.jpeg import encode
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.support import large_pictures
from tests.support.pixel_formats import changed, noise

MASK = ((0.25, 0.2), (0.71, 0.3), (0.6, 0.8))
ACROSS = Box(0.1, 0.1, 0.5, 0.6)
"""Lies half under the mask."""
FORMATS = (
    "yuv422p", "yuv444p", "yuv411p", "yuv440p", "yuv410p", "yuyv422", "uyvy422", "gbrp", "rgb24", "yuv422p10le",
    "yuv444p10le", "yuv420p", "nv12", "yuv420p10le", "yuva444p", "gray", "rgb565le", "bgra", "yuvj422p", "pal8",
)  # fmt: skip
SIZES = ((128, 96), (127, 95), (97, 64))


MOST_MB = 256
"""Of a child that was shown a picture of 256 million pixels; what it needs to begin with is 35."""


@promise(
    "P56", "files of a few bytes that claim 16,000 x 16,000 pixels: JPEG, MJPEG, PNG, GIF, H.264, H.265",
    f"each refused in words, no process takes more than {MOST_MB} MB, another camera goes on",
)  # fmt: skip
def huge_pictures(trial: Trial) -> str:
    """Each in a process of its own, whose only child is the camera's, so that its memory can be told."""
    files = large_pictures.write_all(trial.folder)
    peaks: dict[str, int] = {}
    with _beside(_clip(trial.folder / "calm.nut", "yuv420p", 128, 96, trial.seed, pictures=100)) as gaps:
        for kind, path in files.items():
            with ProcessPoolExecutor(1, get_context("spawn")) as alone:
                peaks[kind], words = alone.submit(_opened, path).result()
            if peaks[kind] > MOST_MB or "33 million pixels" not in words:
                raise Broken(f"{kind}: {peaks[kind]} MB, {words}")
    if len(gaps) < 10 or max(gaps) > 2:
        raise Broken(f"another camera gave {len(gaps)} pictures, with a gap of {max(gaps, default=0):.1f} s")
    worst = max(peaks, key=lambda kind: peaks[kind])
    return f"{len(peaks)} kinds refused, at most {peaks[worst]} MB ({worst}); beside them {len(gaps)} pictures"


def _opened(path: Path) -> tuple[int, str]:
    """The most memory that the camera's process held, in MB, and why it ended."""
    try:
        words = f"gave {len(list(_frames(path)))} pictures"
    except CameraError as error:
        words = error.what
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, words


@contextmanager
def _beside(clip: Path) -> Iterator[list[float]]:
    """Another camera meanwhile; yields the seconds between its pictures, as they come."""
    source = {"kind": "file", "path": str(clip), "pace": "real", "loop": True}
    camera = open_camera(CameraSettings.model_validate({"name": "calm", "source": source}), SystemClock())
    gaps: list[float] = []

    def watch() -> None:
        last_s = None
        for _ in camera.frames():
            now_s = time.monotonic()
            if last_s is not None:
                gaps.append(now_s - last_s)
            last_s = now_s

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield gaps
    finally:
        camera.close()
        thread.join(5)


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


def _clip(path: Path, name: str, width: int, height: int, seed: int, pictures: int = 4) -> Path:
    chance = np.random.default_rng(seed)
    picture = noise(name, width, height, chance)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("rawvideo", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, name
        for number in range(pictures):
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
