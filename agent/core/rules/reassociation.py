"""Who goes on with whose journey: a road user that was lost and comes back under a new id.

A track that begins takes over the journey of a lost one that it can be by kind, size, place and direction. The
place is asked in three ways: where the lost one was last seen, where the tracker has led it to since, and in a
corridor ahead of it:

    last seen ●━━▶ ─ ─ ─ ─ ─ ─ ─ ◌ ─ ─ ─ ─ ─ ─ ─     ◌ at the speed it had
              narrow: nobody leaves his lane   │
                                               long: nobody keeps to his speed

Where the tracker still leads the lost one's track on, the new one only lays claim to the journey: it goes on
with it when that track ends, and has one of its own if that track is seen again, for then there are two. Until
then nothing is told of the new one, so that there is nothing to take back.

Source of the idea: C. Huang, B. Wu, R. Nevatia, "Robust object tracking by hierarchical association of
detection responses", ECCV 2008, which links tracklets by motion, size and time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import dist, hypot

from agent.core.geometry import Point
from agent.core.rules import trajectory as journeys
from agent.core.rules import zones
from agent.core.rules.trajectory import REST_LEAST, FrameContext, Trajectory
from agent.core.types import Instant, Shot, Size, Track

SHARE = 0.75
"""An heir is found within this many box sizes of where the lost one must be by now."""
SPEED_DOUBT = 0.3
"""And within this share of the way that it must have come unseen: nobody keeps exactly to his speed."""
CHANGE = 0.5
"""Box sizes per second squared by which a speed changes while nobody looks: a car by 2 m/s2."""
BEND = 0.15
"""Sideways, a share of the way: nobody keeps exactly straight."""
SLOW = 0.15
"""Box sizes a second: what is slower has no direction to speak of."""
SIZES = 2.5
"""Who is so many times larger or smaller is another."""
TWO_WHEELERS = ("bicycle", "motorcycle")


WAITS_S = 1.0
"""Nobody is kept back for longer: an officer is to see within two seconds what happened. To wait two seconds
instead decided one crossing more of 2,968."""
HIDDEN_S = 0.3
"""A track that was unseen for less when another began is not that other one: both may be there."""


@dataclass(frozen=True, slots=True)
class PendingLink:
    """What a new track lays claim to: the journey of one whose track the tracker has not given up."""

    track_id: str
    """Of the one that is hidden."""
    since: Instant
    known: int
    """Number of the last crossing that was told when the claim was laid."""
    joined: Trajectory
    """As it goes on if the two are one."""


@dataclass(slots=True)
class Links:
    """Who goes on with whose journey in one frame."""

    ghosts: list[Trajectory]
    """Lost ones that are still waited for."""
    claims: dict[str, PendingLink] = field(default_factory=dict)
    """By id of the new track: those on which nothing can be decided yet."""
    taken: dict[str, Trajectory] = field(default_factory=dict)
    """By id of the heir's track."""
    given: set[str] = field(default_factory=set)
    """Ids of tracks whose journey another one has now."""


def decide(
    known: Mapping[str, Trajectory],
    ghosts: Sequence[Trajectory],
    claims: Mapping[str, PendingLink],
    tracks: Sequence[Track],
    moment: FrameContext,
) -> Links:
    """Who takes over the journey of a lost one now, and who lays claim to that of a hidden one.

    Hidden is who is still led on blindly: behind a bus the guess goes astray, and the tracker finds the one
    that comes out from behind it under a new id. `known` are the journeys of the frame before, by track id.
    """
    heritage = Links([g for g in ghosts if moment.at.since(g.gone or moment.at) <= moment.settings.heir_s])
    _settle(heritage, known, claims, tracks, moment)
    hidden = _hidden(heritage, known, claims, tracks)
    for track in tracks:
        before = known.get(track.id)
        if not (track.confirmed and track.seen) or track.id in claims or (before and before.confirmed):
            continue
        lost = [each for each in hidden if track.started.since(each.track.last_seen) >= HIDDEN_S]
        one = nearest([*heritage.ghosts, *lost], track, moment)
        if one is None:
            continue
        if one.gone is None:
            number = one.crossings[-1].number if one.crossings else 0
            heritage.claims[track.id] = PendingLink(one.track.id, moment.at, number, _taken_over(one, track))
            hidden = [each for each in hidden if each is not one]
        else:
            heritage.taken[track.id] = _taken_over(one, track)
            heritage.ghosts = [each for each in heritage.ghosts if each is not one]
    return heritage


def followed(claim: PendingLink, track: Track, shot: Shot | None, moment: FrameContext) -> PendingLink:
    """The claim after one more frame of the new track."""
    return replace(claim, joined=journeys.update(claim.joined, track, shot, moment))


