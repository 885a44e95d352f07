"""What a model costs on this machine: milliseconds of a call beside the other's in one run, and bytes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent.core.types import Image
from agent.detectors import load_detector
from agent.detectors.places import find_model
from agent.detectors.settings import DetectorSettings

CALLS = 20
WARM_UP = 3
THREADS = 1
"""Two threads wait for each other where the machine does something else, and the ratio is what counts."""


@dataclass(frozen=True, slots=True)
class CallCost:
    """Of both models, old first.

    Attributes:
        ms: Median of one call on a whole picture, from pixels to boxes.
        ratio: Median of the new one's time by the old one's, call by call.
        ratio_range: Its quartiles.
        size_bytes: Of the .onnx files.
    """

    ms: tuple[float, float]
    ratio: float
    ratio_range: tuple[float, float]
    size_bytes: tuple[int, int]


def measure_cost(old: str, new: str, pictures: Sequence[Image], calls: int = CALLS) -> CallCost:
    """The cost of both, called in turn on the same pictures, so that both share what else the machine does.

    Raises:
        ModelError: a model is missing or fails.
    """
    settings = [DetectorSettings(model=model, threads=THREADS) for model in (old, new)]
    detectors = [load_detector(each) for each in settings]
    times_s = np.zeros((calls + WARM_UP, 2))
    try:
        for call in range(calls + WARM_UP):
            picture = pictures[call % len(pictures)]
            turns = (0, 1) if call % 2 else (1, 0)
            for turn in turns:
                begin_s = time.perf_counter()
                detectors[turn].detect([picture])
                times_s[call, turn] = time.perf_counter() - begin_s
    finally:
        for detector in detectors:
            detector.close()
    times_s = times_s[WARM_UP:]
    old_ms, new_ms = (np.median(times_s, axis=0) * 1000).tolist()
    low, ratio, high = np.quantile(times_s[:, 1] / times_s[:, 0], [0.25, 0.5, 0.75]).tolist()
    files: list[Path] = [find_model(each) for each in settings]
    return CallCost((old_ms, new_ms), ratio, (low, high), (files[0].stat().st_size, files[1].stat().st_size))
