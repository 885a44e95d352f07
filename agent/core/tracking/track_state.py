"""The state of one tracklet: its bookkeeping at each hit and each miss, and when it is over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp

from agent.core.geometry import Floats
from agent.core.plain_sum import plain_sum
from agent.core.tracking import label_votes
from agent.core.tracking.kalman import SMALLEST
from agent.core.tracking.motion_cue import Offset, offset
from agent.core.tracking.settings import TrackSettings
from agent.core.types import Detection, Instant

MOST_RIDERS = 4
OFTEN = 0.3
"""Riders hide each other, so most counts are too low: the largest that this share of the votes reaches
is believed."""
FIRST_LOOKS = 2.0
"""More riders than one are believed of what weighs so much, three looks where none is certain: a detector that
sees one man twice does so in two looks running."""
CYCLE, CYCLE_LOOKS = "bicycle", 6.0
"""The same on a bicycle, where a second rider is rare and a cyclist who leans is often seen twice."""


LEARNING = 0.1
"""Weight of one look in the share of looks that find a track."""

FEW_LOOKS = 2
"""A single look that finds nothing ends no track, however long ago the one before was."""

MOVING_EVIDENCE = 0.15
"""What a look counts that finds nothing where something of the track's size moves, in detections."""

ANCHOR_MEMORY_S = 60.0


@dataclass(frozen=True, slots=True)
class TrackState:
    """What is known of one track beside where it is."""

    id: str
    label: str
    group: str
    votes: label_votes.Votes
    riders: tuple[float, ...]
    """Weight of 0, 1, … riders."""
    score: float
    top_score: float
    evidence: float
    """Detections less looks that found nothing, 0 or more; doubles of others count little."""
    low_score_evidence: float
    """The same of detections too weak to begin a track; they count once it has travelled."""
    low_score_only: bool
    """No detection yet was strong enough to begin it."""
    origin: tuple[float, float]
    """Centre of its first detection."""
    started: Instant
    last_seen: Instant
    last_box: tuple[float, float, float, float]
    """Centre and size as last detected."""
    rate: float
    """Share of looks that found it, recent ones counting more, 0..1."""
    anchor: tuple[float, float]
    """Where it rests."""
    rests_since: Instant
    lag: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    """What its detections lately had more than the belief: centre and size, in its own width and height."""
    offset: Offset = None
    """Where its own region of motion was beside its last detection."""
    misses: int = 0
    """Looks in a row that did not find it."""
    seen: bool = True
    confirmed: bool = False
    stationary: bool = False
    led_away: bool = False
    """Unseen, what moves has led it from where it rests."""
    disturbed: bool = False
    """Something has moved over it since it was last seen."""
    stirred: bool = False
    """Something of its size moves where it is believed to be."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A detection that was found to be of a track."""

    at: Instant
    detection: Detection
    measured: Floats
    """(4,), centre and size as detected."""
    believed: Floats
    """(4,), centre and size as believed with it."""
    crowded: bool = False
    """It overlaps a confirmed track that was seen too: it may be a double of that one."""
    region: Floats | None = None
    """(4,), centre and size of what moves there, if that is its own."""


@dataclass(frozen=True, slots=True)
class Miss:
    """A sighting that did not show a track."""

    looked: bool
    """The detector looked at its place."""
    disturbed: bool
    """Something moves over its place."""
    stirred: bool
    """What moves over its place may be the track itself, by its size."""


def begin(name: str, hit: Hit, settings: TrackSettings) -> TrackState:
    """The state of a track after its first detection; `name` is its id for ever."""
    found = hit.detection
    state = TrackState(
        id=name,
        label=found.label,
        group=label_votes.group(found.label, settings.groups),
        votes=((found.label, _label_score(found)),),
        riders=_count((0.0,) * (MOST_RIDERS + 1), found, 1.0),
        score=found.score,
        top_score=found.score,
        evidence=0.0,
        low_score_evidence=0.0,
        low_score_only=True,
        origin=(float(hit.measured[0]), float(hit.measured[1])),
        started=hit.at,
        last_seen=hit.at,
        last_box=_four(hit.measured),
        rate=1.0,
        anchor=(float(hit.measured[0]), float(hit.measured[1])),
        rests_since=hit.at,
    )
    return _judged(state, hit, settings)


