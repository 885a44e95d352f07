"""What every head speaks: what is asked of it, what it found, and the choice among overlapping boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core.types import Size
from agent.errors import ModelError

Floats = NDArray[np.float32]
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

    @property
    def lowest(self) -> float:
        """The lowest of all the least scores: what is below it for any label can be dropped early."""
        return float(self.least.min())


@dataclass(frozen=True, slots=True)
class Found:
    """Boxes of one picture, not yet in any order and with overlaps."""

    boxes: Floats
    """(N, 4) left, top, right, bottom in pixels of the network's input."""
    scores: Floats
    """(N,) 0..1."""
    labels: NDArray[np.intp]
    """(N,) index of the label."""

    def at(self, rows: NDArray[Any]) -> Found:
        """Only these rows, in this order."""
        return Found(self.boxes[rows], self.scores[rows], self.labels[rows])


def best_label(scores: Floats, ask: Ask) -> tuple[NDArray[np.intp], Floats, NDArray[np.intp]]:
    """The rows whose best wanted label reaches its least score, with those scores and label indices.

    `scores` is (N, K), one column for each of `ask.kept`. One place gives one label: a tracker has no use
    for a car that is also a truck.
    """
    column = scores.argmax(axis=1)
    top = scores[np.arange(len(scores)), column]
    rows = np.flatnonzero(top >= ask.least[column])
    return rows, top[rows], ask.kept[column[rows]]


def suppress(found: Found, iou: float, limit: int = 300) -> Found:
    """The best of the boxes of one label that overlap more than `iou`, best score first, at most `limit`.

    Greedy non-maximum suppression within each label, by OpenCV.
    """
    if len(found.scores) == 0:
        return found
    boxes = found.boxes.astype(np.float64)
    boxes[:, 2:] -= boxes[:, :2]
    labels: Any = found.labels.astype(np.int32)
    scores: Any = found.scores
    corner_and_size: Any = boxes  # OpenCV's stubs know lists only; arrays are read without a copy
    chosen = cv2.dnn.NMSBoxesBatched(corner_and_size, scores, labels, 0.0, iou)
    rows = np.asarray(chosen, np.intp).reshape(-1)
    # Ties by place, so that the order never depends on how a sort breaks them.
    order = np.lexsort((rows, -found.scores[rows]))
    return found.at(rows[order][:limit])


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


def misfit(kind: str, wanted: str, outputs: Outputs) -> ModelError:
    """The network's outputs are not what the card's head expects."""
    shapes = ", ".join(f"{name} {array.shape}" for name, array in outputs.items())
    return ModelError(
        f"the network's outputs do not fit the head {kind}: it needs {wanted}, and got {shapes}",
        "check head and labels in the model card.",
    )
