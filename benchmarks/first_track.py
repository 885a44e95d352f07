"""How soon somebody is followed: from the first frame of a clip, or from a light switch, to the first track.

    python -m benchmarks first_track CLIP… MODEL.onnx…

Media time, on frames as a box takes them: at most `max_fps` a second, and none while the last outcome said
that nothing is wanted. A clip in which nobody can be recognised at that moment, by eye, has no figure there
(`AT_ONCE`). Four moments:

- `start`: the first frame of the clip, of which nothing is known.
- `half`, `bright`, `lamp`: after five seconds the light changes in one frame, to a half, to 1.8 times, or a
  lamp lights a third of the view. Clips that are shorter go to and fro.

After a switch there are two ways. `goes on`: the clip goes on, and the first track is the first that a look
has seen since, whoever it is. `from nothing`: the box has watched the clip's view without what moves for five
seconds (the median of its frames), and with the switch the clip begins: of who moves in it nobody is known.

What a look costs does not count, but for `slow board`: there each picture keeps the camera's thread for 0.1 s,
and frames that come meanwhile are missed, as on a box.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, cycle, islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.cameras.settings import CameraSettings, FileSource
from agent.core import pace, pipeline
from agent.core.ids import Ids
from agent.core.pace import Pace, PaceSettings
from agent.core.pipeline import Outcome, PipelineSettings, PipelineState
from agent.core.types import Frame, Instant, Track
from agent.detectors import Detector, load_detector
from agent.detectors.settings import DetectorSettings
from agent.errors import NgatuError
from benchmarks.clips import frames, still_view

AT_ONCE = {
    "jamcam-day.mp4": (True, True),
    "jamcam-night-1.mp4": (True, True),
    "jamcam-night-2.mp4": (True, True),
    "junction.mp4": (True, True),
    "motorbikes-arterial.mp4": (True, True),
    "motorbikes-bridge.mp4": (True, True),
    "person-bicycle-car-detection.mp4": (True, False),
    "pi-cars-cyclist.mp4": (True, True),
    "pi-cars-truck.mp4": (True, True),
    "street-people.mp4": (True, True),
    "t-junction.mp4": (True, True),
    "vtest.avi": (True, True),
    "car-detection.mp4": (False, True),
}
"""By clip: whether somebody can be recognised in its first frame, and whether five seconds later."""

SWITCH_S = 5.0
WATCH_S = 4.0
"""So long somebody is waited for; nobody by then is told as none."""
SLOW_S = (0.0, 0.1)
"""Seconds that a picture keeps the camera's thread: none, and a slow board."""

Planes = NDArray[np.float32]
Light = Callable[[Frame], Frame]
Say = Callable[[str], None]
Row = dict[str, object]


def gain(times: float) -> Light:
    """All of the view so many times as bright."""
    return lambda frame: _lit(frame, np.float32(times), np.float32(times))


def lamp(frame: Frame) -> Frame:
    """A lamp lights a third of the view: a disc in its middle, half of its rim soft."""
    return _lit(frame, *(1 + 1.2 * _disc(plane.shape) for plane in (frame.luma, frame.u)))


LIGHTS: dict[str, Light] = {"half": gain(0.5), "bright": gain(1.8), "lamp": lamp}


def _lit(frame: Frame, luma: Planes | np.float32, chroma: Planes | np.float32) -> Frame:
    """The frame with its colours multiplied; limited range, as cameras send it."""
    y, u, v = (
        np.clip((plane.astype(np.float32) - zero) * times + zero, 0, 255).round().astype(np.uint8)
        for plane, zero, times in ((frame.luma, 16, luma), (frame.u, 128, chroma), (frame.v, 128, chroma))
    )
    return replace(frame, luma=y, u=u, v=v)


def _disc(shape: tuple[int, ...]) -> Planes:
    """1 in the middle, 0 outside, a third of the view from the middle of its soft rim on: (H, W)."""
    height, width = shape
    radius = np.sqrt(height * width / 3 / np.pi)
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    far = np.hypot(down - height / 2, across - width / 2) / radius
    return np.asarray(np.clip((1.25 - far) / 0.5, 0, 1), np.float32)


@dataclass(frozen=True, slots=True)
class Watched:
    """A box's camera after a frame."""

    state: PipelineState = field(default_factory=lambda: PipelineState(Ids(b"benchmark of first tracks")))
    pace: Pace = field(default_factory=Pace)
    due_s: float = float("-inf")
    """The mono_s before which no frame is taken."""
    pictures: int = 0
    """That the detector was given."""


def taken(before: Watched, frame: Frame, detector: Detector, call_s: float) -> tuple[Watched, Outcome | None]:
    """The camera after this frame, and what it gave; None where it is not taken."""
    if frame.at.mono_s < before.due_s - 0.001:
        return before, None
    settings = PipelineSettings()
    camera = CameraSettings(name="clip", source=FileSource(kind="file", path=Path("clip")))
    rates = PaceSettings(camera.max_fps, camera.idle_fps)
    state, outcome = pipeline.update(before.state, frame, detector.detect, detector.input_size, settings)
    after = pace.update(before.pace, state, outcome, camera.max_fps, rates, settings)
    # Counted on from the moment it was due, as the decoder does it, so that the mean rate is `max_fps`.
    next_s = before.due_s + 1 / camera.max_fps
    next_s = next_s if next_s > frame.at.mono_s else frame.at.mono_s + 1 / camera.max_fps
    busy_s = len(outcome.crops) * call_s
    due_s = max(next_s, frame.at.mono_s + max(after.rest_s, busy_s))
    return Watched(state, after, due_s, before.pictures + len(outcome.crops)), outcome


