"""What a road user has been through: zones, lines, rests and the way it took, over changes of its track's id.

A tracker now and then loses a road user and finds it again under a new id. The new track then takes over
the journey of the lost one: it neither crosses a line nor enters a zone twice, nor does its stay begin anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import hypot

from agent.core.debounce import NEVER, Debounce
from agent.core.rules import zones
from agent.core.rules.kinds import line as crossing
from agent.core.rules.kinds import wrong_way as against
from agent.core.rules.kinds.line import Crossing, Line, Passage, Trail
from agent.core.rules.kinds.wrong_way import Against
from agent.core.rules.settings import LineRule, RuleSettings, WrongWayRule
from agent.core.types import Box, EndReason, Instant, ObjectState, Shot, Size, Track

PATH_POINTS = 32
PATH_STEP_S = 0.5
REST_SHARE = 0.15
"""It rests while its box has not shifted by this many box sizes from where it came to rest."""
REST_LEAST = 0.012
"""Heights of the frame: the tremble of the smallest boxes."""
AWAY_S = 1.0
"""A box that is elsewhere for less than this was covered or merged, not driven."""
BORDER = 0.015
"""Share of the frame: a box that comes so near to the border touches it."""
MOST_CROSSINGS = 8


@dataclass(frozen=True, slots=True)
class FrameContext:
    """The frame that is being judged, and by what."""

    at: Instant
    frame: Size
    settings: RuleSettings


@dataclass(frozen=True, slots=True)
class Rest:
    """Where and since when it stands still."""

    box: Box
    since: Instant
    away: Debounce = NEVER


@dataclass(frozen=True, slots=True)
class Trajectory:
    """One road user."""

    subject: str
    """The id of its first track: it stays when the tracker gives it a new one."""
    track: Track
    """As last told by the tracker."""
    sighted: Track
    """As last seen."""
    started: Instant
    born: Box
    """Where its newest track began."""
    rest: Rest
    stays: Mapping[str, Debounce] = field(default_factory=dict)
    """By zone id; `on` where it is in."""
    entered: tuple[str, ...] = ()
    passages: Mapping[str, Passage] = field(default_factory=dict)
    """By id of the line's rule."""
    crossings: tuple[Crossing, ...] = ()
    """The newest ones; the last has the highest number."""
    against: Mapping[str, Against] = field(default_factory=dict)
    """By id of the wrong-way rule."""
    trail: Trail = ()
    """Where its foot was lately, for the lines."""
    path: tuple[tuple[float, float, float], ...] = ()
    path_step_s: float = PATH_STEP_S
    shot: Shot | None = None
    confirmed: Instant | None = None
    """When its track was first confirmed; before that nobody is told about it."""
    gone: Instant | None = None
    """When the tracker gave it up."""
    reason: EndReason | None = None


def update(journey: Trajectory | None, track: Track, shot: Shot | None, moment: FrameContext) -> Trajectory:
    """Fold one frame of a track into its journey. `shot` is a better picture of it, if there is one."""
    if journey is None:
        rest = Rest(track.box, track.started)
        journey = Trajectory(track.id, track, track, track.started, track.box, rest)
    confirmed = journey.confirmed or (moment.at if track.confirmed else None)
    journey = replace(journey, track=track, shot=shot or journey.shot, confirmed=confirmed)
    if track.seen:
        journey = _sighted(journey, moment)
    return _ended(journey, moment) if track.ended else journey


def vanish(journey: Trajectory, moment: FrameContext) -> Trajectory:
    """The tracker speaks no more of this track, and did not say that it ended."""
    return _ended(replace(journey, track=replace(journey.track, ended=True)), moment)


def still_s(journey: Trajectory, at: Instant) -> float:
    """For how long it has been standing still, in seconds."""
    return at.since(journey.rest.since)


def inside(journey: Trajectory, zone: str) -> bool:
    """Is it in the zone?"""
    return journey.stays.get(zone, NEVER).on


def alive(journey: Trajectory) -> bool:
    """Does its track go on?"""
    return journey.gone is None


def has_left(journey: Trajectory) -> bool:
    """Did it go out of the picture?"""
    return journey.reason is EndReason.LEFT


def state(journey: Trajectory) -> ObjectState:
    """The road user as an event tells it."""
    track = journey.track
    return ObjectState(
        track_id=journey.subject,
        label=track.label,
        score=track.score,
        top_score=track.top_score,
        riders=track.riders,
        box=track.box,
        started=journey.started,
        ended=track.last_seen if journey.gone else None,
        stationary=track.stationary,
        zones=tuple(zone for zone, stay in journey.stays.items() if stay.on),
        entered_zones=journey.entered,
        path=journey.path,
    )


