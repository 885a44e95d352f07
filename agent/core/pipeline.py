"""One frame through every stage: what moved, where to look, what is there, who is it, what happened.

The whole of seeing on one screen. State goes in and comes out, so a clip gives the same events twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import inf

from agent.core import blindness, image
from agent.core.attention import scheduler as attention
from agent.core.attention.scheduler import AttentionInput, AttentionSettings, AttentionState
from agent.core.ids import Ids
from agent.core.motion import detector as motion
from agent.core.motion import frame_gate as glimpse
from agent.core.motion.detector import MotionState
from agent.core.motion.frame_gate import FrameGate, FrameGateSettings
from agent.core.motion.settings import MotionSettings
from agent.core.rules import engine as rules
from agent.core.rules.engine import RuleInput, RulesState
from agent.core.rules.settings import RuleSettings
from agent.core.tamper import monitor as integrity
from agent.core.tamper.monitor import SEES, TamperSettings, TamperState, Visibility
from agent.core.tracking import best_shot as shots
from agent.core.tracking import riders
from agent.core.tracking import static_false_positives as phantoms
from agent.core.tracking import tracker as track
from agent.core.tracking.best_shot import ShotSettings, ShotsState
from agent.core.tracking.riders import RiderSettings
from agent.core.tracking.static_false_positives import StaticFalsePositiveSettings, StaticFalsePositiveState
from agent.core.tracking.tracker import TrackerState, TrackSettings
from agent.core.types import (
    WHOLE,
    Count,
    Crop,
    Detection,
    EndReason,
    Event,
    Frame,
    Image,
    Instant,
    Motion,
    Sighting,
    Size,
    Track,
)

Detect = Callable[[Sequence[Image]], Sequence[Sequence[Detection]]]
"""Objects in each picture, boxes in its fractions; the same pictures give the same objects."""


@dataclass(frozen=True, slots=True)
class PipelineSettings:
    """The settings of every stage of one camera."""

    motion: MotionSettings = field(default_factory=MotionSettings)
    attention: AttentionSettings = field(default_factory=AttentionSettings)
    riders: RiderSettings = field(default_factory=RiderSettings)
    tracking: TrackSettings = field(default_factory=TrackSettings)
    shots: ShotSettings = field(default_factory=ShotSettings)
    judge: RuleSettings = field(default_factory=RuleSettings)
    integrity: TamperSettings = field(default_factory=TamperSettings)
    phantoms: StaticFalsePositiveSettings = field(default_factory=StaticFalsePositiveSettings)
    glimpse: FrameGateSettings = field(default_factory=FrameGateSettings)


@dataclass(frozen=True, slots=True)
class IdleCache:
    """The last whole look found nothing that moves: until something changes, the next need not be whole."""

    motion: Motion
    view: Visibility


@dataclass(frozen=True, slots=True)
class PipelineState:
    """What every stage remembers of one camera."""

    ids: Ids
    motion: MotionState | None = None
    attention: AttentionState | None = None
    track: TrackerState | None = None
    tracks: tuple[Track, ...] = ()
    """As of the last frame; ended ones left out."""
    shots: ShotsState | None = None
    rules: RulesState | None = None
    integrity: TamperState | None = None
    blind: Event | None = None
    """The event that tells that the camera cannot see, while it is open."""
    phantoms: StaticFalsePositiveState | None = None
    glimpse: FrameGate | None = None
    """Of the last whole look that found nothing that moves."""
    lull: IdleCache | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one frame gave."""

    motion: Motion
    crops: tuple[Crop, ...]
    """Where the detector looked; none when it rested."""
    detections: tuple[Detection, ...]
    tracks: tuple[Track, ...]
    """All that live, and those that ended with this frame."""
    told: tuple[Event | Count, ...]
    view: Visibility = SEES
    """Whether the camera can see."""
    patience_s: float = inf
    """How long the detector has nothing to look at, as far as this frame tells; 0: the next frame is wanted."""

    @property
    def quiet(self) -> bool:
        """Nothing moves, nothing that could move is followed, and the scene is known."""
        return _quiet(self.motion, self.tracks)


