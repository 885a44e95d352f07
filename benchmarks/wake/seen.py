"""What is told of a clip when every packet is decoded, and when the decoder sleeps; in the clip's own time.

The same loop twice: decoder, pipeline and pace of `ngatu run`, without processes and without a clock, so it
gives the same each time. Only what decoding costs is measured.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.cameras import planes
from agent.cameras.decode.decoded import Source
from agent.cameras.decode.stream import Stream
from agent.cameras.settings import CameraSettings
from agent.core import pace, pipeline
from agent.core.ids import Ids
from agent.core.pace import Pace, PaceSettings
from agent.core.pipeline import PipelineSettings, PipelineState
from agent.core.rules.kinds.motion import MotionRule
from agent.core.rules.kinds.object import ObjectRule
from agent.core.rules.settings import RuleSettings
from agent.core.types import EndReason, Event, EventKind, Instant, Phase, Size
from agent.detectors import Detector

START_S = 1000.0
NO_FIELD = Size(416, 416)
"""Of a detector that is not there."""
PACE = PaceSettings(*(CameraSettings.model_fields[name].default for name in ("max_fps", "idle_fps")))
SETTINGS = PipelineSettings(rules=RuleSettings(rules=(MotionRule(id="movement"), ObjectRule(id="road-users"))))


@dataclass(frozen=True, slots=True)
class Start:
    """The beginning of an event, as it is told."""

    kind: EventKind
    at_s: float
    """Seconds of the clip."""
    label: str | None = None


@dataclass
class Watching:
    """One pass."""

    starts: list[Start] = field(default_factory=list)
    looks_s: list[float] = field(default_factory=list)
    """Seconds of the clip at which a picture was looked at."""
    busy_s: list[float] = field(default_factory=list)
    """Of those, where something moved."""
    spent_s: list[tuple[float, float]] = field(default_factory=list)
    """(seconds of the clip, CPU seconds of decoding until then)."""
    woken_s: Sequence[float] = ()
    """What catching up took, each time."""
    frames: int = 0
    left: int = 0
    """Packets that were never decoded."""


def watched(clip: Path, detector: Detector | None, wake: bool) -> Watching:
    """Watch the whole clip."""
    place = f"file:{clip}"
    source = Source("clip", "file", place, str(clip), pace="fast", started=(START_S, 1e9), wake=wake)
    stream = Stream(source, lambda: (START_S, 1e9))
    seen, state, now = Watching(), PipelineState(Ids(b"wake")), Pace()
    not_before_s = float("-inf")
    stream.wanted = lambda mono_s: mono_s >= not_before_s
    stream.calm = lambda: now.calm_gap_s
    detect = detector.detect if detector is not None else lambda images: [()] * len(images)
    field_size = detector.input_size if detector is not None else NO_FIELD
    began, looking = time.process_time(), 0.0
    at = Instant(START_S, 1e9)
    for picture in stream:
        entered = time.process_time()
        at = Instant(picture.mono_s, picture.wall_s)
        frame = planes.frame(picture.index, at, picture.layout, picture.planes, picture.lap)
        state, outcome = pipeline.update(state, frame, detect, field_size, SETTINGS)
        now = pace.update(now, state, outcome, PACE.max_fps, PACE, SETTINGS)
        not_before_s = at.mono_s + now.rest_s
        seen.starts += _starts(outcome.reports, at.mono_s - START_S)
        seen.looks_s.append(at.mono_s - START_S)
        if not outcome.quiet:
            seen.busy_s.append(at.mono_s - START_S)
        looking += time.process_time() - entered
        seen.spent_s.append((at.mono_s - START_S, time.process_time() - began - looking))
        seen.frames = picture.index + 1
    _, ends = pipeline.close(state, at, EndReason.LEFT, SETTINGS)
    seen.starts += _starts(ends, at.mono_s - START_S)
    if stream.dozer is not None:
        seen.woken_s, seen.left = stream.dozer.woken_s, stream.dozer.left
    stream.close()
    return seen


def _starts(reports: Sequence[object], at_s: float) -> list[Start]:
    return [
        Start(each.kind, at_s, each.object.label if each.object else None)
        for each in reports
        if isinstance(each, Event) and each.phase is Phase.START
    ]
