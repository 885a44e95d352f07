"""One frame through every stage: what moved, where to look, what is there, who is it, what happened.

The whole of seeing on one screen. State goes in and comes out, so a clip gives the same events twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import inf

from agent.core import image
from agent.core.attention import scheduler
from agent.core.attention.scheduler import AttentionInput, AttentionState
from agent.core.attention.settings import AttentionSettings
from agent.core.condition_event import ConditionEvent
from agent.core.ids import Ids
from agent.core.motion import detector, frame_gate
from agent.core.motion.detector import MotionState
from agent.core.motion.frame_gate import FrameGate, FrameGateSettings
from agent.core.motion.settings import MotionSettings
from agent.core.rules import engine
from agent.core.rules.engine import RuleInput, RulesState
from agent.core.rules.settings import RuleSettings
from agent.core.tamper import monitor
from agent.core.tamper.evidence import SEES, Visibility
from agent.core.tamper.monitor import BLIND, TamperState
from agent.core.tamper.settings import TamperSettings
from agent.core.tracking import best_shot, riders, sensitive, static_false_positives, tracker
from agent.core.tracking.best_shot import BestShotSettings, BestShotState
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
    Sensitive,
    Sighting,
    Size,
    Track,
)

Detect = Callable[[Sequence[Image]], Sequence[Sequence[Detection]]]
"""Objects in each picture, boxes in its fractions; the same pictures give the same objects."""


@dataclass(frozen=True, slots=True)
class PipelineSettings:
    """The settings of every stage of one camera."""

    frame_gate: FrameGateSettings = field(default_factory=FrameGateSettings)
    motion: MotionSettings = field(default_factory=MotionSettings)
    attention: AttentionSettings = field(default_factory=AttentionSettings)
    riders: RiderSettings = field(default_factory=RiderSettings)
    tracking: TrackSettings = field(default_factory=TrackSettings)
    static_false_positives: StaticFalsePositiveSettings = field(default_factory=StaticFalsePositiveSettings)
    best_shot: BestShotSettings = field(default_factory=BestShotSettings)
    rules: RuleSettings = field(default_factory=RuleSettings)
    tamper: TamperSettings = field(default_factory=TamperSettings)


@dataclass(frozen=True, slots=True)
class IdleCache:
    """The last whole look found nothing that moves: until something changes, the next need not be whole."""

    motion: Motion
    view: Visibility


@dataclass(frozen=True, slots=True)
class PipelineState:
    """What every stage remembers of one camera."""

    ids: Ids
    lap: int = 0
    """Of the last frame: how often the recorded clip had begun again."""
    frame_gate: FrameGate | None = None
    """Of the last whole look that found nothing that moves."""
    idle_cache: IdleCache | None = None
    motion: MotionState | None = None
    attention: AttentionState | None = None
    tracking: TrackerState | None = None
    tracks: tuple[Track, ...] = ()
    """As of the last frame; ended ones left out."""
    static_false_positives: StaticFalsePositiveState | None = None
    best_shot: BestShotState | None = None
    rules: RulesState | None = None
    tamper: TamperState | None = None
    blind: ConditionEvent = BLIND
    """The event that the camera cannot see."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one frame gave."""

    motion: Motion
    tracks: tuple[Track, ...]
    """All that live, and those that ended with this frame."""
    view: Visibility = SEES
    """Whether the camera can see."""
    crops: tuple[Crop, ...] = ()
    """Where the detector looked; none when it rested."""
    detections: tuple[Detection, ...] = ()
    reports: tuple[Event | Count, ...] = ()
    """What the station shall hear of it."""
    patience_s: float = inf
    """How long the detector has nothing to look at, as far as this frame tells; 0: the next frame is wanted."""

    @property
    def private(self) -> tuple[Sensitive, ...]:
        """Where heads and plates are in the frame, as far as tracks and detector tell."""
        return sensitive.regions(self.tracks, self.detections)

    @property
    def quiet(self) -> bool:
        """Nothing moves, nothing that could move is followed, and the scene is known."""
        return _quiet(self.motion, self.tracks)


def update(
    state: PipelineState, frame: Frame, detect: Detect, field: Size, settings: PipelineSettings
) -> tuple[PipelineState, Outcome]:
    """See one frame; `field` is the size of the detector's input.

    While nothing moves, a frame that shows what the last one showed is not looked at any further
    (frame_gate.py): what depends on time alone, such as the end of an event, comes up to `frame_gate.look_s`
    later.

    Where a recorded clip begins again, what is open ends first: road users do not jump, and a track that went
    on over the cut would be shown, and go over lines, where nobody is.
    """
    if frame.lap == state.lap:
        return _seen(state, frame, detect, field, settings)
    state, ends = close(state, frame.at, EndReason.CLIP_RESTARTED, settings)
    # What the view usually looks like was learned around the tracks that have just gone.
    state = replace(state, lap=frame.lap, tamper=None)
    state, outcome = _seen(state, frame, detect, field, settings)
    return state, replace(outcome, reports=(*ends, *outcome.reports))


