"""Occlusion hand-over: a road user that was lost and comes back under a new id goes on with its trajectory.

A track that begins is linked to a lost one that it can be by kind, size, place and direction (tracklet
linking). The place is asked in three ways: where the lost one was last seen, where the tracker has led it to
since, and in a corridor ahead of it:

    last seen ●━━▶ ─ ─ ─ ─ ─ ─ ─ ◌ ─ ─ ─ ─ ─ ─ ─     ◌ at the speed it had
              narrow: nobody leaves his lane   │
                                               long: nobody keeps to his speed

Where the tracker still leads the lost one's track on, the link is pending: the new track goes on with the
trajectory when that track ends, and has one of its own if that track is seen again, for then there are two.
Until then no event is made of the new one, so that there is nothing to take back.

Source of the idea: C. Huang, B. Wu, R. Nevatia, "Robust object tracking by hierarchical association of
detection responses", ECCV 2008, which links tracklets by motion, size and time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import dist, hypot

from agent.core.geometry import Point
from agent.core.rules import trajectory as trajectories
from agent.core.rules import zones
from agent.core.rules.trajectory import BORDER, REST_LEAST, FrameContext, Trajectory, at_border
from agent.core.types import Box, Instant, Shot, Size, Track

SHARE = 0.75
"""The lost one is found again within this many box sizes of where it must be by now."""
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
"""No link is pending for longer: an officer is to see within two seconds what happened. To wait two seconds
instead decided one crossing more of 2,968."""
LEAVES = 0.1
"""Whose inner edge went by such a share of its size to the border at which its track began goes out there."""
HIDDEN_S = 0.3
"""A track that was unseen for less when another began is not that other one: both may be there."""


@dataclass(frozen=True, slots=True)
class PendingLink:
    """A new track that may be a hidden road user, whose track the tracker has not given up."""

    track_id: str
    """Of the one that is hidden."""
    since: Instant
    joined: Trajectory
    """As it goes on if the two are one."""


@dataclass(slots=True)
class Links:
    """Who goes on with whose trajectory in one frame."""

    lost: list[Trajectory]
    """Lost ones that are still waited for."""
    pending: dict[str, PendingLink] = field(default_factory=dict)
    """By id of the new track: those on which nothing can be decided yet."""
    taken: dict[str, Trajectory] = field(default_factory=dict)
    """By id of the new track: the trajectory that it goes on with."""
    given: set[str] = field(default_factory=set)
    """Ids of tracks whose trajectory another one has now."""


def decide(
    known: Mapping[str, Trajectory],
    lost: Sequence[Trajectory],
    pending: Mapping[str, PendingLink],
    tracks: Sequence[Track],
    context: FrameContext,
) -> Links:
    """Which new tracks are linked to a lost road user now, and which may be a hidden one.

    Hidden is who is still led on blindly: behind a bus the guess goes astray, and the tracker finds the one
    that comes out from behind it under a new id. `known` are the trajectories of the frame before, by track id.
    """
    at = context.at
    links = Links([each for each in lost if at.since(each.gone or at) <= context.settings.link_s])
    _settle(links, known, pending, tracks, context)
    hidden = _hidden(links, known, pending, tracks)
    for track in tracks:
        before = known.get(track.id)
        if not (track.confirmed and track.seen) or track.id in pending or (before and before.confirmed):
            continue
        unseen = [each for each in hidden if track.started.since(each.track.last_seen) >= HIDDEN_S]
        comes_in = _comes_in(before.born if before else track.box, track.box)
        free = [each for each in (*links.lost, *unseen) if not comes_in or at_border(each.sighted.box)]
        one = nearest(free, track, at, context.frame)
        if one is None:
            continue
        if one.gone is None:
            links.pending[track.id] = PendingLink(one.track.id, at, _taken_over(one, track))
            hidden = [each for each in hidden if each is not one]
        else:
            links.taken[track.id] = _taken_over(one, track)
            links.lost = [each for each in links.lost if each is not one]
    return links


def followed(link: PendingLink, track: Track, shot: Shot | None, context: FrameContext) -> PendingLink:
    """The pending link after one more frame of the new track."""
    return replace(link, joined=trajectories.update(link.joined, track, shot, context))


def nearest(lost: Sequence[Trajectory], track: Track, at: Instant, frame: Size) -> Trajectory | None:
    """The lost one that a new track can be: the one which must be nearest to it by now.

    Asked when the new track is confirmed, because only then it is known which way it goes.
    """
    best, least = None, 1.0
    for each in lost:
        off = _off(each, track, at, frame)
        if off < least:
            best, least = each, off
    return best


def _settle(
    links: Links,
    known: Mapping[str, Trajectory],
    pending: Mapping[str, PendingLink],
    tracks: Sequence[Track],
    context: FrameContext,
) -> None:
    """Decide on the pending links of which it is known by now whether there are two or one.

    A link that stays pending for long is void: the new one has waited long enough.
    """
    by_id = {track.id: track for track in tracks} if pending else {}
    for new_id, link in pending.items():
        track, hidden = by_id.get(new_id), by_id.get(link.track_id)
        if track is None or link.track_id not in known or (hidden is not None and hidden.seen):
            continue
        if hidden is None or hidden.ended or track.ended:
            links.taken[new_id] = trajectories.released(link.joined, link.since, context)
            links.given.add(link.track_id)
        elif context.at.since(link.since) < WAITS_S:
            links.pending[new_id] = link


def _hidden(
    links: Links,
    known: Mapping[str, Trajectory],
    pending: Mapping[str, PendingLink],
    tracks: Sequence[Track],
) -> list[Trajectory]:
    """Those whose track is led on blindly, and that no new track may be."""
    claimed = {each.track_id for each in links.pending.values()}
    return [
        known[track.id]
        for track in tracks
        if track.confirmed
        and not (track.seen or track.ended or track.stationary)
        and track.id in known
        and track.id not in claimed
        and track.id not in pending
    ]


def _taken_over(lost: Trajectory, track: Track) -> Trajectory:
    return replace(lost, born=track.box, gone=None, reason=None)


def _off(lost: Trajectory, track: Track, at: Instant, frame: Size) -> float:
    """How far the new track is from where the lost one may be; 1 and more is too far."""
    sizes = zones.size_of(lost.sighted.box, frame), zones.size_of(track.box, frame)
    size = max(*sizes, REST_LEAST)
    if family(lost.track.label) != family(track.label) or size > SIZES * max(min(sizes), 1e-6):
        return 1.0
    if _opposed(lost.track, track, size, frame):
        return 1.0
    place = zones.metric(track.box.center, frame)
    blind_s = at.since(lost.gone or at)  # the tracker has led the box up to `gone` by itself
    vx, vy = lost.track.velocity
    x, y = lost.track.box.center
    led = zones.metric((x + vx * blind_s, y + vy * blind_s), frame)
    unseen_s = at.since(lost.track.last_seen)
    reach = SHARE * size + SPEED_DOUBT * hypot(*zones.metric(lost.track.velocity, frame)) * unseen_s
    near = min(dist(place, led), dist(place, zones.metric((x, y), frame))) / reach
    return min(near, _ahead(lost.sighted, place, size, unseen_s, frame))


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


def _comes_in(born: Box, box: Box) -> bool:
    """Did it begin at the border of the picture, and not go out there since? It was nobody inside."""
    wide, high = LEAVES * box.width, LEAVES * box.height
    goes_out = (
        (born.left <= BORDER and born.right - box.right >= wide)
        or (born.right >= 1 - BORDER and box.left - born.left >= wide)
        or (born.top <= BORDER and born.bottom - box.bottom >= high)
        or (born.bottom >= 1 - BORDER and box.top - born.top >= high)
    )
    return at_border(born) and not goes_out


def family(label: str) -> str:
    """Kinds that a detector does not confuse: on foot, on two wheels, on four."""
    return "two" if label in TWO_WHEELERS else "person" if label == "person" else "four"


def _opposed(a: Track, b: Track, size: float, frame: Size) -> bool:
    """Do two road users that both move go in opposite directions?"""
    v, w = zones.metric(a.velocity, frame), zones.metric(b.velocity, frame)
    return min(hypot(*v), hypot(*w)) > SLOW * size and v[0] * w[0] + v[1] * w[1] < 0
