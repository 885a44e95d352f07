"""Pictures made here, and sets of them with labels: what a folder to be labelled holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from models.dataset.types import AnnotatedImage, Annotation, Dataset

WIDTH, HEIGHT = 640, 360
NAMES = ("cam_00_00001.jpg", "cam_00_00002.jpg", "cam_01_00001.jpg", "cam_01_00002.jpg")


def picture(path: Path, width: int = WIDTH, height: int = HEIGHT, seed: int = 0) -> Path:
    """A grey road with coloured things on it, as the file's name says the format."""
    random = np.random.default_rng(seed)
    image = np.full((height, width, 3), 90, np.uint8)
    image[height // 2 :] = 60
    for _ in range(4):
        x, y = int(random.integers(0, width * 3 // 4)), int(random.integers(height // 3, height * 3 // 4))
        colour = tuple(int(value) for value in random.integers(60, 255, 3))
        cv2.rectangle(image, (x, y), (x + width // 10, y + height // 6), colour, -1)
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)
    return path


def pictures(folder: Path, names: Sequence[str] = NAMES) -> Path:
    """A folder of plain pictures."""
    for number, name in enumerate(names):
        picture(folder / name, seed=number)
    return folder


def labelled(folder: Path, names: Sequence[str] = NAMES) -> Dataset:
    """A set whose pictures lie in `folder/images`: a motorcycle in each, a car in every second."""
    pictures(folder / "images", names)
    images = tuple(
        AnnotatedImage(
            folder / "images" / name,
            WIDTH,
            HEIGHT,
            (
                Annotation("motorcycle", 10.0, 20.0, 40.5, 80.0),
                *[Annotation("car", 100, 50, 200, 120)] * (n % 2),
            ),
            name.rpartition("_")[0],
        )
        for n, name in enumerate(names)
    )
    return Dataset(folder.name, images, ("motorcycle", "car"), "CC0-1.0", "made in a test")