def hit(state: TrackState, hit: Hit, settings: TrackSettings) -> TrackState:
    """The state after one more detection."""
    found = hit.detection
    keep = exp(-max(0.0, hit.at.since(state.last_seen)) / settings.vote_memory_s)
    # A person who turns out to be riding was the rider all along: the old votes would outlive the truth.
    mounted = found.riders > 0 and label_votes.group(found.label, settings.groups) != state.group
    votes = label_votes.vote(() if mounted else state.votes, found.label, _label_score(found), keep)
    label = found.label if mounted else label_votes.winner(votes, state.label, settings.label_lead)
    anchor, rests_since, stationary = _rest(state, hit, settings)
    state = replace(
        state,
        label=label,
        group=label_votes.group(label, settings.groups),
        votes=votes,
        riders=_count(state.riders, found, keep),
        score=found.score,
        top_score=max(state.top_score, found.score),
        last_seen=hit.at,
        last_box=_four(hit.measured),
        lag=_lag(state, hit, settings),
        offset=None if hit.region is None else offset(hit.region, hit.measured),
        rate=state.rate + (1.0 - state.rate) * LEARNING,
        anchor=anchor,
        rests_since=rests_since,
        misses=0,
        seen=True,
        stationary=stationary,
        led_away=False,
        disturbed=False,
    )
    return _judged(state, hit, settings)


def miss(state: TrackState, miss: Miss, believed: Floats, settings: TrackSettings) -> TrackState:
    """The state after a sighting without it; `believed` is (4,), centre and size, led by what moves.

    A look that finds nothing speaks against it, unless something of its size moves there: at night a small
    detector is nearly blind, and what moves on where it was seen speaks for it. Low scores need detections.
    """
    fresh = miss.stirred != state.stirred or (miss.disturbed and not state.disturbed)
    led_away = state.stationary and _has_set_out(state, believed, settings)
    if not (state.seen or miss.looked or fresh or led_away != state.led_away):
        return state
    gain = 0.0 if not miss.looked else MOVING_EVIDENCE if miss.stirred else -1.0
    return replace(
        state,
        seen=False,
        led_away=led_away,
        misses=state.misses + miss.looked,
        evidence=0.0 if state.low_score_only else max(0.0, state.evidence + gain),
        low_score_evidence=max(0.0, state.low_score_evidence + min(0.0, gain)),
        rate=state.rate * (1.0 - LEARNING) if miss.looked else state.rate,
        disturbed=state.disturbed or miss.disturbed,
        stirred=miss.stirred,
    )


def over(state: TrackState, at: Instant, outside: bool, settings: TrackSettings) -> bool:
    """Is the track given up? `outside`: its centre is believed to have left the picture."""
    unseen_s = at.since(state.last_seen)
    if state.seen or unseen_s <= 0.0:
        return False
    if state.stationary and not state.disturbed:
        return unseen_s >= settings.still_keep_s
    if unseen_s >= settings.forget_s and not state.stationary:
        return True
    if outside and state.misses:
        return True
    return state.misses >= FEW_LOOKS and unseen_s >= _patience_s(state, settings)


def _patience_s(state: TrackState, settings: TrackSettings) -> float:
    """How long it may be missed: longer the more seldom it is found anyway."""
    stretch = min(settings.patience, 1.0 / max(state.rate, 1e-3))
    if not state.confirmed:
        return settings.candidate_moving_s if state.stirred else settings.candidate_s * stretch
    return stretch * (settings.still_lost_s if state.stationary else settings.lost_s)


def returns(state: TrackState, at: Instant, settings: TrackSettings) -> bool:
    """Was it led from where it rests, and not seen since for so long that it was only passed?"""
    return state.led_away and at.since(state.last_seen) >= settings.lost_s


def resting(state: TrackState) -> tuple[float, float, float, float]:
    """Where it rests, centre and size."""
    return *state.anchor, *state.last_box[2:]


