"""YOLOv3 and its tiny form (Redmon and Farhadi, 2018, arXiv:1804.02767), as the darknet layers give it.

One raw output per scale (anchors * (5 + labels), rows, columns): for each anchor x, y, width, height, the
object's score and the labels' scores, all before their sigmoid or exponential.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from agent.detectors.heads.found import (
    Ask,
    Floats,
    Outputs,
    RawDetections,
    corners,
    likely,
    logit,
    misfit,
    sigmoid,
)
from agent.settings.base import Settings

Anchor = tuple[float, float]


class Yolov3Head(Settings):
    """Constants of a YOLOv3 head."""

    kind: Literal["yolov3"] = Field(description="yolov3")
    anchors: tuple[tuple[Anchor, ...], ...] = Field(
        min_length=1,
        description="Per output, in its order: each anchor's width and height in pixels.",
    )

    def decode(self, outputs: Outputs, ask: Ask) -> RawDetections:
        """Every anchor of every cell whose object score times label score is high enough."""
        if len(outputs) != len(self.anchors):
            raise misfit(self.kind, f"{len(self.anchors)} outputs", outputs)
        scales = []
        for output, anchors in zip(outputs.values(), self.anchors, strict=True):
            depth = 5 + ask.labels
            if output.ndim != 3 or len(output) != len(anchors) * depth:
                wanted = f"({len(anchors)} * (5 + {ask.labels} labels), rows, columns)"
                raise misfit(self.kind, wanted, outputs)
            values = output.reshape(len(anchors), depth, *output.shape[1:])
            scales.append(_scale(values, np.array(anchors, np.float32), ask))
        return RawDetections(
            np.concatenate([found.boxes for found in scales]),
            np.concatenate([found.scores for found in scales]),
            np.concatenate([found.labels for found in scales]),
        )


def _scale(values: Floats, anchors: Floats, ask: Ask) -> RawDetections:
    """One scale: `values` is (anchors, 5 + labels, rows, columns)."""
    # Compared before the sigmoid: nearly all cells are empty, and their exponentials are never computed.
    anchor, y, x = np.nonzero(values[:, 4] >= logit(ask.lowest))
    places = values[anchor, :, y, x]
    scores = sigmoid(places[:, 5 + ask.kept]) * sigmoid(places[:, 4:5])
    chosen, scores, labels = likely(scores, ask)
    places, anchor = places[chosen], anchor[chosen]
    cells: NDArray[np.float32] = np.stack([x[chosen], y[chosen]], axis=1).astype(np.float32)
    rows, columns = values.shape[2:]
    stride = np.array([ask.field.width_px / columns, ask.field.height_px / rows], np.float32)
    centres = (sigmoid(places[:, :2]) + cells) * stride
    return RawDetections(corners(centres, np.exp(places[:, 2:4]) * anchors[anchor]), scores, labels)
