"""SSD and other networks that decode their boxes themselves, as TensorFlow's object detection API exports them.

With a `classes` output the network has suppressed overlaps: boxes (places, 4), classes (places,) and scores
(places,), of which the first `count` are meant. Without one, scores is (places, labels).
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from agent.core.types import Size
from agent.detectors.heads.found import Ask, Floats, Outputs, RawDetections, likely, misfit
from agent.settings.base import Settings


class SsdHead(Settings):
    """Names and conventions of an SSD's outputs."""

    kind: Literal["ssd"] = Field(description="ssd")
    boxes: str = Field("detection_boxes", description="Output with the boxes.")
    scores: str = Field("detection_scores", description="Output with the scores.")
    classes: str | None = Field("detection_classes", description="Output with label indices, if any.")
    count: str | None = Field("num_detections", description="Output with the number of boxes, if any.")
    order: Literal["yxyx", "xyxy"] = Field("yxyx", description="Order of a box's sides.")
    unit: Literal["fraction", "pixel"] = Field("fraction", description="Of the boxes, in the input.")

    def decode(self, outputs: Outputs, ask: Ask) -> RawDetections:
        """Every box of a wanted label that is likely enough."""
        missing = [name for name in (self.boxes, self.scores, self.classes) if name and name not in outputs]
        if missing:
            raise misfit(self.kind, f"an output {missing[0]}", outputs)
        boxes = outputs[self.boxes].reshape(-1, 4)
        rows, scores, labels = self._chosen(outputs, ask)
        return RawDetections(self._pixels(boxes[rows], ask.field), scores, labels)

    def _chosen(self, outputs: Outputs, ask: Ask) -> tuple[NDArray[np.intp], Floats, NDArray[np.intp]]:
        scores = outputs[self.scores]
        if self.classes is None:
            if scores.ndim != 2 or scores.shape[1] != ask.labels:
                raise misfit(self.kind, f"scores (places, {ask.labels} labels)", outputs)
            return likely(scores[:, ask.kept], ask)
        meant = len(scores)
        if self.count is not None and self.count in outputs:
            meant = int(np.asarray(outputs[self.count]).reshape(-1)[0])
        labels = outputs[self.classes].astype(np.intp)
        wanted = ((labels[:, None] == ask.kept) & (scores[:, None] >= ask.least)).any(axis=1)
        wanted[meant:] = False
        rows = np.flatnonzero(wanted)
        return rows, scores[rows].astype(np.float32, copy=False), labels[rows]

    def _pixels(self, boxes: NDArray[Any], field: Size) -> Floats:
        sides = boxes[:, [1, 0, 3, 2]] if self.order == "yxyx" else boxes
        unit = [field.width_px, field.height_px] * 2 if self.unit == "fraction" else [1] * 4
        return np.asarray(sides * np.array(unit, np.float32), np.float32)
