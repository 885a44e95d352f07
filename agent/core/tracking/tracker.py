"""Multi-object tracking, who is it: detections of one camera become tracks that keep their identity over time.

A tracker of the family of SORT, ByteTrack and OC-SORT, written for a detector that does not run on every
frame and that looks only at some crops:

- Time is real time. The filter (kalman.py) takes any step; patience is in seconds and in looks, never in
  frames.
- A track is missed only where the detector looked. What it did not look at may be as it was.
- Strong detections are paired first, then weak ones with what is still missing (ByteTrack, Zhang et al.
  2022), then the rest by where a track was last seen, for road users that stopped in an occlusion (OC-SORT,
  Cao et al. 2023).
- What has exactly the place of a missing track is that track, whatever the detector calls it this time.
- How seldom the detector sees a track stretches the patience for it: at night a vehicle is seen once in ten
  looks.
- A detection that is too weak to begin a track may do so where something moves, if it then travels
  (low_score_init.py).
- What moves keeps a candidate alive and leads a track through frames without a detection.
- What stands still cannot leave without moving: a parked car that the detector misses stays a track. Who
  passes it may lead it away; if it is not seen elsewhere then, it is believed to be where it was.

`update` returns all living tracks, the unseen ones with `seen=False` and a predicted box. An unseen track is
a guess that gets worse: `Track.last_seen` tells how old the last sight is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from agent.core.geometry import Floats, area, as_array, containment, iou
from agent.core.ids import Ids
from agent.core.tracking import association, kalman, label_votes, low_score_init, motion_cue, track_state
from agent.core.tracking.association import Mask
from agent.core.tracking.kalman import Belief
from agent.core.tracking.settings import TrackSettings
from agent.core.tracking.track_state import TrackState
from agent.core.types import Box, Detection, Instant, Sighting, Track

PERSON = "person"

MOUNTING = 0.1
"""How much worse a person's track fits a detection with riders than the two-wheeler's own."""

LOOKED = 0.5
"""A place was looked at when this share of it lies in one of the crops."""

NEAR = 16.0
"""A region of more than so many times a track's area is not that track's own motion: rain, or a light."""

__all__ = ["TrackSettings", "TrackState", "TrackerState", "update"]


@dataclass(frozen=True, slots=True)
class TrackerState:
    """Everything the tracker remembers; row n of the belief is where states[n] is."""

    at: Instant
    states: tuple[TrackState, ...] = ()
    belief: Belief = kalman.NOTHING


@dataclass(frozen=True, slots=True)
class DetectionTable:
    """The detections of one sighting that are worth pairing, strongest first."""

    at: Instant
    detections: tuple[Detection, ...]
    measured: Floats
    """(M, 4), centre and size."""
    corners: Floats
    """(M, 4), left, top, right, bottom."""
    groups: tuple[str, ...]
    scores: Floats


def update(
    state: TrackerState | None, sighting: Sighting, ids: Ids, settings: TrackSettings
) -> tuple[TrackerState, Ids, tuple[Track, ...]]:
    """Fold one sighting into the tracks.

    Returns the new state, the ids to use next, and all tracks that live, also unconfirmed ones, plus each
    confirmed track that ended with this sighting, once, with `ended=True`. The given state is left as it was.
    """
    at = sighting.at
    state = state or TrackerState(at)
    found = _found(sighting, settings)
    belief = kalman.predict(state.belief, max(0.0, at.since(state.at)), settings.noise)
    # What lies beyond the border is not detected: there is nothing to compare it with.
    boxes, regions = np.clip(kalman.cornered(belief.mean), 0.0, 1.0), as_array(sighting.moving)
    stirs = motion_cue.stirs(boxes, regions)
    alike = _alike(boxes, belief, found, settings)
    free, weak = _low_score_on_motion(state, boxes, regions, as_array(sighting.changing), found, settings)
    pairs = _pairs(state, boxes, found, alike, weak, settings)
    proven = np.array([not each.low_score_only for each in state.states], np.bool_)
    misses = _misses(state, boxes, pairs, sighting, stirs & (free[None, :] | proven[:, None]), settings)
    own = motion_cue.own(boxes, regions, stirs)
    leaders = {row: region for row, region in own.items() if row in misses}
    belief = motion_cue.led(belief, leaders, [each.offset for each in state.states], settings.noise)
    rows, columns = [row for row, _ in pairs], [column for _, column in pairs]
    found, doubt = _completed(found, columns, belief.mean[rows])
    belief = kalman.update(belief, np.array(rows, np.intp), found.measured[columns], doubt, settings.noise)
    crowded = _crowded(state.states, found, pairs, settings)
    states = _gone_on(state, found, pairs, belief, crowded, own, settings)
    for row, miss in misses.items():
        states[row] = track_state.miss(states[row], miss, belief.mean[row], settings)
    belief, states = _returned(belief, states, at, settings)
    newborn = _newborn(found, pairs, belief, states, settings)
    weak &= ~np.any(alike[[row for row in misses if states[row].confirmed]] > 0, axis=0)
    newborn += _newborn_weak(found, [*columns, *newborn], weak, belief, settings)
    for column in newborn:
        name, ids = ids.next(at)
        measured = found.measured[column]
        hit = track_state.Hit(at, found.detections[column], measured, measured, crowded[column])
        states.append(track_state.begin(name, hit, settings))
    first = found.measured[newborn]
    belief = kalman.join(belief, kalman.born(first, settings.noise, association.first_doubt(first)))
    ended = _ended(states, belief, at, settings)
    tracks = _tracks(states, belief, ended)
    stay = np.array([row for row in range(len(states)) if row not in ended], np.intp)
    kept = tuple(states[row] for row in stay)
    return TrackerState(at, kept, kalman.take(belief, stay)), ids, tracks


def _found(sighting: Sighting, settings: TrackSettings) -> DetectionTable:
    """The detections without the weakest and without doubles: a detector may call one thing car and truck."""
    strong = sorted(
        (each for each in sighting.detections if each.score >= settings.low_score), key=lambda each: -each.score
    )
    corners = as_array([each.box for each in strong])
    groups = [label_votes.group(each.label, settings.groups) for each in strong]
    keep: list[int] = []
    overlap = iou(corners, corners) > settings.duplicate_overlap
    for n, rivals in enumerate(overlap):
        if not any(rivals[k] and groups[n] == groups[k] for k in keep):
            keep.append(n)
    return DetectionTable(
        at=sighting.at,
        detections=tuple(strong[n] for n in keep),
        measured=kalman.centred(corners[keep]),
        corners=corners[keep],
        groups=tuple(groups[n] for n in keep),
        scores=np.array([strong[n].score for n in keep], np.float64),
    )


def _completed(found: DetectionTable, columns: list[int], believed: Floats) -> tuple[DetectionTable, Floats]:
    """The detections, those of some columns as they go on beyond the border, and the doubt in these (K, 4)."""
    whole = found.measured.copy()
    whole[columns], doubt = association.completed(found.measured[columns], believed)
    return replace(found, measured=whole), doubt


def _low_score_on_motion(
    state: TrackerState,
    boxes: Floats,
    regions: Floats,
    changing: Floats,
    found: DetectionTable,
    settings: TrackSettings,
) -> tuple[Mask, Mask]:
    """Which regions are the motion of nobody known, and which weak detections lie on one of these.

    Or on one of those that only change, in which nobody known is.
    """
    followed = boxes[[row for row, each in enumerate(state.states) if each.confirmed]]
    sure = found.corners[found.scores >= settings.birth_score]
    known = np.concatenate([followed, sure])
    free = low_score_init.unexplained(regions, known)
    clear = np.concatenate([regions[free], changing[low_score_init.unclaimed(changing, known)]])
    return free, (found.scores < settings.birth_score) & low_score_init.on_motion(found.corners, clear)


def _gone_on(
    state: TrackerState,
    found: DetectionTable,
    pairs: association.Pairs,
    belief: Belief,
    crowded: list[bool],
    own: dict[int, Floats],
    settings: TrackSettings,
) -> list[TrackState]:
    """All states, those that are paired with what the pair tells; `own` are the regions of tracks, by row."""
    states = list(state.states)
    for row, column in pairs:
        measured = found.measured[column]
        seen = found.detections[column]
        hit = track_state.Hit(
            at=found.at,
            detection=seen,
            measured=measured,
            believed=belief.mean[row],
            crowded=crowded[column],
            region=own.get(row),
        )
        states[row] = track_state.hit(states[row], hit, settings)
    return states


def _returned(
    belief: Belief, states: list[TrackState], at: Instant, settings: TrackSettings
) -> tuple[Belief, list[TrackState]]:
    """Those that stand are where they stood, if a passer led them away and nobody saw them since."""
    rows = [row for row, each in enumerate(states) if track_state.returns(each, at, settings)]
    places = {row: track_state.resting(states[row]) for row in rows}
    back = [replace(each, led_away=False) if row in places else each for row, each in enumerate(states)]
    return kalman.put(belief, places), back


def _pairs(
    state: TrackerState,
    boxes: Floats,
    found: DetectionTable,
    alike: Floats,
    weak: Mask,
    settings: TrackSettings,
) -> association.Pairs:
    """Which track (row) is which detection (column); `weak` are the detections that count for little."""
    if not found.detections or not state.states:
        return []
    likeness = _likeness(state, alike, found)
    confirmed = np.array([each.confirmed for each in state.states])
    recent = np.array([found.at.since(each.last_seen) <= settings.lost_s for each in state.states])
    strong = found.scores >= settings.high_score
    last = kalman.cornered(np.array([each.last_box for each in state.states]))
    where_last = np.where(likeness >= 0, iou(last, found.corners), 0.0)
    place = iou(boxes, found.corners)
    pairs = _stage([], likeness, confirmed, strong, settings.min_overlap)
    pairs = _stage(pairs, likeness, confirmed & recent, ~strong, settings.min_overlap_low)
    pairs = _stage(pairs, where_last, confirmed, strong, settings.min_overlap_last)
    pairs = _stage(pairs, place, confirmed & recent, strong, settings.min_overlap_other)
    pairs = _stage(pairs, likeness, ~confirmed, strong, settings.min_overlap)
    # What a detector sees badly it calls by changing names: the votes will tell.
    return _stage(pairs, alike, ~confirmed, weak, settings.min_overlap_low)


def _stage(
    pairs: association.Pairs, likeness: Floats, rows: Mask, columns: Mask, least: float
) -> association.Pairs:
    """The pairs so far and those of one more pairing among the given rows and columns that are still free."""
    rows, columns = rows.copy(), columns.copy()
    rows[[row for row, _ in pairs]] = False
    columns[[column for _, column in pairs]] = False
    return pairs + association.pair(np.where(rows[:, None] & columns[None, :], likeness, 0.0), least)


def _alike(boxes: Floats, belief: Belief, found: DetectionTable, settings: TrackSettings) -> Floats:
    """How well each detection fits each track by place and size, whatever both are: (N, M), 0..1."""
    margin = np.minimum(settings.widen * np.sqrt(belief.var)[:, :2], belief.mean[:, 2:] * settings.widest)
    out: Floats = association.widened_iou(boxes, found.corners, margin)
    return out * association.size_likeness(boxes, found.corners) ** settings.size_weight


def _likeness(state: TrackerState, alike: Floats, found: DetectionTable) -> Floats:
    """How well each detection fits each track: (N, M), at most 1; -1 where the kinds forbid it."""
    own = np.array([each.group for each in state.states])
    same = own[:, None] == np.array(found.groups)[None, :]
    # A person whose two-wheeler was not seen before: a worse fit than the two-wheeler's own track.
    mounts = (own == PERSON)[:, None] & np.array([each.riders > 0 for each in found.detections])[None, :]
    out: Floats = np.where(same, alike, np.where(mounts, alike - MOUNTING, -1.0))
    return out


def _misses(
    state: TrackerState,
    boxes: Floats,
    pairs: association.Pairs,
    sighting: Sighting,
    stirs: Mask,
    settings: TrackSettings,
) -> dict[int, track_state.Miss]:
    """What the sighting says about the rows without a detection; `stirs` tells which region is over which.

    What moves where a ridden two-wheeler was seen is that one: it speaks for none of its parts, which would be
    told as its double.
    """
    seen = {row for row, _ in pairs}
    rows = [row for row in range(len(boxes)) if row not in seen]
    if not rows:
        return {}
    looked = np.any(containment(boxes, as_array(sighting.looked)) >= LOOKED, axis=1)
    near = area(as_array(sighting.moving))[None, :] <= NEAR * area(boxes)[:, None]
    disturbed, stirred = np.any(stirs, axis=1), np.any(stirs & near, axis=1)
    ridden = [n for n in sorted(seen) if state.states[n].confirmed and track_state.riders(state.states[n])]
    if ridden:
        stirred &= ~np.any(containment(boxes, boxes[ridden]) >= settings.part_inside, axis=1)
    return {row: track_state.Miss(bool(looked[row]), bool(disturbed[row]), bool(stirred[row])) for row in rows}


def _crowded(
    states: Sequence[TrackState], found: DetectionTable, pairs: association.Pairs, settings: TrackSettings
) -> list[bool]:
    """By detection: does it overlap one of its kind that belongs to a confirmed track, or is it a rider of one?

    A part has little overlap with the whole by IoU: what counts there is how much of it lies inside. Of a weak
    one the kind does not matter.
    """
    sure = [column for row, column in pairs if states[row].confirmed]
    if not sure:
        return [False] * len(found.groups)
    groups = np.array(found.groups)
    same = groups[:, None] == groups[sure][None, :]
    ridden = np.array([found.detections[n].riders > 0 for n in sure])[None, :]
    part = containment(found.corners, found.corners[sure]) >= settings.part_inside
    double = same & (iou(found.corners, found.corners[sure]) > settings.crowd_overlap)
    double |= part & (same | (groups == PERSON)[:, None]) & ridden
    double |= (found.scores < settings.birth_score)[:, None] & low_score_init.parts(
        found.corners, found.corners[sure]
    )
    double[sure, np.arange(len(sure))] = False
    return [bool(any_) for any_ in double.any(axis=1)]


def _newborn(
    found: DetectionTable,
    pairs: association.Pairs,
    belief: Belief,
    states: list[TrackState],
    settings: TrackSettings,
) -> list[int]:
    """Detections that begin a track: strong, paired with none, and no double of what is tracked already."""
    taken = {column for _, column in pairs}
    free = [n for n in np.flatnonzero(found.scores >= settings.birth_score).tolist() if n not in taken]
    if not pairs or not free:
        return free
    rows = [row for row, _ in pairs]
    doubles = iou(found.corners[free], kalman.cornered(belief.mean[rows])) > settings.duplicate_overlap
    same = np.array([[found.groups[n] == states[row].group for row in rows] for n in free])
    return [n for n, double in zip(free, (doubles & same).any(axis=1), strict=True) if not double]


def _newborn_weak(
    found: DetectionTable, taken: list[int], weak: Mask, belief: Belief, settings: TrackSettings
) -> list[int]:
    """Weak detections that begin a candidate: apart from those taken, from all tracks and from each other."""
    free = np.flatnonzero(weak & (found.scores >= settings.low_birth_score)).tolist()
    known = np.concatenate([kalman.cornered(belief.mean), found.corners[taken]])
    return low_score_init.newborn(found.corners, [n for n in free if n not in taken], known)


def _ended(states: list[TrackState], belief: Belief, at: Instant, settings: TrackSettings) -> set[int]:
    """Rows that are given up: those whose time is over, and the least of too many."""
    outside = np.any((belief.mean[:, :2] < 0.0) | (belief.mean[:, :2] > 1.0), axis=1)
    # Of what lies wholly outside no look can say anything.
    gone = area(np.clip(kalman.cornered(belief.mean), 0.0, 1.0)) <= 0.0
    ended = {
        row
        for row, each in enumerate(states)
        if track_state.over(each, at, bool(outside[row]), settings) or (gone[row] and not each.seen)
    }
    left = [row for row in range(len(states)) if row not in ended]
    worth = sorted(left, key=lambda n: (states[n].confirmed, states[n].last_seen.mono_s, states[n].top_score))
    return ended.union(worth[: max(0, len(left) - settings.max_tracks)])


def _tracks(states: list[TrackState], belief: Belief, ended: set[int]) -> tuple[Track, ...]:
    """What the other stages see; of the ended ones those that were confirmed, of low scores alone none."""
    shown = [track_state.shown(each, row) for each, row in zip(states, belief.mean, strict=True)]
    corners = np.clip(np.array(shown).reshape(-1, 4), 0.0, 1.0).tolist()
    velocities = belief.velocity[:, :2].tolist()
    return tuple(
        Track(
            id=each.id,
            label=each.label,
            score=each.score,
            top_score=each.top_score,
            box=Box(*corners[row]),
            velocity=(velocities[row][0], velocities[row][1]),
            started=each.started,
            last_seen=each.last_seen,
            seen=each.seen,
            confirmed=each.confirmed,
            stationary=each.stationary,
            riders=track_state.riders(each),
            missed=each.misses,
            ended=row in ended,
        )
        for row, each in enumerate(states)
        if each.confirmed or not (each.low_score_only or row in ended)
    )