@dataclass(frozen=True, slots=True)
class First:
    """The first track after a moment."""

    after_s: float | None
    """From the moment to the frame with which it was told; None: nobody was."""
    label: str | None
    pictures: int
    """That the detector was given until then."""


def first(watched: Watched, rest: Iterable[Frame], detector: Detector, call_s: float = 0.0) -> First:
    """Watch on from here until a confirmed track is seen; the first of the frames is the moment."""
    began: Instant | None = None
    before = watched.pictures
    for frame in rest:
        began = began or frame.at
        if frame.at.since(began) > WATCH_S:
            break
        watched, outcome = taken(watched, frame, detector, call_s)
        if outcome and (tracks := _seen_since(outcome.tracks, began)):
            late_s = frame.at.since(began) + len(outcome.crops) * call_s
            return First(late_s, tracks[0].label, watched.pictures - before)
    return First(None, None, watched.pictures - before)


def _seen_since(tracks: Sequence[Track], began: Instant) -> list[Track]:
    return [
        each for each in tracks if each.confirmed and not each.ended and each.last_seen.mono_s >= began.mono_s
    ]


def to_and_fro(clip: Path, seconds: float) -> Iterator[Frame]:
    """The first seconds of a clip; where it is shorter it is shown backwards and forwards again."""
    every = list(_head(frames(clip), seconds))
    gap_s = every[1].at.since(every[0].at)
    turns = chain.from_iterable(cycle((every, every[-2:0:-1])))
    start = every[0].at
    for index, each in enumerate(islice(turns, round(seconds / gap_s))):
        yield replace(each, index=index, at=_later(start, index * gap_s))


def _head(source: Iterator[Frame], seconds: float) -> Iterator[Frame]:
    start: Instant | None = None
    for each in source:
        start = start or each.at
        if each.at.since(start) >= seconds:
            return
        yield each


def _later(at: Instant, seconds: float) -> Instant:
    return Instant(at.mono_s + seconds, at.wall_s + seconds)


def from_nothing(clip: Path) -> tuple[list[Frame], list[Frame]]:
    """The clip's view without anybody for `SWITCH_S`, and its beginning behind that."""
    begins = list(_head(frames(clip), WATCH_S))
    view, like = np.asarray(still_view(clip), np.uint8), begins[0]
    grey = np.full_like(like.u, 128)
    empty = [
        Frame(index, _later(like.at, index / 10), view, grey, grey) for index in range(round(10 * SWITCH_S))
    ]
    return empty, [replace(each, at=_later(each.at, SWITCH_S)) for each in begins]


def main(paths: list[Path], progress: Say = lambda _text: None) -> list[Row]:
    """A row per clip and detector.

    Raises:
        NgatuError: no detector is among the paths.
    """
    cv2.setNumThreads(1)
    models = [path for path in paths if path.suffix == ".onnx"]
    if not models:
        hint = "python -m benchmarks first_track CLIP… MODEL.onnx"
        raise NgatuError("first_track needs clips and detectors", hint)
    rows: list[Row] = []
    for model in models:
        detector = load_detector(DetectorSettings(model=str(model)))
        for clip in (path for path in paths if path not in models):
            progress(f"{clip.name}, {model.stem}")
            rows.append({"clip": clip.stem, "detector": model.stem} | _row(clip, detector))
    return rows


def _row(clip: Path, detector: Detector) -> Row:
    starts, goes_on = AT_ONCE.get(clip.name, (True, True))
    row: Row = {"start": None, "pictures": None, "slow board": None}
    row |= {f"{name}, {way}": None for way in ("goes on", "from nothing") for name in LIGHTS}
    if starts:
        begins = list(_head(frames(clip), WATCH_S))
        quick, slow = (first(Watched(), begins, detector, call_s) for call_s in SLOW_S)
        row |= {"start": _told(quick), "pictures": quick.pictures, "slow board": _told(slow)}
        row |= _switched(*from_nothing(clip), detector, "from nothing")
    if goes_on:
        every = list(to_and_fro(clip, SWITCH_S + WATCH_S))
        until = sum(each.at.since(every[0].at) < SWITCH_S for each in every)
        row |= _switched(every[:until], every[until:], detector, "goes on")
    return row


def _switched(before: list[Frame], after: list[Frame], detector: Detector, way: str) -> Row:
    watched = Watched()
    for each in before:
        watched, _ = taken(watched, each, detector, 0.0)
    return {
        f"{name}, {way}": _told(first(watched, map(light, after), detector)) for name, light in LIGHTS.items()
    }


def _told(seen: First) -> float | None:
    """Seconds; beyond what was watched: nobody was told."""
    return float("inf") if seen.after_s is None else round(seen.after_s, 2)