def riders(state: TrackState) -> int:
    """How many persons ride it: the largest count that a good share of the votes reaches.

    Of few looks one is a good share already, and a man who is seen twice in it would be two riders.
    """
    often = OFTEN * plain_sum(state.riders)
    several = max(often, CYCLE_LOOKS if state.label == CYCLE else FIRST_LOOKS)
    for count in range(MOST_RIDERS, 1, -1):
        if plain_sum(state.riders[count:]) >= several:
            return count
    return int(plain_sum(state.riders[1:]) >= often)


def _judged(state: TrackState, hit: Hit, settings: TrackSettings) -> TrackState:
    """The state with the evidence of this detection, confirmed when that is enough."""
    if state.confirmed:
        return state
    weight = min(1.0, hit.detection.score / settings.sure_score)
    if hit.detection.score >= settings.birth_score:
        weight *= settings.crowd if hit.crowded else 1.0
        state = replace(state, evidence=state.evidence + weight, low_score_only=False)
    elif not hit.crowded:
        state = replace(state, low_score_evidence=state.low_score_evidence + weight)
    travelled = _shift(hit.believed, state.origin) >= settings.low_birth_travel
    evidence = state.evidence + state.low_score_evidence * travelled
    return replace(state, confirmed=evidence >= settings.min_evidence)


def _rest(state: TrackState, hit: Hit, settings: TrackSettings) -> tuple[tuple[float, float], Instant, bool]:
    """Where it rests, since when, and whether that is long enough.

    The anchor follows slowly, so that a camera that sags does not set a parked car in motion, and a stationary
    track needs twice the shift to be moving again, so that jitter does not make it flicker.
    """
    x, y = float(hit.believed[0]), float(hit.believed[1])
    if _has_set_out(state, hit.believed, settings):
        return (x, y), hit.at, False
    pull = 1.0 - exp(-max(0.0, hit.at.since(state.last_seen)) / ANCHOR_MEMORY_S)
    anchor = state.anchor[0] + pull * (x - state.anchor[0]), state.anchor[1] + pull * (y - state.anchor[1])
    return anchor, state.rests_since, hit.at.since(state.rests_since) >= settings.still_after_s


def _has_set_out(state: TrackState, believed: Floats, settings: TrackSettings) -> bool:
    """Is it away from where it rests?"""
    return _shift(believed, state.anchor) > settings.still_share * (2.0 if state.stationary else 1.0)


def _shift(believed: Floats, place: tuple[float, float]) -> float:
    """How far its centre is from a place, in its own width or height."""
    x, y, width, height = _four(believed)
    return max(abs(x - place[0]) / width, abs(y - place[1]) / height)


def _lag(state: TrackState, hit: Hit, settings: TrackSettings) -> tuple[float, float, float, float]:
    """How far the filter is behind the detections: errors that stay, for those that come and go average out.

    A filter that is smooth enough to pair well is late for what grows quickly towards the camera.
    """
    believed, measured = _four(hit.believed), _four(hit.measured)
    sides = believed[2], believed[3], believed[2], believed[3]
    share = settings.catch_up
    x, y, width, height = (
        old + share * ((seen - held) / side - old)
        for old, seen, held, side in zip(state.lag, measured, believed, sides, strict=True)
    )
    return x, y, width, height


def shown(state: TrackState, believed: Floats) -> tuple[float, float, float, float]:
    """The box that is shown, as left, top, right and bottom: the belief, brought up to the detections."""
    x, y, width, height = _four(believed)
    middle_x, middle_y = x + state.lag[0] * width, y + state.lag[1] * height
    half_x = max(SMALLEST, width * (1.0 + state.lag[2])) / 2
    half_y = max(SMALLEST, height * (1.0 + state.lag[3])) / 2
    return middle_x - half_x, middle_y - half_y, middle_x + half_x, middle_y + half_y


def _count(riders: tuple[float, ...], found: Detection, keep: float) -> tuple[float, ...]:
    counted = min(max(found.riders, 0), MOST_RIDERS)
    return tuple(old * keep + (found.score if n == counted else 0.0) for n, old in enumerate(riders))


def _label_score(found: Detection) -> float:
    """What a detection weighs as a vote: a rider bears out that there is a two-wheeler, and not which."""
    return found.score if found.label_score is None else found.label_score


def _four(box: Floats) -> tuple[float, float, float, float]:
    return float(box[0]), float(box[1]), float(box[2]), float(box[3])
