"""Who goes on with whose journey: a road user that was lost and comes back under a new id.

A track that begins takes over the journey of a lost one that it can be by kind, size, place and direction. The
place is asked in three ways: where the lost one was last seen, where the tracker has led it to since, and in a
corridor ahead of it:

    last seen ●━━▶ ─ ─ ─ ─ ─ ─ ─ ◌ ─ ─ ─ ─ ─ ─ ─     ◌ at the speed it had
              narrow: nobody leaves his lane   │
                                               long: nobody keeps to his speed

Source of the idea: C. Huang, B. Wu, R. Nevatia, "Robust object tracking by hierarchical association of
detection responses", ECCV 2008, which links tracklets by motion, size and time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import dist, hypot

from agent.core import zones
from agent.core.geometry import Point
from agent.core.journey import REST_LEAST, Journey, Moment
from agent.core.types import Size, Track

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


def inherit(ghosts: Sequence[Journey], track: Track, moment: Moment) -> Journey | None:
    """The journey that a new track takes over: that of the lost one which must be nearest to it by now.

    Asked when the new track is confirmed, because only then it is known which way it goes.
    """
    best, nearest = None, 1.0
    for ghost in ghosts:
        off = _off(ghost, track, moment)
        if off < nearest:
            best, nearest = ghost, off
    return best and replace(best, born=track.box, gone=None, reason=None)


def _off(ghost: Journey, track: Track, moment: Moment) -> float:
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