def nearest(ghosts: Sequence[Trajectory], track: Track, moment: FrameContext) -> Trajectory | None:
    """The lost one that a new track can be: the one which must be nearest to it by now.

    Asked when the new track is confirmed, because only then it is known which way it goes.
    """
    best, least = None, 1.0
    for ghost in ghosts:
        off = _off(ghost, track, moment)
        if off < least:
            best, least = ghost, off
    return best


def _settle(
    heritage: Links,
    known: Mapping[str, Trajectory],
    claims: Mapping[str, PendingLink],
    tracks: Sequence[Track],
    moment: FrameContext,
) -> None:
    """Decide on the claims of which it is known by now whether there are two or one.

    A claim that stays open for long is void: the new one has waited long enough to be told.
    """
    by_id = {track.id: track for track in tracks} if claims else {}
    for heir, claim in claims.items():
        track, hidden = by_id.get(heir), by_id.get(claim.track_id)
        if track is None or claim.track_id not in known or (hidden is not None and hidden.seen):
            continue
        if hidden is None or hidden.ended or track.ended:
            heritage.taken[heir] = _granted(claim, moment.at)
            heritage.given.add(claim.track_id)
        elif moment.at.since(claim.since) < WAITS_S:
            heritage.claims[heir] = claim


def _hidden(
    heritage: Links, known: Mapping[str, Trajectory], claims: Mapping[str, PendingLink], tracks: Sequence[Track]
) -> list[Trajectory]:
    """Those whose track is led on blindly, and to whose journey nobody lays claim."""
    claimed = {each.track_id for each in heritage.claims.values()}
    return [
        known[track.id]
        for track in tracks
        if track.confirmed
        and not (track.seen or track.ended or track.stationary)
        and track.id in known
        and track.id not in claimed
        and track.id not in claims
    ]


def _taken_over(lost: Trajectory, track: Track) -> Trajectory:
    return replace(lost, born=track.box, gone=None, reason=None)


def _granted(claim: PendingLink, at: Instant) -> Trajectory:
    """The journey of the two who turned out to be one; what they crossed meanwhile is told now."""
    crossings = tuple(
        replace(each, told=at) if each.number > claim.known else each for each in claim.joined.crossings
    )
    return replace(claim.joined, crossings=crossings)


def _off(ghost: Trajectory, track: Track, moment: FrameContext) -> float:
    """How far the new track is from where the lost one may be; 1 and more is too far."""
    at, frame = moment.at, moment.frame
    sizes = zones.size_of(ghost.sighted.box, frame), zones.size_of(track.box, frame)
    size = max(*sizes, REST_LEAST)
    if family(ghost.track.label) != family(track.label) or size > SIZES * max(min(sizes), 1e-6):
        return 1.0
    if _opposed(ghost.track, track, size, frame):
        return 1.0
    place = zones.metric(track.box.center, frame)
    blind_s = at.since(ghost.gone or at)  # the tracker has led the box up to `gone` by itself
    vx, vy = ghost.track.velocity
    x, y = ghost.track.box.center
    led = zones.metric((x + vx * blind_s, y + vy * blind_s), frame)
    unseen_s = at.since(ghost.track.last_seen)
    reach = SHARE * size + SPEED_DOUBT * hypot(*zones.metric(ghost.track.velocity, frame)) * unseen_s
    near = min(dist(place, led), dist(place, zones.metric((x, y), frame))) / reach
    return min(near, _ahead(ghost.sighted, place, size, unseen_s, frame))


def _ahead(lost: Track, place: Point, size: float, unseen_s: float, frame: Size) -> float:
    """How far the place is from the middle of the corridor, in its own half length and width."""
    vx, vy = zones.metric(lost.velocity, frame)
    speed = hypot(vx, vy)
    if speed <= SLOW * size:
        return 1.0
    x, y = zones.metric(lost.box.center, frame)
    along = ((place[0] - x) * vx + (place[1] - y) * vy) / speed
    across = abs((place[0] - x) * vy - (place[1] - y) * vx) / speed
    doubt = SHARE * size + SPEED_DOUBT * speed * unseen_s + CHANGE * size * unseen_s**2 / 2
    aside = SHARE * size + BEND * abs(along)
    return hypot((along - speed * unseen_s) / doubt, across / aside)


def family(label: str) -> str:
    """Kinds that a detector does not confuse: on foot, on two wheels, on four."""
    return "two" if label in TWO_WHEELERS else "person" if label == "person" else "four"


def _opposed(a: Track, b: Track, size: float, frame: Size) -> bool:
    """Do two road users that both move go in opposite directions?"""
    v, w = zones.metric(a.velocity, frame), zones.metric(b.velocity, frame)
    return min(hypot(*v), hypot(*w)) > SLOW * size and v[0] * w[0] + v[1] * w[1] < 0
