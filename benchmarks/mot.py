"""MOTChallenge folders: reading, the official preparation, and HOTA, CLEAR and identity by TrackEval."""

from __future__ import annotations

import configparser
import contextlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.core.geometry import iou
from agent.errors import NgatuError

Array = NDArray[np.float64]

PEDESTRIAN = 1
DISTRACTORS = (2, 7, 8, 12)
"""Classes of MOT16/17 that are tracked without blame: persons on vehicles, static ones, reflections, others."""


@dataclass(frozen=True)
class Sequence:
    """One folder: what a detector said and what was true, by frame (frame 1 is index 0), boxes in pixels."""

    name: str
    rate: float
    width: int
    height: int
    frames: int
    detections: dict[str, list[Array]]
    """By detector: per frame (N, 5) left, top, right, bottom, score clipped to 0..1."""
    truth_ids: list[NDArray[np.int64]]
    truth_boxes: list[Array]
    truth_classes: list[NDArray[np.int64]]
    truth_counts: list[NDArray[np.bool_]]
    """False for a box that the truth marks as not to be judged."""


LEAST_COLUMNS = 7
"""Frame, id, left, top, width, height, score."""
LAYOUT = (
    "a MOTChallenge folder has seqinfo.ini, gt/gt.txt (only its train/ has) and det/det.txt, rows of numbers"
)
SEQINFO = "[Sequence], then lines such as name=X, frameRate=25, seqLength=71, imWidth=640, imHeight=480"

Output = list[tuple[NDArray[np.int64], Array]]
"""What a tracker told, per frame: ids (N,) and boxes (N, 4) in pixels."""


def folders(paths: list[Path]) -> list[Path]:
    """The sequence folders among the paths and up to two levels below them, those with a truth.

    Raises:
        NgatuError: there is none at a path.
    """
    found = []
    for path in paths:
        inner = [
            each.parent.parent
            for below in ("gt/gt.txt", "*/gt/gt.txt", "*/*/gt/gt.txt")
            for each in sorted(path.glob(below))
        ]
        if not inner:
            raise NgatuError(f"{path}: no gt/gt.txt in it, nor below it", LAYOUT)
        found += inner
    return found


def read(folder: Path) -> Sequence:
    """A sequence from its folder: `seqinfo.ini`, `gt/gt.txt` and each `det*/det.txt`.

    Raises:
        NgatuError: a file is missing or not as MOTChallenge has it; the text names it.
    """
    about = _about(folder / "seqinfo.ini")
    frames = int(about["seqLength"])
    truth = rows(folder / "gt/gt.txt")
    # MOT15 has ten columns and no class; MOT16 and later have nine, the class in the eighth.
    classes = truth[:, 7] if truth.shape[1] == 9 else np.ones(len(truth))
    at = [np.flatnonzero(truth[:, 0] == n + 1) for n in range(frames)]
    return Sequence(
        name=about.get("name", folder.name),
        rate=float(about["frameRate"]),
        width=int(about["imWidth"]),
        height=int(about["imHeight"]),
        frames=frames,
        detections={
            each.parent.name: _detections(rows(each), frames) for each in sorted(folder.glob("det*/det.txt"))
        },
        truth_ids=[truth[here, 1].astype(np.int64) for here in at],
        truth_boxes=[_corners(truth[here, 2:6]) for here in at],
        truth_classes=[classes[here].astype(np.int64) for here in at],
        truth_counts=[truth[here, 6] != 0 for here in at],
    )


def score(sequence: Sequence, output: Output, frames: list[int]) -> dict[str, float]:
    """HOTA (mean over its thresholds), MOTA, IDF1 in 0..1 and the id switches, judged on the given frames."""
    with contextlib.redirect_stdout(io.StringIO()):  # TrackEval greets whoever imports or makes a metric
        from trackeval.metrics import CLEAR, HOTA, Identity  # noqa: PLC0415

        quiet = {"PRINT_CONFIG": False}
        metrics = HOTA(), CLEAR(quiet), Identity(quiet)
        data = _prepared(sequence, output, frames)
        hota, clear, identity = (each.eval_sequence(data) for each in metrics)
    return {
        "HOTA": float(np.mean(hota["HOTA"])),
        "DetA": float(np.mean(hota["DetA"])),
        "AssA": float(np.mean(hota["AssA"])),
        "MOTA": float(clear["MOTA"]),
        "IDF1": float(identity["IDF1"]),
        "switches": float(clear["IDSW"]),
    }


