"""What overlays are made of: grain, cloth, masks and other directions of view; every part is chosen by chance.

An overlay is made once per case, from the view's shape, a strength 0..1 and a source of chance, and then turns
(picture, seconds since it began) into what the camera shows. Pictures are luma planes (H, W), 0..255.
Whatever is on the lens or near it is out of focus; what stands in the street is not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float32]
Shape = tuple[int, int]
Chance = np.random.Generator
Shown = Callable[[Grey, float], Grey]

BLACK = 16.0
_BANK = 8192


@dataclass(frozen=True, slots=True)
class Sight:
    """What the camera shows, and what else comes with it."""

    shown: Shown
    grey: Callable[[float], bool] = lambda at_s: False
    """Whether the picture has lost its colour at that moment."""
    away_s: float = 0.0
    """So long no pictures come, every `AWAY_EVERY_S`."""
    lasts: float = 1.0
    """It is watched so many times as long as others."""


Overlay = Callable[[Shape, float, Chance], Sight]

AWAY_EVERY_S = 30.0


def noise(shape: Shape, sigma: float, chance: Chance) -> Grey:
    """Grain: rows of a bank of chance, each beginning elsewhere; fresh chance takes ten times as long."""
    bank = chance.standard_normal(_BANK + shape[1], np.float32) * np.float32(sigma)
    rows = np.lib.stride_tricks.sliding_window_view(bank, shape[1])
    return np.asarray(rows[chance.integers(0, _BANK, shape[0])], np.float32)


def soft(picture: Grey, sigma: float) -> Grey:
    """A Gaussian; a wide one is made on a smaller picture."""
    by = max(1, int(sigma / 3))
    if by == 1:
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), max(sigma, 0.1)), np.float32)
    size = picture.shape[::-1]
    small = cv2.resize(picture, (size[0] // by, size[1] // by), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / by)
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_CUBIC), np.float32)


def cloth(shape: Shape, level: float, swing: float, grain: float, chance: Chance) -> Grey:
    """A soft texture: `swing` steps deep, its folds `grain` heights of the picture wide."""
    rows = max(2, round(1 / grain))
    columns = max(2, round(rows * shape[1] / shape[0]))
    rough = chance.normal(0, 1, (rows, columns)).astype(np.float32)
    return np.float32(level) + np.float32(swing) * np.asarray(
        cv2.resize(rough, shape[::-1], interpolation=cv2.INTER_CUBIC), np.float32
    )


def from_side(shape: Shape, share: float, edge: float, chance: Chance) -> Grey:
    """A mask 0..1 that hides `share` of the view from one side; its waving edge is `edge` heights wide."""
    y, x = grid(shape)
    angle = chance.uniform(0, 2 * np.pi)
    far = x / shape[1] * np.cos(angle) + y / shape[0] * np.sin(angle) + cloth(shape, 0, 0.04, 0.3, chance)
    return _hides(far, share, edge)


def around_middle(shape: Shape, share: float, edge: float, chance: Chance) -> Grey:
    """A mask of a lumpy ellipse around some place near the middle that hides `share` of the view."""
    y, x = grid(shape)
    cx, cy = chance.uniform(0.3, 0.7, 2)
    far = np.hypot((x / shape[1] - cx) * chance.uniform(0.7, 1.4), y / shape[0] - cy)
    return _hides(far + cloth(shape, 0, 0.05, 0.25, chance), share, edge)


def blotches(shape: Shape, share: float, grain: float, edge: float, chance: Chance) -> Grey:
    """A mask of blotches, `grain` heights wide, that hide `share` of the view."""
    far = cloth(shape, 0, 1, grain, chance) + 0.5 * cloth(shape, 0, 1, grain / 3, chance)
    return _hides(far, share, edge)


def _hides(far: Grey, share: float, edge: float) -> Grey:
    if share >= 1:
        return np.ones_like(far)
    limit = np.quantile(far, share)
    return np.asarray(np.clip((limit - far) / np.float32(max(edge, 1e-3)) + 0.5, 0, 1), np.float32)


def grid(shape: Shape) -> tuple[Grey, Grey]:
    """Rows and columns of each pixel."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    return y, x


def disc(picture: Grey, across: float) -> Grey:
    """Out of focus: each point becomes a disc of `across` pixels."""
    by = max(1, int(across / 12))
    size = max(3, round(across / by)) | 1
    y, x = np.mgrid[:size, :size] - size // 2
    spread = np.clip(across / by / 2 + 0.5 - np.hypot(y, x), 0, 1).astype(np.float32)
    shape = picture.shape
    small = cv2.resize(picture, (shape[1] // by, shape[0] // by), interpolation=cv2.INTER_AREA)
    small = cv2.filter2D(small, -1, spread / spread.sum(), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(small, shape[::-1], interpolation=cv2.INTER_CUBIC), np.float32)


@dataclass(frozen=True, slots=True)
class Turn:
    """Another direction of the same pinhole camera: where each pixel was before, and which were not seen."""

    x: Grey
    y: Grey
    unseen: Grey

    def __call__(self, picture: Grey, beyond: Grey) -> Grey:
        """The view from there; what was not in the picture is taken from `beyond`."""
        seen = cv2.remap(picture, self.x, self.y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(np.where(self.unseen > 0, beyond, seen), np.float32)


def turn(shape: Shape, yaw: float, pitch: float, roll: float, field: float) -> Turn:
    """Right, up and clockwise, in degrees; `field` is the lens's horizontal angle of view."""
    height, width = shape
    focal = width / 2 / np.tan(np.radians(field) / 2)
    y, x = grid(shape)
    rays = np.stack([(x - width / 2) / focal, (y - height / 2) / focal, np.ones_like(x)], -1)
    a, b, c = np.radians((yaw, pitch, roll))
    about_y = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    was = rays @ (about_y @ about_x @ about_z).T.astype(np.float32)
    depth = np.maximum(was[..., 2], 0.05)
    map_x, map_y = was[..., 0] / depth * focal + width / 2, was[..., 1] / depth * focal + height / 2
    inside = (was[..., 2] > 0.05) & (map_x >= 0) & (map_x < width) & (map_y >= 0) & (map_y < height)
    return Turn(map_x.astype(np.float32), map_y.astype(np.float32), (~inside).astype(np.float32))
