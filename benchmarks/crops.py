"""What a detector finds through the agent's own crops: recall and precision of a label on labelled pictures.

    python -m benchmarks crops FOLDER… MODEL.onnx…

A picture stands before the camera for a moment, and what is found in any look is taken together, riders fused
with their two-wheelers. Three ways:

- `whole`: one look at the whole picture, as a script around a detector has it.
- `still`: all of the agent. Nothing moves in a picture, so it looks as at a new scene: the whole and its parts.
- `moving`: attention alone, told that every labelled road user moves, and nothing of where the truth is else.
  Motion itself is judged elsewhere, on clips.

The score is that of an event (0.4), as a box in service is told it. Boxes that no label is near count as false
here, though many a picture's far band has no labels: look at them before you believe the precision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from agent.core import pipeline
from agent.core.attention import scheduler
from agent.core.attention.merge import gathered
from agent.core.attention.scheduler import AttentionInput, AttentionState
from agent.core.attention.settings import AttentionSettings
from agent.core.ids import Ids
from agent.core.pipeline import PipelineSettings, PipelineState
from agent.core.tracking.riders import RiderSettings, fuse
from agent.core.types import WHOLE, Box, Crop, Detection, Frame, Image, Motion, Reason
from agent.detectors import Detector, load_detector
from agent.detectors.labels import ROAD_USERS
from agent.detectors.settings import DetectorSettings
from agent.errors import NgatuError
from benchmarks.clips import frame
from models.dataset.coco import read_coco
from models.dataset.types import AnnotatedImage, Dataset
from models.judge.looking import read_picture
from models.judge.measure.outcomes import label_finds
from models.judge.scenes import Scenes

RATE = 10.0
"""Frames a second."""
STANDS_S = 2.0
TOLD = 0.4
"""Score from which a find counts."""
LABELS = ("motorcycle", "person", "car")

Looks = tuple[int, list[Sequence[Detection]]]
"""How many pictures the detector got, and what was found in each look, in fractions of the picture."""
Way = Callable[[AnnotatedImage, Image, Detector], Looks]


def main(paths: list[Path], progress: Callable[[str], None] = lambda text: None) -> list[dict[str, object]]:
    """A row per set, model and way.

    Raises:
        NgatuError: no folder or no model is named, one is missing, or a folder is not as COCO has it.
    """
    folders = [path for path in paths if path.is_dir()]
    models = [path for path in paths if path.suffix == ".onnx"]
    if not folders or not models:
        raise NgatuError("crops needs folders and detectors", "python -m benchmarks crops FOLDER MODEL.onnx")
    rows = []
    for folder in folders:
        dataset = read_coco(folder)
        for model in models:
            detector = load_detector(DetectorSettings(model=str(model)))
            for name, way in WAYS.items():
                progress(f"{folder.name}: {model.stem}, {name}")
                about = {"set": folder.name, "model": model.stem, "way": name}
                rows.append(about | _figures(dataset, detector, way))
            detector.close()
    return rows


def whole(_image: AnnotatedImage, picture: Image, detector: Detector) -> Looks:
    """One look."""
    return 1, list(detector.detect([picture]))


def still(_image: AnnotatedImage, picture: Image, detector: Detector) -> Looks:
    """The agent before a view in which nothing moves."""
    settings, state = PipelineSettings(), PipelineState(Ids(b"benchmark of crops"))
    pictures = 0
    found: list[Sequence[Detection]] = []
    for each in _standing(picture):
        state, outcome = pipeline.update(state, each, detector.detect, detector.input_size, settings)
        if outcome.crops:
            pictures += len(outcome.crops)
            found.append(outcome.detections)
    return pictures, found


def moving(image: AnnotatedImage, picture: Image, detector: Detector) -> Looks:
    """Attention, told that whatever is labelled moves."""
    settings = AttentionSettings()
    state: AttentionState | None = None
    motion = Motion(tuple(sorted(_road_users(image), key=lambda box: -box.area)), 0.5)
    pictures = 0
    found: list[Sequence[Detection]] = []
    for each in _standing(picture):
        given = AttentionInput(each.at, each.size, detector.input_size, motion, ())
        state, chosen = scheduler.update(state, given, settings)
        if chosen:
            pictures += len(chosen)
            found.append(pipeline.look(each, chosen, detector.detect, detector.input_size, settings))
    return pictures, found


WAYS: dict[str, Way] = {"whole": whole, "still": still, "moving": moving}


def _figures(dataset: Dataset, detector: Detector, way: Way) -> dict[str, object]:
    together: list[tuple[Detection, ...]] = []
    pictures = 0
    settings = AttentionSettings()
    for image in dataset.images:
        given, found = way(image, read_picture(image), detector)
        pictures += given
        looks = [Crop(WHOLE, Reason.FULL_SCAN)] * len(found)
        one = gathered(looks, found, settings.same_iou, settings.inside)
        together.append(fuse(one, (), RiderSettings()))
    scenes = Scenes(np.zeros(len(dataset.images), np.intp), 1, by_camera=False)
    row: dict[str, object] = {}
    for label in LABELS:
        outcome = label_finds(dataset, together, label).outcome(scenes)
        if outcome.objects.sum():
            row |= {
                f"{label} recall": round(100 * float(outcome.recall(TOLD)[0]), 1),
                f"{label} precision": round(100 * float(np.nan_to_num(outcome.precision(TOLD)[0])), 1),
            }
    return row | {"pictures": round(pictures / len(dataset.images), 1)}


def _standing(picture: Image) -> Iterator[Frame]:
    """The picture as a camera's frames; an odd side is cut by one pixel."""
    height, width = (side // 2 * 2 for side in picture.shape[:2])
    yuv = cv2.cvtColor(np.ascontiguousarray(picture[:height, :width]), cv2.COLOR_BGR2YUV_I420)
    planes = np.asarray(yuv, np.uint8).reshape(-1)
    area, quarter = height * width, height * width // 4
    luma = planes[:area].reshape(height, width)
    u = planes[area : area + quarter].reshape(height // 2, width // 2)
    v = planes[area + quarter :].reshape(height // 2, width // 2)
    for index in range(round(STANDS_S * RATE)):
        yield frame(index, RATE, luma, u, v)


def _road_users(image: AnnotatedImage) -> Iterator[Box]:
    for each in image.annotations:
        if each.label in ROAD_USERS:
            left, right = sorted(min(1.0, max(0.0, at / image.width)) for at in (each.left, each.right))
            top, bottom = sorted(min(1.0, max(0.0, at / image.height)) for at in (each.top, each.bottom))
            if right > left and bottom > top:
                yield Box(left, top, right, bottom)
