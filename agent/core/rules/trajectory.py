"""What a road user has been through: zones, lines, rests and the way it took, over changes of its track's id.

A tracker now and then loses a road user and finds it again under a new id. The new track then takes over
the trajectory of the lost one (reassociation.py): it neither crosses a line nor enters a zone twice, nor does
its stay begin anew.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import hypot
from typing import Any

from agent.core.debounce import NEVER, Debounce
from agent.core.rules import zones
from agent.core.rules.rule import SharedRuleSettings
from agent.core.types import NO_COLOURS, Box, Colours, EndReason, Instant, ObjectState, Shot, Size, Track

PATH_POINTS = 32
PATH_STEP_S = 0.5
REST_SHARE = 0.15
"""It rests while its box has not shifted by this many box sizes from where it came to rest."""
REST_LEAST = 0.012
"""Heights of the frame: the tremble of the smallest boxes."""
REST_OF = 30
"""Sightings that the box of a rest is the mean of. On 85 stops of the simulated junction 15 were missed or told
falsely with the first box alone, ten with the mean and what came with it."""
AWAY_S = 1.0
"""A box that is elsewhere for less than this was covered or merged, not driven."""
BORDER = 0.015
"""Share of the frame: a box that comes so near to the border touches it."""
LED_S, LED_LOOKS = 1.0, 3
"""Who was last seen inside, and led over the border unseen for longer though so many looks at him were made,
may have slowed down behind something, and still be in the picture."""


class Measure(ABC):
    """What one rule follows of each road user, from sighting to sighting and over changes of its track's id.

    What it knows of a road user is a frozen value of its own; it lies in the trajectory under the rule's id.
    """

    @abstractmethod
    def sighted(self, before: Any, last: Track, now: Trajectory, at: Instant, frame: Size) -> Any:
        """What it knows after one more sighting; None to forget. `last` is the sighting before, or the same."""

    def left(self, before: Any, at: Instant) -> Any:
        """The same when the road user has gone out of the picture."""
        return before

    def released(self, before: Any, since: Instant, at: Instant) -> Any:
        """The same when it is known only now whose sightings those since then were."""
        return before


@dataclass(frozen=True, slots=True)
class FrameContext:
    """The frame that is being looked at, and by what."""

    at: Instant
    frame: Size
    settings: SharedRuleSettings
    measures: Mapping[str, Measure] = field(default_factory=dict)
    """By rule id."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Where and since when it stands still."""

    box: Box
    """The mean of its first ones there: the very first may still roll, and each trembles."""
    since: Instant
    away: Debounce = NEVER
    sightings: int = 1
    """That the mean is made of."""


@dataclass(frozen=True, slots=True)
class Trajectory:
    """One road user."""

    object_id: str
    """The id of its first track: it stays when the tracker gives it a new one."""
    track: Track
    """As the tracker last had it."""
    sighted: Track
    """As last seen."""
    started: Instant
    born: Box
    """Where its newest track began."""
    rest: Rest
    stays: Mapping[str, Debounce] = field(default_factory=dict)
    """By zone id; `on` where it is in."""
    entered: tuple[str, ...] = ()
    measures: Mapping[str, Any] = field(default_factory=dict)
    """What the rules follow of it, by rule id."""
    path: tuple[tuple[float, float, float], ...] = ()
    path_step_s: float = PATH_STEP_S
    shot: Shot | None = None
    colours: Colours = NO_COLOURS
    """As its best picture shows them; they stay when that goes."""
    confirmed: Instant | None = None
    """When its track was first confirmed; before that no rule speaks of it."""
    gone: Instant | None = None
    """When the tracker gave it up."""
    reason: EndReason | None = None


def update(trajectory: Trajectory | None, track: Track, shot: Shot | None, context: FrameContext) -> Trajectory:
    """Fold one frame of a track into its trajectory. `shot` is a better picture of it, if there is one."""
    if trajectory is None:
        rest = Rest(track.box, track.started, sightings=0)  # it is folded in below
        trajectory = Trajectory(track.id, track, track, track.started, track.box, rest)
    confirmed = trajectory.confirmed or (context.at if track.confirmed else None)
    seen_colours = shot.colours if shot and shot.colours else trajectory.colours
    trajectory = replace(
        trajectory, track=track, shot=shot or trajectory.shot, colours=seen_colours, confirmed=confirmed
    )
    if track.seen:
        trajectory = _sighted(trajectory, context)
    return _ended(trajectory, context) if track.ended else trajectory


