"""Who found what: the tracks of one beside those of another, as nobody has judged every clip by eye."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agent.core.geometry import iou
from benchmarks.cost.watch import Tracks

LEAST_S = 1.0
"""Shorter tracks are flickers, no finds."""
SAME_IOU = 0.3
SEEN_SHARE = 0.3
"""A track is found by the other too if so much of it lies on one of the other's."""


@dataclass(frozen=True, slots=True)
class Found:
    """Tracks of one, and how many of them the other has not."""

    objects: int
    alone: int


def compared(ours: Tracks, others: Tracks, fps: float) -> Found:
    """Our tracks of a second or more, and those where the other saw nothing; `fps` is the clip's."""
    frames: dict[str, list[int]] = {}
    shared: dict[str, list[bool]] = {}
    for index, shown in ours.items():
        there = np.array([each[2:] for each in others.get(index, [])], float).reshape(-1, 4)
        for ident, _, *box in shown:
            frames.setdefault(ident, []).append(index)
            if index in others:
                near = iou(np.array([box], float), there)
                shared.setdefault(ident, []).append(bool((near >= SAME_IOU).any()))
    long = [ident for ident, each in frames.items() if (each[-1] - each[0]) / fps >= LEAST_S]
    alone = [ident for ident in long if np.mean(shared.get(ident, [False])) < SEEN_SHARE]
    return Found(len(long), len(alone))