def _seen(
    state: PipelineState, frame: Frame, detect: Detect, field: Size, settings: PipelineSettings
) -> tuple[PipelineState, Outcome]:
    """One frame that follows the one before."""
    if idle := _idle(state, frame, settings):
        return idle
    at = frame.at
    followed = [each.box for each in state.tracks if _followed(each)]
    motion_state, motion = detector.update(state.motion, frame, settings.motion, followed)
    known = AttentionInput(at=at, frame=frame.size, field=field, motion=motion, tracks=state.tracks)
    attention, crops = scheduler.update(state.attention, known, settings.attention)
    detections = look(frame, crops, detect, field, settings.attention) if crops else ()
    users = riders.fuse(detections, state.tracks, settings.riders) if detections else ()
    tracking, ids, tracks = _tracks(state, at, crops, users, motion, settings)
    places, tracks = static_false_positives.update(
        state.static_false_positives, tracks, motion, at, settings.static_false_positives
    )
    private = sensitive.regions(tracks, (*detections, *users))
    shots, better = best_shot.update(state.best_shot, frame, tracks, settings.best_shot, users, private)
    looked = tuple(crop.box for crop in crops)
    happening = RuleInput(at, frame.size, motion, tracks, shots=better, looked=looked)
    rules, ids, of_rules = engine.update(state.rules, happening, ids, settings.rules)
    tamper, view = _sight(state, frame, _quiet(motion, tracks), settings)
    blind, ids, of_sight = monitor.report(state.blind, view, at, frame.size, ids)

    living = tuple(each for each in tracks if not each.ended)
    after = replace(known, tracks=living)
    outcome = Outcome(
        motion=motion,
        tracks=tracks,
        view=view,
        crops=crops,
        detections=detections,
        reports=_illustrated((*of_sight, *of_rules), frame, settings, private),
        patience_s=0.0 if motion.settling else scheduler.patience_s(attention, after, settings.attention),
    )
    next_state = PipelineState(
        ids=ids,
        lap=state.lap,
        # What differs between two lights is not what usually differs: the gate would let everything pass.
        frame_gate=None if motion.settling or motion.relit else state.frame_gate,
        motion=motion_state,
        attention=attention,
        tracking=tracking,
        tracks=living,
        static_false_positives=places,
        best_shot=shots,
        rules=rules,
        tamper=tamper,
        blind=blind,
    )
    return _cached(next_state, outcome, frame, settings), outcome


def _idle(
    state: PipelineState, frame: Frame, settings: PipelineSettings
) -> tuple[PipelineState, Outcome] | None:
    """The same as of the last whole look, where that was quiet and the frame shows nothing new."""
    gate, cache = state.frame_gate, state.idle_cache
    passed = frame_gate.passed(gate, frame, settings.frame_gate) if gate and cache else None
    if passed is None or cache is None:
        return None
    return replace(state, frame_gate=passed), Outcome(cache.motion, state.tracks, cache.view)


def _cached(state: PipelineState, outcome: Outcome, frame: Frame, settings: PipelineSettings) -> PipelineState:
    """The state, and with it what the next frame is compared with if this one was quiet."""
    urgent = state.tamper and state.tamper.urgent(settings.frame_gate.look_s, settings.tamper)
    if urgent or not outcome.quiet:
        return state
    gate = frame_gate.after(state.frame_gate, frame, settings.frame_gate)
    return replace(state, frame_gate=gate, idle_cache=IdleCache(outcome.motion, outcome.view))


def _quiet(motion: Motion, tracks: Sequence[Track]) -> bool:
    calm = not (motion.everywhere or motion.settling or motion.relit)
    return calm and all(each.stationary or each.ended for each in tracks)


def _followed(track: Track) -> bool:
    return track.confirmed and not (track.stationary or track.static_false_positive)


def _tracks(
    state: PipelineState,
    at: Instant,
    crops: Sequence[Crop],
    users: tuple[Detection, ...],
    motion: Motion,
    settings: PipelineSettings,
) -> tuple[TrackerState | None, Ids, tuple[Track, ...]]:
    """All tracks after this frame. The tracker rests where nobody is followed and nobody is new."""
    if not users and not (state.tracking and state.tracking.states):
        return state.tracking, state.ids, ()
    # While the scene is learned, anything may be moving: a place that seems still proves nothing.
    moving = (WHOLE,) if motion.settling else motion.everywhere
    looked = tuple(crop.box for crop in crops)
    sighting = Sighting(at, looked, detections=users, moving=moving, changing=motion.changing)
    return tracker.update(state.tracking, sighting, state.ids, settings.tracking)


def _illustrated(
    reports: Sequence[Event | Count], frame: Frame, settings: PipelineSettings, private: Sequence[Sensitive]
) -> tuple[Event | Count, ...]:
    return tuple(
        best_shot.illustrate(each, frame, settings.best_shot, private) if isinstance(each, Event) else each
        for each in reports
    )


def _sight(
    state: PipelineState, frame: Frame, quiet: bool, settings: PipelineSettings
) -> tuple[TamperState | None, Visibility]:
    """Whether the camera sees.

    It is judged with the whole looks that are due in a quiet view, and not with those that a leaf called for:
    it costs as much as motion does.
    """
    tamper = state.tamper
    if tamper and tamper.trusting and quiet and state.idle_cache:
        since_s = frame.at.since(tamper.at)
        if 0 <= since_s < settings.frame_gate.look_s / 2:
            return tamper, tamper.view
    return monitor.update(tamper, frame, settings.tamper)


def look(
    frame: Frame, crops: Sequence[Crop], detect: Detect, field: Size, settings: AttentionSettings
) -> tuple[Detection, ...]:
    """The objects inside the crops, in fractions of the frame; each object once."""
    images = [image.bgr(frame, crop.box, fitted(frame.size, crop, field)) for crop in crops]
    return scheduler.gather(crops, detect(images), settings)


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

    What the scene looks like, where vehicles are parked and where static false positives are is kept for when
    the camera is back; tracks are not.
    """
    rules, of_rules = engine.close(state.rules, at, reason, settings.rules)
    blind, of_sight = state.blind.close(at, reason)
    kept = replace(state, attention=None, tracking=None, tracks=(), best_shot=None, idle_cache=None)
    return replace(kept, rules=rules, blind=blind), (*of_sight, *of_rules)