def vanish(trajectory: Trajectory, context: FrameContext) -> Trajectory:
    """The tracker speaks no more of this track, and did not say that it ended."""
    return _ended(replace(trajectory, track=replace(trajectory.track, ended=True)), context)


def still_s(trajectory: Trajectory, at: Instant) -> float:
    """For how long it has been standing still, in seconds."""
    return at.since(trajectory.rest.since)


def inside(trajectory: Trajectory, zone: str) -> bool:
    """Is it in the zone?"""
    return trajectory.stays.get(zone, NEVER).on


def alive(trajectory: Trajectory) -> bool:
    """Does its track go on?"""
    return trajectory.gone is None


def has_left(trajectory: Trajectory) -> bool:
    """Did it go out of the picture?"""
    return trajectory.reason is EndReason.LEFT


def state(trajectory: Trajectory) -> ObjectState:
    """The road user as an event tells it."""
    track = trajectory.track
    return ObjectState(
        track_id=trajectory.object_id,
        label=track.label,
        score=track.score,
        top_score=track.top_score,
        riders=track.riders,
        box=track.box,
        started=trajectory.started,
        ended=track.last_seen if trajectory.gone else None,
        stationary=track.stationary,
        zones=tuple(zone for zone, stay in trajectory.stays.items() if stay.on),
        entered_zones=trajectory.entered,
        path=trajectory.path,
        colours=trajectory.colours,
    )


def _sighted(trajectory: Trajectory, context: FrameContext) -> Trajectory:
    at, frame = context.at, context.frame
    last, track = trajectory.sighted, trajectory.track
    stays = {
        zone.id: zones.stay(trajectory.stays.get(zone.id, NEVER), zone, track.box, frame, at)
        for zone in context.settings.zones
    }
    entered = tuple(zone for zone, stay in stays.items() if stay.on and zone not in trajectory.entered)
    now = replace(
        trajectory,
        sighted=track,
        stays=stays,
        entered=trajectory.entered + entered,
        rest=_rest(trajectory.rest, track.box, frame, at),
    )
    measured = {
        rule_id: measure.sighted(trajectory.measures.get(rule_id), last, now, at, frame)
        for rule_id, measure in context.measures.items()
    }
    known = {rule_id: value for rule_id, value in measured.items() if value is not None}
    return _trace(replace(now, measures=known), at)


def _rest(rest: Rest, box: Box, frame: Size, at: Instant) -> Rest:
    if not has_moved(rest.box, box, frame):
        if rest.sightings >= REST_OF:
            return replace(rest, away=NEVER) if rest.away is not NEVER else rest
        sightings = rest.sightings + 1
        return Rest(rest.box.towards(box, 1 / sightings), rest.since, NEVER, sightings)
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


def _trace(trajectory: Trajectory, at: Instant) -> Trajectory:
    since_s = round(at.since(trajectory.started), 3)
    if trajectory.path and since_s - trajectory.path[-1][0] < trajectory.path_step_s:
        return trajectory
    path = (*trajectory.path, (since_s, *trajectory.track.box.foot))
    if len(path) <= PATH_POINTS:
        return replace(trajectory, path=path)
    return replace(trajectory, path=path[::2], path_step_s=trajectory.path_step_s * 2)


def _ended(trajectory: Trajectory, context: FrameContext) -> Trajectory:
    gone = replace(trajectory, gone=context.at, reason=EndReason.LOST)
    if not _left(trajectory, context.at):
        return gone
    known = {
        rule_id: context.measures[rule_id].left(value, context.at)
        for rule_id, value in trajectory.measures.items()
        if rule_id in context.measures
    }
    return replace(gone, measures=known, reason=EndReason.LEFT)


def released(trajectory: Trajectory, since: Instant, context: FrameContext) -> Trajectory:
    """It is known only now whose sightings those since then were."""
    known = {
        rule_id: context.measures[rule_id].released(value, since, context.at)
        for rule_id, value in trajectory.measures.items()
        if rule_id in context.measures
    }
    return replace(trajectory, measures=known)


def _left(trajectory: Trajectory, at: Instant) -> bool:
    """Did it go out of the picture? It moved, and its box touches the border or was just led over it."""
    track = trajectory.track
    long_unseen = at.since(track.last_seen) > LED_S and track.missed >= LED_LOOKS
    hidden = long_unseen and not at_border(trajectory.sighted.box)
    return not (track.stationary or hidden) and at_border(track.box)


def at_border(box: Box) -> bool:
    """Does it touch the border of the picture?"""
    return box.left <= BORDER or box.top <= BORDER or box.right >= 1 - BORDER or box.bottom >= 1 - BORDER
