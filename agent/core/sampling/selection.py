"""Chooses the frames that would teach a detector most, few of many. Pure: the same frames give the same choice.

    missed motion    something goes by, the detector looks and finds nothing        missed_motion.py
    wavering label   its single detections of one track disagree                    label_changes.py
    middle score     a detection neither sure nor nothing, where something moves
    rare scene       an hour, a light, a haze of which there is little              conditions.py

Of the reasons that a frame has, that one counts whose kind was kept least (quota.py). The idea is that of
uncertainty and diversity sampling: B. Settles, "Active Learning Literature Survey" (2009), sections 3.1, 3.6.

Frames are chosen only among those at which the detector looked: what it found goes along as a proposal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from agent.core.geometry import as_array, containment
from agent.core.sampling import label_changes, missed_motion
from agent.core.sampling.conditions import condition
from agent.core.sampling.label_changes import LabelChanges
from agent.core.sampling.missed_motion import MissedMotion
from agent.core.sampling.quota import SampleKind, SampleQuota, hour_of_day, place
from agent.core.sampling.settings import SampleReason, SamplingSettings
from agent.core.types import Box, Crop, Detection, Frame, Instant, Motion, Track

MOVES = 0.2
"""Share of a detection that moves, from which somebody may be there."""


@dataclass(frozen=True, slots=True)
class SampleInput:
    """What one frame gave."""

    motion: Motion
    tracks: tuple[Track, ...]
    detections: tuple[Detection, ...]
    crops: tuple[Crop, ...]


@dataclass(frozen=True, slots=True)
class SamplingState:
    """What is remembered of one camera."""

    quota: SampleQuota = field(default_factory=SampleQuota)
    missed: tuple[MissedMotion, ...] = ()
    labels: tuple[LabelChanges, ...] = ()
    middle: tuple[Box, ...] = ()
    """Middle scores of the last look."""


@dataclass(frozen=True, slots=True)
class Pick:
    """A frame that is to be kept."""

    at: Instant
    kind: SampleKind
    worth: float
    """How much it teaches, 0..1: what is worth least goes first."""
    condition: str
    box: Box | None = None
    """What it is about; None: the whole view."""
    track_id: str | None = None
    """Whom it is about, where that is a track."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A reason to keep the frame."""

    reason: SampleReason
    place: str
    box: Box | None = None
    track_id: str | None = None


def resumed(kinds: Iterable[SampleKind]) -> SamplingState:
    """The state of a camera of which these were kept in earlier lives."""
    counts: dict[SampleKind, int] = {}
    for kind in kinds:
        counts[kind] = counts.get(kind, 0) + 1
    return SamplingState(SampleQuota(counts=counts))


def update(
    state: SamplingState, frame: Frame, seen: SampleInput, settings: SamplingSettings, utc_offset_s: int = 0
) -> tuple[SamplingState, Pick | None]:
    """Look at one frame that was watched; at most one reason to keep it. Who keeps it says so by `kept`.

    Nothing is chosen while the scene is learned: what moves is not known then.
    """
    if seen.motion.settling:
        return replace(state, missed=(), middle=()), None
    missed = missed_motion.follow(state.missed, frame.at, seen.motion, seen.crops, seen.detections, seen.tracks)
    labels = label_changes.follow(state.labels, seen.tracks, seen.detections)
    state = replace(state, missed=missed, labels=labels)
    if not seen.crops:
        return state, None
    middle, before = _middle(seen, settings), state.middle
    state = replace(state, middle=middle)
    if state.quota.full(frame.at, settings):
        return state, None
    now = condition(frame)
    hour = hour_of_day(frame.at, utc_offset_s)
    candidates = [
        (SampleKind(each.reason, each.place, hour), each)
        for each in _candidates(state, frame.at, seen, before, now, settings)
        if each.reason in settings.kinds
    ]
    allowed = [each for each in candidates if state.quota.allows(each[0], frame.at, settings)]
    if not allowed:
        return state, None
    kind, best = max(allowed, key=lambda each: state.quota.worth(each[0]))  # of equals the first
    return state, Pick(frame.at, kind, state.quota.worth(kind), now, best.box, best.track_id)


def kept(state: SamplingState, pick: Pick) -> SamplingState:
    """After the frame was kept: it counts, and one thing is the reason for one frame."""
    reason = pick.kind.reason
    missed, labels = state.missed, state.labels
    if reason is SampleReason.MISSED_MOTION:
        missed = tuple(replace(each, used=each.used or each.box == pick.box) for each in missed)
    elif reason is SampleReason.WAVERING_LABEL:
        labels = tuple(replace(each, used=each.used or each.track_id == pick.track_id) for each in labels)
    return replace(state, quota=state.quota.kept(pick.kind, pick.at), missed=missed, labels=labels)


def _candidates(
    state: SamplingState,
    at: Instant,
    seen: SampleInput,
    before: Sequence[Box],
    now: str,
    settings: SamplingSettings,
) -> Iterator[_Candidate]:
    for each in state.missed:
        if each.due(at, settings.missed_s, settings.missed_height):
            yield _Candidate(SampleReason.MISSED_MOTION, place(*each.box.center), each.box)
    boxes = {track.id: track.box for track in seen.tracks if track.seen and not track.ended}
    for changed in state.labels:
        if not changed.used and changed.changes >= settings.flips and changed.track_id in boxes:
            box = boxes[changed.track_id]
            yield _Candidate(SampleReason.WAVERING_LABEL, place(*box.center), box, changed.track_id)
    for box in _again(state.middle, before):
        yield _Candidate(SampleReason.MIDDLE_SCORE, place(*box.center), box)
    if any(track.confirmed and not track.stationary and not track.ended for track in seen.tracks) or any(
        each.last == at and at.since(each.since) >= settings.missed_s for each in state.missed
    ):  # somebody is well in the view, found or not
        yield _Candidate(SampleReason.RARE_SCENE, now)


def _middle(seen: SampleInput, settings: SamplingSettings) -> tuple[Box, ...]:
    """Detections with a score in the middle where something moves."""
    boxes = [
        each.box
        for each in seen.detections
        if settings.middle_low <= each.score < settings.middle_high
        and each.box.height >= settings.missed_height
    ]
    if not boxes or not seen.motion.regions:
        return ()
    moves = containment(as_array(boxes), as_array(seen.motion.regions)).max(axis=1) >= MOVES
    return tuple(box for box, moving in zip(boxes, moves.tolist(), strict=True) if moving)


def _again(boxes: Sequence[Box], before: Sequence[Box]) -> Sequence[Box]:
    """Those that were there at the last look too."""
    if not boxes or not before:
        return ()
    there = containment(as_array(boxes), as_array(before)).max(axis=1) >= MOVES
    return [box for box, known in zip(boxes, there.tolist(), strict=True) if known]
