"""Watches one camera: newest frame through the pipeline into the outbox, for ever.

A camera that is lost is one event and one log line, and its return another. What was open when it was lost is
ended with end_reason camera_lost, for nobody can say what became of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal, Protocol

import structlog

from agent.cameras import open_camera
from agent.cameras.isolate import IsolatedCamera
from agent.cameras.settings import CameraSettings, FileSource
from agent.clock import Clock
from agent.core import pipeline
from agent.core.ids import Ids
from agent.core.pipeline import Outcome, PipelineSettings, PipelineState
from agent.core.types import (
    Count,
    Detection,
    EndReason,
    Event,
    EventKind,
    Frame,
    Image,
    Instant,
    Phase,
    Severity,
)
from agent.delivery.compose import Sender, count_message, event_messages
from agent.delivery.message import Message
from agent.detectors import Detector
from agent.errors import CameraError, OutboxError
from agent.supervise import Backoff, Stop, Voice

log = structlog.get_logger(__name__)

State = Literal["streaming", "stalled", "lost", "blind", "disabled"]
UNKEPT = 2000
"""Messages held in memory while the outbox cannot be written."""


class Keeper(Protocol):
    """Where messages are kept until the station has them."""

    def put(self, messages: Sequence[Message]) -> list[int]:
        """Returns when they are safe. Raises OutboxError when they are not."""
        ...


@dataclass(frozen=True, slots=True)
class CameraState:
    """What is said about a camera on its status topic."""

    state: State
    since: Instant
    reason: str | None = None


@dataclass
class Figures:
    """What health says about one camera."""

    frames_in: int = 0
    frames_dropped: int = 0
    last_frame: Instant | None = None
    analysed: deque[float] = field(default_factory=lambda: deque(maxlen=100))
    """mono_s of the latest frames that were looked at."""
    detect_ms: deque[float] = field(default_factory=lambda: deque(maxlen=500))
    arrived: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=100))
    """(mono_s, frames that had come from the camera by then)."""
    reconnects: deque[float] = field(default_factory=lambda: deque(maxlen=1000))
    """mono_s of each return."""

    def fps_in(self, now: Instant) -> float:
        """Frames from the camera per second, over the last ten seconds or so."""
        recent = [each for each in self.arrived if now.mono_s - each[0] <= 10.0]
        if len(recent) < 2 or recent[-1][0] <= recent[0][0]:
            return 0.0
        return round(max(0, recent[-1][1] - recent[0][1]) / (recent[-1][0] - recent[0][0]), 2)

    def fps(self, now: Instant) -> float:
        """Frames looked at per second, over the last ten seconds or so."""
        recent = [each for each in self.analysed if now.mono_s - each <= 10.0]
        gaps = [later - earlier for earlier, later in pairwise(recent)]
        return round(len(gaps) / sum(gaps), 2) if gaps and sum(gaps) > 0 else 0.0


class Watcher:
    """One camera's thread of work; `run` is given to a supervised Worker."""

    def __init__(
        self,
        camera: CameraSettings,
        settings: PipelineSettings,
        detector: Detector,
        keeper: Keeper,
        sender: Callable[[], Sender],
        *,
        clock: Clock,
        ids: Ids,
        on_state: Callable[[CameraState], None] = lambda _state: None,
        on_outcome: Callable[[Frame, Outcome], None] = lambda _frame, _outcome: None,
    ) -> None:
        self.camera, self.settings = camera, settings
        self.figures = Figures()
        self.state = CameraState("disabled", clock.now(), "starting")
        self._detector, self._keeper, self._sender = detector, keeper, sender
        self._clock = clock
        self._on_state, self._on_outcome = on_state, on_outcome
        self._pipeline = PipelineState(ids)
        self._lost: Event | None = None
        self._unkept: deque[Message] = deque(maxlen=UNKEPT)
        self._voice = Voice(f"camera {camera.name}")
        self._keeping = Voice(f"outbox, camera {camera.name}")

    def run(self, stop: Stop, beat: Callable[[], None]) -> None:
        """Watch until `stop` is set, or a file that is not looped has ended."""
        backoff = Backoff(least_s=0.5, most_s=30.0)
        while not stop.is_set():
            try:
                self._stream(stop, beat, backoff)
            except CameraError as error:
                self._went(error)
                self._wait(stop, beat, backoff.failed())
            else:
                if not stop.is_set():
                    self._finish(EndReason.LEFT)
                    self._enter("disabled", "the file has ended")
                break
        self._finish(EndReason.AGENT_RESTARTED)

    def _stream(self, stop: Stop, beat: Callable[[], None], backoff: Backoff) -> None:
        camera = open_camera(self.camera, self._clock)
        try:
            for frame in camera.frames():
                if stop.is_set():
                    return
                self._came(camera)
                backoff.calm()
                self.watch(frame)
                beat()
        finally:
            camera.close()

    def watch(self, frame: Frame) -> Outcome:
        """Look at one frame and keep what it tells."""
        self._pipeline, outcome = pipeline.update(
            self._pipeline, frame, self._timed, self._detector.input_size, self.settings
        )
        self._tell(outcome.told)
        self.figures.analysed.append(frame.at.mono_s)
        self.figures.last_frame = frame.at
        self._on_outcome(frame, outcome)
        return outcome

    def _timed(self, images: Sequence[Image]) -> Sequence[Sequence[Detection]]:
        began = self._clock.now()
        found = self._detector.detect(images)
        self.figures.detect_ms.append(self._clock.now().since(began) * 1000)
        return found

    def _came(self, camera: IsolatedCamera) -> None:
        self.figures.frames_in = camera.frames_in
        self.figures.frames_dropped = camera.frames_dropped
        self.figures.arrived.append((self._clock.now().mono_s, camera.frames_in))
        if self.state.state == "streaming":
            return
        self._voice.back()
        self._enter("streaming")
        if self._lost is not None:
            now = self._clock.now()
            self.figures.reconnects.append(now.mono_s)
            back = replace(self._lost, revision=self._lost.revision + 1, phase=Phase.END, at=now)
            self._lost = None
            self._tell((back,))

    def _went(self, error: CameraError) -> None:
        self._voice.lost(error)
        if self._lost is None:
            now = self._clock.now()
            self._finish(EndReason.CAMERA_LOST)
            name, ids = self._pipeline.ids.next(now)
            self._pipeline = replace(self._pipeline, ids=ids)
            self._lost = Event(
                id=name,
                revision=1,
                kind=EventKind.CAMERA_LOST,
                phase=Phase.START,
                severity=Severity.ALERT,
                at=now,
                rule_id="camera",
                rule_kind="camera",
                started=now,
                detail=error.what,
            )
            self._tell((self._lost,))
        if self.state.state != "lost":
            self._enter("lost", error.what)

    def _finish(self, reason: EndReason) -> None:
        self._pipeline, told = pipeline.close(self._pipeline, self._clock.now(), reason, self.settings)
        self._tell(told)

    def _enter(self, state: State, reason: str | None = None) -> None:
        self.state = CameraState(state, self._clock.now(), reason)
        self._on_state(self.state)

    def _tell(self, told: Sequence[Event | Count]) -> None:
        sender = self._sender()
        for each in told:
            if isinstance(each, Event):
                self._unkept.extend(event_messages(each, sender))
            else:
                self._unkept.append(count_message(each, sender))
        if not self._unkept:
            return
        try:
            self._keeper.put(list(self._unkept))
        except OutboxError as error:
            self._keeping.lost(error)  # held in memory, and tried again with the next frame
        else:
            self._keeping.back()
            self._unkept.clear()

    def _wait(self, stop: Stop, beat: Callable[[], None], seconds: float) -> None:
        until_s = self._clock.now().mono_s + seconds
        while not stop.is_set() and (left_s := until_s - self._clock.now().mono_s) > 0:
            beat()
            stop.wait(min(left_s, 1.0))


def is_finite(camera: CameraSettings) -> bool:
    """Whether the camera ends by itself."""
    return isinstance(camera.source, FileSource) and not camera.source.loop
