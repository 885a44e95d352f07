"""What the whole agent costs, as ratios to the least that its work can cost.

`python -m benchmarks cost CLIP… MODEL.onnx`: of each clip, three times, medians told:

    idle      nobody in view: all processes of the agent beside decoding alone
    busy      the rest: beside decoding and as many calls of the same detector on pictures of the same sizes
    whole     beside the naive loop: the detector on every whole frame, then ByteTrack
    motion    the agent without a detector, beside Debian's `motion` on the same clip; and its camera and motion
              stage alone on every frame, which the agent never does
    latency   from a frame's instant to a subscriber
    memory    of all processes with 1, 4 and 8 cameras (the first clip)

The agent runs with its defaults; starting is not counted. Everybody watches in the same seconds (watch.py), but
for latency the agent is alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

import av

from agent.cameras.settings import CameraSettings
from agent.errors import NgatuError
from benchmarks.attention import EMPTY
from benchmarks.cost import daemon, found, memory
from benchmarks.cost.sums import Sums, split, sums
from benchmarks.cost.watch import Delays, Watched, delays, watch

RUNS = 3
LONGEST_S = 60.0
MAX_FPS: float = CameraSettings.model_fields["max_fps"].default
"""What a box looks at by default."""
CAMERAS = (1, 4, 8)
MEMORY_S = 15.0

Say = Callable[[str], None]
Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Bar:
    """What is promised: of the figure named, at most or at least so much."""

    limit: float
    least: bool = False

    def judged(self, value: float | None) -> dict[str, object]:
        """The bar in words, and whether the value keeps it."""
        sign = ">=" if self.least else "<="
        kept = None if value is None else value >= self.limit if self.least else value <= self.limit
        return {"bar": f"{sign} {self.limit:g}", "kept": kept}


def main(paths: list[Path], progress: Say = lambda _text: None, runs: int = RUNS) -> list[Row]:
    """Rows for each clip; the .onnx file among the paths is the detector.

    Raises:
        NgatuError: no detector is named, or a program failed.
    """
    models = [path for path in paths if path.suffix == ".onnx"]
    clips = [path for path in paths if path.suffix != ".onnx"]
    if not models or not clips:
        raise NgatuError(
            "cost needs clips and a detector", "name an .onnx file with a model card among the paths"
        )
    rows: list[Row] = []
    for clip in clips:
        facts = Facts.of(clip)
        passes = []
        for number in range(runs):
            progress(f"{clip.name}, {number + 1} of {runs}")
            passes.append(watch(clip, models[0], facts.seconds))
        rows += _work(clip, facts, passes)
        progress(f"{clip.name}, motion alone")
        rows += _motion(clip, facts, runs)
        progress(f"{clip.name}, latency")
        rows += _latency(clip, facts, delays(clip, models[0], facts.seconds))
    return rows + _memory(clips[0], models[0], progress)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a clip's header says."""

    width: int
    height: int
    fps: float
    seconds: float
    """Of it that are watched."""

    @classmethod
    def of(cls, clip: Path) -> Facts:
        """Read them."""
        with av.open(str(clip)) as container:
            stream = container.streams.video[0]
            fps = float(stream.average_rate or 25)
            seconds = (container.duration or 0) / 1e6 or stream.frames / fps
            context = stream.codec_context
            return cls(context.width, context.height, fps, min(LONGEST_S, seconds))


def _work(clip: Path, facts: Facts, passes: Sequence[Watched]) -> list[Row]:
    parts = [split(each, EMPTY.get(clip.name, ())) for each in passes]
    idle = [sums(steps[0], each) for steps, each in zip(parts, passes, strict=True)]
    busy = [sums(steps[1], each) for steps, each in zip(parts, passes, strict=True)]
    whole = [sums(steps[0] + steps[1], each) for steps, each in zip(parts, passes, strict=True)]
    rows: list[Row] = []
    if all(each.seconds for each in idle):
        rows += _beside(clip, "idle", "decode alone", idle, [each.decode for each in idle], 1.3)
    if all(each.seconds for each in busy):
        least = [each.decode + each.detect for each in busy]
        rows += _beside(clip, "busy", "decode and the same calls", busy, least, 1.15)
    return rows + _naive(clip, facts, passes, whole)


def _beside(
    clip: Path, part: str, peer: str, each: Sequence[Sums], least: Sequence[float], limit: float
) -> list[Row]:
    calls = median(one.calls for one in each)
    ratio = median(one.agent / spent for one, spent in zip(each, least, strict=True))
    seconds = median(one.seconds for one in each)
    floor = median(one.per_minute(spent) for one, spent in zip(each, least, strict=True))
    agent = median(one.per_minute(one.agent) for one in each)
    return [
        _row(
            clip,
            part,
            peer,
            cpu_s_per_min=floor,
            ratio=1.0,
            calls=calls if part == "busy" else 0,
            seconds=seconds,
        ),
        _row(clip, part, "ngatu", Bar(limit), cpu_s_per_min=agent, ratio=ratio, calls=calls, seconds=seconds),
    ]


