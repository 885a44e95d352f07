"""What one look at the picture shows of the camera's sight: light, structure and sharpness, block by block.

Everything is measured on the luma plane shrunk to at most `FINE_PX` rows, and most of it on a coarse plane of
twelve by twelve pixels per block, eight blocks high, so that a pole may sway a little unseen.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core.motion import shrink
from agent.core.types import Frame, Plane

Floats = NDArray[np.float32]

FINE_PX = 180
ROWS = 8
_BLOCK_PX = 12
_CLIP = 4.0
"""Luma steps; more contrast than this counts no more, or one white line would speak for its whole block."""
_FLOOR = 0.02
"""Power, in luma steps squared, below which there is nothing to compare."""
_SAMPLES = 64
"""Rows and columns of the picture that are kept as they are, to see whether two pictures are identical."""

_KERNEL = np.array([[1, 1, 1], [1, 4, 1], [1, 1, 1]], np.float32) / np.float32(12)


@dataclass(frozen=True, slots=True)
class Look:
    """One picture, measured. Blocks are (ROWS, columns); levels are 0..1 from black to white."""

    structure: Floats
    """(ROWS * 12, columns * 12): the scene's lines and texture without light, in luma steps."""
    levels: Floats
    """Mean level of each block."""
    contrast: Floats
    """Power of what `structure` is made of, before it is limited, in luma steps squared."""
    detail: Floats
    """Power of the finest detail in each block, in luma steps squared; noise is in it."""
    small: Plane
    """The shrunk picture."""
    sample: Plane
    """Single pixels of the full picture, for what shrinking smooths away."""
    colour: float
    """Mean distance of the chroma from grey, in steps."""


def look(frame: Frame) -> Look:
    """Measure one frame; nothing of the frame's memory is kept."""
    small = shrink(frame.luma, FINE_PX)
    columns = max(4, round(ROWS * small.shape[1] / small.shape[0]))
    size = columns * _BLOCK_PX, ROWS * _BLOCK_PX
    coarse = np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_AREA), np.uint8)
    fine = cv2.subtract(small, cv2.GaussianBlur(small, (3, 3), 0), dtype=cv2.CV_32F)
    mean = blocks(coarse.astype(np.float32))
    band = cv2.subtract(cv2.GaussianBlur(coarse, (5, 5), 0), cv2.blur(coarse, (13, 13)), dtype=cv2.CV_32F)
    black, span = (0.0, 255.0) if frame.full_range else (16.0, 219.0)
    down, across = (max(1, side // _SAMPLES) for side in frame.luma.shape)
    return Look(
        np.clip(np.asarray(band, np.float32), -_CLIP, _CLIP),
        np.clip((mean - np.float32(black)) / np.float32(span), 0, 1),
        blocks(np.asarray(cv2.multiply(band, band), np.float32)),
        blocks(np.asarray(cv2.multiply(fine, fine), np.float32), columns),
        small,
        frame.luma[down // 2 :: down, across // 2 :: across].copy(),
        _colour(frame),
    )


def same(one: Look, other: Look) -> bool:
    """Whether two pictures are identical, to the last bit that is looked at."""
    return np.array_equal(one.sample, other.sample) and np.array_equal(one.small, other.small)


def _colour(frame: Frame) -> float:
    u, v = (plane[::16, ::16].astype(np.float32) - 128 for plane in (frame.u, frame.v))
    return float(np.abs(u).mean() + np.abs(v).mean()) if u.size else 0.0


def blocks(plane: Floats, columns: int | None = None) -> Floats:
    """The mean of each block, (ROWS, columns)."""
    size = columns or plane.shape[1] // _BLOCK_PX, ROWS
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)


def likeness(now: Floats, usual: Floats, noise: Floats | None = None) -> Floats:
    """How much two structures are alike in each block, -1..1: normalised correlation.

    Exposure, fog and dusk do not change it until they leave nothing. `noise` is the power in `now` that
    does not stay, by block: rain and grain say nothing about what is behind them, and are taken off.
    """
    both, power, usual_power = (blocks(each) for each in (now * usual, now * now, usual * usual))
    if noise is not None:
        power = np.maximum(power - noise, np.minimum(power, usual_power))
    return np.asarray(both / np.sqrt((power + _FLOOR) * (usual_power + _FLOOR)), np.float32)


def around(grid: Floats) -> Floats:
    """Each block with its eight neighbours, itself four times; nothing beyond the edge."""
    return np.asarray(cv2.filter2D(grid, -1, _KERNEL, borderType=cv2.BORDER_CONSTANT), np.float32)
