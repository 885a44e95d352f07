"""Watches one camera: newest frame through the pipeline into the outbox, for ever.

A camera that is lost is one event and one log line, and its return another, whatever the reasons in between.
What was open when it was lost is ended with end_reason camera_lost, for nobody can say what became of it. A
detector that fails (detector.py) blinds no camera: motion is still told.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import structlog

from agent.cameras import open_camera
from agent.cameras.decode.decoded import CameraFacts, Record
from agent.cameras.isolate import IsolatedCamera
from agent.cameras.settings import CameraSettings, FileSource
from agent.clock import Clock
from agent.core import pace, pipeline
from agent.core.condition_event import CAMERA_RULE, ConditionEvent
from agent.core.ids import Ids
from agent.core.pace import Pace, PaceSettings
from agent.core.pipeline import Outcome, PipelineSettings, PipelineState
from agent.core.rules import engine
from agent.core.tamper.classify import TamperKind
from agent.core.tamper.evidence import Visibility
from agent.core.types import EndReason, EventKind, Frame, Image, Instant, Severity
from agent.detectors import Detector
from agent.errors import CameraError, CameraLost, CameraRefused
from agent.host.camera_stats import CameraState, CameraStats, Counts, State
from agent.host.supervise import CALM_S, Backoff, Beat, OutageLog, Stop, wait
from agent.outbox.outbox import Outbox
from agent.publishing.compose import Sender
from agent.translatable import tr
from agent.workers.watching.detector import Found, PatientDetector
from agent.workers.watching.telling import Telling

log = structlog.get_logger(__name__)

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 15.0
"""Bounds of the waits before a lost camera is asked again."""
REFUSED_S = 30.0
"""Least wait after a refusal: cameras lock out who tries a wrong password again and again."""
BOOTING = 2
"""So many refusals in a row may be of a camera that starts: it gave pictures before, so its login is right."""
FLAPS = 2
"""After so many returns in a row that did not last for CALM_S the next one is told when it has lasted so long.

