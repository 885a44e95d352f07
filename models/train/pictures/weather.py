"""Night, rain and poor cameras, drawn into a picture: what a junction looks like when nobody labelled it.

Every function takes (height, width, 3) BGR pictures and a source of chance, and gives a new picture.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from agent.core.types import Image

Floats = NDArray[np.float32]

NIGHT, RAIN, SOFT, PACKED, COLOUR = 0.3, 0.12, 0.2, 0.3, 0.8
"""How often each is drawn."""


def weathered(picture: Image, lamps: Floats, chance: Generator) -> Image:
    """Whatever chance brings; `lamps` (N, 4) are boxes of what may carry headlights."""
    steps: list[tuple[float, Callable[[Image], Image]]] = [
        (COLOUR, lambda p: coloured(p, chance)),
        (NIGHT, lambda p: at_night(p, lamps, chance)),
        (RAIN, lambda p: in_rain(p, chance)),
        (SOFT, lambda p: softened(p, chance)),
        (PACKED, lambda p: packed(p, chance)),
    ]
    for share, step in steps:
        if chance.random() < share:
            picture = step(picture)
    return picture


def coloured(picture: Image, chance: Generator) -> Image:
    """Other hue, colour, brightness, contrast and gamma, within what cameras differ by."""
    hsv = cv2.cvtColor(picture, cv2.COLOR_BGR2HSV).astype(np.int16)
    hsv[..., 0] = (hsv[..., 0] + round(chance.uniform(-6, 6))) % 180
    hsv[..., 1] = np.clip(hsv[..., 1] * chance.uniform(0.5, 1.5), 0, 255)
    turned = cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2BGR)
    levels = np.linspace(0, 1, 256) ** np.exp(chance.uniform(-0.5, 0.5))
    levels = (levels - 0.5) * chance.uniform(0.7, 1.3) + 0.5 + chance.uniform(-0.1, 0.1)
    return np.asarray(cv2.LUT(turned, _levels(levels)), np.uint8)


def at_night(picture: Image, lamps: Floats, chance: Generator) -> Image:
    """Dark, in the colour of street lamps, with headlights that bloom, and with the sensor's noise."""
    levels = np.linspace(0, 1, 256) ** chance.uniform(1.2, 2.2) * chance.uniform(0.35, 0.85)
    dark = cv2.LUT(picture, _levels(levels)).astype(np.float32)
    warm = chance.uniform(0.0, 0.35)
    dark *= np.array([1 - warm, 1 - warm / 4, 1 + warm / 4], np.float32)
    dark += _glow(picture.shape[:2], lamps, chance)[..., None] * np.array([0.85, 0.95, 1.0], np.float32)
    small = tuple(max(1, side // 2) for side in picture.shape[1::-1])
    grain = chance.normal(0, chance.uniform(2, 12), (small[1], small[0], 3)).astype(np.float32)
    dark += cv2.resize(grain, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return np.clip(dark, 0, 255).astype(np.uint8)


def _glow(shape: tuple[int, ...], lamps: Floats, chance: Generator) -> Floats:
    """(height, width) light of headlights: at a half of the objects and at a few places of chance."""
    high, wide = shape[:2]
    light = np.zeros((high, wide), np.float32)
    places = [
        (chance.uniform(left, right), chance.uniform(top + (bottom - top) * 0.3, bottom), right - left)
        for left, top, right, bottom in lamps
        if chance.random() < 0.5
    ]
    places += [(chance.uniform(0, wide), chance.uniform(0, high), 16.0) for _ in range(chance.integers(0, 5))]
    for x, y, width in places:
        radius = max(1, round(float(np.clip(width * chance.uniform(0.05, 0.15), 1, 12))))
        cv2.circle(light, (round(x), round(y)), radius, 255.0, -1, cv2.LINE_AA)
    reach = chance.uniform(2, 9)
    halo = cv2.GaussianBlur(light, (0, 0), reach) * chance.uniform(1.0, 4.0)
    return np.asarray(cv2.GaussianBlur(light, (0, 0), 1.0) + halo, np.float32)


def in_rain(picture: Image, chance: Generator) -> Image:
    """Streaks of one direction, and less contrast."""
    high, wide = picture.shape[:2]
    streaks = np.zeros((high, wide), np.uint8)
    length, slant = chance.uniform(5, 20), chance.uniform(-0.4, 0.4)
    for x, y in zip(chance.uniform(0, wide, 160), chance.uniform(0, high, 160), strict=True):
        end = (round(x + slant * length), round(y + length))
        cv2.line(streaks, (round(x), round(y)), end, 255, 1, cv2.LINE_AA)
    mist = chance.uniform(0.05, 0.25)
    wet = picture * np.float32(1 - mist) + np.float32(150 * mist)
    wet += streaks[..., None].astype(np.float32) * np.float32(chance.uniform(0.1, 0.3))
    return np.asarray(np.clip(wet, 0, 255), np.uint8)


def softened(picture: Image, chance: Generator) -> Image:
    """Out of focus, moved, or enlarged from fewer pixels."""
    how = chance.integers(3)
    if how == 0:
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), chance.uniform(0.5, 1.6)), np.uint8)
    if how == 1:
        count = int(chance.integers(3, 8))
        kernel = np.full((1, count) if chance.random() < 0.7 else (count, 1), 1 / count, np.float32)
        return np.asarray(cv2.filter2D(picture, -1, kernel), np.uint8)
    share = chance.uniform(0.45, 0.9)
    size = tuple(max(1, round(side * share)) for side in picture.shape[1::-1])
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


def packed(picture: Image, chance: Generator) -> Image:
    """With the blocks of a strong compression."""
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(chance.integers(25, 75))])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def _levels(levels: NDArray[np.float64]) -> Image:
    return np.clip(levels * 255, 0, 255).astype(np.uint8)
