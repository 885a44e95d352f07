"""Attention: what the crops hold, what they cost, how often the detector rests, and what sharper crops find.

`python -m benchmarks attention CLIP… [TRUTH.txt] [MODEL.onnx]`: a MOTChallenge truth belongs to the clip before
it. Without tracks, so that motion alone must point the way. Frames with nobody in view were judged by eye
(EMPTY). With a model, the vehicles found in the crops are counted beside those of one call on the whole frame
at the same moments: once with motion alone, and once in the whole pipeline, where tracks point the way as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2

from agent.core import pipeline
from agent.core.attention import scheduler
from agent.core.ids import Ids
from agent.core.image import bgr
from agent.core.motion import detector as motion
from agent.core.motion.settings import MotionSettings
from agent.core.pipeline import Outcome, PipelineSettings, PipelineState
from agent.core.types import Box, Crop, Detection, Frame, Motion, Size
from agent.detectors import Detector, load_detector
from agent.detectors.settings import DetectorSettings
from benchmarks import mot
from benchmarks.clips import frames

EMPTY = {
    "car-detection.mp4": ((0, 54), (112, 177), (240, 314), (352, 376)),
    "person-bicycle-car-detection.mp4": ((50, 107), (170, 286), (414, 466)),
}
"""First and last frame of each stretch with nobody in view."""

FIELD = Size(416, 416)
EVERY_S = 0.5
"""Between two frames on which the crops' finds are counted beside the whole frame's."""
SURE = 0.3
"""The score from which a find counts: most fainter ones are no vehicles, and crops have more of both."""

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
    attending: scheduler.AttentionState | None = None
    for each in frames(clip):
        watching, moved = motion.update(watching, each, MotionSettings())
        scene = scheduler.AttentionInput(each.at, each.size, field, moved, ())
        attending, crops = scheduler.update(attending, scene, scheduler.AttentionSettings())
        yield each, moved, crops


def _row(clip: Path, truth: Path | None, detector: Detector | None) -> dict[str, object]:
    count = looks = empty = rested = 0
    pixels = 0.0
    inside: list[bool] = []
    alone, piped = Counted(), Counted()
    boxes = _read(truth) if truth else {}
    spans = EMPTY.get(clip.name, ())
    for each, moved, crops in watched(clip, FIELD):
        count += 1
        looks += bool(crops)
        pixels += sum(crop.box.area for crop in crops)
        if any(first <= each.index <= last for first, last in spans):
            empty += 1
            rested += not crops
        if crops and boxes and not moved.settling:
            inside += [any(_share(box, c.box) >= 0.95 for c in crops) for box in _moving(boxes, each)]
        if detector and crops and not moved.settling and alone.due(each):
            parts = detector.detect([bgr(each, crop.box) for crop in crops])
            gathered = scheduler.gather(crops, parts, scheduler.AttentionSettings())
            alone.add(each, crops, gathered, detector)
    for each, outcome in piped_through(clip, detector) if detector else ():
        if outcome.crops and not outcome.motion.settling and piped.due(each):
            piped.add(each, outcome.crops, outcome.detections, detector)
    return {
        "clip": clip.name,
        "frames": count,
        "looks": looks,
        "pixels seen per frame %": round(100 * pixels / count, 1),
        "moving objects": len(inside),
        "inside a crop %": round(100 * sum(inside) / len(inside), 2) if inside else None,
        "empty frames": empty,
        "rested %": round(100 * rested / empty, 1) if empty else None,
        **alone.row("motion alone"),
        **piped.row("with tracks"),
    }


@dataclass
class Counted:
    """Vehicles in the crops beside those that one call on the whole frame finds, at the same moments."""

    whole: int = 0
    cropped: int = 0
    crops: int = 0
    looks: int = 0
    last_s: float = float("-inf")

    def due(self, each: Frame) -> bool:
        """Whether the frame is to be counted."""
        return each.at.mono_s - self.last_s >= EVERY_S

    def add(self, each: Frame, crops: tuple[Crop, ...], found: Sequence[Detection], detector: Detector) -> None:
        """Count the frame."""
        (whole,) = detector.detect([bgr(each)])
        self.last_s = each.at.mono_s
        self.whole += _vehicles(whole)
        self.cropped += _vehicles(found)
        self.crops += len(crops)
        self.looks += 1

    def row(self, how: str) -> dict[str, object]:
        """The rows of the table."""
        return {
            f"{how}: vehicles, whole frame": self.whole if self.looks else None,
            f"{how}: vehicles, crops": self.cropped if self.looks else None,
            f"{how}: times as many": round(self.cropped / self.whole, 2) if self.whole else None,
            f"{how}: crops a look": round(self.crops / self.looks, 2) if self.looks else None,
        }


def piped_through(clip: Path, detector: Detector) -> Iterator[tuple[Frame, Outcome]]:
    """Every frame with what the whole pipeline makes of it."""
    state, settings = PipelineState(Ids(b"attention")), PipelineSettings()
    for each in frames(clip):
        state, outcome = pipeline.update(state, each, detector.detect, FIELD, settings)
        yield each, outcome


def _vehicles(found: Sequence[Detection]) -> int:
    return sum(each.label != "person" and each.score >= SURE for each in found)


def _read(truth: Path) -> Truth:
    """Boxes in pixels of a MOTChallenge file."""
    boxes: Truth = {}
    for number, ident, left, top, width, height in mot.rows(truth)[:, :6]:
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
