"""The same pipeline over a file: deterministic, as fast as possible.

A replay has its own time, which begins at a fixed moment, and its own seed for ids, so that two replays of one
clip give the same bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from agent.cameras.local import LocalCamera
from agent.cameras.settings import CameraSettings
from agent.core import pipeline
from agent.core.ids import Ids
from agent.core.pipeline import Outcome, PipelineSettings, PipelineState
from agent.core.types import Count, EndReason, Event, Frame, Instant, Phase, Size, Track
from agent.detectors import Detector
from agent.errors import NgatuError
from agent.publishing.compose import Sender, count_message, event_messages
from agent.tools.overlay import Painter, VideoFile, video
from agent.wire.message import Message

SEED = b"ngatu replays always give the same ids"
HOLD_S = 0.22
"""A track is written for so long after it was last seen: one miss is no reason to break a line in two. A little
more than two frames of a slow camera, whose time stamps tremble."""
MAX_FPS = 120.0
"""A replay looks at every picture of the file."""


@dataclass(frozen=True, slots=True)
class FixedClock:
    """Time stands still at the moment a replay begins; the file's own time stamps move it."""

    moment: Instant

    def now(self) -> Instant:
        """The beginning of the replay."""
        return self.moment


@dataclass(frozen=True, slots=True)
class Outputs:
    """What a replay writes; None: nothing."""

    events: Path | None = None
    """One event or count per line, as it lies in the outbox (docs/reference/wire.md)."""
    tracks: Path | None = None
    """MOTChallenge: frame, id, left, top, width, height in pixels, score, -1, -1, -1."""
    overlay: Path | None = None
    images: Path | None = None
    """A folder for the pictures of events."""


@dataclass
class Summary:
    """What a replay came to."""

    frames: int = 0
    looked: int = 0
    """Frames on which the detector ran."""
    crops: int = 0
    events: Counter[str] = field(default_factory=Counter)
    """By kind; an event counts once."""
    labels: Counter[str] = field(default_factory=Counter)
    """Of confirmed tracks."""


def written(tracks: Sequence[Track], at: Instant) -> tuple[Track, ...]:
    """Those of a frame's tracks that are written: confirmed, alive, and seen a moment ago."""
    return tuple(
        each for each in tracks if each.confirmed and not each.ended and at.since(each.last_seen) <= HOLD_S
    )


@dataclass
class _Writer:
    """Writes what each frame gave."""

    sender: Sender
    labels: frozenset[str]
    summary: Summary
    events: TextIO | None = None
    tracks: TextIO | None = None
    images: Path | None = None
    numbers: dict[str, int] = field(default_factory=dict)

    def frame(self, frame: Frame, outcome: Outcome) -> None:
        self.summary.frames += 1
        self.summary.looked += bool(outcome.crops)
        self.summary.crops += len(outcome.crops)
        for each in outcome.tracks:
            if each.confirmed and not each.ended and each.id not in self.numbers:
                self.numbers[each.id] = len(self.numbers) + 1
                self.summary.labels[each.label] += 1
        for each in written(outcome.tracks, frame.at):
            self._track(frame, each)

    def write_events(self, outcomes: Sequence[Event | Count]) -> None:
        for each in outcomes:
            if isinstance(each, Event) and each.phase is Phase.START:
                self.summary.events[each.kind.value] += 1
            if isinstance(each, Event):
                for message in event_messages(each, self.sender):
                    self._message(message)
            else:
                self._message(count_message(each, self.sender))

    def _track(self, frame: Frame, track: Track) -> None:
        if self.tracks is None or (self.labels and track.label not in self.labels):
            return
        box, size = track.box, frame.size
        left, top = box.left * size.width_px, box.top * size.height_px
        width, height = box.width * size.width_px, box.height * size.height_px
        place = f"{left:.2f},{top:.2f},{width:.2f},{height:.2f}"
        self.tracks.write(f"{frame.index + 1},{self.numbers[track.id]},{place},{track.score:.4f},-1,-1,-1\n")

    def _message(self, message: Message) -> None:
        if message.content_type == "application/json":
            if self.events is not None:
                self.events.write(message.body.decode() + "\n")
        elif self.images is not None:
            kind = message.topic.rsplit("/", 1)[-1]
            (self.images / f"{message.event_id}-{message.revision:03d}-{kind}.jpg").write_bytes(message.body)


def replay(
    camera: CameraSettings,
    settings: PipelineSettings,
    detector: Detector,
    *,
    sender: Sender,
    outputs: Outputs,
    start: Instant,
    labels: frozenset[str] = frozenset(),
    on_frame: Callable[[Frame], None] = lambda _frame: None,
) -> Summary:
    """Run the pipeline over the camera's file; `labels` limits which tracks are written, empty: all.

    Raises:
        CameraError: the file cannot be read.
        ModelError: the detector failed.
        NgatuError: an output cannot be written.
    """
    summary = Summary()
    state = PipelineState(Ids(SEED))
    source = LocalCamera(camera, FixedClock(start))
    with ExitStack() as files:
        files.callback(source.close)
        writer = _writer(files, outputs, sender, labels, summary)
        painter, film = Painter(settings.rules), None
        last = start
        for frame in source.frames():
            state, outcome = pipeline.update(state, frame, detector.detect, detector.input_size, settings)
            writer.frame(frame, outcome)
            writer.write_events(outcome.reports)
            if outputs.overlay is not None:
                film = film or _film(files, outputs.overlay, source, frame.size)
                film.write(painter.draw(frame, outcome))
            last = frame.at
            on_frame(frame)
        _, ends = pipeline.close(state, last, EndReason.LEFT, settings)
        writer.write_events(ends)
    return summary


def _writer(
    files: ExitStack, outputs: Outputs, sender: Sender, labels: frozenset[str], summary: Summary
) -> _Writer:
    try:
        events, tracks = (
            files.enter_context(path.open("w", encoding="utf-8")) if path else None
            for path in (outputs.events, outputs.tracks)
        )
        if outputs.images is not None:
            outputs.images.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(error.filename, error) from error
    return _Writer(sender, labels, summary, events, tracks, outputs.images)


def _film(files: ExitStack, path: Path, source: LocalCamera, size: Size) -> VideoFile:
    fps = source.facts.fps if source.facts and source.facts.fps else 25.0
    try:
        return files.enter_context(video(path, size, fps))
    except (OSError, ValueError) as error:  # PyAV's errors are one or the other
        raise _unwritable(path, error) from error


def _unwritable(path: Path | str, error: Exception) -> NgatuError:
    reason = getattr(error, "strerror", None) or error
    return NgatuError(f"{path}: cannot be written: {reason}", "name a file in a folder that is there")