def _naive(clip: Path, facts: Facts, passes: Sequence[Watched], whole: Sequence[Sums]) -> list[Row]:
    name = f"detector on every frame, {passes[0].naive_name}"
    theirs = [found.compared(each.naive_tracks, each.tracks, facts.fps) for each in passes]
    ours = [found.compared(each.tracks, each.naive_tracks, facts.fps) for each in passes]
    ratio = median(each.naive / each.agent for each in whole)
    bar = Bar(4.0 if clip.name in EMPTY else 2.0, least=True)
    agent = median(each.per_minute(each.agent) for each in whole)
    spent = median(each.per_minute(each.naive) for each in whole)
    calls = median(len(each.naive_tracks) for each in passes)
    return [
        _row(
            clip,
            "whole",
            "ngatu",
            cpu_s_per_min=agent,
            ratio=1.0,
            calls=median(each.calls for each in whole),
            objects=median(each.objects for each in ours),
            only_here=median(each.alone for each in ours),
        ),
        _row(
            clip,
            "whole",
            name,
            bar,
            cpu_s_per_min=spent,
            ratio=ratio,
            calls=calls,
            objects=median(each.objects for each in theirs),
            only_here=median(each.alone for each in theirs),
        ),
    ]


def _motion(clip: Path, facts: Facts, runs: int) -> list[Row]:
    fps = min(MAX_FPS, facts.fps)
    passes = [daemon.beside(clip, facts.width, facts.height, fps, facts.seconds) for _ in range(runs)]
    theirs = [each.daemon for each in passes if each.daemon is not None]

    def ours(who: str, spent: Sequence[float]) -> Row:
        bar = Bar(1.0) if theirs else None
        ratio = median(our / each for our, each in zip(spent, theirs, strict=True)) if theirs else None
        return _row(clip, "motion", who, bar, cpu_s_per_min=median(spent), ratio=ratio)

    missing = "" if theirs else ", not installed: apt-get install motion"
    return [
        _row(
            clip,
            "motion",
            f"Debian's motion{missing}",
            cpu_s_per_min=median(theirs) if theirs else None,
            ratio=1.0 if theirs else None,
        ),
        ours("ngatu run without a detector", [each.box for each in passes]),
        ours("camera and motion stage, every frame", [each.stage for each in passes]),
    ]


def _latency(clip: Path, facts: Facts, delays: Delays) -> list[Row]:
    bar = Bar(round(1000 / min(MAX_FPS, facts.fps) + 150))
    rows: list[Row] = []
    for kind in ("all starts", *sorted({kind for kind, _ in delays})):
        values = sorted(1000 * s for name, s in delays if kind in (name, "all starts"))
        if values:
            middle, late = values[len(values) // 2], values[int(len(values) * 0.95)]
            who = f"ngatu, {kind} ({len(values)})"
            promised = bar if kind == "all starts" else None
            rows.append(_row(clip, "latency", who, promised, p50_ms=middle, p95_ms=late))
    return rows


def _memory(clip: Path, model: Path, progress: Say) -> list[Row]:
    held: dict[int, float] = {}
    for cameras in CAMERAS:
        progress(f"memory, {cameras} cameras")
        held[cameras] = memory.peak_mb(clip, model, cameras, MEMORY_S)
    rows = [_row(clip, "memory", "ngatu, 1 camera", Bar(200), mb_each_more=None, mb=held[CAMERAS[0]])]
    for fewer, more in pairwise(CAMERAS):
        each = (held[more] - held[fewer]) / (more - fewer)
        rows.append(_row(clip, "memory", f"ngatu, {more} cameras", Bar(60), mb=held[more], mb_each_more=each))
    return rows


COLUMNS = {
    "idle": ("seconds", "calls", "cpu_s_per_min", "ratio"),
    "busy": ("seconds", "calls", "cpu_s_per_min", "ratio"),
    "whole": ("objects", "only_here", "calls", "cpu_s_per_min", "ratio"),
    "motion": ("cpu_s_per_min", "ratio"),
    "latency": ("p50_ms", "p95_ms"),
    "memory": ("mb", "mb_each_more"),
}
"""The figures of each part; the last one that is there is held against the bar."""


def _row(clip: Path, part: str, who: str, bar: Bar | None = None, **figures: float | None) -> Row:
    row: Row = {"clip": clip.name, "part": part, "who": who}
    chosen = {name: figures.get(name) for name in COLUMNS[part]}
    row |= {name: None if value is None else round(value, 2) for name, value in chosen.items()}
    known = [value for value in chosen.values() if value is not None]
    return row | (bar.judged(known[-1] if known else None) if bar else {"bar": None, "kept": None})
