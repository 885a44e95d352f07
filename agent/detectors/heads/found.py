"""What every head speaks: what is asked of it, what it found, and the choice among overlapping boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core.types import Size
from agent.errors import ModelError
from agent.translatable import tr

Floats = NDArray[np.float32]
MOST = 300
"""Boxes per picture at most; a crowded junction has a tenth of it."""
MOST_CANDIDATES = 3000
"""Of which they are chosen: the time for that goes with the square, 0.15 s for so many and 6 s for 20,000."""
_FAR_PX = 1e6
"""A box that reaches so far is none; its area would be no number."""
Outputs = dict[str, NDArray[Any]]
"""The network's outputs for one picture, without the batch axis, by name and in the network's order."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What the caller wants of one picture."""

    field: Size
    """The network's input in pixels."""
    kept: NDArray[np.intp]
    """(K,) indices of the labels that count."""
    least: Floats
    """(K,) least score of each, 0..1."""
    labels: int
    """How many labels the network knows, wanted or not."""

    @property
    def lowest(self) -> float:
        """The lowest of all the least scores: what is below it for any label can be dropped early."""
        return float(np.min(self.least))


@dataclass(frozen=True, slots=True)
class RawDetections:
    """Boxes of one picture, not yet in any order and with overlaps."""

    boxes: Floats
    """(N, 4) left, top, right, bottom in pixels of the network's input."""
    scores: Floats
    """(N,) 0..1."""
    labels: NDArray[np.intp]
    """(N,) index of the label."""

    def at(self, rows: NDArray[Any]) -> RawDetections:
        """Only these rows, in this order."""
        return RawDetections(self.boxes[rows], self.scores[rows], self.labels[rows])


def likely(scores: Floats, ask: Ask) -> tuple[NDArray[np.intp], Floats, NDArray[np.intp]]:
    """Every place and wanted label that reaches its least score: rows, scores and label indices, (M,) each.

    `scores` is (N, K), one column for each of `ask.kept`. A place may come more than once, with several labels.
    """
    rows, columns = np.nonzero(scores >= ask.least)
    return rows, scores[rows, columns], ask.kept[columns]


def suppress(found: RawDetections, iou: float, twin_iou: float = 1.0, apart: int = -1) -> RawDetections:
    """The best of the boxes that overlap more than `iou` within a label, best score first, at most 300.

    Greedy non-maximum suppression within each label, by OpenCV. Then boxes of different labels that overlap
    more than `twin_iou` are one object as well, and the likeliest label wins: a van is not a car and a truck.
    With `twin_iou` 1.0 each keeps all its labels. The label `apart` (an index) has no twins: seen from the
    front, a rider covers the motorcycle.
    """
    found = _likeliest(found)
    if len(found.scores) == 0:
        return found
    boxes = found.boxes.astype(np.float64)
    boxes[:, 2:] -= boxes[:, :2]
    labels: Any = found.labels.astype(np.int32)
    scores: Any = found.scores
    corner_and_size: Any = boxes  # OpenCV's stubs know lists only; arrays are read without a copy
    chosen = cv2.dnn.NMSBoxesBatched(corner_and_size, scores, labels, 0.0, iou)
    rows = np.asarray(chosen, np.intp).reshape(-1)
    # Ties by place and label, so that the order never depends on how a sort breaks them.
    order = np.lexsort((found.labels[rows], rows, -found.scores[rows]))
    best = found.at(rows[order][:MOST])
    return best if twin_iou >= 1.0 else best.at(_without_twins(best, twin_iou, apart))


def _likeliest(found: RawDetections) -> RawDetections:
    """What is a box at all, and of too many the best: a network may give anything."""
    sane = np.isfinite(found.boxes).all(axis=1) & np.isfinite(found.scores)
    sane &= (np.abs(found.boxes) < _FAR_PX).all(axis=1)
    rows = np.flatnonzero(sane)
    if len(rows) > MOST_CANDIDATES:
        rows = np.sort(rows[np.argsort(-found.scores[rows], kind="stable")[:MOST_CANDIDATES]])
    return found if len(rows) == len(found.scores) else found.at(rows)


def _without_twins(found: RawDetections, iou: float, apart: int) -> NDArray[np.intp]:
    """Rows, best first, that overlap no better row of another label more than `iou`."""
    boxes, alone = found.boxes, found.labels == apart
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(axis=2)
    areas = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1)
    twins = common > iou * (areas[:, None] + areas[None, :] - common)
    twins[alone] = twins[:, alone] = False
    twins &= found.labels[:, None] != found.labels[None, :]
    kept = np.ones(len(boxes), bool)
    for row in range(1, len(boxes)):
        kept[row] = not (twins[row, :row] & kept[:row]).any()
    return np.flatnonzero(kept)


def corners(centres: Floats, sizes: Floats) -> Floats:
    """Boxes (N, 4) left, top, right, bottom from centres (N, 2) and widths and heights (N, 2)."""
    half = sizes / 2
    return np.concatenate([centres - half, centres + half], axis=1).astype(np.float32, copy=False)


def sigmoid(x: Floats) -> Floats:
    """1 / (1 + exp(-x)), without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)), np.float32)


def logit(p: float) -> float:
    """The x whose sigmoid is p; finite for 0 and 1 too."""
    inside = min(max(p, 1e-7), 1 - 1e-7)
    return float(np.log(inside / (1 - inside)))


def shifted(scores: Floats, by: Floats) -> Floats:
    """Scores (N,) with `by` (N,) added to their log-odds; where that is nothing they stay as they are."""
    inside = np.clip(scores, 1e-7, 1 - 1e-7)
    moved = sigmoid(np.log(inside / (1 - inside)) + by)
    return np.where(by == 0.0, scores, moved).astype(np.float32, copy=False)


def misfit(kind: str, wanted: str, outputs: Outputs) -> ModelError:
    """The network's outputs are not what the card's head expects."""
    shapes = ", ".join(f"{name} {array.shape}" for name, array in outputs.items())
    return ModelError(
        tr(
            "the network's outputs do not fit the head {kind}: it needs {wanted}, and got {shapes}",
            kind=kind,
            wanted=wanted,
            shapes=shapes,
        ),
        tr("check head and labels in the model card."),
    )
