"""Collects frames for training, behind everything else.

saw   in a camera's thread, with each frame that was watched: whether it would teach (core/sampling/); nearly
      always no. If so it is made small and copied, and rests until a moment later shows who moved in it; then
      it waits: one of each camera, and while one rests or waits no other is taken
run   a thread that gives way to all others: heads are taken out, the JPEG is made, encrypted and written

Nothing is chosen while the box is hot or busy.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import structlog

from agent.clock import Clock, FlooredClock
from agent.core.geometry import as_array, iou
from agent.core.ids import Ids
from agent.core.pipeline import Outcome
from agent.core.sampling import late_motion, selection, unfound_heads
from agent.core.sampling.quota import SampleKind
from agent.core.sampling.selection import Pick, SampleInput, SamplingState
from agent.core.sampling.settings import SampleReason
from agent.core.sampling.unfound_heads import KnownScene
from agent.core.tracking import best_shot, riders
from agent.core.tracking.riders import RiderSettings
from agent.core.types import WHOLE, Box, Detection, Frame, Plane, Shot, Track
from agent.errors import FootageError
from agent.evidence.samples.sample import Proposal, SampleName, SampleNote
from agent.evidence.samples.settings import SamplesSettings
from agent.evidence.samples.store import SampleStore
from agent.host.supervise import Beat, OutageLog, Stop
from agent.publishing import jpeg
from agent.wire.codec import moment
from agent.wire.payloads import rfc3339

log = structlog.get_logger(__name__)

MAX_BYTES: Final = 160_000
"""Of one picture: at 640 x 360 this is JPEG's best quality nearly always."""
MIN_QUALITY: Final = 70
"""What a detector learns from must not be of JPEG's blocks."""
LEAST_SCORE: Final = 0.1
"""Weaker detections are no proposal."""
SAME: Final = 0.5
"""Overlap (IoU) from which a track and a detection are one."""
AFTER_S: Final = 0.6
"""So long after a frame is looked who moved in it: a walker has gone a quarter of his height by then."""
LATE_S: Final = 5.0
"""Later, who was in it may have come and gone."""
TIDY_S: Final = 300.0
QUIET_S: Final = 10.0
NICEST: Final = 19
"""Of nice(2)."""


@dataclass(frozen=True, slots=True)
class SampleFacts:
    """What is the same in all frames of this life of the box."""

    box: str
    """commune/device."""
    version: str
    config_sha256: str
    model: str | None
    model_sha256: str | None
    utc_offset_s: int


