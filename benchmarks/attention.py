"""Attention: what the crops hold, what they cost, how often the detector rests, and what sharper crops find.

`python -m benchmarks attention CLIP… [TRUTH.txt] [MODEL.onnx]`: a MOTChallenge truth belongs to the clip before
it. Without tracks, so that motion alone must point the way. Frames with nobody in view were judged by eye
(EMPTY). With a model, the vehicles found in the crops are counted beside those of one call on the whole frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from agent.core import attention, motion
from agent.core.picture import bgr
from agent.core.types import Box, Crop, Frame, Motion, Size
from agent.detectors import Detector, load_detector
from agent.detectors.settings import DetectorSettings
from benchmarks.clips import frames

EMPTY = {
    "car-detection.mp4": ((0, 54), (112, 177), (240, 314), (352, 376)),
    "person-bicycle-car-detection.mp4": ((50, 107), (170, 286), (414, 466)),
}
"""First and last frame of each stretch with nobody in view."""

FIELD = Size(416, 416)
EVERY_S = 1.0
"""Between two frames on which the crops' finds are counted beside the whole frame's."""

Truth = dict[int, dict[int, Box]]
"""Frame number from 1 -> id -> box."""


def main(paths: list[Path]) -> list[dict[str, object]]:
    """One row per clip."""
    cv2.setNumThreads(1)
    models = [path for path in paths if path.suffix == ".onnx"]
    detector = load_detector(DetectorSettings(model=str(models[0]))) if models else None
    clips = [path for path in paths if path.suffix not in (".onnx", ".txt")]
    truths = {before: path for before, path in pairwise(paths) if path.suffix == ".txt"}
    return [_row(clip, truths.get(clip), detector) for clip in clips]


def watched(clip: Path, field: Size) -> Iterator[tuple[Frame, Motion, tuple[Crop, ...]]]:
    """Every frame with what moves in it and the crops that attention asks for."""
    watching: motion.MotionState | None = None
    attending: attention.AttentionState | None = None
    for each in frames(clip):
        watching, told = motion.update(watching, each, motion.MotionSettings())
        scene = attention.Glance(each.at, each.size, field, told, ())
        attending, crops = attention.update(attending, scene, attention.AttentionSettings())
        yield each, told, crops


def _row(clip: Path, truth: Path | None, detector: Detector | None) -> dict[str, object]:
    count = looks = empty = rested = 0
    pixels = 0.0
    inside: list[bool] = []
    counted = [0, 0, 0, 0]
    last_s = float("-inf")
    boxes = _read(truth) if truth else {}
    spans = EMPTY.get(clip.name, ())
    for each, told, crops in watched(clip, FIELD):
        count += 1
        looks += bool(crops)
        pixels += sum(crop.box.area for crop in crops)
        if any(first <= each.index <= last for first, last in spans):
            empty += 1
            rested += not crops
        if crops and boxes and not told.settling:
            inside += [any(_share(box, c.box) >= 0.95 for c in crops) for box in _moving(boxes, each)]
        if detector and crops and not told.settling and each.at.mono_s - last_s >= EVERY_S:
            last_s = each.at.mono_s
            counted = [a + b for a, b in zip(counted, _finds(each, crops, detector), strict=True)]
    return {
        "clip": clip.name,
        "frames": count,
        "looks": looks,
        "pixels seen per frame %": round(100 * pixels / count, 1),
        "moving objects": len(inside),
        "inside a crop %": round(100 * sum(inside) / len(inside), 2) if inside else None,
        "empty frames": empty,
        "rested %": round(100 * rested / empty, 1) if empty else None,
        "vehicles, whole frame": counted[0] if detector else None,
        "vehicles, crops": counted[1] if detector else None,
        "crops per counted look": round(counted[2] / max(1, counted[3]), 2) if detector else None,
    }


def _finds(each: Frame, crops: tuple[Crop, ...], detector: Detector) -> tuple[int, int, int, int]:
    """Vehicles by one call on the whole frame, vehicles by the crops, crops, looks."""
    (whole,) = detector.detect([bgr(each)])
    parts = detector.detect([bgr(each, crop.box) for crop in crops])
    gathered = attention.gather(crops, parts, attention.AttentionSettings())
    return sum(d.label != "person" for d in whole), sum(d.label != "person" for d in gathered), len(crops), 1


def _read(truth: Path) -> Truth:
    """Boxes in pixels of a MOTChallenge file."""
    boxes: Truth = {}
    for number, ident, left, top, width, height in np.loadtxt(truth, delimiter=",", usecols=range(6)):
        boxes.setdefault(int(number), {})[int(ident)] = Box(left, top, left + width, top + height)
    return boxes


def _moving(boxes: Truth, each: Frame) -> list[Box]:
    """Those that moved by 3 pixels or more within the last second of true time (7 frames of vtest.avi)."""
    number = each.index + 1
    size = each.size
    found = []
    for ident, now in boxes.get(number, {}).items():
        before = boxes.get(number - 7, {}).get(ident)
        if before is None or abs(now.left - before.left) + abs(now.top - before.top) < 3:
            continue
        left, right = (min(1.0, max(0.0, x / size.width_px)) for x in (now.left, now.right))
        top, bottom = (min(1.0, max(0.0, y / size.height_px)) for y in (now.top, now.bottom))
        found.append(Box(left, top, right, bottom))
    return found


def _share(box: Box, crop: Box) -> float:
    """The fraction of the box that lies in the crop."""
    wide = min(box.right, crop.right) - max(box.left, crop.left)
    high = min(box.bottom, crop.bottom) - max(box.top, crop.top)
    return max(0.0, wide) * max(0.0, high) / max(1e-12, box.area)
