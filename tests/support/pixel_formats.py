"""Pictures of noise in every pixel format of FFmpeg, and the same with other noise where a mask hides it."""

from __future__ import annotations

from functools import cache

import av.video.format
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from agent.cameras.decode.decoded import Polygon
from agent.cameras.decode.privacy_mask import hidden_rows

Noise = np.random.Generator


@cache
def formats() -> tuple[str, ...]:
    """All whose samples lie in memory; without those of a raw sensor, and those on which FFmpeg gives up."""
    return tuple(sorted(name for name in av.video.format.names if _in_memory(name)))


def _in_memory(name: str) -> bool:
    if name.startswith(("bayer", "yaf32")):  # swscale ends the process on the latter
        return False
    try:
        VideoFrame(16, 16, name)
    except ValueError:  # a surface of some hardware
        return False
    return True


def noise(name: str, width: int, height: int, chance: Noise) -> VideoFrame:
    """A picture of random bytes."""
    frame = VideoFrame(width, height, name)
    for plane in frame.planes:
        memory = memoryview(plane)
        memory[:] = chance.bytes(len(memory))
    return frame


def changed(frame: VideoFrame, mask: Polygon, chance: Noise) -> VideoFrame:
    """A copy with other random bytes in every sample that belongs to hidden pixels only."""
    name, copy = frame.format.name, VideoFrame(frame.width, frame.height, frame.format.name)
    pixels = hidden_pixels(mask, frame.width, frame.height)
    for number, (theirs, ours) in enumerate(zip(frame.planes, copy.planes, strict=True)):
        data = np.frombuffer(memoryview(theirs), np.uint8).copy()
        if name != "pal8" or number == 0:  # the other plane is its palette
            hidden, size = _cells(frame, number, pixels)
            for y, x in np.argwhere(hidden):
                start = y * theirs.line_size + x * size
                part = data[start : start + size]
                part[:] = np.frombuffer(chance.bytes(part.size), np.uint8)
        memoryview(ours)[:] = data.tobytes()
    return copy


def hidden_pixels(mask: Polygon, width: int, height: int) -> NDArray[np.bool_]:
    """(height, width): what the mask touches."""
    pixels = np.zeros((height, width), bool)
    for row, spans in enumerate(hidden_rows([mask], width, height)):
        for start, end in spans:
            pixels[row, start:end] = True
    return pixels


def _cells(frame: VideoFrame, number: int, pixels: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], int]:
    """Which cells of a plane are hidden, and how many bytes each has.

    A cell is one pixel, one sample of chroma for several, or the least whole number of bytes that hold both.
    """
    pixel, plane = frame.format, frame.planes[number]
    grid = 16 // pixel.chroma_width(16), 16 // pixel.chroma_height(16)
    wide = VideoFrame(256, 16, pixel.name).planes[number]
    size = wide.line_size / wide.width
    if size < 1:
        return _folded(pixels, (round(1 / size), 1)).all(axis=(1, 3)), 1
    if len(frame.planes) == 1 and grid != (1, 1):
        return _folded(pixels, grid).all(axis=(1, 3)), round(size * grid[0])
    if (plane.width, plane.height) == (frame.width, frame.height):
        return pixels, round(size)
    return _folded(pixels, grid).any(axis=(1, 3)), round(size)


def _folded(pixels: NDArray[np.bool_], grid: tuple[int, int]) -> NDArray[np.bool_]:
    (high, wide), (height, width) = grid[::-1], pixels.shape
    padded = np.pad(pixels, ((0, -height % high), (0, -width % wide)), mode="edge")
    return padded.reshape(padded.shape[0] // high, high, -1, wide)
