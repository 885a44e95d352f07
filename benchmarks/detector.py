"""How well the detectors see, and what they cost: AP50 per label on a folder in COCO's format, and CPU time.

`cpu` is the CPU time of a call on one thread, beside that of the first model named: all of them take turns, so
that what else the machine does weighs on each alike. `ms` is that of the call itself, on that machine then.

`sure from` is the told score at which three of four boxes are right, by a logistic fit. It is 0.6 if the model
card's `sure_from` is right: with `sure_from: 0.6` in the card this column shows what to write there.

The whole picture goes in at once, as in the field's tables; attention's crops are another benchmark. AP50 is
that of `ngatu models judge` (models/judge/measure), which compares two models and says how sure it is.

    python -m benchmarks detector FOLDER MODEL.onnx MODEL.onnx
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from statistics import median

import numpy as np
from rich.console import Console
from rich.table import Table

from agent.core.types import Image
from agent.detectors import load_detector
from agent.detectors.labels import ROAD_USERS
from agent.detectors.settings import DetectorSettings
from agent.errors import NgatuError
from models.dataset.coco import read_coco
from models.dataset.types import Dataset
from models.judge.looking import LEAST_SCORE, read_picture
from models.judge.measure.figures import LabelOutcome
from models.judge.measure.outcomes import label_finds
from models.judge.scenes import Scenes

TWINS = 1.0
USUAL_SCORE = 0.1
"""The fit is over what a box in service is told."""
RIGHT = 0.75
CALLS = 40
LAYOUT = "a folder in COCO's format: the pictures in images/, an instances_*.json of COCO as instances.json"


def sure_from(outcomes: list[LabelOutcome]) -> float:
    """The score at which a box is right with a chance of `RIGHT`: logistic fit on the log-odds, by Newton."""
    scores = np.concatenate([each.scores for each in outcomes])
    hits = np.concatenate([each.hits for each in outcomes])
    usual = (scores >= USUAL_SCORE) & (scores < 1)
    odds = np.log(scores[usual] / (1 - scores[usual]))
    known = np.stack([odds, np.ones_like(odds)], axis=1)
    line = np.array([1.0, 0.0])
    for _ in range(30):
        chance = 1 / (1 + np.exp(-known @ line))
        bend = known.T @ (known * (chance * (1 - chance))[:, None])
        line += np.linalg.solve(bend, known.T @ (hits[usual] - chance))
    return float(1 / (1 + np.exp(-(np.log(RIGHT / (1 - RIGHT)) - line[1]) / line[0])))


def accuracy(model: str, dataset: Dataset) -> dict[str, float]:
    """AP50 of each road user, 0..1; 0 where there is none."""
    return {
        label: float(np.nan_to_num(outcome.average_precision()[0]))
        for label, outcome in outcomes(model, dataset).items()
    }


def outcomes(model: str, dataset: Dataset) -> dict[str, LabelOutcome]:
    """What a detector found of each road user, right or wrong."""
    least = dict.fromkeys(ROAD_USERS, LEAST_SCORE)
    detector = load_detector(DetectorSettings(model=model, min_score=least, twin_iou=TWINS))
    found = [detector.detect([read_picture(image)])[0] for image in dataset.images]
    detector.close()
    together = Scenes(np.zeros(len(dataset.images), np.intp), 1, by_camera=False)
    return {label: label_finds(dataset, found, label).outcome(together) for label in ROAD_USERS}


def costs(models: list[str], picture: Image) -> list[float]:
    """Median milliseconds of CPU time of one call of each, everything from the BGR picture to the boxes."""
    detectors = [load_detector(DetectorSettings(model=model, threads=1)) for model in models]
    times: list[list[float]] = [[] for _ in models]
    for _ in range(CALLS + 3):
        for detector, its in zip(detectors, times, strict=True):
            start = time.process_time()
            detector.detect([picture])
            its.append((time.process_time() - start) * 1000)
    for detector in detectors:
        detector.close()
    return [median(its[3:]) for its in times]


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
    dataset = read_coco(folders[0])
    if not dataset.images:
        raise NgatuError(f"{folders[0]}: no pictures", LAYOUT)
    picture = read_picture(dataset.images[0])
    rows: list[dict[str, object]] = []
    for model in models:
        row: dict[str, object] = {"model": model.stem}
        found = outcomes(str(model), dataset)
        row |= {
            label: round(100 * float(np.nan_to_num(each.average_precision()[0])))
            for label, each in found.items()
        }
        row |= {"sure from": round(sure_from(list(found.values())), 2)}
        rows.append(row)
    spent = costs([str(model) for model in models], picture)
    for row, cost in zip(rows, spent, strict=True):
        row |= {"ms": round(cost, 1), "cpu": round(cost / spent[0], 2)}
    return rows


def show(rows: list[dict[str, object]]) -> None:
    table = Table(title="AP50, and CPU time of a call on one thread")
    for name in rows[0]:
        table.add_column(name, justify="left" if name == "model" else "right")
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console().print(table)


if __name__ == "__main__":
    show(main([Path(argument) for argument in sys.argv[1:]]))