@dataclass(frozen=True, slots=True)
class SampledCamera:
    """What is to be known of a camera whose frames are kept."""

    mask_sha256: str | None
    riders: RiderSettings


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A frame that is to be kept: already copied, heads not yet taken out."""

    pick: Pick
    shot: Shot
    tracks: tuple[Track, ...]
    detections: tuple[Detection, ...]


@dataclass(frozen=True, slots=True)
class _Resting:
    """A frame that is looked at once more a moment later."""

    waiting: _Waiting
    small: Plane
    """Its brightness, as from late_motion.small."""
    scene: KnownScene


class SampleCollector:
    """The frames for training of a box."""

    def __init__(
        self,
        settings: SamplesSettings,
        store: SampleStore,
        cameras: Mapping[str, SampledCamera],
        facts: SampleFacts,
        clock: FlooredClock,
        believed: Clock,
        ids: Ids,
        busy: Callable[[], bool] = lambda: False,
    ) -> None:
        """`busy` says whether the box looks at fewer pictures than it wants to: then nothing is chosen.

        The age of frames goes by `believed`, whose wall time no step of `clock` moves at once.
        """
        self._settings, self._store, self._cameras, self._facts = settings, store, cameras, facts
        self._clock, self._believed, self._ids, self._busy = clock, believed, ids, busy
        self._states = {name: selection.resumed(_kinds(store, name)) for name in cameras}
        self._resting: dict[str, _Resting] = {}
        self._waiting: dict[str, _Waiting] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._outage = OutageLog("frames for training")
        self._tidied_s = float("-inf")

    # ---------------------------------------------------------------------------------- the cameras' threads

    def saw(self, camera: str, frame: Frame, outcome: Outcome) -> None:
        """A frame was watched; called in the camera's thread, where its memory is still valid."""
        state = self._states.get(camera)
        if state is None or self._busy():
            return
        seen = SampleInput(outcome.motion, outcome.tracks, outcome.detections, outcome.crops)
        state, pick = selection.update(state, frame, seen, self._settings, self._facts.utc_offset_s)
        if camera in self._resting:
            self._look_back(camera, frame, _scene(frame, state, outcome))
        elif pick is not None and camera not in self._waiting:
            state = self._taken(camera, frame, outcome, state, pick)
        self._states[camera] = state

    def _taken(
        self, camera: str, frame: Frame, outcome: Outcome, state: SamplingState, pick: Pick
    ) -> SamplingState:
        """Copy the frame, unless somebody near is in it whom nobody found; the state after it."""
        scene, hidden = _scene(frame, state, outcome), [*outcome.private]
        if self._settings.blur != "none":
            unfound = unfound_heads.unexplained(scene)
            if unfound_heads.too_near(unfound):
                return state
            hidden += unfound_heads.regions(unfound)
        shot = best_shot.scene(frame, WHOLE, self._settings.width_px, hidden)
        waiting = _Waiting(pick, shot, outcome.tracks, outcome.detections)
        if self._settings.blur == "none":
            self._wait(camera, waiting)
        else:
            self._resting[camera] = _Resting(waiting, late_motion.small(frame), scene)
        return selection.kept(state, pick)

    def _look_back(self, camera: str, frame: Frame, scene: KnownScene) -> None:
        """Hide also what moved in the frame that rests and was not told yet; then it may be written."""
        resting = self._resting[camera]
        since_s = frame.at.since(resting.waiting.pick.at)
        if since_s < AFTER_S:
            return
        del self._resting[camera]
        known = [*unfound_heads.explaining(resting.scene), *unfound_heads.explaining(scene)]
        moved = late_motion.changed(resting.small, late_motion.small(frame), known)
        if moved is None or since_s > LATE_S or unfound_heads.too_near(moved):
            return  # nobody can say who is in it
        shot = resting.waiting.shot
        hidden = (*shot.sensitive, *unfound_heads.regions(moved))
        self._wait(camera, replace(resting.waiting, shot=replace(shot, sensitive=hidden)))

    def _wait(self, camera: str, waiting: _Waiting) -> None:
        with self._lock:
            self._waiting[camera] = waiting
        self._wake.set()

    # ------------------------------------------------------------------------------------------- its own thread

    def run(self, stop: Stop, beat: Beat) -> None:
        """Write what waits until `stop` is set; what waits then is not kept."""
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICEST)
        stop.wakes(self._wake.set)
        while not stop.is_set():
            beat()
            self._wake.clear()
            try:
                self.turn()
            except FootageError as error:  # a disk that does not take it now
                self._outage.lost(error)
            else:
                self._outage.back()
            self._wake.wait(QUIET_S)

    def turn(self) -> None:
        """Write what waits, and delete what is due.

        Raises:
            FootageError: the disk fails; what waited is not kept.
        """
        now = self._clock.now()
        if now.mono_s - self._tidied_s >= TIDY_S:
            self._tidied_s = now.mono_s
            self._store.tidy(self._believed.now().wall_s if self._clock.trust().good else None)
        for camera in tuple(self._waiting):
            waiting = self._waiting[camera]
            try:
                kept = self._keep(camera, waiting)
            finally:
                with self._lock:
                    del self._waiting[camera]
            if kept:
                log.debug("sample_kept", camera=camera, reason=waiting.pick.kind.reason.value)

    def _keep(self, camera: str, waiting: _Waiting) -> bool:
        pick, trusted = waiting.pick, self._clock.trust()
        picture = jpeg.encode(
            waiting.shot, self._settings.width_px, MAX_BYTES, MIN_QUALITY, self._settings.blur
        )
        sample_id, self._ids = self._ids.next(pick.at)
        of = self._cameras[camera]
        note = SampleNote(
            id=sample_id,
            camera=camera,
            taken=rfc3339(moment(pick.at)),
            clock=trusted.state,
            clock_error_ms=trusted.error_ms,
            reason=pick.kind.reason.value,
            place=pick.kind.place,
            condition=pick.condition,
            worth=pick.worth,
            proposals=proposals(waiting.detections, waiting.tracks, of.riders),
            about=None if pick.box is None else _corners(pick.box),
            width_px=picture.width_px,
            height_px=picture.height_px,
            jpeg_sha256=picture.sha256,
            blur=self._settings.blur,
            mask_sha256=of.mask_sha256,
            box=self._facts.box,
            version=self._facts.version,
            config_sha256=self._facts.config_sha256,
            model=self._facts.model,
            model_sha256=self._facts.model_sha256,
            purpose=self._settings.purpose,
            legal_basis=self._settings.legal_basis,
        )
        kind, now = pick.kind, self._believed.now()
        taken_ms = max(0, int((now.wall_s - now.since(pick.at)) * 1000))
        name = SampleName(taken_ms, camera, kind.reason.value, kind.place, kind.hour, pick.worth, sample_id)
        return self._store.keep(name, note, picture.data)


def _scene(frame: Frame, state: SamplingState, outcome: Outcome) -> KnownScene:
    return KnownScene(
        frame.size, outcome.motion, state.missed, outcome.tracks, outcome.detections, state.labels
    )


def proposals(
    found: Sequence[Detection], tracks: Sequence[Track], settings: RiderSettings
) -> tuple[Proposal, ...]:
    """What the detector would label: riders with their two-wheelers; and who is followed, not looked for."""
    users = [each for each in riders.fuse(found, (), settings) if each.score >= LEAST_SCORE]
    given = [_proposal(each.label, each.score, each.box, "detector") for each in users]
    boxes = as_array([each.box for each in users])
    for track in tracks:
        if track.confirmed and not track.ended and not track.seen:
            if users and float(np.max(iou(as_array([track.box]), boxes))) >= SAME:
                continue
            given.append(_proposal(track.label, track.score, track.box, "track"))
    return tuple(each for each in given if each.left < each.right and each.top < each.bottom)


def _proposal(label: str, score: float, box: Box, by: str) -> Proposal:
    return Proposal(label, round(score, 4), *_corners(box), by)


def _corners(box: Box) -> tuple[float, float, float, float]:
    """Inside the picture, to a hundred-thousandth."""
    left, top, right, bottom = (
        round(min(1.0, max(0.0, each)), 5) for each in (box.left, box.top, box.right, box.bottom)
    )
    return left, top, right, bottom


def _kinds(store: SampleStore, camera: str) -> list[SampleKind]:
    return [
        SampleKind(SampleReason(each.name.reason), each.name.place, each.name.hour)
        for each in store.samples()
        if each.name.camera == camera
    ]
