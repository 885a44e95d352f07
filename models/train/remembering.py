"""How much a network has forgotten: what its base is sure of, on pictures that nobody labelled, found again.

The base is no truth, but whatever it was right about stands among what it is sure of, and no labels are needed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from agent.core.types import Detection
from agent.detectors.onnx import OnnxDetector
from models.train.held_back import HeldBackTally, overlapping
from models.train.pictures.rehearsal import seen
from models.train.tiled import tiled

SURE = 0.3
"""From this score on the base's box counts as an object."""
LEAST_OBJECTS = 5
"""A label of which the base sees fewer says nothing."""
MOST = 80
"""Pictures, evenly."""
_HIT_IOU = 0.5


def spread(pictures: Sequence[bytes]) -> list[bytes]:
    """At most `MOST` of them, evenly."""
    if len(pictures) <= MOST:
        return list(pictures)
    return [pictures[round(place)] for place in np.linspace(0, len(pictures) - 1, MOST)]


def sure_of(base: OnnxDetector, pictures: Sequence[bytes]) -> list[tuple[Detection, ...]]:
    """What the base is sure of in each picture."""
    return [tuple(one for one in tiled(base, seen(data)) if one.score >= SURE) for data in pictures]


def kept(
    detector: OnnxDetector, pictures: Sequence[bytes], before: Sequence[tuple[Detection, ...]]
) -> float | None:
    """AP50 against what the base was sure of, 0..1, each label alike; None where it was sure of nothing."""
    tallies: dict[str, HeldBackTally] = defaultdict(HeldBackTally)
    for data, objects in zip(pictures, before, strict=True):
        found = tiled(detector, seen(data))
        for label in {one.label for one in (*objects, *found)}:
            _counted(
                tallies[label],
                [one for one in objects if one.label == label],
                [one for one in found if one.label == label],
            )
    often = [tally.average_precision for tally in tallies.values() if tally.objects >= LEAST_OBJECTS]
    return float(np.mean(often)) if often else None


def _counted(tally: HeldBackTally, objects: Sequence[Detection], found: Sequence[Detection]) -> None:
    boxes = [one.box for one in objects]
    free = np.ones(len(boxes), bool)
    tally.objects += len(boxes)
    for one in found:
        overlaps = overlapping(one.box, boxes) * free if boxes else np.zeros(1)
        best = int(np.argmax(overlaps))
        hit = bool(overlaps[best] >= _HIT_IOU)
        if hit:
            free[best] = False
        tally.found.append((one.score, hit))
