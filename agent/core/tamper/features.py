"""Features for tamper detection: light, structure and sharpness of one look, block by block.

Everything is measured on the luma plane shrunk to at most `FINE_PX` rows, and most of it on a coarse plane of
twelve by twelve pixels per block, eight blocks high, so that a pole may sway a little unseen.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core.downscale import shrink
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

_CLOCK_SHARE, _CLOCK_EDGE = 0.14, 0.12
"""A clock's line is at most so high, and so near to the edge, as a part of the height."""
_FEW = 4
_WHITE = 0.92
_KERNEL = np.array([[1, 1, 1], [1, 4, 1], [1, 1, 1]], np.float32) / np.float32(12)


@dataclass(frozen=True, slots=True)
class Look:
    """One picture, measured. Blocks are (ROWS, columns); levels are 0..1 from black to white."""

    structure: Floats
    """(ROWS * 12, columns * 12): the scene's lines and texture without light, in luma steps."""
    levels: Floats
    """Mean level of each block."""
    power: Floats
    """Of `structure` in each block, in luma steps squared."""
    contrast: Floats
    """Power of what `structure` is made of, before it is limited, in luma steps squared."""
    detail: Floats
    """Power of the finest detail in each block, in luma steps squared; noise is in it."""
    small: Plane
    """The shrunk picture."""
    sample: Plane
    """Single pixels of the full picture, for what shrinking smooths away."""
    colours: tuple[float, float]
    """How far from grey half of the view is at least, and nine tenths at most, in steps of chroma."""
    middle: float
    """The level that half of the view exceeds."""
    high: float
    """The level that a tenth of the view exceeds."""
    white: float
    """Share of the view that is blown out."""

    @property
    def crisp(self) -> Floats:
        """Power of the finest detail in each block beyond grain, which the flattest blocks show alone."""
        return self.detail - np.float32(quantile(self.detail, 0.1))


def look(frame: Frame) -> Look:
    """Measure one frame; nothing of the frame's memory is kept."""
    small = shrink(frame.luma, FINE_PX)
    columns = max(4, round(ROWS * small.shape[1] / small.shape[0]))
    soft = cv2.GaussianBlur(small, (3, 3), 0)
    # Averaging over parts of pixels costs ten times as much, and the picture is soft already.
    coarse = cv2.resize(soft, (columns * _BLOCK_PX, ROWS * _BLOCK_PX), interpolation=cv2.INTER_LINEAR)
    fine = cv2.subtract(small, soft, dtype=cv2.CV_32F)
    band = cv2.subtract(cv2.GaussianBlur(coarse, (5, 5), 0), cv2.blur(coarse, (13, 13)), dtype=cv2.CV_32F)
    structure = np.clip(np.asarray(band, np.float32), -_CLIP, _CLIP)
    black, span = (0.0, 255.0) if frame.full_range else (16.0, 219.0)
    levels = np.clip((blocks(coarse.astype(np.float32)) - np.float32(black)) * np.float32(1 / span), 0, 1)
    in_order = np.sort(levels, axis=None)
    down, across = (max(1, side // _SAMPLES) for side in frame.luma.shape)
    return Look(
        structure=structure,
        levels=levels,
        power=blocks(np.asarray(cv2.multiply(structure, structure), np.float32)),
        contrast=blocks(np.asarray(cv2.multiply(band, band), np.float32)),
        detail=_whole_blocks(np.asarray(cv2.multiply(fine, fine), np.float32), columns),
        small=small,
        sample=frame.luma[down // 2 :: down, across // 2 :: across].copy(),
        colours=_colours(frame),
        middle=float(in_order[in_order.size // 2]),
        high=float(in_order[int(0.9 * (in_order.size - 1))]),
        white=float(np.count_nonzero(levels > _WHITE)) / levels.size,
    )


def same(one: Look, other: Look) -> bool:
    """Whether two pictures are identical, to the last bit that is looked at, but for a clock written on them.

    A clock is one line of writing near the upper or lower edge, and the blocks of the encoder around it.
    """
    if cv2.norm(one.small, other.small, cv2.NORM_INF) == 0:
        return np.array_equal(one.sample, other.sample)
    rows = one.small.shape[0]
    changed = np.flatnonzero((one.small != other.small).any(axis=1))
    first, last = int(changed[0]) / rows, (int(changed[-1]) + 1) / rows
    if last - first > _CLOCK_SHARE or not (first < _CLOCK_EDGE or last > 1 - _CLOCK_EDGE):
        return False
    lines = np.arange(len(one.sample)) / len(one.sample)
    beside = (lines < first - 0.04) | (lines > last + 0.02)
    return np.array_equal(one.sample[beside], other.sample[beside])


def _colours(frame: Frame) -> tuple[float, float]:
    u, v = (np.abs(plane[::16, ::16].astype(np.int16) - 128) for plane in (frame.u, frame.v))
    far = u + v
    if far.size < _FEW:
        return 0.0, 0.0
    in_order = np.sort(far, axis=None)
    return float(in_order[in_order.size // 2]), float(in_order[int(0.9 * (in_order.size - 1))])


def quantile(grid: Floats, share: float) -> float:
    """The value below which `share` of the blocks lie; several times faster than interpolating between two."""
    place = int(share * (grid.size - 1))
    return float(np.partition(grid, place, axis=None)[place])


def blocks(plane: Floats) -> Floats:
    """The mean of each block of a coarse plane, (ROWS, columns)."""
    size = plane.shape[1] // _BLOCK_PX, ROWS
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)


def _whole_blocks(plane: Floats, columns: int) -> Floats:
    """The same of a plane of any size; blocks of whole pixels, so a little may be left over at the edge."""
    high, wide = plane.shape[0] // ROWS, plane.shape[1] // columns
    if not high or not wide:
        return np.asarray(cv2.resize(plane, (columns, ROWS), interpolation=cv2.INTER_LINEAR), np.float32)
    fits = plane[: high * ROWS, : wide * columns]
    return np.asarray(cv2.resize(fits, (columns, ROWS), interpolation=cv2.INTER_AREA), np.float32)


def likeness(now: Floats, usual: Floats, noise: Floats | None = None) -> Floats:
    """How much two structures are alike in each block, -1..1: normalised correlation.

    Exposure, fog and dusk do not change it until they leave nothing. `noise` is the power in `now` that
    does not stay, by block: rain and grain say nothing about what is behind them, and are taken off.
    """
    both, power, usual_power = product(now, usual), product(now, now), product(usual, usual)
    if noise is not None:
        power = np.maximum(power - noise, np.minimum(power, usual_power))
    return np.asarray(both / np.sqrt((power + _FLOOR) * (usual_power + _FLOOR)), np.float32)


def product(one: Floats, other: Floats) -> Floats:
    """Of two structures, the mean over each block."""
    return blocks(np.asarray(cv2.multiply(one, other), np.float32))


def around(grid: Floats) -> Floats:
    """Each block with its eight neighbours, itself four times; nothing beyond the edge."""
    return np.asarray(cv2.filter2D(grid, -1, _KERNEL, borderType=cv2.BORDER_CONSTANT), np.float32)
