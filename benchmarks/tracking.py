"""Trackers beside each other on the same detections: HOTA, MOTA, IDF1, id switches and microseconds per frame.

`python -m benchmarks tracking DIR…` over MOTChallenge folders. ngatu runs with its default settings everywhere.
Each peer runs in the few ways in which its own documentation says that it may be used, and its row is the way
with the best mean HOTA over all sequences of that table: the choice favours the peer. Detections are given on
every frame, or on every 2nd, 3rd and 5th frame only; the output is judged on all frames and on the detection
frames alone, because some peers say nothing in between. Scores are clipped to 0..1 for everyone, for that is
all they promise.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from agent.core.geometry import Floats
from agent.core.ids import Ids
from agent.core.tracking import tracker
from agent.core.types import WHOLE, Box, Detection, Instant, Sighting
from agent.errors import NgatuError
from benchmarks.mot import LAYOUT, Output, Sequence, folders, read, score

EVERY = (1, 2, 3, 5)

HOLD_S = 0.2
"""Our unseen track is shown for so long after the look that found it (norfair: up to four frames)."""

Step = Callable[[int, Floats | None], tuple[list[int], list[list[float]]]]
"""One frame: its index, its detections (N, 5) or None where the detector did not run; gives ids and boxes."""

Way = Callable[[Sequence, int], Step]
"""A tracker made ready for a sequence with detections on every n-th frame."""


def main(paths: list[Path]) -> list[dict[str, object]]:
    """One row per detector, step and tracker: means over the sequences.

    Raises:
        NgatuError: a folder is not as MOTChallenge has it, or nobody detected anything.
    """
    sequences = [read(folder) for folder in folders(paths)]
    if not any(each.detections for each in sequences):
        raise NgatuError(f"no det*/det.txt in {', '.join(map(str, paths))}", LAYOUT)
    rows: list[dict[str, object]] = []
    for title, chosen in _choices(sequences):
        for every in EVERY:
            rows += _table(title, chosen, every)
    return rows


def _choices(sequences: list[Sequence]) -> Iterator[tuple[str, list[tuple[Sequence, str]]]]:
    """The main table takes the best detections that each sequence has; others follow where there are any."""
    best = best_detections(sequences)
    yield "best", best
    for name in sorted({name for each in sequences for name in each.detections}):
        chosen = [(each, name) for each in sequences if name in each.detections]
        if any(pair not in best for pair in chosen):
            yield name, chosen


def best_detections(sequences: list[Sequence]) -> list[tuple[Sequence, str]]:
    """The sequences that have detections, each with the name of the best that it has."""
    return [(each, min(each.detections, key=_rank)) for each in sequences if each.detections]


def _rank(name: str) -> tuple[bool, str]:
    return name != "det_sort", name


def _table(title: str, chosen: list[tuple[Sequence, str]], every: int) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for name, ways in trackers().items():
        tries = [_row(title, chosen, every, name, way, make) for way, make in ways.items()]
        rows.append(max(tries, key=lambda row: float(str(row["HOTA"]))))
    return rows


def _row(
    title: str, chosen: list[tuple[Sequence, str]], every: int, name: str, way: str, make: Way
) -> dict[str, object]:
    whole, looked, spent_us, frames = [], [], 0.0, 0
    for sequence, detector in chosen:
        output, took_s = run(make(sequence, every), sequence, detector, every)
        whole.append(score(sequence, output, list(range(sequence.frames))))
        looked.append(score(sequence, output, list(range(0, sequence.frames, every))))
        spent_us += took_s * 1e6
        frames += sequence.frames
    row: dict[str, object] = {"detections": title, "every": every, "tracker": name}
    row |= {key: round(float(np.mean([each[key] for each in whole])), 4) for key in ("HOTA", "MOTA", "IDF1")}
    row |= {"switches": int(sum(each["switches"] for each in whole))}
    row |= {
        f"{key} looked": round(float(np.mean([each[key] for each in looked])), 4) for key in ("HOTA", "IDF1")
    }
    return row | {"us_per_frame": round(spent_us / frames), "way": way}


def run(step: Step, sequence: Sequence, detector: str, every: int) -> tuple[Output, float]:
    """A tracker over a sequence with detections on every n-th frame; its output and the seconds it took."""
    output: Output = []
    took_s = 0.0
    for n, detections in enumerate(sequence.detections[detector]):
        start = time.perf_counter()
        ids, boxes = step(n, detections if n % every == 0 else None)
        took_s += time.perf_counter() - start
        output.append((np.array(ids, np.int64), np.array(boxes, float).reshape(-1, 4)))
    return output, took_s


def trackers() -> dict[str, dict[str, Way]]:
    """Every tracker that is installed, with the ways in which it may be used."""
    table: dict[str, dict[str, Way]] = {"ngatu": {"default": ngatu}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table |= _roboflow()
        table |= _norfair()
    return table


def ngatu(sequence: Sequence, _every: int = 1, settings: tracker.TrackSettings | None = None) -> Step:
    """Our tracker with its defaults. There are no pixels here, so what moves is not known: everything may."""
    obeyed = settings or tracker.TrackSettings()
    size = np.array([sequence.width, sequence.height] * 2, float)
    state: tracker.TrackerState | None = None
    ids = Ids(b"benchmark of trackers")
    numbers: dict[str, int] = {}
    last_look = Instant(0.0, 0.0)

    def step(n: int, detections: Floats | None) -> tuple[list[int], list[list[float]]]:
        nonlocal state, ids, last_look
        at = Instant(n / sequence.rate, 1.7e9 + n / sequence.rate)
        found = () if detections is None else tuple(_detection(row, size) for row in detections)
        last_look = last_look if detections is None else at
        looked = () if detections is None else (WHOLE,)
        state, ids, tracks = tracker.update(state, Sighting(at, looked, found, (WHOLE,)), ids, obeyed)
        # Between looks the box is a prediction, soon after a miss a good guess, later a bad one.
        shown = [t for t in tracks if t.confirmed and not t.ended and last_look.since(t.last_seen) <= HOLD_S]
        for each in shown:
            numbers.setdefault(each.id, len(numbers) + 1)
        boxes = [[t.box.left, t.box.top, t.box.right, t.box.bottom] for t in shown]
        return [numbers[t.id] for t in shown], (np.array(boxes).reshape(-1, 4) * size).tolist()

    return step


def _detection(row: Floats, size: Floats) -> Detection:
    left, top, right, bottom = (row[:4] / size).tolist()
    return Detection("person", float(row[4]), Box(left, top, right, bottom))


def _roboflow() -> dict[str, dict[str, Way]]:
    """ByteTrack, SORT and OC-SORT of the package `trackers` (those that the installed version has)."""
    try:
        import supervision  # noqa: PLC0415
        import trackers  # noqa: PLC0415
    except ImportError:
        return {}

    def way(kind: str, rated: bool, timed: bool, skips: bool) -> Way:
        def make(sequence: Sequence, every: int) -> Step:
            rate = sequence.rate / (every if skips and not timed else 1)
            peer = getattr(trackers, kind)(**({"frame_rate": rate} if rated else {}))

            def step(n: int, detections: Floats | None) -> tuple[list[int], list[list[float]]]:
                if detections is None and skips:
                    return [], []
                given = np.zeros((0, 5)) if detections is None else detections
                seen = supervision.Detections(xyxy=given[:, :4].astype(np.float32), confidence=given[:, 4])
                tracked = peer.update(seen, timestamp=n / sequence.rate) if timed else peer.update(seen)
                real = [] if tracked.tracker_id is None else np.flatnonzero(np.asarray(tracked.tracker_id) >= 0)
                return [int(tracked.tracker_id[i]) for i in real], [tracked.xyxy[i].tolist() for i in real]

            return step

        return make

    ways = {
        "30 fps assumed": (False, False, False),
        "frame rate told": (True, False, False),
        "detection frames only, 30 fps assumed": (False, False, True),
        "detection frames only, their rate told": (True, False, True),
        "detection frames only, time told": (True, True, True),
    }
    kinds = {"ByteTrack": "ByteTrackTracker", "SORT": "SORTTracker", "OC-SORT": "OCSORTTracker"}
    timed = hasattr(trackers, "OCSORTTracker")  # the releases that have it also take time stamps
    return {
        name: {what: way(kind, *how) for what, how in ways.items() if timed or not how[1]}
        for name, kind in kinds.items()
        if hasattr(trackers, kind)
    }


def _norfair() -> dict[str, dict[str, Way]]:
    """The package `norfair`: overlap as distance, two thresholds and delays; its tracks predict."""
    try:
        import norfair  # noqa: PLC0415
    except ImportError:
        return {}

    def way(threshold: float, delay: int | None, every_active: bool) -> Way:
        def make(_sequence: Sequence, every: int) -> Step:
            # Its documentation says how a detector that rests is told: by the period, which the hits count.
            most = max(15, 5 * every)
            peer = norfair.Tracker("iou", threshold, hit_counter_max=most, initialization_delay=delay)

            def step(n: int, detections: Floats | None) -> tuple[list[int], list[list[float]]]:
                if detections is None:
                    tracked = peer.update(None)
                else:
                    boxes = [norfair.Detection(row[:4].reshape(2, 2), np.full(2, row[4])) for row in detections]
                    tracked = peer.update(boxes, period=every)
                shown = [t for t in tracked if every_active or t.live_points.any()]
                return [t.id for t in shown], [t.estimate.reshape(-1).tolist() for t in shown]

            return step

        return make

    ways = {
        f"iou {threshold}, delay {delay}, {'all' if every_active else 'live'}": way(
            threshold, delay, every_active
        )
        for threshold in (0.5, 0.7)
        for delay in (2, None)
        for every_active in (False, True)
    }
    return {"norfair": ways}