def _sighted(journey: Trajectory, moment: FrameContext) -> Trajectory:
    at, frame = moment.at, moment.frame
    box = journey.track.box
    stays = {
        zone.id: zones.stay(journey.stays.get(zone.id, NEVER), zone, box, frame, at)
        for zone in moment.settings.zones
    }
    entered = journey.entered + tuple(z for z, stay in stays.items() if stay.on and z not in journey.entered)
    rest = _rest(journey.rest, box, frame, at)
    against = _turn(journey, stays, moment)
    journey = replace(journey, sighted=journey.track, stays=stays, entered=entered, rest=rest, against=against)
    return _trace(_pass_lines(journey, moment), at)


def _rest(rest: Rest, box: Box, frame: Size, at: Instant) -> Rest:
    if not has_moved(rest.box, box, frame):
        return replace(rest, away=NEVER) if rest.away is not NEVER else rest
    first = rest.away.since or at
    if at.since(first) >= AWAY_S:
        return Rest(box, at)
    return replace(rest, away=Debounce(first, at))


def has_moved(a: Box, b: Box, frame: Size) -> bool:
    """Did it drive, however little, from where its box was `a` to where it is `b`?

    A box that is cut by something before it moves one of two opposite edges; who drives moves both.
    """
    moved = _both(b.left - a.left, b.right - a.right), _both(b.top - a.top, b.bottom - a.bottom)
    return hypot(*zones.metric(moved, frame)) > max(REST_LEAST, REST_SHARE * zones.size_of(b, frame))


def _both(a: float, b: float) -> float:
    return min(a, b, key=abs) if a * b > 0 else 0.0


def _pass_lines(journey: Trajectory, moment: FrameContext) -> Trajectory:
    frame, box = moment.frame, journey.track.box
    size = zones.size_of(box, frame)
    passages = dict(journey.passages)
    directions: list[tuple[str, str]] = []
    for rule in moment.settings.rules:
        if isinstance(rule, LineRule):
            point = zones.metric(zones.anchor_of(box, rule.anchor), frame)
            half = crossing.band(size, rule.band, rule.min_band)
            line = Line(zones.metric(rule.start, frame), zones.metric(rule.end, frame), half)
            before = passages.get(rule.id, Passage())
            passages[rule.id], direction = crossing.step(before, point, line, moment.at, journey.trail)
            if direction is not None:
                directions.append((rule.id, direction))
    if not passages:
        return journey
    trail = crossing.trailed(journey.trail, zones.metric(box.foot, frame), moment.at)
    return replace(journey, trail=trail, passages=passages, crossings=_crossed(journey, directions, moment.at))


def _crossed(journey: Trajectory, directions: Sequence[tuple[str, str]], at: Instant) -> tuple[Crossing, ...]:
    """Its crossings with those of this frame."""
    crossings = journey.crossings
    for rule_id, direction in directions:
        number = crossings[-1].number + 1 if crossings else 1
        crossings = (*crossings, Crossing(rule_id, number, direction, at, told=at))[-MOST_CROSSINGS:]
    return crossings


def _turn(journey: Trajectory, stays: Mapping[str, Debounce], moment: FrameContext) -> Mapping[str, Against]:
    """How far it went the wrong way, by rule; `stays` are those of this frame."""
    return {
        rule.id: against.update(
            journey.against.get(rule.id), journey.sighted, journey.track, rule, moment.frame
        )
        for rule in moment.settings.rules
        if isinstance(rule, WrongWayRule) and stays.get(rule.zone, NEVER).since is not None
    }


def _trace(journey: Trajectory, at: Instant) -> Trajectory:
    since_s = round(at.since(journey.started), 3)
    if journey.path and since_s - journey.path[-1][0] < journey.path_step_s:
        return journey
    path = (*journey.path, (since_s, *journey.track.box.foot))
    if len(path) <= PATH_POINTS:
        return replace(journey, path=path)
    return replace(journey, path=path[::2], path_step_s=journey.path_step_s * 2)


def _ended(journey: Trajectory, moment: FrameContext) -> Trajectory:
    passages = dict(journey.passages)
    directions: list[tuple[str, str]] = []
    for rule_id, passage in journey.passages.items():
        passages[rule_id], direction = crossing.finish(passage)
        if direction is not None:
            directions.append((rule_id, direction))
    return replace(
        journey,
        passages=passages,
        crossings=_crossed(journey, directions, moment.at),
        gone=moment.at,
        reason=EndReason.LEFT if _left(journey.track) else EndReason.LOST,
    )


def _left(track: Track) -> bool:
    """Did it go out of the picture? It moved, and its box touches the border or has been led over it."""
    box = track.box
    return not track.stationary and (
        box.left <= BORDER or box.top <= BORDER or box.right >= 1 - BORDER or box.bottom >= 1 - BORDER
    )
