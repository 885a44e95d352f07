"""How well and how fast the detectors see: AP50 per label on a folder in COCO's format, ms per call by threads.

`sure from` is the told score at which three of four boxes are right, by a logistic fit. It is 0.6 if the model
card's `sure_from` is right: with `sure_from: 0.6` in the card this column shows what to write there.

The whole picture goes in at once, as in the field's tables; attention's crops are another benchmark. AP50 is
the area under the precision-recall curve at an overlap of 0.5, all-point interpolation (Pascal VOC 2010 and
later), so about a point above COCO's 101-point figure on few objects. Crowds count as neither found nor missed.

    python -m benchmarks.detector ../shared/data/detection ../shared/data/models/*.onnx
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from agent.core.types import Box, Image
from agent.detectors import load_detector
from agent.detectors.labels import ROAD_USERS
from agent.detectors.settings import DetectorSettings
from agent.errors import NgatuError

LEAST_SCORE = 0.01
"""The curve needs the unlikely boxes too; a box in service starts much higher."""
TWINS = 1.0
USUAL_SCORE = 0.1
"""The fit is over what a box in service is told."""
RIGHT = 0.75
CALLS = 10
LAYOUT = "a folder in COCO's format: the pictures in images/, an instances_*.json of COCO as instances.json"

Floats = NDArray[np.float64]


@dataclass(slots=True)
class Tally:
    """Found boxes of one label over all pictures."""

    objects: int = 0
    scores: list[float] = field(default_factory=list)
    hits: list[bool] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Truth:
    """One picture and what is in it; boxes (N, 4) in fractions as left, top, right, bottom."""

    path: Path
    boxes: dict[str, Floats]
    crowd: dict[str, NDArray[np.bool_]]


def read_coco(folder: Path) -> list[Truth]:
    """The pictures and boxes of a folder with `images/` and `instances.json`.

    Raises:
        NgatuError: a file is missing or not as COCO has it.
    """
    file = folder / "instances.json"
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        names = {entry["id"]: entry["name"] for entry in content["categories"]}
        every = content["images"], content["annotations"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = "not there" if isinstance(error, OSError) else f"not as COCO has it: {error!r}"
        raise NgatuError(f"{file}: {what}", LAYOUT) from error
    if not all(every):
        raise NgatuError(f"{file}: no pictures, or nothing in them", LAYOUT)
    lacking = [name for image in every[0] if not (folder / "images" / (name := image["file_name"])).is_file()]
    if lacking:
        raise NgatuError(f"{folder / 'images' / lacking[0]}: not there ({len(lacking)} are missing)", LAYOUT)
    by_image = defaultdict(list)
    for entry in content["annotations"]:
        by_image[entry["image_id"]].append(entry)
    truths = []
    for image in content["images"]:
        boxes, crowd = defaultdict(list), defaultdict(list)
        for entry in by_image[image["id"]]:
            left, top, width, height = entry["bbox"]
            sides = np.array([left, top, left + width, top + height])
            label = names[entry["category_id"]]
            boxes[label].append(sides / ([image["width"], image["height"]] * 2))
            crowd[label].append(bool(entry.get("iscrowd")))
        truths.append(
            Truth(
                folder / "images" / image["file_name"],
                {label: np.array(some) for label, some in boxes.items()},
                {label: np.array(some) for label, some in crowd.items()},
            )
        )
    return truths


def overlaps(box: Box, others: Floats, crowd: NDArray[np.bool_]) -> Floats:
    """Overlap (N,) of a box with others (N, 4); with a crowd, the share of the box that is inside it."""
    width = np.minimum(box.right, others[:, 2]) - np.maximum(box.left, others[:, 0])
    height = np.minimum(box.bottom, others[:, 3]) - np.maximum(box.top, others[:, 1])
    common = np.clip(width, 0, None) * np.clip(height, 0, None)
    areas = (others[:, 2] - others[:, 0]) * (others[:, 3] - others[:, 1])
    return np.asarray(common / np.where(crowd, box.area, box.area + areas - common))


def average_precision(tally: Tally) -> float:
    """Area under the precision-recall curve, every point counted, precision made monotonous first."""
    if not tally.objects or not tally.hits:
        return 0.0
    order = np.argsort(-np.array(tally.scores), kind="stable")
    hits = np.array(tally.hits)[order]
    found = np.cumsum(hits)
    precision = found / np.arange(1, len(hits) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return float((best * hits).sum() / tally.objects)


def sure_from(tallies: list[Tally]) -> float:
    """The score at which a box is right with a chance of `RIGHT`: logistic fit on the log-odds, by Newton."""
    scores = np.array([score for each in tallies for score in each.scores])
    hits = np.array([hit for each in tallies for hit in each.hits])
    usual = (scores >= USUAL_SCORE) & (scores < 1)
    odds = np.log(scores[usual] / (1 - scores[usual]))
    known = np.stack([odds, np.ones_like(odds)], axis=1)
    line = np.array([1.0, 0.0])
    for _ in range(30):
        chance = 1 / (1 + np.exp(-known @ line))
        bend = known.T @ (known * (chance * (1 - chance))[:, None])
        line += np.linalg.solve(bend, known.T @ (hits[usual] - chance))
    return float(1 / (1 + np.exp(-(np.log(RIGHT / (1 - RIGHT)) - line[1]) / line[0])))


def judge(tallies: dict[str, Tally], truth: Truth, found: list[tuple[str, float, Box]]) -> None:
    """Add one picture: best score first, each object is found once, crowds swallow what lies in them."""
    taken = {label: np.zeros(len(boxes), bool) for label, boxes in truth.boxes.items()}
    for label, crowd in truth.crowd.items():
        tallies[label].objects += int((~crowd).sum())
    for label, score, box in found:
        tally = tallies[label]
        others = truth.boxes.get(label)
        hit = False
        if others is not None:
            crowd = truth.crowd[label]
            near = overlaps(box, others, crowd)
            free = np.where(taken[label] | crowd, 0.0, near)
            best = int(free.argmax())
            hit = bool(free[best] >= 0.5)
            if hit:
                taken[label][best] = True
            elif (near[crowd] >= 0.5).any():
                continue
        tally.scores.append(score)
        tally.hits.append(hit)


def accuracy(model: str, truths: list[Truth]) -> dict[str, float]:
    """AP50 of each road user, 0..1."""
    return {label: average_precision(tally) for label, tally in tallied(model, truths).items()}


def tallied(model: str, truths: list[Truth]) -> dict[str, Tally]:
    """What a detector found of each road user, right or wrong."""
    least = dict.fromkeys(ROAD_USERS, LEAST_SCORE)
    detector = load_detector(DetectorSettings(model=model, min_score=least, twin_iou=TWINS))
    tallies: dict[str, Tally] = defaultdict(Tally)
    for truth in truths:
        found = detector.detect([read(truth.path)])[0]
        judge(tallies, truth, [(one.label, one.score, one.box) for one in found])
    detector.close()
    return {label: tallies[label] for label in ROAD_USERS}


def pace(model: str, threads: int, picture: Image) -> float:
    """Median milliseconds of one call, with everything from the BGR picture to the boxes."""
    detector = load_detector(DetectorSettings(model=model, threads=threads))
    times = []
    for _ in range(CALLS + 3):
        start = time.perf_counter()
        detector.detect([picture])
        times.append((time.perf_counter() - start) * 1000)
    detector.close()
    return median(times[3:])


def read(path: Path) -> Image:
    image = cv2.imread(str(path))
    if image is None:
        raise NgatuError(f"{path}: no picture that can be read", LAYOUT)
    return np.asarray(image, np.uint8)


def main(paths: list[Path]) -> list[dict[str, object]]:
    """One row per model; `paths` are a folder in COCO's format and .onnx files with their cards.

    Raises:
        NgatuError: one of these is missing, or the folder is not as COCO has it.
    """
    folders = [path for path in paths if path.is_dir()]
    models = [path for path in paths if path.suffix == ".onnx"]
    if not folders or not models:
        raise NgatuError(
            "detector needs a folder and a detector", "python -m benchmarks detector FOLDER MODEL.onnx"
        )
    truths = read_coco(folders[0])
    picture = read(truths[0].path)
    rows: list[dict[str, object]] = []
    for model in models:
        row: dict[str, object] = {"model": model.stem}
        tallies = tallied(str(model), truths)
        row |= {label: round(100 * average_precision(tally)) for label, tally in tallies.items()}
        row |= {"sure from": round(sure_from(list(tallies.values())), 2)}
        row |= {f"ms, {n} thr": round(pace(str(model), n, picture), 1) for n in (1, 2)}
        rows.append(row)
    return rows


def show(rows: list[dict[str, object]]) -> None:
    table = Table(title="AP50 and ms per call")
    for name in rows[0]:
        table.add_column(name, justify="left" if name == "model" else "right")
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console().print(table)


if __name__ == "__main__":
    show(main([Path(argument) for argument in sys.argv[1:]]))
