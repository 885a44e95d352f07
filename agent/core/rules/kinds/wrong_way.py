"""How far a road user went against the direction of a zone.

It is measured from the point that was farthest along the right way, and takes a distance, an angle and several
separate steps. In a queue a track goes on with the neighbour behind when its own road user is covered: its box
slides there, faster than it was going before, and what it slides is taken off.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import atan2, cos, degrees, hypot, radians, sin

from agent.core.geometry import Point
from agent.core.rules import zones
from agent.core.rules.settings import WrongWayRule
from agent.core.types import Size, Track

STEP = 0.12
"""Box sizes that it must come farther the wrong way for one step."""
STEPS = 3
SLIDES = 2.0
"""A box that comes so many times faster than it was going slides."""
TREMBLES = 0.05
"""Box sizes from sighting to sighting that are no slide."""


@dataclass(frozen=True, slots=True)
class Against:
    """How far it went against a zone's direction."""

    turned: Point
    """Where it was farthest along the right way, in heights of the frame; wrong is what came after."""
    reached: float = 0.0
    """How far the wrong way it had come at its last step, in heights of the frame."""
    steps: int = 0
    """How often it came clearly farther."""
    wrong: bool = False


def update(before: Against | None, last: Track, now: Track, rule: WrongWayRule, frame: Size) -> Against:
    """Fold in one sighting; `last` is the one before, the same for the first."""
    point = zones.metric(now.box.foot, frame)
    before = before or Against(point)
    if before.wrong:
        return before  # it is told until it leaves the zone
    return _measure(_without_slide(before, last, now, rule, frame), point, zones.size_of(now.box, frame), rule)


def _without_slide(before: Against, last: Track, now: Track, rule: WrongWayRule, frame: Size) -> Against:
    """The same, begun farther on by what the box came the wrong way without having gone there."""
    came = _wrong_way(now.box.foot, rule, frame) - _wrong_way(last.box.foot, rule, frame)
    went = SLIDES * max(0.0, _wrong_way(last.velocity, rule, frame)) * now.last_seen.since(last.last_seen)
    slid = came - went - TREMBLES * zones.size_of(now.box, frame)
    if slid <= 0:
        return before
    right = radians(rule.direction_deg)
    x, y = before.turned
    return replace(before, turned=(x - slid * sin(right), y + slid * cos(right)))


def _wrong_way(way: Point, rule: WrongWayRule, frame: Size) -> float:
    """The part of a way that is against the rule's direction, in heights of the frame."""
    right = radians(rule.direction_deg)
    x, y = zones.metric(way, frame)
    return y * cos(right) - x * sin(right)


def _measure(before: Against, point: Point, size: float, rule: WrongWayRule) -> Against:
    """Fold one place into how far it went the wrong way; `size` is that of its box."""
    right = radians(rule.direction_deg)
    dx, dy = point[0] - before.turned[0], point[1] - before.turned[1]
    along, aside = dx * sin(right) - dy * cos(right), dx * cos(right) + dy * sin(right)
    if along >= 0:
        return Against(point)
    straight = degrees(atan2(abs(aside), -along)) <= rule.tolerance_deg
    reached, steps = before.reached, before.steps
    if -along >= reached + STEP * size:
        reached, steps = -along, steps + 1
    # A box trembles by its size, so a large one must go farther before it is believed.
    far = hypot(dx, dy) >= max(rule.min_distance, 0.6 * size)
    return Against(before.turned, reached, steps, straight and far and steps >= STEPS)
