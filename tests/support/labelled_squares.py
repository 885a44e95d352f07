"""Sets of labelled pictures of the world of squares, and its network with worse eyes.

A square's score is its brightness: from nothing at 180 to 0.85 at 240.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import yaml
from onnx import numpy_helper

from agent.detectors.card import hashed
from tests.support.squares import SQUARE_PX, write_model

SIDE_PX = 256
GRID_PX = 16
"""A square that begins at a multiple of it is seen exactly where it is."""


def write_set(
    folder: Path,
    cameras: Sequence[str] = ("a", "b", "c", "d", "e", "f"),
    pictures: int = 2,
    seed: int = 0,
    licence: str = "CC0-1.0",
    info: dict[str, Any] | None = None,
    **fields: Any,
) -> Path:
    """Two squares of different brightness in each picture of each camera; `fields` stand with each picture."""
    chance = np.random.default_rng(seed)
    images: list[dict[str, Any]] = []
    boxes: list[dict[str, Any]] = []
    (folder / "images").mkdir(parents=True)
    for camera in cameras:
        road = _road(camera)
        for number in range(pictures):
            shown = road.copy()
            for left, top in ((1, 2), (9, 9)):
                x, y = ((place + int(chance.integers(0, 3))) * GRID_PX for place in (left, top))
                shown[y : y + SQUARE_PX, x : x + SQUARE_PX] = chance.integers(200, 241)
                boxes.append({"image_id": len(images), "category_id": 1, "bbox": [x, y, SQUARE_PX, SQUARE_PX]})
            name = f"{camera}_{number * 100:05d}.png"
            cv2.imwrite(str(folder / "images" / name), shown)
            size = {"width": SIDE_PX, "height": SIDE_PX}
            images.append({"id": len(images), "file_name": name, "camera": camera, **size, **fields})
    content = {
        "info": info or {},
        "licenses": [{"id": 1, "name": licence}] if licence else [],
        "images": images,
        "annotations": boxes,
        "categories": [{"id": 1, "name": "car"}],
    }
    (folder / "instances.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def write_dimmed(folder: Path, less: float) -> Path:
    """The network that sees nothing in what is not `less` brighter than it should be; returns the .onnx."""
    folder.mkdir(parents=True, exist_ok=True)
    path = write_model(folder)
    model = onnx.load(path)
    for each in model.graph.initializer:
        if each.name == "dark":
            value = numpy_helper.to_array(each) + np.float32(less)
            each.CopyFrom(numpy_helper.from_array(np.asarray(value, np.float32), each.name))
    onnx.save(model, path)
    renew_hash(path)
    return path


def renew_hash(model: Path) -> None:
    """Let the card beside the model be written for the file as it is now."""
    card = model.with_suffix(".yaml")
    content = yaml.safe_load(card.read_text(encoding="utf-8")) | {"sha256": hashed(model)}
    card.write_text(yaml.safe_dump(content), encoding="utf-8")


def _road(camera: str) -> np.ndarray:
    """Dark blocks, others for each camera."""
    chance = np.random.default_rng(list(camera.encode()))
    blocks = chance.integers(40, 140, (16, 17, 1), dtype=np.uint8)
    return np.repeat(cv2.resize(blocks, (SIDE_PX, SIDE_PX))[:, :, None], 3, axis=2)
