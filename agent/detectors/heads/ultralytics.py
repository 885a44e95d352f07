"""YOLOv8, YOLO11 and their kin, as Ultralytics exports them."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from agent.detectors.heads.found import Ask, Outputs, RawDetections, corners, likely, misfit
from agent.settings.base import Settings


class UltralyticsHead(Settings):
    """One output (4 + labels, places): centre x, y, width, height in input pixels, then scores of 0..1."""

    kind: Literal["ultralytics"] = Field(description="ultralytics")

    def decode(self, outputs: Outputs, ask: Ask) -> RawDetections:
        """Every place and label that is likely enough."""
        output = next(iter(outputs.values()))
        if output.ndim != 2 or len(output) != 4 + ask.labels:
            raise misfit(self.kind, f"(4 + {ask.labels} labels, places)", outputs)
        rows, scores, labels = likely(output[4 + ask.kept].T, ask)
        boxes = output[:4, rows].T
        return RawDetections(corners(boxes[:, :2], boxes[:, 2:]), scores, labels)


class EndToEndHead(Settings):
    """One output (places, 6): left, top, right, bottom in input pixels, score, label; already suppressed.

    YOLOv10, YOLO26 and exports with `nms=True` look like this.
    """

    kind: Literal["end_to_end"] = Field(description="end_to_end")

    def decode(self, outputs: Outputs, ask: Ask) -> RawDetections:
        """Every row of a wanted label that is likely enough."""
        output = next(iter(outputs.values()))
        if output.ndim != 2 or output.shape[1] != 6:
            raise misfit(self.kind, "(places, 6)", outputs)
        labels = np.nan_to_num(output[:, 5], nan=-1, posinf=-1, neginf=-1).clip(-1, ask.labels).astype(np.intp)
        wanted = (labels[:, None] == ask.kept) & (output[:, 4:5] >= ask.least)
        rows = np.flatnonzero(wanted.any(axis=1))
        return RawDetections(
            output[rows, :4].astype(np.float32), output[rows, 4].astype(np.float32), labels[rows]
        )