def update(
    state: PipelineState, frame: Frame, detect: Detect, field: Size, settings: PipelineSettings
) -> tuple[PipelineState, Outcome]:
    """See one frame; `field` is the size of the detector's input.

    While nothing moves, a frame that shows what the last one showed is not looked at any further
    (frame_gate.py): what depends on time alone, such as the end of an event, comes up to `glimpse.look_s`
    later.
    """
    seen, lull = state.glimpse, state.lull
    if seen and lull and (passed := glimpse.passed(seen, frame, settings.glimpse)):
        return replace(state, glimpse=passed), Outcome(lull.motion, (), (), state.tracks, (), lull.view)
    moved, motion_told = motion.update(state.motion, frame, settings.motion)
    glance = AttentionInput(frame.at, frame.size, field, motion_told, state.tracks)
    attended, crops = attention.update(state.attention, glance, settings.attention)
    detections = look(frame, crops, detect, field, settings.attention) if crops else ()
    followed, ids = state.track, state.ids
    tracks: tuple[Track, ...] = ()
    users: tuple[Detection, ...] = ()
    if detections or (followed and followed.lives):  # else nobody is followed and nobody is new
        users = riders.fuse(detections, state.tracks, settings.riders)
        # While the scene is learned, anything may be moving: a place that seems still proves nothing.
        moving = (WHOLE,) if motion_told.settling else motion_told.regions
        sighting = Sighting(frame.at, tuple(crop.box for crop in crops), users, moving)
        followed, ids, tracks = track.update(state.track, sighting, state.ids, settings.tracking)
    known, tracks = phantoms.update(state.phantoms, tracks, motion_told, frame.at, settings.phantoms)
    album, better = shots.update(state.shots, frame, tracks, settings.shots, users)
    scene = RuleInput(frame.at, frame.size, motion_told, tracks, better)
    judged, ids, told = rules.update(state.rules, scene, ids, settings.judge)
    sight, view = _sight(state, frame, _quiet(motion_told, tracks), settings)
    blind, ids, of_sight = blindness.tell(state.blind, view, frame.at, frame.size, ids)
    shown = tuple(
        shots.illustrate(each, frame, settings.shots) if isinstance(each, Event) else each
        for each in (*of_sight, *told)
    )
    living = tuple(each for each in tracks if not each.ended)
    after = replace(glance, tracks=living)
    patience_s = 0.0 if motion_told.settling else attention.patience_s(attended, after, settings.attention)
    outcome = Outcome(motion_told, crops, detections, tracks, shown, view, patience_s)
    urgent = sight and sight.urgent(settings.glimpse.look_s, settings.integrity)
    lull = IdleCache(motion_told, view) if outcome.quiet and not urgent else None
    seen = glimpse.after(seen, frame, settings.glimpse) if lull else seen
    done = PipelineState(ids, moved, attended, followed, living, album, judged, sight, blind, known, seen, lull)
    return done, outcome


def _quiet(moved: Motion, tracks: Sequence[Track]) -> bool:
    calm = not moved.regions and not moved.settling
    return calm and all(each.stationary or each.ended for each in tracks)


def _sight(
    state: PipelineState, frame: Frame, quiet: bool, settings: PipelineSettings
) -> tuple[TamperState | None, Visibility]:
    """Whether the camera sees.

    It is judged with the whole looks that are due in a quiet view, and not with those that a leaf called for:
    it costs as much as motion does.
    """
    known = state.integrity
    if known and known.trusting and quiet and state.lull:
        since_s = frame.at.since(known.at)
        if 0 <= since_s < settings.glimpse.look_s / 2:
            return known, known.view
    return integrity.update(known, frame, settings.integrity)


def look(
    frame: Frame, crops: Sequence[Crop], detect: Detect, field: Size, settings: AttentionSettings
) -> tuple[Detection, ...]:
    """The objects inside the crops, in fractions of the frame; each object once."""
    images = [image.bgr(frame, crop.box, fitted(frame.size, crop, field)) for crop in crops]
    return attention.gather(crops, detect(images), settings)


def fitted(frame: Size, crop: Crop, field: Size) -> Size | None:
    """The size of a crop that is shrunk to fit the detector's input; None where it fits as it is.

    Shrinking happens before the conversion to colour; enlarging is left to the detector.
    """
    left, top, right, bottom = image.pixels(crop.box, frame)
    scale = min(field.width_px / (right - left), field.height_px / (bottom - top))
    if scale >= 1:
        return None
    return Size(max(2, round((right - left) * scale)), max(2, round((bottom - top) * scale)))


def close(
    state: PipelineState, at: Instant, reason: EndReason, settings: PipelineSettings
) -> tuple[PipelineState, tuple[Event | Count, ...]]:
    """End everything that is open: the camera was lost, or the agent stops.

    What the scene looks like, where vehicles are parked and where phantoms stand is kept for when the camera is
    back; tracks are not.
    """
    judged, told = rules.close(state.rules, at, reason, settings.judge)
    of_sight = blindness.close(state.blind, at, reason)
    gone = replace(state, attention=None, track=None, tracks=(), shots=None, blind=None, lull=None)
    return replace(gone, rules=judged), (*of_sight, *told)
