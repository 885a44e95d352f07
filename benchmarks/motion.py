"""Motion beside OpenCV's subtractors and a running average, and under nuisances that are no motion.

A CDnet folder gives precision, recall and F1 of the masks at full size, and mean milliseconds of CPU per frame.
All work on the same shrunk luma plane, their masks are cleaned by the same function, and all box the parts of
their mask; shadows count as background.

A clip gives one row per nuisance, laid over the clip's still view (nuisances.py, seeds fixed): motion events
from the nuisance alone, by the motion rule's own terms, and how many passages of a small vehicle are found
anyway.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core import motion
from agent.core.regions import clean
from agent.core.types import Frame, Motion
from benchmarks import nuisances
from benchmarks.clips import cdnet, frame, still_view

Plane = NDArray[np.uint8]
Method = Callable[[Frame], Plane]

SETTINGS = motion.MotionSettings()
ALONE_S = 600.0
PASSAGES_S = 120.0
RATE = 8.0
"""Frames a second of the nuisances; few enough that ten minutes of each take a minute."""
LONG_S, GAP_S = 1.0, 0.6
"""From when the default motion rule speaks, and the rests that do not interrupt it."""


def main(paths: list[Path]) -> list[dict[str, object]]:
    """Rows for each CDnet folder and each clip among the paths."""
    cv2.setNumThreads(1)
    rows: list[dict[str, object]] = []
    for path in paths:
        rows += _masks(path) if path.is_dir() else _nuisances(path)
    return rows


def boxed(raw: Plane) -> Plane:
    """A peer's mask, cleaned as ours is, after its parts were boxed, as every user must."""
    mask, _ = clean(raw)
    cv2.connectedComponentsWithStats(mask)
    return mask


def ngatu() -> Method:
    state: motion.MotionState | None = None

    def mask(each: Frame) -> Plane:
        nonlocal state
        state, _ = motion.update(state, each, SETTINGS)
        return state.mask

    return mask


def subtractor(peer: cv2.BackgroundSubtractor) -> Method:
    """One of OpenCV's at its own defaults; 127 in its masks is shadow."""

    def mask(each: Frame) -> Plane:
        found = peer.apply(motion.shrink(each.luma, SETTINGS.height_px))
        return boxed(np.asarray(cv2.inRange(found, 255, 255), np.uint8))

    return mask


def running_average() -> Method:
    """The difference from a running average as Frigate takes it: threshold 30, alpha 0.01, a light blur."""
    average: NDArray[np.float32] | None = None

    def mask(each: Frame) -> Plane:
        nonlocal average
        plane = cv2.GaussianBlur(motion.shrink(each.luma, SETTINGS.height_px), (3, 3), 1)
        if average is None:
            average = plane.astype(np.float32)
        found = cv2.inRange(cv2.absdiff(plane, cv2.convertScaleAbs(average)), 31, 255)
        cv2.accumulateWeighted(plane, average, 0.01)
        return boxed(np.asarray(cv2.dilate(found, np.ones((3, 3), np.uint8)), np.uint8))

    return mask


METHODS: dict[str, Callable[[], Method]] = {
    "ngatu": ngatu,
    "MOG2": lambda: subtractor(cv2.createBackgroundSubtractorMOG2()),
    "MOG2, shadows off": lambda: subtractor(cv2.createBackgroundSubtractorMOG2(detectShadows=False)),
    "KNN": lambda: subtractor(cv2.createBackgroundSubtractorKNN()),
    "KNN, shadows off": lambda: subtractor(cv2.createBackgroundSubtractorKNN(detectShadows=False)),
    "running average": running_average,
}


def _masks(folder: Path) -> list[dict[str, object]]:
    every, truth, roi = cdnet(folder)
    rows: list[dict[str, object]] = []
    for name, make in METHODS.items():
        seconds = []
        right = false = missed = 0
        method = make()
        for each in every:
            began = time.thread_time()
            mask = method(each)
            seconds.append(time.thread_time() - began)
            if each.index in truth:
                label = truth[each.index]
                size = label.shape[::-1]
                found = cv2.resize(mask, size, interpolation=cv2.INTER_LINEAR) > 127
                judged, moving = roi & np.isin(label, (0, 50, 255)), label == 255
                right += int(np.count_nonzero(found & moving & judged))
                false += int(np.count_nonzero(found & ~moving & judged))
                missed += int(np.count_nonzero(~found & moving & judged))
        precision, recall = right / max(1, right + false), right / max(1, right + missed)
        rows.append(
            {
                "scene": folder.name,
                "method": name,
                "precision": round(precision, 3),
                "recall": round(recall, 3),
                "F1": round(2 * precision * recall / max(1e-9, precision + recall), 3),
                "ms/frame": round(float(np.mean(seconds)) * 1e3, 3),
            }
        )
    return rows


def _nuisances(clip: Path) -> list[dict[str, object]]:
    view = still_view(clip)
    return [_nuisance(clip, view, name) for name in nuisances.ALL]


def _nuisance(clip: Path, view: NDArray[np.float32], name: str) -> dict[str, object]:
    speaks = [bool(told.regions) for _, told, _ in watched(view, name, ALONE_S, passing=False)]
    passages: dict[int, int] = {}
    for number, told, place in watched(view, name, PASSAGES_S, passing=True):
        if place:
            x, y = place
            near = [r for r in told.regions if r.left <= x <= r.right and r.top <= y <= r.bottom]
            hit = any(region.area < 0.2 for region in near)
            passages[number] = passages.get(number, 0) + hit
    return {
        "scene": clip.name,
        "nuisance": name,
        "minutes": ALONE_S / 60,
        "frames with regions %": round(100 * sum(speaks) / len(speaks), 2),
        "events": _events(speaks),
        "passages": len(passages),
        "found": sum(hits >= 3 for hits in passages.values()),
    }


def watched(
    view: NDArray[np.float32], name: str, long_s: float, passing: bool
) -> Iterator[tuple[int, Motion, tuple[float, float] | None]]:
    """Per settled frame the passage's number, what motion tells, and the vehicle's middle if it is there."""
    chance = np.random.default_rng(5)
    state: motion.MotionState | None = None
    high, wide = max(12, view.shape[0] // 20), max(20, view.shape[1] // 16)
    body = np.where(np.arange(high)[:, None] < high // 2, 55.0, 185.0) + chance.uniform(-15, 15, (high, wide))
    for index in range(int(long_s * RATE)):
        at_s = index / RATE
        now, place, number = view, None, int(at_s // 8)
        x = int((at_s % 8 / 6 - 0.1) * view.shape[1])  # six seconds across, two seconds of rest
        y = int((0.45 + 0.1 * (number % 5)) * view.shape[0])
        if passing and at_s >= 8 and 0 <= x < view.shape[1] - wide:
            now = view.copy()
            now[y : y + high, x : x + wide] = body
            place = ((x + wide / 2) / view.shape[1], (y + high / 2) / view.shape[0])
        picture = nuisances.taken(nuisances.ALL[name](now, at_s, chance), chance)
        state, told = motion.update(state, frame(index, RATE, picture), SETTINGS)
        if at_s >= 4:
            yield number, told, place


def _events(speaks: list[bool]) -> int:
    """How often the motion rule would have spoken."""
    events, began, last = 0, None, float("-inf")
    told = False
    for index, moves in enumerate(speaks):
        at_s = index / RATE
        if not moves:
            continue
        if began is None or at_s - last > GAP_S:
            began, told = at_s, False
        last = at_s
        if not told and at_s - began >= LONG_S:
            events, told = events + 1, True
    return events