A camera of one picture a minute comes back whenever it is asked: each time would be an alert and its end.
"""
HALT_LOOK_S = 1.0
"""A paused camera looks so often whether it is wanted again."""

REASONS = {each: each.value for each in TamperKind} | {
    TamperKind.MOVED: "moved: check the zones of this camera"
}
"""What stands in the status of a blind camera."""


OnFound = Callable[[Outcome, Sequence[Image], Found], object]


@dataclass(frozen=True, slots=True)
class PauseState:
    """What the station does not want to be watched for a while."""

    why: str | None = None
    """Not the whole camera, for this reason; None: it is watched."""
    rules: frozenset[str] = frozenset()
    """Not these rules."""


class CameraWorker:
    """One camera's thread of work; `run` is given to a supervised Worker."""

    def __init__(
        self,
        camera: CameraSettings,
        settings: PipelineSettings,
        detector: Detector,
        outbox: Outbox,
        sender: Callable[[], Sender],
        *,
        clock: Clock,
        ids: Ids,
        on_state: Callable[[CameraState], None] = lambda _state: None,
        on_outcome: Callable[[Frame, Outcome], None] = lambda _frame, _outcome: None,
        throttled_fps: Callable[[float], float] = lambda wanted_fps: wanted_fps,
    ) -> None:
        """`on_state` and `on_outcome` are called in the camera's thread; `on_state` may be set until it runs.

        `throttled_fps` says how many pictures a second the box allows of those that are wanted.
        """
        self.camera, self.settings = camera, settings
        self._rules = settings.rules
        self.figures = CameraStats()
        self.state = CameraState("disabled", clock.now(), "starting")
        self._detector = PatientDetector(camera.name, detector, clock, self.figures.detect_ms.append)
        self._clock = clock
        self.on_state, self._on_outcome = on_state, on_outcome
        self._throttled_fps = throttled_fps
        self.telling = Telling(camera.name, outbox, sender)
        """By whom what is seen gets out; who listens there is set before it runs."""
        self.on_found: OnFound | None = None
        """Is given the crops of a frame and what was found in each, when its events are told; in its thread."""
        self.record: Record | None = None
        """How its child records beside; set before it runs."""
        self.on_footage: Callable[[int], object] = os.close
        """Is given the pipe of each child that records."""
        self.encoder: Callable[[], str | None] = lambda: None
        """Who encodes what is recorded, by its recorder's word: hardware or software."""
        self._pipeline = PipelineState(ids)
        self._lost = ConditionEvent(EventKind.CAMERA_LOST, CAMERA_RULE, Severity.ALERT)
        self._outage = OutageLog(f"camera {camera.name}")
        self._opened_at: Instant | None = None
        """Of this opening's first picture."""
        self._refusals = BOOTING
        """How many there were since its last picture; before the first, as many as may be of a start."""
        self._short = 0
        """How many openings in a row gave pictures, but not for long."""
        self.paused = PauseState()
        """What the station does not want to be watched, as it was last said."""
        self._obeyed = PauseState()
        self._open: IsolatedCamera | None = None
        self._open_lock = threading.Lock()
        # Twice the usual gap at least: a camera of one picture in five seconds is not stalled in between.
        self._stalled_after_s = max(camera.stall_s / 2, 2 / min(camera.max_fps, camera.idle_fps))
        self._pace = Pace()
        self.asked: Callable[[], bool] = lambda: False
        """Whether somebody waits for a picture of now; set before it runs."""

    # ---------------------------------------------------------------------------------- from other threads

    @property
    def detector_fails(self) -> bool:
        """Whether the detector failed when it was last asked."""
        return self._detector.fails

    @property
    def fps_wanted(self) -> float:
        """Pictures a second that are looked at while something moves, as far as the box's load allows."""
        return self._throttled_fps(self.camera.max_fps)

    def seen(self) -> CameraState:
        """The state as it shows from outside: a camera whose pictures are late is stalled, and not yet lost."""
        state, last = self.state, self.figures.last_sign
        if state.state not in ("streaming", "blind") or last is None:
            return state
        if self._clock.now().since(last) <= self._stalled_after_s:
            return state
        since = Instant(last.mono_s + self._stalled_after_s, last.wall_s + self._stalled_after_s)
        return CameraState("stalled", since, f"no picture for more than {self._stalled_after_s:g} s")

    def halt(self, halt: PauseState) -> None:
        """From now on, leave this out; what it leaves out of what is open then ends."""
        before, self.paused = self.paused, halt
        if halt.why is not None and before.why is None:
            self.interrupt()

    def distrust(self) -> None:
        """Kill the child, which gives nonsense for footage; another is started."""
        with self._open_lock:
            camera = self._open
        if camera is not None:
            camera.distrust()

    def interrupt(self) -> None:
        """Let go of the camera, so that `run` notices that `stop` is set without waiting for a picture."""
        with self._open_lock:
            camera = self._open
        if camera is not None:
            camera.close()

    # --------------------------------------------------------------------------------------------- the loop

    def run(self, stop: Stop, beat: Beat) -> None:
        """Watch until `stop` is set, or a file that is not looped has ended. No error ends it."""
        backoff = Backoff(FIRST_WAIT_S, LONGEST_WAIT_S)
        while not stop.is_set():
            if self.paused.why is not None:
                self._pause(stop, beat)
                continue
            try:
                self._stream(stop, beat)
                if self.paused.why is None:
                    break
                continue
            except CameraError as error:
                trouble = error
            except Exception as error:  # a mistake of ours must not silence the camera
                trouble = self._failed(error)
            seeing = self.state.state in ("streaming", "blind")
            if seeing and self._clock.now().since(self.state.since) > CALM_S:
                backoff.calm()
            self._went(trouble)
            wait(stop, self._least_wait_s(trouble) + backoff.failed(), self._clock, beat)
        self._end(EndReason.STOPPED if stop.is_set() else EndReason.LEFT)

    def _least_wait_s(self, trouble: CameraError) -> float:
        if not isinstance(trouble, CameraRefused):
            return 0.0
        self._refusals += 1
        return REFUSED_S if self._refusals > BOOTING else 0.0

    def _stream(self, stop: Stop, beat: Beat) -> None:
        """One opening of the camera, until it ends or `stop` is set."""
        camera = open_camera(self.camera, self._clock, self.record, self.on_footage)
        with self._open_lock:
            self._open = camera
        # An interrupt may have come just before, and found nothing to let go of.
        if stop.is_set() or self.paused.why is not None:
            return
        self.figures.opened()
        self._opened_at = None
        camera.turn = partial(self._idle, camera, beat)
        beat()
        try:
            for frame in camera.frames():
                if stop.is_set() or self.paused.why is not None:
                    return
                self.figures.encoder = self.encoder()
                self._heed_decoder(camera.facts)
                camera.rest_s = self.take(camera, frame)
                camera.calm_gap_s = None if self.asked() else self._pace.calm_gap_s
                beat()
        finally:
            camera.close()

    def _heed_decoder(self, facts: CameraFacts | None) -> None:
        """Say once for each reason that a board does not decode what it was to decode."""
        before, self.figures.facts = self.figures.facts, facts
        why = facts and facts.fallback
        if why and self.camera.decoder == "v4l2m2m" and why != (before and before.fallback):
            log.warning("decoder_fallback", camera=self.camera.name, why=why)

    def _idle(self, camera: IsolatedCamera, beat: Beat) -> None:
        """Waiting for a picture is no hang, for the camera has deadlines of its own, and holds up no event."""
        beat()
        if camera.dozed_at is not None:
            self.figures.dozed(camera, camera.dozed_at)
        if camera.calm_gap_s is not None and self.asked():
            camera.hurry()
        self.telling.tell_when_pictured((), self._pipeline.rules)

    def _pause(self, stop: Stop, beat: Beat) -> None:
        """The camera is let go of until it is wanted again. What was learned of its view may be old by then."""
        now = self._now()
        self._finish(now, EndReason.PAUSED)
        self._lost_ends(now, EndReason.PAUSED)
        self._pipeline = PipelineState(self._pipeline.ids)
        while not stop.is_set() and self.paused.why is not None:
            self._enter("disabled", self.paused.why)
            beat()
            stop.wait(HALT_LOOK_S)

    def _leave_out(self, halt: PauseState) -> None:
        """Judge without the paused rules from the next frame on; their events end there, their counts here."""
        at, judged = self._now(), self._pipeline.rules
        paused = halt.rules - self._obeyed.rules
        self.telling.tell(engine.cut(judged, [rule for rule in self._rules.rules if rule.id in paused], at))
        wanted = tuple(rule for rule in self._rules.rules if rule.id not in halt.rules)
        self.settings = replace(self.settings, rules=self._rules.model_copy(update={"rules": wanted}))
        self._obeyed = halt

    def take(self, camera: Counts, frame: Frame) -> float:
        """One picture that came: note it and look at it. Returns how long the next may take, in seconds."""
        began = self._came(camera, frame)
        outcome = self.watch(frame)
        self.figures.work_s += self._clock.now().since(began)
        settings = PaceSettings(self.camera.max_fps, self.camera.idle_fps)
        self._pace = pace.update(self._pace, self._pipeline, outcome, self.fps_wanted, settings, self.settings)
        return self._pace.rest_s

    def watch(self, frame: Frame) -> Outcome:
        """Look at one frame and keep what it tells."""
        if self.paused != self._obeyed:
            self._leave_out(self.paused)
        self._pipeline, outcome = pipeline.update(
            self._pipeline, frame, self._detector.look, self._detector.input_size, self.settings
        )
        self.telling.tell_when_pictured(outcome.reports, self._pipeline.rules)
        self._saw(outcome.view)
        self._on_outcome(frame, outcome)
        looked = self._detector.answered()
        if looked is not None and self.on_found is not None:
            self.on_found(outcome, *looked)
        return outcome

    def _saw(self, view: Visibility) -> None:
        """Streaming and blind are two states of a camera that gives pictures."""
        if view.fault is None:
            if self.state.state == "blind":
                self._enter("streaming")
        elif self.state.state in ("streaming", "blind"):
            self._enter("blind", REASONS[view.fault])

    # ------------------------------------------------------------------------------------- lost and found

    def _came(self, camera: Counts, frame: Frame) -> Instant:
        """Note it; this moment."""
        now, last = self._clock.now(), self.figures.last_sign
        resumed = last is not None and frame.at.since(last) > self._stalled_after_s
        self.figures.came(camera, frame, now)
        self._opened_at, self._refusals = self._opened_at or frame.at, 0
        if self.state.state in ("streaming", "blind") and not resumed:
            return now
        if self._short >= FLAPS and frame.at.since(self._opened_at) < CALM_S:
            return now  # it is looked at, but not yet trusted
        self._outage.back()
        self._enter("streaming")
        if self._lost.last is not None:
            self.figures.returned(now)
            self._lost_ends(now, None)
        return now

    def _went(self, error: CameraError) -> None:
        first, last = self._opened_at, self.figures.last_frame
        if first is not None and last is not None:
            self._short = self._short + 1 if last.since(first) < CALM_S else 0
        self._opened_at = None
        self._outage.lost(error)
        if self._lost.last is None:
            now = self._now()
            self._finish(now, EndReason.CAMERA_LOST)
            self._lost, ids, events = self._lost.open(now, self._pipeline.ids, error.what)
            self._pipeline = replace(self._pipeline, ids=ids)
            self.telling.tell(events)
        self._enter("lost", error.what)

    def _lost_ends(self, now: Instant, reason: EndReason | None) -> None:
        """The loss is over: the camera is back (no reason), or nobody waits for it any more."""
        lost = self._lost.last
        if lost is None:
            return
        seconds, why = max(0.0, now.since(lost.started)), lost.detail or ""
        detail: str = tr("back after {seconds:.0f} s; {why}", seconds=seconds, why=why)
        if reason is not None:
            detail = tr("given up after {seconds:.0f} s; {why}", seconds=seconds, why=why)
        self._lost, events = self._lost.close(now, reason, detail=detail)
        self.telling.tell(events)

    def _failed(self, error: Exception) -> CameraLost:
        """A mistake of ours: what the stages remember may be part of it, so they begin anew."""
        if self._outage.up:
            log.exception("watching_failed", camera=self.camera.name)
        try:
            self._finish(self._now(), EndReason.CAMERA_LOST)
        except Exception:  # then the next start of the agent closes what is open
            log.exception("events_left_open", camera=self.camera.name)
        self._pipeline = PipelineState(self._pipeline.ids)
        what = f"{self.camera.name}: watching failed: {type(error).__name__}"
        return CameraLost(what, "this is a mistake in the program: report it with the log")

    def _end(self, reason: EndReason) -> None:
        now = self._now()
        self._finish(now, reason)
        self._lost_ends(now, reason)
        self._enter("disabled", "the file has ended" if reason is EndReason.LEFT else "the agent stops")

    def _finish(self, now: Instant, reason: EndReason) -> None:
        self._pipeline, reports = pipeline.close(self._pipeline, now, reason, self.settings)
        self.telling.tell(reports)

    def _now(self) -> Instant:
        """Now, but never before the last frame: a file's own time may run ahead of the clock."""
        now, last = self._clock.now(), self.figures.last_frame
        return now if last is None or now.mono_s >= last.mono_s else last

    def _enter(self, state: State, reason: str | None = None) -> None:
        """Change the state; a new reason for the same loss keeps its beginning."""
        before = self.state
        if (state, reason) == (before.state, before.reason) != ("streaming", None):
            return
        since = before.since if state == before.state == "lost" else self._clock.now()
        self.state = CameraState(state, since, reason)
        self.on_state(self.state)


def is_finite(camera: CameraSettings) -> bool:
    """Whether the camera ends by itself."""
    return isinstance(camera.source, FileSource) and not camera.source.loop