def _prepared(sequence: Sequence, output: Output, frames: list[int]) -> dict[str, object]:
    """What TrackEval's metrics read, by the steps of its MotChallenge2DBox.get_preprocessed_seq_data."""
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 – only judging needs it

    true_ids, tracker_ids, likeness = [], [], []
    for n in frames:
        ids, boxes = output[n]
        overlap = iou(sequence.truth_boxes[n], boxes)
        classes = sequence.truth_classes[n]
        matching = np.where(overlap >= 0.5 - np.finfo(float).eps, overlap, 0.0)
        rows, columns = linear_sum_assignment(-matching)
        hit = matching[rows, columns] > np.finfo(float).eps
        forgiven = columns[hit & np.isin(classes[rows], DISTRACTORS)]
        counted = np.setdiff1d(np.arange(len(ids)), forgiven)
        judged = np.flatnonzero(sequence.truth_counts[n] & (classes == PEDESTRIAN))
        true_ids.append(sequence.truth_ids[n][judged])
        tracker_ids.append(ids[counted])
        likeness.append(overlap[np.ix_(judged, counted)])
    true_ids, true_number = _contiguous(true_ids)
    tracker_ids, tracker_id_count = _contiguous(tracker_ids)
    return {
        "gt_ids": true_ids,
        "tracker_ids": tracker_ids,
        "similarity_scores": likeness,
        "num_gt_ids": true_number,
        "num_tracker_ids": tracker_id_count,
        "num_gt_dets": sum(len(each) for each in true_ids),
        "num_tracker_dets": sum(len(each) for each in tracker_ids),
        "num_timesteps": len(frames),
        "seq": sequence.name,
    }


def _contiguous(ids: list[NDArray[np.int64]]) -> tuple[list[NDArray[np.int64]], int]:
    known = np.unique(np.concatenate([np.zeros(0, np.int64), *ids]))
    return [np.searchsorted(known, each) for each in ids], len(known)


def _detections(rows: Array, frames: int) -> list[Array]:
    boxes = np.concatenate([_corners(rows[:, 2:6]), np.clip(rows[:, 6:7], 0.0, 1.0)], axis=1)
    return [boxes[rows[:, 0] == n + 1] for n in range(frames)]


def _corners(boxes: Array) -> Array:
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:4]], axis=1)


def rows(file: Path) -> Array:
    """A table of MOTChallenge, (N, columns): separated by commas or by blanks, N may be 0.

    Raises:
        NgatuError: it is missing, or not such a table.
    """
    try:
        text = file.read_text(encoding="utf-8-sig").replace(",", " ")
        numbers = [[float(word) for word in line.split()] for line in text.splitlines() if line.strip()]
        table = np.array(numbers, float).reshape(len(numbers), -1 if numbers else LEAST_COLUMNS)
    except (OSError, ValueError) as error:
        what = "not there" if isinstance(error, OSError) else f"no table of MOTChallenge: {error}"
        raise NgatuError(f"{file}: {what}", LAYOUT) from error
    if table.shape[1] < LEAST_COLUMNS:
        raise NgatuError(f"{file}: no table of MOTChallenge: {table.shape[1]} columns", LAYOUT)
    return table


def _about(file: Path) -> configparser.SectionProxy:
    """What seqinfo.ini says. The archive of MOT15 has none, and nothing else in it tells the rate."""
    ini, names = configparser.ConfigParser(), ("frameRate", "seqLength", "imWidth", "imHeight")
    try:
        ini.read_string(file.read_text(encoding="utf-8-sig"))
        about = ini["Sequence"]
        wrong = [name for name in names if not float(about[name]) > 0]
    except (OSError, KeyError, ValueError, configparser.Error) as error:
        what = "not there" if isinstance(error, OSError) else f"not as MOTChallenge has it: {error}"
        raise NgatuError(f"{file}: {what}", f"write it: {SEQINFO}") from error
    if wrong:
        raise NgatuError(f"{file}: {wrong[0]} = {about[wrong[0]]}", f"write it: {SEQINFO}")
    return about
