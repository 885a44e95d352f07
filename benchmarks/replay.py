"""What the whole agent sees of a clip, against the truth: HOTA, MOTA, IDF1 beside a detector and a tracker.

`python -m benchmarks replay CLIP TRUTH_FOLDER MODEL.onnx…`: the truth is a MOTChallenge folder whose frame 1 is
the clip's first. ngatu runs as `ngatu replay` does, with its defaults, and of its tracks those of `LABELS` are
judged, shown as long as a replay shows them. Each peer gets what the same detector finds in the whole of every
frame, and its row is its best way by HOTA: of those of tracking.py, and of the least scores that it is given.

A replay is one draw: a frame more or less before the first, or a time stamp that trembles, lets the detector
look at other moments. So beside the clip as it is stands the mean of several draws, and the worst of them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core import pipeline
from agent.core.geometry import Floats
from agent.core.ids import Ids
from agent.core.image import bgr
from agent.core.pipeline import PipelineSettings, PipelineState
from agent.core.types import Detection, Frame, Instant, Track
from agent.detectors import Detector, load_detector
from agent.detectors.settings import DetectorSettings
from agent.errors import NgatuError
from agent.tools.replay import written
from benchmarks import tracking
from benchmarks.clips import frames
from benchmarks.mot import Output, read, score
from benchmarks.mot import Sequence as Truth

LABELS = frozenset({"person"})
"""What MOTChallenge judges: pedestrians."""
DRAWS = 4
TREMBLE_S = 0.004
"""Spread of the time stamps of a draw; its start is up to two frames late."""
LATE_FRAMES = 3
LEAST_SCORES = (0.0, 0.3, 0.5)
"""Some peers expect that weak detections are left out before, some want them."""

Say = Callable[[str], None]
Row = dict[str, object]
Scores = dict[str, float]


@dataclass(frozen=True, slots=True)
class Seen:
    """What one replay gave."""

    output: Output
    pictures: float
    """That the detector was given, per frame."""


def main(paths: list[Path], progress: Say = lambda _text: None, draws: int = DRAWS) -> list[Row]:
    """Rows for each clip and detector: ngatu as the clip is, the mean and the worst of the draws, the peers.

    Raises:
        NgatuError: a clip without a truth, or no detector.
    """
    cv2.setNumThreads(1)
    models = [path for path in paths if path.suffix == ".onnx"]
    pairs = [(clip, truth) for clip, truth in pairwise(paths) if truth.is_dir()]
    if not models or not pairs:
        raise NgatuError(
            "replay needs a clip, the folder of its truth and a detector",
            "python -m benchmarks replay CLIP TRUTH_FOLDER MODEL.onnx",
        )
    rows: list[Row] = []
    for clip, folder in pairs:
        truth = read(folder)
        for model in models:
            detector = load_detector(DetectorSettings(model=str(model)))
            about: Row = {"clip": clip.name, "detector": model.stem}
            rows += [about | row for row in _ours(clip, truth, detector, draws, progress)]
            progress(f"{clip.name}, {model.stem}: peers")
            rows += [about | row for row in _peers(clip, truth, detector)]
    return rows


def watched(clip: Path, draw: int, size: int) -> Iterator[Frame]:
    """The clip's first `size` frames as one draw has them; draw 0 is the clip as it is."""
    chance = random.Random(draw)
    late = draw % LATE_FRAMES
    last_s = float("-inf")
    for each in frames(clip):
        if each.index >= size:
            return
        if each.index < late:
            continue
        shift_s = chance.gauss(0, TREMBLE_S) if draw else 0.0
        at_s = max(last_s + 1e-3, each.at.mono_s + shift_s)
        last_s = at_s
        yield replace(each, at=Instant(at_s, each.at.wall_s + at_s - each.at.mono_s))


def replayed(clip: Path, truth: Truth, detector: Detector, draw: int, labels: frozenset[str] = LABELS) -> Seen:
    """One replay through all stages; frames that a late start leaves out hold no track."""
    settings = PipelineSettings()
    state = PipelineState(Ids(b"benchmark of replays"))
    numbers: dict[str, int] = {}
    output: Output = [_shown((), numbers, truth)] * truth.frames
    pictures = 0
    for each in watched(clip, draw, truth.frames):
        state, outcome = pipeline.update(state, each, detector.detect, detector.input_size, settings)
        pictures += len(outcome.crops)
        shown = [one for one in written(outcome.tracks, each.at) if one.label in labels]
        output[each.index] = _shown(shown, numbers, truth)
    return Seen(output, pictures / truth.frames)


def _shown(tracks: Sequence[Track], numbers: dict[str, int], truth: Truth) -> tuple[NDArray[np.int64], Floats]:
    ids = [numbers.setdefault(each.id, len(numbers) + 1) for each in tracks]
    sides = [(each.box.left, each.box.top, each.box.right, each.box.bottom) for each in tracks]
    boxes = np.array(sides, float).reshape(-1, 4) * ([truth.width, truth.height] * 2)
    return np.array(ids, np.int64), boxes


def _ours(clip: Path, truth: Truth, detector: Detector, draws: int, progress: Say) -> Iterator[Row]:
    every = list(range(truth.frames))
    runs: list[tuple[Scores, float]] = []
    for draw in range(draws + 1):
        progress(f"{clip.name}: {draw} of {draws} draws")
        seen = replayed(clip, truth, detector, draw)
        runs.append((score(truth, seen.output, every), seen.pictures))
    (itself, pictures), rest = runs[0], runs[1:]
    yield _row("ngatu", "the clip as it is", itself, pictures)
    if rest:
        mean = {key: float(np.mean([each[key] for each, _ in rest])) for key in itself}
        yield _row("ngatu", f"mean of {draws} draws", mean, float(np.mean([each for _, each in rest])))
        worst, pictures = min(rest, key=lambda each: each[0]["MOTA"])
        yield _row("ngatu", "the draw with the least MOTA", worst, pictures)


def _peers(clip: Path, truth: Truth, detector: Detector) -> Iterator[Row]:
    found = [_rows(detector.detect([bgr(each)])[0], truth) for each in watched(clip, 0, truth.frames)]
    given = replace(
        truth, detections={str(least): [_sure(each, least) for each in found] for least in LEAST_SCORES}
    )
    every = list(range(truth.frames))
    for name, ways in tracking.trackers().items():
        if name == "ngatu":
            continue
        tries = []
        for (way, make), least in product(ways.items(), given.detections):
            output, _ = tracking.run(make(given, 1), given, least, 1)
            tries.append((score(truth, output, every), f"{way}, scores from {least}"))
        best, way = max(tries, key=lambda each: each[0]["HOTA"])
        yield _row(name, way, best, 1.0)


def _sure(rows: Floats, least: float) -> Floats:
    return np.asarray(rows[rows[:, 4] >= least])


def _rows(found: Sequence[Detection], truth: Truth) -> Floats:
    """Detections as MOTChallenge has them: (N, 5), left, top, right, bottom in pixels, score."""
    rows = [
        (each.box.left, each.box.top, each.box.right, each.box.bottom, each.score)
        for each in found
        if each.label in LABELS
    ]
    size = [truth.width, truth.height, truth.width, truth.height, 1]
    return np.array(rows, float).reshape(-1, 5) * size


def _row(who: str, how: str, scores: Scores, pictures: float) -> Row:
    figures: Row = {key: round(scores[key], 4) for key in ("HOTA", "MOTA", "IDF1")}
    counts: Row = {"switches": round(scores["switches"], 1), "pictures a frame": round(pictures, 2)}
    return {"who": who, "how": how, **figures, **counts}
