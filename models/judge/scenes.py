"""Scenes of a set: what comes and goes together when the set is resampled.

Where a set has six cameras or more, each camera is one scene, and intervals speak of cameras that nobody has
seen yet. With fewer, stretches of time of each camera are the scenes, and intervals speak of these cameras.
Pictures without a camera are scenes of their own, but for those that show the same.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.dataset.types import AnnotatedImage, Dataset
from models.judge.likeness import groups, hashes

MANY_CAMERAS = 6
"""From so many on the camera is the scene: with fewer, resampling them gives no interval worth its name."""
STRETCH_S = 600.0
"""Longer than a signal's round and a queue; light and weather change more slowly, which the report says."""
STRETCH_PICTURES = 5
"""Where no times are known: neighbours by the numbers in their names."""


@dataclass(frozen=True, slots=True)
class Scenes:
    """The scene of each picture.

    Attributes:
        of: (N,) the scene's number for each picture of the set, from 0.
        count: How many scenes there are.
        by_camera: Each named camera is one scene.
    """

    of: NDArray[np.intp]
    count: int
    by_camera: bool


def find_scenes(dataset: Dataset) -> Scenes:
    """The scenes of a set; the order of its pictures makes no difference.

    Raises:
        ModelError: a picture without a camera cannot be read.
    """
    images = dataset.images
    by_camera: dict[str, list[int]] = defaultdict(list)
    for row, image in enumerate(images):
        by_camera[image.camera].append(row)
    loose = by_camera.pop("", [])
    keys = _pictures(images, loose)
    many = len(by_camera) >= MANY_CAMERAS
    for camera, rows in by_camera.items():
        parts = [0] * len(rows) if many else _stretches(images, rows)
        keys |= {row: f"camera {camera} {part:06d}" for row, part in zip(rows, parts, strict=True)}
    numbers = {key: number for number, key in enumerate(sorted(set(keys.values())))}
    return Scenes(np.array([numbers[keys[row]] for row in range(len(images))], np.intp), len(numbers), many)


def _pictures(images: tuple[AnnotatedImage, ...], rows: list[int]) -> dict[int, str]:
    """The scene of each picture without a camera, by the first name in it."""
    alike = groups(hashes([images[row].path for row in rows]))
    names: dict[int, str] = {}
    for row, group in zip(rows, alike, strict=True):
        name = f"picture {images[row].path}"
        names[group] = min(names.get(group, name), name)
    return {row: names[group] for row, group in zip(rows, alike, strict=True)}


def natural(name: str) -> tuple[str | int, ...]:
    """A name as people sort it: `img_2` before `img_10`."""
    return tuple(int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name))


def _stretches(images: tuple[AnnotatedImage, ...], rows: list[int]) -> list[int]:
    """The number of the stretch of time of each of a camera's pictures."""
    taken = [images[row].taken for row in rows]
    if all(taken):
        moments_s = [each.timestamp() for each in taken if each]
        return [int((each - min(moments_s)) // STRETCH_S) for each in moments_s]
    order = sorted(range(len(rows)), key=lambda place: natural(images[rows[place]].path.name))
    parts = [0] * len(rows)
    for place, at in enumerate(order):
        parts[at] = place // STRETCH_PICTURES
    return parts
