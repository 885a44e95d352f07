"""The same clip on two backends: do the same events come of it, and what does each cost?

`python -m benchmarks backends CLIP… MODEL.onnx`: NCNN's model is made of it first, as `ngatu models ncnn` does.
Both replay each clip's first `SECONDS` with ngatu's defaults. An event of one matches an event of the other of
the same rule, kind and label that begins at most `TOLERANCE_S` away. Milliseconds are of the processor, on the
crops of the replay; megabytes are what a process grows by (PSS) that loads the detector and calls it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import cv2

from agent.core import pipeline
from agent.core.ids import Ids
from agent.core.pipeline import PipelineSettings, PipelineState
from agent.core.rules.kinds.motion import MotionRule
from agent.core.rules.kinds.object import ObjectRule
from agent.core.rules.settings import RuleSettings
from agent.core.types import Detection, Event, Image
from agent.detectors import load_detector
from agent.detectors.settings import DetectorSettings
from agent.errors import NgatuError
from benchmarks.clips import frames
from models.convert.ncnn import add_ncnn

SECONDS = 60.0
TOLERANCE_S = 0.5
SETTINGS = PipelineSettings(rules=RuleSettings(rules=(MotionRule(id="movement"), ObjectRule(id="road-users"))))
BACKENDS = {".onnx": "onnxruntime", ".ncnn": "ncnn"}
MEMORY = """
import json, sys
import numpy as np
import agent.detectors.card_detector
from agent.detectors import load_detector
from agent.detectors.settings import DetectorSettings
def kilobytes():
    with open("/proc/self/smaps_rollup", encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
before = kilobytes()
it = load_detector(DetectorSettings.model_validate(json.loads(sys.argv[1])))
for n in range(5):
    it.detect([np.full((360, 640, 3), 40 * n, np.uint8)])
print((kilobytes() - before) / 1024)
"""

Say = Callable[[str], None]
Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class BackendRun:
    """What one replay gave."""

    begins: list[tuple[str, str, str, float]]
    """Rule, kind, label and second of each event's begin."""
    found: list[tuple[Detection, ...]]
    """In each crop, in order."""
    ms: float
    """Of a crop."""


def main(paths: list[Path], progress: Say = lambda _text: None) -> list[Row]:
    """A row for each clip.

    Raises:
        NgatuError: no clip, or not one model of each kind.
    """
    cv2.setNumThreads(1)
    models = [path for path in paths if path.suffix == ".onnx"]
    clips = [path for path in paths if path.suffix != ".onnx"]
    if len(models) != 1 or not clips:
        raise NgatuError(
            "backends needs clips and one detector", "python -m benchmarks backends CLIP MODEL.onnx"
        )
    with tempfile.TemporaryDirectory() as folder:
        made = add_ncnn(models[0], Path(folder))
        return _rows(clips, _settings(models[0]), _settings(made), progress)


def _rows(clips: Sequence[Path], onnx: DetectorSettings, ncnn: DetectorSettings, progress: Say) -> list[Row]:
    memory = {each.backend: _megabytes(each) for each in (onnx, ncnn)}
    rows: list[Row] = []
    for clip in clips:
        runs = []
        for each in (onnx, ncnn):
            progress(f"{clip.name}: {each.backend}")
            runs.append(replayed(clip, each))
        rows.append({"clip": clip.name} | compared(*runs) | {
            "onnxruntime ms": round(runs[0].ms, 1), "ncnn ms": round(runs[1].ms, 1),
            "onnxruntime MB": round(memory["onnxruntime"]), "ncnn MB": round(memory["ncnn"]),
        })  # fmt: skip
    return rows


def _settings(model: Path) -> DetectorSettings:
    return DetectorSettings(model=str(model.absolute()), backend=BACKENDS[model.suffix], threads=1)


def replayed(clip: Path, settings: DetectorSettings) -> BackendRun:
    """The clip's begin through all stages."""
    detector = load_detector(settings)
    state = PipelineState(Ids(b"benchmark of backends"))
    begins, crops, spent_s = [], list[tuple[Detection, ...]](), 0.0

    def look(images: Sequence[Image]) -> list[tuple[Detection, ...]]:
        nonlocal spent_s
        began = time.process_time()
        answers = detector.detect(images)
        spent_s += time.process_time() - began
        crops.extend(answers)
        return answers

    first_s: float | None = None
    for frame in frames(clip):
        first_s = frame.at.mono_s if first_s is None else first_s
        if frame.at.mono_s - first_s > SECONDS:
            break
        state, outcome = pipeline.update(state, frame, look, detector.input_size, SETTINGS)
        first = [each for each in outcome.reports if isinstance(each, Event) and each.revision == 1]
        begins += [_begin(each, first_s) for each in first]
    return BackendRun(begins, crops, 1000 * spent_s / max(1, len(crops)))


def compared(one: BackendRun, other: BackendRun) -> Row:
    """How many events match, and how far apart the scores of what is found in the same crops are."""
    left, matched, apart_s = list(other.begins), 0, 0.0
    for event in one.begins:
        near = [each for each in left if each[:3] == event[:3] and abs(each[3] - event[3]) <= TOLERANCE_S]
        if near:
            best = min(near, key=lambda each: abs(each[3] - event[3]))
            left.remove(best)
            matched, apart_s = matched + 1, max(apart_s, abs(best[3] - event[3]))
    pairs = list(
        takewhile(lambda pair: len(pair[0]) == len(pair[1]), zip(one.found, other.found, strict=False))
    )
    scores = [abs(a.score - b.score) for mine, theirs in pairs for a, b in zip(mine, theirs, strict=True)]
    return {
        "events": f"{len(one.begins)} / {len(other.begins)}", "matched": matched, "apart s": round(apart_s, 3),
        "crops": f"{len(one.found)} / {len(other.found)}", "alike": len(pairs),
        "score apart": f"{max(scores, default=0.0):.1e}",
    }  # fmt: skip


def _begin(event: Event, first_s: float) -> tuple[str, str, str, float]:
    label = event.object.label if event.object else ""
    return event.rule_id, event.kind.value, label, event.started.mono_s - first_s


def _megabytes(settings: DetectorSettings) -> float:
    words = json.dumps(settings.model_dump(mode="json"))
    done = subprocess.run([sys.executable, "-c", MEMORY, words], capture_output=True, text=True, check=True)
    return float(done.stdout)
